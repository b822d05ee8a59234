import { useData } from '../api/data.js';
import { may, session } from '../api/session.js';
import { ago, milliseconds, money, number, percent } from '../format.js';
import { t } from '../i18n.js';
import { href } from '../router.js';
import { Meter } from '../ui/badge.jsx';
import { LinkButton } from '../ui/button.jsx';
import { Tile } from '../ui/figure.jsx';
import { lazy } from '../ui/lazy.jsx';
import { Card, Empty, Fault, Loaded, Page, Skeleton } from '../ui/page.jsx';
import { Icon } from '../ui/icon.jsx';
import { Status, Visitor } from './conversation-parts.jsx';

const Chart = lazy(() => import('../ui/chart.jsx'), 'Chart');

export default function Overview() {
  const analytics = useData('analytics', week());
  const { organization } = session.value;
  return (
    <Page
      title={t('overview.title')}
      about={t('overview.about', { organization: organization.name })}
    >
      <Onboarding />
      <Tiles analytics={analytics} />
      <div class="columns">
        <Card title={t('overview.perDay')} about={t('overview.lastDays')}>
          <Loaded of={analytics}>{(data) => <Days days={data.days} {...data.period} />}</Loaded>
        </Card>
        <div class="stack">
          <Budget />
          <Recent />
        </div>
      </div>
    </Page>
  );
}

const isoDay = (time) => new Date(time).toISOString().slice(0, 10);

function week() {
  const now = Date.now();
  return { from: isoDay(now - 13 * 86400000), to: isoDay(now) };
}

/* -- the first steps ------------------------------------------------------------------------ */

const STEPS = {
  branding: '/branding',
  knowledge: '/knowledge',
  model: '/models',
  tool: '/tools',
  budget: '/budget',
  widget: '/install',
  first_chat: '/test',
  team: '/users',
};

function Onboarding() {
  const { data } = useData(may('admin') ? 'onboarding' : null);
  if (!data || data.done) return null;
  const done = data.steps.filter((step) => step.done).length;
  return (
    <Card
      title={t('overview.steps.title')}
      about={t('overview.steps.about', { n: done, of: data.steps.length })}
      class="onboarding"
    >
      <Meter value={done} max={data.steps.length} tone="accent" label={t('overview.steps.title')} />
      <ol class="steps">
        {data.steps.map(({ name, done: isDone }) => (
          <li key={name} class={isDone ? 'done' : undefined}>
            <a href={href(STEPS[name] ?? '/')}>
              <span class="step-mark" aria-hidden="true">
                {isDone && <Icon name="check" size={14} />}
              </span>
              <span>
                <b>{t(`overview.steps.${name}`)}</b>
                <span class="about">{t(`overview.steps.${name}About`)}</span>
              </span>
              {isDone ? (
                <span class="hidden">{t('overview.steps.done')}</span>
              ) : (
                <Icon name="right" flips size={16} />
              )}
            </a>
          </li>
        ))}
      </ol>
    </Card>
  );
}

/* -- figures ------------------------------------------------------------------------------- */

const TILES = [
  { name: 'conversations', show: number, better: 1 },
  { name: 'handled_by_ai', of: 'conversations', show: percent, better: 1 },
  { name: 'handed_over', show: number, better: 0 },
  { name: 'rating', show: (value) => number(value, { maximumFractionDigits: 1 }), better: 1 },
  { name: 'first_token_ms_p50', show: milliseconds, better: -1 },
];

function Tiles({ analytics }) {
  if (!analytics.data) {
    return analytics.problem ? (
      <Fault problem={analytics.problem} retry={analytics.reload} />
    ) : (
      <Skeleton lines={2} />
    );
  }
  const figures = Object.fromEntries(analytics.data.figures.map((figure) => [figure.name, figure]));
  return (
    <ul class="tiles">
      {TILES.filter(({ name }) => figures[name]).map((tile) => (
        <Figure key={tile.name} {...tile} figures={figures} />
      ))}
    </ul>
  );
}

function Figure({ name, of, show, better, figures }) {
  const { value, previous, filter } = figures[name];
  const part = (figure, whole) => (of ? (whole ? figure / whole : null) : figure);
  const now = part(value, figures[of]?.value);
  const before = part(previous, figures[of]?.previous);
  const to = href(`/conversations?${new URLSearchParams(filter)}`);
  return (
    <Tile
      label={t(`overview.figures.${name}`)}
      now={now}
      before={before}
      better={better}
      show={show}
      to={to}
    />
  );
}

function Days({ days, from, to }) {
  const counts = new Map(days.map((one) => [one.day, one]));
  const times = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += 86400000) times.push(at / 1000);
  const values = (name) => times.map((time) => counts.get(isoDay(time * 1000))?.[name] ?? 0);
  if (!days.length) {
    return (
      <Empty icon="chart" title={t('overview.noDays')}>
        {t('overview.noDaysAbout')}
      </Empty>
    );
  }
  return (
    <Chart
      label={t('overview.perDay')}
      whole
      times={times}
      series={[
        {
          label: t('overview.figures.conversations'),
          values: values('conversations'),
          kind: 'bars',
        },
        { label: t('overview.figures.handed_over'), values: values('handed_over'), tone: 'warn' },
      ]}
    />
  );
}

function Budget() {
  const budget = useData('budget');
  const { budget_usd: most, spent_usd: spent } = budget.data ?? {};
  if (spent === undefined) return null;
  return (
    <Card
      title={t('overview.budget')}
      actions={
        <LinkButton small kind="quiet" href={href('/budget')}>
          {t('nav.budget')}
        </LinkButton>
      }
    >
      <p class="big">
        {money(Number(spent))}
        {most !== null && (
          <span class="about"> {t('overview.ofBudget', { sum: money(Number(most)) })}</span>
        )}
      </p>
      {most !== null && (
        <Meter value={Number(spent)} max={Number(most)} label={t('overview.budget')} />
      )}
    </Card>
  );
}

function Recent() {
  const list = useData('conversations', { order: 'recent', limit: 6 });
  return (
    <Card
      title={t('overview.recent')}
      flush
      actions={
        <LinkButton small kind="quiet" href={href('/conversations')}>
          {t('overview.all')}
        </LinkButton>
      }
    >
      <Loaded of={list}>
        {({ conversations }) =>
          conversations.length ? (
            <ul class="rows">
              {conversations.map((one) => (
                <li key={one.id}>
                  <a href={href(`/conversations/${one.id}`)}>
                    <span>
                      <Visitor of={one} />
                      <span class="about">{ago(one.updated_at)}</span>
                    </span>
                    <Status name={one.status} />
                  </a>
                </li>
              ))}
            </ul>
          ) : (
            <Empty icon="chat" title={t('conversations.none')}>
              {t('conversations.noneAbout')}
            </Empty>
          )
        }
      </Loaded>
    </Card>
  );
}
