import { number } from '../format.js';
import { t } from '../i18n.js';

/** The period before, and the change since, in colour where more is plainly better or worse. */
function Trend({ now, before, better, show }) {
  const was = t('common.before', { value: show(before) });
  if (!before || now === null || now === undefined) return <span class="trend">{was}</span>;
  const change = (now - before) / Math.abs(before);
  const sign = Math.sign(Math.round(change * 100));
  const tone = !better || !sign ? '' : sign === better ? 'good' : 'bad';
  return (
    <span class={`trend ${tone}`}>
      <bdi>{number(change, { style: 'percent', signDisplay: 'exceptZero' })}</bdi> · {was}
    </span>
  );
}

/** A figure that leads to what it is made of. show(value): how it is written; `part`: of a whole. */
export function Tile({ label, now, before, better, show, part, to }) {
  return (
    <li>
      <a class="tile" href={to}>
        <span class="tile-label">{label}</span>
        <strong>
          <bdi>{show(now)}</bdi> {part && <small>{part}</small>}
        </strong>
        <Trend {...{ now, before, better, show }} />
      </a>
    </li>
  );
}
