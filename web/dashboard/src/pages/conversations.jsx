import { useState } from 'preact/hooks';
import { useData, useList } from '../api/data.js';
import { useEvents } from '../api/events.js';
import { url } from '../api/http.js';
import { may, session } from '../api/session.js';
import { ago, dateTime, money, number } from '../format.js';
import { t, word } from '../i18n.js';
import { href } from '../router.js';
import { Badge } from '../ui/badge.jsx';
import { Button } from '../ui/button.jsx';
import { Filters, useFilters } from '../ui/filters.jsx';
import { Menu } from '../ui/menu.jsx';
import { Empty, Page } from '../ui/page.jsx';
import { Table } from '../ui/table.jsx';
import { Status, Visitor } from './conversation-parts.jsx';
import { OrganizationFilter, ReadAt, useElsewhere } from './conversations-elsewhere.jsx';

const SHOWN = [
  'status',
  'handled',
  'channel',
  'language',
  'model',
  'rating',
  'feedback',
  'from',
  'to',
];
/** Filters that figures lead here with, and no control of this page has. */
const OTHERS = [
  ...['handoff', 'handoff_reason', 'handoff_cause', 'tool', 'active_from', 'active_to', 'user'],
  ...['resolved', 'sentiment', 'has', 'has_feedback', 'gap', 'team'],
];

const options = (group, names) => names.map((value) => ({ value, label: word(group, value) }));

function useControls(elsewhere) {
  const { data } = useData('models');
  const models = data?.models ?? [];
  return [
    {
      name: 'status',
      label: t('conversations.status'),
      options: options('status', ['active', 'waiting_human', 'human', 'ended', 'archived']),
    },
    {
      name: 'handled',
      label: t('conversations.handled'),
      options: options('handled', ['ai', 'human', 'nobody']),
    },
    {
      name: 'channel',
      label: t('conversations.channel'),
      options: options('channels', [
        'widget',
        'api',
        'openai',
        'whatsapp',
        'messenger',
        'email',
        'sms',
        'test',
      ]),
    },
    {
      name: 'language',
      label: t('conversations.language'),
      options: options('languages', ['en', 'he']),
    },
    models.length > 0 && {
      name: 'model',
      label: t('conversations.model'),
      options: models
        .filter(({ enabled }) => enabled || elsewhere)
        .map(({ model_id: value, custom_label: label, name }) => ({ value, label: label || name })),
    },
    {
      name: 'rating',
      label: t('conversations.rating'),
      options: ['any', '5', '4', '3', '2', '1'].map((value) => ({
        value,
        label: value === 'any' ? t('conversations.rated') : '★'.repeat(Number(value)),
      })),
    },
    {
      name: 'feedback',
      label: t('conversations.feedback'),
      options: options('feedback', ['up', 'down', 'any', 'none']),
    },
    { name: 'from', label: t('conversations.from'), type: 'date' },
    { name: 'to', label: t('conversations.to'), type: 'date' },
  ].filter(Boolean);
}

export default function Conversations() {
  const elsewhere = useElsewhere();
  const filters = useFilters(['q', ...SHOWN, ...OTHERS]);
  const order = filters.q ? undefined : 'recent';
  const query = { ...filters, organization: elsewhere, order };
  const list = useList('conversations', query);
  const [fresh, setFresh] = useState(new Set());
  const isFiltered = elsewhere || Object.keys(filters).length > 0;
  const roams = may('superadmin');

  useEvents((type, data) => {
    if (elsewhere) return;
    if (type === 'sync') list.reload();
    if (type !== 'conversation') return;
    const known = list.items.some(({ id }) => id === data.id);
    if (known)
      list.change((rows) => rows.map((row) => (row.id === data.id ? merge(row, data) : row)));
    else setFresh((some) => new Set(some).add(data.id));
  });
  const showFresh = () => {
    setFresh(new Set());
    list.reload();
  };

  return (
    <Page
      wide
      title={t('conversations.title')}
      about={t(`conversations.${roams && elsewhere ? 'aboutElsewhere' : 'about'}`)}
      actions={!elsewhere && <Export filters={filters} />}
    >
      <Filters
        search={elsewhere !== 'all' && { name: 'q', label: t('conversations.search') }}
        first={roams && <OrganizationFilter elsewhere={elsewhere} />}
        filters={useControls(elsewhere)}
      >
        <Others filters={filters} />
      </Filters>
      {elsewhere && <ReadAt list={list} />}
      {!elsewhere && fresh.size > 0 && (
        <div class="fresh">
          <Button small kind="quiet" icon="refresh" onClick={showFresh}>
            {t('conversations.fresh', { n: fresh.size })}
          </Button>
        </div>
      )}
      <Table
        label={t('conversations.title')}
        list={list}
        href={pathOf}
        columns={columns(elsewhere)}
        empty={isFiltered ? <Nothing /> : <None />}
      />
    </Page>
  );
}

/** An event has no text: what was read stays. */
const merge = (row, { status, language, updated_at, message_count }) => ({
  ...row,
  status,
  language: language ?? row.language,
  updated_at,
  messages_total: message_count ?? row.messages_total,
});

/** Where a row leads: of another organization, its address says which. */
function pathOf({ id, organization }) {
  const isHere = !organization || organization.id === session.value.organization.id;
  return `/conversations/${id}${isHere ? '' : `?organization=${organization.id}`}`;
}

function columns(elsewhere) {
  return [
    {
      title: t('conversations.conversation'),
      fill: true,
      cell: (row) => (
        <a class="row-link" href={href(pathOf(row))}>
          <Visitor of={row} />
          <span class="about">
            <span class="narrow-only">{ago(row.updated_at)} · </span>
            {row.organization && (
              <span class="narrow-only">
                <bdi>{row.organization.name}</bdi> ·{' '}
              </span>
            )}
            {[word('channels', row.channel), word('languages', row.language), row.model]
              .filter(Boolean)
              .map((one, i) => (
                <span key={one} class={i > 1 ? 'wide-only' : undefined}>
                  {i > 0 && ' · '}
                  <bdi>{one}</bdi>
                </span>
              ))}
          </span>
        </a>
      ),
    },
    elsewhere && {
      title: t('conversations.organization'),
      wide: true,
      cell: ({ organization }) => <bdi>{organization?.name}</bdi>,
    },
    { title: t('conversations.status'), cell: (row) => <Status name={row.status} /> },
    { title: t('conversations.marks'), wide: true, cell: (row) => <Marks of={row} /> },
    {
      title: t('conversations.messages'),
      align: 'end',
      wide: true,
      cell: (row) => number(row.messages_total),
    },
    {
      title: t('conversations.cost'),
      align: 'end',
      wide: true,
      cell: (row) => money(row.cost_usd),
    },
    {
      title: t('conversations.lastActive'),
      align: 'end',
      wide: true,
      cell: (row) => (
        <time dateTime={row.updated_at} title={dateTime(row.updated_at)}>
          {ago(row.updated_at)}
        </time>
      ),
    },
  ].filter(Boolean);
}

function Marks({ of: { rating, feedback, tool_calls: calls, tool_failures: failures, handoff } }) {
  return (
    <span class="marks">
      {rating && (
        <Badge tone={rating > 3 ? 'good' : rating < 3 ? 'bad' : 'neutral'}>
          {t('conversations.stars', { n: rating })}
        </Badge>
      )}
      {feedback?.down > 0 && <Badge tone="bad">{t('conversations.notHelpful')}</Badge>}
      {feedback?.up > 0 && <Badge tone="good">{t('conversations.helpful')}</Badge>}
      {handoff && <Badge>{t('conversations.handedOver')}</Badge>}
      {calls > 0 && (
        <Badge tone={failures ? 'warn' : 'neutral'}>
          {t('conversations.toolCalls', { n: calls })}
        </Badge>
      )}
    </span>
  );
}

/** Filters that came with a figure's link: named, so that nobody wonders what is missing. */
function Others({ filters }) {
  return OTHERS.filter((name) => filters[name]).map((name) => (
    <Badge key={name} tone="accent">
      {word('conversations.others', name)}: <bdi>{filters[name]}</bdi>
    </Badge>
  ));
}

function Export({ filters }) {
  const file = (format) => url('conversations/export', { ...filters, format });
  const items = ['csv', 'json', 'jsonl'].map((format) => ({
    label: t(`conversations.formats.${format}`),
    icon: 'download',
    href: file(format),
    download: `conversations.${format}`,
  }));
  const button = <span class="button plain">{t('conversations.export')}</span>;
  return <Menu label={t('conversations.export')} button={button} items={items} />;
}

const Nothing = () => (
  <Empty icon="search" title={t('common.nothingFound')}>
    {t('conversations.nothingAbout')}
  </Empty>
);

const None = () => (
  <Empty icon="chat" title={t('conversations.none')}>
    {t('conversations.noneAbout')}
  </Empty>
);
