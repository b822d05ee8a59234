import { useList } from '../api/data.js';
import { ago, dateTime } from '../format.js';
import { has, t, word } from '../i18n.js';
import { Badge } from '../ui/badge.jsx';
import { Json } from '../ui/code.jsx';
import { Filters, useFilters } from '../ui/filters.jsx';
import { Card, Empty, Fault, Page, Skeleton } from '../ui/page.jsx';
import { More } from '../ui/table.jsx';

export default function Audit() {
  const list = useList('audit', { ...useFilters(['q', 'actor', 'action']), limit: 50 });
  return (
    <Page title={t('audit.title')} about={t('audit.about')}>
      <Filters search={{ name: 'q', label: t('audit.search') }} filters={[]} />
      <Card flush>
        {list.isFirst && <Skeleton lines={6} />}
        {!list.loading && !list.problem && !list.items.length && (
          <Empty icon="log" title={t('audit.none')}>
            {t('audit.noneAbout')}
          </Empty>
        )}
        <ul class="rows">
          {list.items.map((entry) => (
            <li key={entry.id}>
              <Entry of={entry} />
            </li>
          ))}
        </ul>
        <Fault problem={list.problem} retry={list.reload} />
        <More list={list} />
      </Card>
    </Page>
  );
}

/** "user:…", "key:…" or "cli:…": by name where it has one. */
function Actor({ of: { actor, actor_name: name } }) {
  const [kind, id] = (actor ?? '').split(':');
  return (
    <bdi>{name || [word('audit.actors', kind), id?.slice(0, 8)].filter(Boolean).join(' ')}</bdi>
  );
}

/** What was done: a word of ours, or the route of the API that did it. */
function Action({ name }) {
  const known = has(`audit.actions.${name}`);
  return known ? t(`audit.actions.${name}`) : <code dir="ltr">{name}</code>;
}

function Entry({ of: entry }) {
  const changes = differences(entry.before, entry.after);
  return (
    <details class="row-details">
      <summary class="row">
        <span>
          <b>
            <Actor of={entry} />
          </b>{' '}
          <Action name={entry.action} />
          <span class="about">
            <bdi dir="ltr">{entry.target}</bdi>
          </span>
        </span>
        <time dateTime={entry.at} title={dateTime(entry.at)} class="about">
          {ago(entry.at)}
        </time>
      </summary>
      <div class="stack inset">
        {changes.length > 0 && (
          <div class="table-box" tabIndex={0} role="region" aria-label={t('audit.changes')}>
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">{t('audit.field')}</th>
                  <th scope="col">{t('audit.before')}</th>
                  <th scope="col">{t('audit.after')}</th>
                </tr>
              </thead>
              <tbody>
                {changes.map(([name, before, after]) => (
                  <tr key={name}>
                    <td>
                      <code>{name}</code>
                    </td>
                    <td>{show(before)}</td>
                    <td>{show(after)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {!changes.length && entry.after && <Json label={t('audit.after')} value={entry.after} />}
        <p class="about">
          {dateTime(entry.at)} {entry.address && <bdi> · {entry.address}</bdi>}{' '}
          {entry.request_id && <Badge>{entry.request_id}</Badge>}
        </p>
      </div>
    </details>
  );
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** What differs between two objects, by member. */
function differences(before, after) {
  if (!isObject(before) || !isObject(after)) return [];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) =>
    JSON.stringify(before[name]) === JSON.stringify(after[name])
      ? []
      : [[name, before[name], after[name]]],
  );
}

function show(value) {
  if (value === undefined || value === null) return '–';
  return <bdi dir="auto">{typeof value === 'string' ? value : JSON.stringify(value)}</bdi>;
}
