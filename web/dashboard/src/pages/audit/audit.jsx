import { useData, useList } from '../../api/data.js';
import { url } from '../../api/http.js';
import { dateTime } from '../../format.js';
import { has, t } from '../../i18n.js';
import { setQuery } from '../../router.js';
import { Button } from '../../ui/button.jsx';
import { Filters, useFilters } from '../../ui/filters.jsx';
import { Menu } from '../../ui/menu.jsx';
import { Card, Empty, Fault, Notice, Page, Skeleton } from '../../ui/page.jsx';
import { More } from '../../ui/table.jsx';
import { Entry, actorName } from './entry.jsx';
import { idOf, nameOf } from './words.js';

/** Kinds and verbs that people ask for; others are found by a link or the search. */
const KINDS = [
  ...['conversations', 'articles', 'tools', 'integrations', 'endpoints', 'ai-settings', 'models'],
  ...['provider', 'budget', 'branding', 'channels', 'business-info', 'canned-replies'],
  ...['retention', 'visitors', 'keys', 'users', 'teams', 'members', 'sessions', 'organization'],
];
const VERBS = [
  ...['create', 'change', 'remove', 'rotate', 'test', 'approve', 'decline', 'join', 'reply'],
  ...['export', 'delete', 'sign-in', 'sign-in-failed', 'act'],
];

export default function Audit() {
  const filters = useFilters(['q', 'actor', 'kind', 'verb', 'thing', 'from', 'to']);
  const { from, to } = filters;
  const query = { ...filters, from: from && dayStart(from), to: to && dayStart(to, 1) };
  const list = useList('audit', { ...query, limit: 50 });
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <Page title={t('audit.title')} about={t('audit.about')} actions={<Export query={query} />}>
      <Filters search={{ name: 'q', label: t('audit.search') }} filters={useControls(filters)} />
      {filters.thing && <OneThing thing={filters.thing} entries={list.items} />}
      <Card flush>
        {list.isFirst && <Skeleton lines={6} />}
        {!list.loading && !list.problem && !list.items.length && !list.hasMore && (
          <Nothing isFiltered={isFiltered} />
        )}
        <ul class="deeds" aria-label={t('audit.title')} aria-busy={list.loading}>
          {list.items.map((entry) => (
            <Entry key={entry.id} of={entry} />
          ))}
        </ul>
        <Fault problem={list.problem} retry={list.reload} />
        <Further list={list} />
      </Card>
    </Page>
  );
}

/** A kind may be of an address that somebody typed. */
const manyOf = (kind) => (has(`audit.kinds.${kind}.many`) ? t(`audit.kinds.${kind}.many`) : kind);

/** Midnight of a day where the reader is, or of the day after. */
function dayStart(day, later = 0) {
  const [year, month, date] = day.split('-').map(Number);
  const at = new Date(year, month - 1, date + later);
  return isNaN(at) ? day : at.toISOString().replace(/\.\d+/, ''); // the server says what is wrong
}

function useControls({ actor, kind, verb }) {
  const users = useData('users', { limit: 200 }).data?.users ?? [];
  const keys = useData('keys', { limit: 200 }).data?.keys ?? [];
  const actors = [
    ...users.map(({ id, name, email }) => ({ actor: `user:${id}`, actor_name: name || email })),
    ...keys.map(({ id, name }) => ({ actor: `key:${id}`, actor_name: name })),
  ].map((one) => ({ value: one.actor, label: actorName(one) }));
  actors.push({ value: 'cli', label: t('audit.actors.cli') });
  actors.push({ value: 'anyone', label: t('audit.actors.anyone') });
  if (actor && !actors.some(({ value }) => value === actor))
    actors.push({ value: actor, label: actorName({ actor, actor_name: actor }) });
  const among = (names, set) => (set && !names.includes(set) ? [...names, set] : names);
  return [
    { name: 'actor', label: t('audit.who'), options: actors },
    {
      name: 'kind',
      label: t('audit.what'),
      options: among(KINDS, kind).map((value) => ({
        value,
        label: manyOf(value),
      })),
    },
    {
      name: 'verb',
      label: t('audit.did'),
      options: among(VERBS, verb).map((value) => ({
        value,
        label: has(`audit.verbs.${value}`) ? t(`audit.verbs.${value}`) : value,
      })),
    },
    { name: 'from', label: t('conversations.from'), type: 'date' },
    { name: 'to', label: t('conversations.to'), type: 'date' },
  ];
}

/** What the list is the history of, and the way back to all. */
function OneThing({ thing, entries }) {
  const one = entries.find((entry) => entry.thing === thing && entry.kind !== 'sessions');
  const name = (one && nameOf(one)) || idOf(thing);
  const kind = one?.kind === 'members' ? 'teams' : (one?.kind ?? thing.split('/')[0]);
  return (
    <Notice
      actions={
        <Button small onClick={() => setQuery({ thing: null })}>
          {t('audit.showAll')}
        </Button>
      }
    >
      {t('audit.historyOf')} {manyOf(kind)}
      {name && (
        <>
          {': '}
          <bdi>{name}</bdi>
        </>
      )}
    </Notice>
  );
}

/** More of them; or where the search has come to, as it looks through so many entries at a time. */
function Further({ list }) {
  const back = list.answer?.looked_back_to;
  if (!back || !list.hasMore || list.loading) return <More list={list} />;
  return (
    <div class="more further">
      <p class="about">{t('audit.lookedBack', { time: dateTime(back) })}</p>
      <Button onClick={list.more}>{t('audit.lookFurther')}</Button>
    </div>
  );
}

function Export({ query }) {
  const items = ['csv', 'json', 'jsonl'].map((format) => ({
    label: t(`conversations.formats.${format}`),
    icon: 'download',
    href: url('audit/export', { ...query, format }),
    download: `audit.${format}`,
  }));
  const button = <span class="button plain">{t('conversations.export')}</span>;
  return <Menu label={t('conversations.export')} button={button} items={items} />;
}

const Nothing = ({ isFiltered }) =>
  isFiltered ? (
    <Empty icon="search" title={t('common.nothingFound')}>
      {t('audit.nothingAbout')}
    </Empty>
  ) : (
    <Empty icon="log" title={t('audit.none')}>
      {t('audit.noneAbout')}
    </Empty>
  );
