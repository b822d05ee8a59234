import { number } from '../format.js';
import { t } from '../i18n.js';

/** The change since the period before; its colour only where more is plainly better or worse. */
export function Trend({ now, before, better }) {
  if (!before || now === null || now === undefined)
    return <span class="trend">{t('common.noPrevious')}</span>;
  const change = (now - before) / Math.abs(before);
  const sign = Math.sign(Math.round(change * 100));
  const tone = !better || !sign ? '' : sign === better ? 'good' : 'bad';
  return (
    <span class={`trend ${tone}`}>
      <bdi>{number(change, { style: 'percent', signDisplay: 'exceptZero' })}</bdi>{' '}
      {t('common.thanBefore')}
    </span>
  );
}

/** A figure that leads to what it is made of. */
export function Tile({ label, value, now, before, better, to }) {
  return (
    <li>
      <a class="tile" href={to}>
        <span class="tile-label">{label}</span>
        <strong>
          <bdi>{value}</bdi>
        </strong>
        <Trend now={now} before={before} better={better} />
      </a>
    </li>
  );
}
