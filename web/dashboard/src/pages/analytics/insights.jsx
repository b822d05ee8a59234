import { money, number, percent } from '../../format.js';
import { t, word } from '../../i18n.js';
import { Icon } from '../../ui/icon.jsx';
import { toRows } from './analytics.jsx';

const ICONS = {
  biggest_change: 'chart',
  most_asked_unanswered: 'book',
  dearest_model: 'wallet',
  failing_tool: 'alert',
};

/** Numbers and names as the reader's language writes them. */
const shown = ({ figure, percent: part, cost_micro: cost, ...values }) => ({
  ...values,
  ...(figure && { figure: word('analytics.figures', figure) }),
  ...(part !== undefined && { percent: percent(Math.abs(part), 100) }),
  ...(cost !== undefined && { cost: money(cost / 1e6) }),
  ...(values.value !== undefined && {
    value: number(values.value, { maximumFractionDigits: 1 }),
    previous: number(values.previous, { maximumFractionDigits: 1 }),
  }),
});

/** What to look at first. */
export function Insights({ list }) {
  if (!list.length) return null;
  return (
    <ul class="insights" aria-label={t('analytics.insights')}>
      {list.map((one) => (
        <li key={one.kind}>
          <a href={toRows(one.filter)}>
            <Icon name={ICONS[one.kind] ?? 'spark'} />
            <span dir="auto">{t(`analytics.${one.text_key}`, shown(one.values))}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
