import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { day, number } from '../format.js';
import { language, t } from '../i18n.js';
import { isDark } from '../theme.js';

const HEIGHT = 220;
/** Between the lines of a scale of counts: 1, 2, 5, 10, ... */
const WHOLE = Array.from({ length: 10 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat();

const nameOfDay = (time) => day(time * 1000);

/**
 * A chart over time, with the same numbers as a table behind it. times: seconds since 1970;
 * series: [{label, values, tone: 'accent'|'good'|'warn'|'bad'|'dim', kind: 'line'|'bars',
 * format}]; `whole`: nothing is counted in parts; name(time): how a time is called.
 */
export function Chart({ label, times, series, format = number, whole, name = nameOfDay }) {
  const box = useRef();
  const dark = isDark.value;
  const { value: locale } = language;

  useEffect(() => {
    const element = box.current;
    const width = () => element.clientWidth;
    const look = describe({ series, format, whole, name, width: width() }, element);
    const plot = new uPlot(look, [times, ...series.map(({ values }) => values)], element);
    const watch = new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [times, series, dark, locale]);

  return (
    <figure class="chart">
      <figcaption class="legend">
        {series.map((one) => (
          <span key={one.label} class={`key ${one.tone ?? 'accent'}`}>
            {one.label}
          </span>
        ))}
      </figcaption>
      <div ref={box} class="plot" dir="ltr" aria-hidden="true" />
      <details>
        <summary>{t('common.asTable')}</summary>
        <div class="table-box" tabIndex={0} role="region" aria-label={label}>
          <table class="table">
            <caption class="hidden">{label}</caption>
            <thead>
              <tr>
                <th scope="col">{t('common.day')}</th>
                {series.map((one) => (
                  <th key={one.label} scope="col" class="align-end">
                    {one.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.map((time, i) => (
                <tr key={time}>
                  <th scope="row">{name(time)}</th>
                  {series.map((one) => (
                    <td key={one.label} class="align-end">
                      {(one.format ?? format)(one.values[i])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

/** Half a bar. */
function room({ data: [times] }) {
  return times.length > 1 ? (times[1] - times[0]) / 2 : 43200;
}

function describe({ series, format, whole, name, width }, box) {
  const style = getComputedStyle(box);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour('dim'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  };
  const bared = series.some(({ kind }) => kind === 'bars');
  const bars = uPlot.paths.bars({ size: [0.6, 40], radius: 0.2 });
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), 'UTC'),
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 30,
        space: 70,
        values: (plot, ticks) => ticks.map(name),
      },
      {
        ...axis,
        size: 56,
        incrs: whole && WHOLE,
        values: (plot, ticks) => ticks.map((tick) => format(tick)),
      },
    ],
    scales: {
      x: {
        range: (plot, low, high) => (bared ? [low - room(plot), high + room(plot)] : [low, high]),
      },
      y: { range: (plot, low, high) => [0, high > 0 ? high * 1.1 : 1] },
    },
    series: [
      {},
      ...series.map(({ label, tone = 'accent', kind }) => ({
        label,
        stroke: colour(tone),
        width: kind === 'bars' ? 0 : 2,
        fill: kind === 'bars' ? colour(tone) : undefined,
        paths: kind === 'bars' ? bars : undefined,
        points: { show: false },
      })),
    ],
  };
}
