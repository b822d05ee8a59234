import { useData } from '../../api/data.js';
import { date, milliseconds, money, number, percent } from '../../format.js';
import { t, word } from '../../i18n.js';
import { href, setQuery } from '../../router.js';
import { Badge, Meter } from '../../ui/badge.jsx';
import { Tile } from '../../ui/figure.jsx';
import { Filters, useFilters } from '../../ui/filters.jsx';
import { lazy } from '../../ui/lazy.jsx';
import { Card, Empty, Loaded, Page } from '../../ui/page.jsx';
import { Gaps } from './gaps.jsx';
import { Insights } from './insights.jsx';

const Chart = lazy(() => import('../../ui/chart.jsx'), 'Chart');
const DAY = 86400000;

const plain = (value) => number(value, { maximumFractionDigits: 1 });
const ofHundred = (value) => percent(value, 100);
const balance = (value) =>
  number(value === null ? null : value / 100, { style: 'percent', signDisplay: 'exceptZero' });

/**
 * In groups, in the order in which one asks: name, how it is written, 1 where more is good and -1
 * where less is, what it is a part of.
 */
const GROUPS = {
  volume: [
    ['conversations', number, 0],
    ['messages', number, 0],
    ['length', plain, 0],
  ],
  outcome: [
    ['handled_by_ai', number, 1, 'conversations'],
    ['handed_over', number, 0, 'conversations'],
    ['unanswered', number, -1, 'conversations'],
    ['resolved_7d_percent', ofHundred, 1],
  ],
  satisfaction: [
    ['rating_ai', plain, 1],
    ['rating_human', plain, 1],
    ['feedback_down', number, -1],
    ['sentiment', balance, 1],
  ],
  speed: [
    ['first_token_ms_p50', milliseconds, -1],
    ['first_token_ms_p95', milliseconds, -1],
    ['response_ms_p95', milliseconds, -1],
    ['resolution_ms_p50', milliseconds, -1],
  ],
};

const isoDay = (time) => new Date(time).toISOString().slice(0, 10);

const daysOf = ({ from, to }) => (Date.parse(to) - Date.parse(from)) / DAY + 1;
const said = ({ from, to }) => ({ from: utc(from), to: utc(to) });
const utc = (day) => date(day, { dateStyle: 'medium', timeZone: 'UTC' });

/** The conversations that something was counted of. */
export const toRows = (filter) => href(`/conversations?${new URLSearchParams(filter)}`);

export default function Analytics() {
  const period = useFilters(['from', 'to']);
  const found = useData('analytics', period);
  const last = (days) =>
    setQuery({ from: isoDay(Date.now() - (days - 1) * DAY), to: isoDay(Date.now()) });
  const shown =
    found.data && isoDay(Date.now()) === found.data.period.to ? daysOf(found.data.period) : null;
  return (
    <Page wide title={t('analytics.title')} about={t('analytics.about')}>
      <Filters
        filters={[
          { name: 'from', label: t('conversations.from'), type: 'date' },
          { name: 'to', label: t('conversations.to'), type: 'date' },
        ]}
      >
        {[7, 30, 90].map((days) => (
          <button
            key={days}
            type="button"
            class="button quiet small"
            aria-pressed={days === shown}
            onClick={() => last(days)}
          >
            <span>{t('analytics.lastDays', { n: days })}</span>
          </button>
        ))}
      </Filters>
      <Loaded of={found} lines={8}>
        {(data) => (
          <>
            <p class="about">
              {t('analytics.period', said(data.period))}{' '}
              {t('analytics.compared', said(data.previous_period))}
            </p>
            <Insights list={data.insights} />
            <Figures figures={data.figures} />
            <Card title={t('analytics.days')}>
              <Days days={data.days} {...data.period} />
            </Card>
            <div class="columns even">
              <Models list={data.models} />
              <Tools list={data.tools} />
            </div>
            <div class="columns even">
              <Reasons causes={data.handoff_causes} reasons={data.handoff_reasons} />
              <Gaps period={period} />
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Figures({ figures }) {
  const byName = Object.fromEntries(figures.map((figure) => [figure.name, figure]));
  return Object.entries(GROUPS).map(([group, members]) => (
    <section key={group} aria-labelledby={`figures-${group}`}>
      <h2 class="group-title" id={`figures-${group}`}>
        {t(`analytics.groups.${group}`)}
      </h2>
      <ul class="tiles">
        {members.map(([name, show, better, whole]) => {
          const { value, previous, filter } = byName[name] ?? {};
          const part = whole && byName[whole].value > 0 && percent(value, byName[whole].value);
          return (
            filter && (
              <Tile
                key={name}
                label={t(`analytics.figures.${name}`)}
                now={value}
                before={previous}
                {...{ better, show, part }}
                to={toRows(filter)}
              />
            )
          );
        })}
      </ul>
    </section>
  ));
}

function Days({ days, from, to }) {
  if (!days.length) {
    return (
      <Empty icon="chart" title={t('overview.noDays')}>
        {t('overview.noDaysAbout')}
      </Empty>
    );
  }
  const known = new Map(days.map((one) => [one.day, one]));
  const times = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += DAY) times.push(at / 1000);
  const values = (name) => times.map((time) => known.get(isoDay(time * 1000))?.[name] ?? 0);
  return (
    <Chart
      label={t('analytics.days')}
      whole
      times={times}
      series={[
        {
          label: t('analytics.figures.conversations'),
          values: values('conversations'),
          kind: 'bars',
        },
        { label: t('analytics.figures.handed_over'), values: values('handed_over'), tone: 'warn' },
        { label: t('analytics.figures.unanswered'), values: values('unanswered'), tone: 'bad' },
      ]}
    />
  );
}

/* -- what it cost, what it did --------------------------------------------------------------- */

function Models({ list }) {
  const most = Math.max(...list.map(({ cost_micro: cost }) => cost), 0);
  return (
    <Card flush title={t('analytics.models')}>
      {list.length ? (
        <ul class="rows">
          {list.map((one) => (
            <li key={one.model_id}>
              <a href={toRows(one.filter)}>
                <span>
                  <bdi>{one.model}</bdi>
                  <span class="about">
                    {t('analytics.modelUse', {
                      answers: number(one.answers),
                      read: number(one.tokens_input),
                      written: number(one.tokens_output),
                    })}
                  </span>
                  <Meter value={one.cost_micro} max={most} tone="accent" label={one.model} />
                </span>
                <span>
                  {money(one.cost_micro / 1e6)}
                  {one.unpriced_calls > 0 && (
                    <Badge tone="warn">{t('analytics.unpriced', { n: one.unpriced_calls })}</Badge>
                  )}
                </span>
              </a>
            </li>
          ))}
        </ul>
      ) : (
        <Empty icon="model" title={t('analytics.noModels')} />
      )}
    </Card>
  );
}

function Tools({ list }) {
  return (
    <Card flush title={t('analytics.tools')}>
      {list.length ? (
        <ul class="rows">
          {list.map((one) => (
            <li key={one.name}>
              <a href={toRows(one.filter)}>
                <span>
                  <code>{one.name}</code>
                  <span class="about">
                    {t('analytics.toolUse', {
                      calls: number(one.calls),
                      time: milliseconds(one.p95_ms),
                    })}
                  </span>
                </span>
                <Badge
                  tone={
                    one.succeeded === one.calls
                      ? 'good'
                      : one.succeeded < 0.9 * one.calls
                        ? 'bad'
                        : 'warn'
                  }
                >
                  {percent(one.succeeded, one.calls)}
                </Badge>
              </a>
            </li>
          ))}
        </ul>
      ) : (
        <Empty icon="tool" title={t('analytics.noTools')} />
      )}
    </Card>
  );
}

function Reasons({ causes, reasons }) {
  const rows = [
    ...causes.map((one) => ({ ...one, label: word('analytics.causes', one.cause) })),
    ...reasons
      .filter(({ reason }) => reason)
      .map((one) => ({ ...one, label: one.reason, isQuoted: true })),
  ];
  return (
    <Card flush title={t('analytics.reasons')}>
      {rows.length ? (
        <ul class="rows">
          {rows.map((one) => (
            <li key={`${one.isQuoted} ${one.label}`}>
              <a href={toRows(one.filter)}>
                <span dir="auto">{one.isQuoted ? <q>{one.label}</q> : one.label}</span>
                <span>{number(one.conversations)}</span>
              </a>
            </li>
          ))}
        </ul>
      ) : (
        <Empty icon="hand" title={t('analytics.noReasons')} />
      )}
    </Card>
  );
}
