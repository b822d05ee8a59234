import { ago, date, dateTime } from '../../format.js';
import { has, t } from '../../i18n.js';
import { href } from '../../router.js';
import { Badge } from '../../ui/badge.jsx';
import { Json } from '../../ui/code.jsx';
import { historyOf } from '../../ui/history.jsx';
import { differences, outcomeOf, verbOf } from './changes.js';
import { fieldName, idOf, nameOf, pageOf, valueText } from './words.js';

const SHORT = 60;
const TOLD = 2; // changes beside the sentence
const TONES = { begun: 'neutral', worked: 'good', failed: 'bad' };

/** A text of the catalogues with nodes in its blanks. */
const Filled = ({ text, ...parts }) =>
  text.split(/\{(\w+)\}/).map((piece, i) => (i % 2 ? parts[piece] : piece));

/** Who: a person, a key by its name, a command, or nobody who has signed in. */
export function actorName({ actor, actor_name: name, actor_platform: isPlatform }) {
  const [kind, id] = actor.split(':');
  if (kind === 'user') return isPlatform ? t('audit.platform', { name: name ?? '' }) : name;
  if (kind === 'key') return t('audit.key', { name: name ?? id.slice(0, 8) });
  if (kind === 'cli') return t('audit.command', { name: id });
  return has(`audit.actors.${kind}`) ? t(`audit.actors.${kind}`) : actor;
}

function Thing({ of: entry }) {
  const key = `audit.kinds.${entry.kind}`;
  const name = nameOf(entry);
  const text = t(name || !has(`${key}.any`) ? `${key}.one` : `${key}.any`);
  const phrase = <Filled text={text} name={<bdi>{name}</bdi>} />;
  const page = pageOf(entry);
  return page ? <a href={href(page)}>{phrase}</a> : phrase;
}

/** A sign-in says it all, unless it is told of somebody else. */
const isOfItself = ({ kind, actor, thing }) =>
  kind === 'sessions' && (!thing || actor === `user:${idOf(thing)}`);

/** Who did what to which thing. */
export function Sentence({ of: entry, verb = verbOf(entry) }) {
  const who = <bdi class="who">{actorName(entry)}</bdi>;
  const own = `audit.kinds.${entry.kind}.${verb}`;
  const did = has(own) ? own : `audit.verbs.${verb}`;
  if (!has(`audit.verbs.${entry.verb}`) || !has(`audit.kinds.${entry.kind}.one`))
    return (
      <Filled text={t('audit.sentence')} who={who} did={<code>{entry.action}</code>} thing="" />
    );
  const told = [outcomeOf(entry), verb].map((word) => `audit.sentences.${word}`).find(has);
  return (
    <Filled
      text={t(told ?? 'audit.sentence')}
      who={who}
      did={t(did)}
      thing={isOfItself(entry) ? '' : <Thing of={entry} />}
    />
  );
}

export function Entry({ of: entry }) {
  const changes = differences(entry.before, entry.after);
  const verb = verbOf(entry, changes);
  const outcome = outcomeOf(entry);
  const told = entry.actor.startsWith('cli:') || outcome ? [] : changes;
  return (
    <li class="deed">
      <p class="deed-line">
        <span>
          <Sentence of={entry} verb={verb} />
          {outcome && <Badge tone={TONES[outcome]}>{t(`audit.outcomes.${outcome}`)}</Badge>}
        </span>
        <time dateTime={entry.at} title={ago(entry.at)} class="about">
          {dateTime(entry.at)}
        </time>
      </p>
      <details>
        <summary class="about">
          <Gist of={entry} verb={verb} changes={told} />
        </summary>
        <div class="stack">
          {told.length > 0 && <Changes of={entry} changes={told} />}
          {!told.length && entry.after && <Json label={t('audit.after')} value={entry.after} />}
          <Circumstances of={entry} />
        </div>
      </details>
    </li>
  );
}

/** The first changes in a line, where they are short. */
function Gist({ of: { kind, before, after }, verb, changes }) {
  if (verb === 'enable' || verb === 'disable') return t('audit.details');
  const short = ({ before: one, after: other, name }) =>
    [one, other].every((value) => (valueText(name, value) ?? '').length <= SHORT);
  const shown = before && after ? changes.filter(short).slice(0, TOLD) : [];
  if (!shown.length) return t('audit.details');
  const more = changes.length - shown.length;
  return (
    <>
      {shown.map(({ name, before: one, after: other }, i) => (
        <span key={name}>
          {i > 0 && ' · '}
          <Filled
            text={t('audit.became')}
            field={<Field kind={kind} name={name} />}
            before={<Short name={name} value={one} />}
            after={<Short name={name} value={other} />}
          />
        </span>
      ))}
      {more > 0 && <span> · {t('audit.andMore', { n: more })}</span>}
    </>
  );
}

const Short = ({ name, value }) => <bdi>{valueText(name, value) ?? t('common.none')}</bdi>;

const Field = ({ kind, name }) => fieldName(kind, name) ?? <code dir="ltr">{name}</code>;

function Changes({ of: { kind, before, after }, changes }) {
  const both = before && after;
  return (
    <div class="table-box" tabIndex={0} role="group" aria-label={t('audit.changes')}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('audit.field')}</th>
            {before && <th scope="col">{t(both ? 'audit.before' : 'audit.was')}</th>}
            {after && <th scope="col">{t(both ? 'audit.after' : 'audit.is')}</th>}
          </tr>
        </thead>
        <tbody>
          {changes.map(({ name, before: one, after: other }) => (
            <tr key={name}>
              <th scope="row">
                <Field kind={kind} name={name} />
              </th>
              {before && (
                <td>
                  <Value name={name} value={one} />
                </td>
              )}
              {after && (
                <td>
                  <Value name={name} value={other} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ name, value }) {
  const text = valueText(name, value);
  if (text === null) return '–';
  const whole = (
    <div class="deed-value" dir="auto">
      {text}
    </div>
  );
  if (text.length <= 2 * SHORT) return whole;
  return (
    <details>
      <summary>
        <bdi>{text.slice(0, SHORT)}…</bdi>
      </summary>
      {whole}
    </details>
  );
}

/** When, from where, by which way, and what else there is of the same. */
function Circumstances({ of: { at, actor, thing, address, request_id: request, action } }) {
  return (
    <p class="about deed-facts">
      <span>{date(at, { dateStyle: 'full', timeStyle: 'long' })}</span>
      {address && <bdi dir="ltr">{address}</bdi>}
      <code dir="ltr">{action}</code>
      {request && (
        <span>
          {t('common.request')} <code dir="ltr">{request}</code>
        </span>
      )}
      {thing && <a href={historyOf(thing)}>{t('audit.ofThing')}</a>}
      <a href={href(`/audit?actor=${encodeURIComponent(actor)}`)}>{t('audit.ofActor')}</a>
    </p>
  );
}
