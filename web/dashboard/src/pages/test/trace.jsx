import { explain } from '../../explain.js';
import { milliseconds, money, number } from '../../format.js';
import { t, word } from '../../i18n.js';
import { Badge } from '../../ui/badge.jsx';
import { Json } from '../../ui/code.jsx';
import { Card, Notice } from '../../ui/page.jsx';

/** Everything that was done for an answer, in the order in which it was done. */
export function Trace({ of: trace }) {
  return (
    <Card title={t('test.trace')} class="trace">
      {trace.notices.map((notice, i) => (
        <Notice key={i}>{notice.text ?? notice.kind}</Notice>
      ))}
      {trace.isCut && <Notice tone="warn">{t('test.cut')}</Notice>}
      <Timings of={trace.timings} />
      <Route route={trace.route} intent={trace.intent} />
      <Snippets items={trace.snippets} chunks={trace.chunks} />
      {trace.tools.map((call) => (
        <Tool key={call.call_id} of={call} />
      ))}
      {trace.requests.map((request) => (
        <Request key={request.request} of={request} />
      ))}
      <Sentiment of={trace.sentiment} />
      <Usage of={trace.usage} />
    </Card>
  );
}

const MARKS = [
  'queued',
  'loaded',
  'retrieved',
  'routed',
  'asked',
  'first_token',
  'answered',
  'saved',
];

/** Each stretch as long as it took. */
function Timings({ of }) {
  if (!of) return null;
  const marks = MARKS.filter((name) => of[`${name}_ms`] !== undefined && of[`${name}_ms`] !== null);
  const end = of[`${marks.at(-1)}_ms`] || 1;
  let before = 0;
  return (
    <section>
      <h3>{t('test.timings', { time: milliseconds(end) })}</h3>
      <ol class="stretches">
        {marks.map((name) => {
          const from = before;
          const to = (before = of[`${name}_ms`]);
          return (
            <li key={name}>
              <span>{t(`test.marks.${name}`)}</span>
              <svg
                class="stretch"
                viewBox="0 0 100 8"
                preserveAspectRatio="none"
                aria-hidden="true"
              >
                <rect
                  x={(from / end) * 100}
                  width={Math.max(0.6, ((to - from) / end) * 100)}
                  height="8"
                  rx="1"
                />
              </svg>
              <bdi class="about">{milliseconds(to - from)}</bdi>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Route({ route, intent }) {
  if (!route) return null;
  return (
    <section>
      <h3>{t('test.route')}</h3>
      <p>
        <Badge tone="accent">{word('tiers', route.tier)}</Badge> <bdi>{route.model}</bdi>{' '}
        {intent && <Badge>{intent.intent}</Badge>}
      </p>
      <ul class="about reasons">
        {route.reasons.map((reason, i) => (
          <li key={reason} dir="auto">
            {explain(route.reason_codes[i], reason)}
          </li>
        ))}
      </ul>
      {route.candidates?.length > 1 && (
        <p class="about">
          {t('test.then', {
            models: route.candidates
              .slice(1)
              .map(({ model }) => model)
              .join(', '),
          })}
        </p>
      )}
    </section>
  );
}

export function Snippets({ items, chunks = [] }) {
  if (!items.length) return null;
  const sent = items.filter((item) => item.sent).length;
  return (
    <section>
      <h3>{t('test.snippets', { n: items.length, sent })}</h3>
      <div class="table-box" tabIndex={0} role="region" aria-label={t('test.found')}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col" class="fill">
                {t('test.source')}
              </th>
              <th scope="col" class="align-end">
                {t('test.score')}
              </th>
              <th scope="col">{t('test.why')}</th>
              <th scope="col">{t('test.sent')}</th>
            </tr>
          </thead>
          <tbody>
            {items.map(({ id, label, score, found = [], sent: isSent }) => (
              <tr key={id}>
                <th scope="row" class="fill">
                  <span class="row-link">
                    <bdi>{label}</bdi>
                    <code class="about">{id}</code>
                  </span>
                </th>
                <td class="align-end">{number(score, { maximumFractionDigits: 2 })}</td>
                <td class="about">{found.map((way) => word('knowledge.ways', way)).join(', ')}</td>
                <td>{isSent ? t('common.yes') : t('common.no')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chunks.length > 0 && (
        <p class="about">
          {t('test.chunks', {
            n: chunks.length,
            tokens: chunks.reduce((sum, { estimated_tokens: tokens }) => sum + tokens, 0),
          })}
        </p>
      )}
    </section>
  );
}

function Tool({ of: call }) {
  const failed = call.failure || call.status === 'failed';
  return (
    <details class="tool-call">
      <summary>
        <code>{call.name}</code>
        <Badge tone={failed ? 'bad' : 'good'}>{word('toolStatus', call.status)}</Badge>
        <Badge>{word('tools.risks', call.risk)}</Badge>
        <span class="about">{milliseconds(call.ms)}</span>
      </summary>
      <div class="stack">
        {call.failure && <p class="error">{word('tools.failures', call.failure)}</p>}
        <p class="about">
          {t('transcript.request')}{' '}
          {call.bound?.length > 0 && t('test.bound', { names: call.bound.join(', ') })}
        </p>
        <Json label={t('transcript.request')} value={call.request} />
        <p class="about">{t('transcript.response')}</p>
        <Json label={t('transcript.response')} value={call.answer} />
      </div>
    </details>
  );
}

function Request({ of: request }) {
  const { provider, model, parts, raw, end } = request;
  const isBad = end && end.class !== 'none';
  return (
    <section>
      <h3>
        {t('test.request', { n: request.request })}{' '}
        <bdi class="about">
          {provider} · {model}
        </bdi>{' '}
        {isBad && (
          <Badge tone="bad">{`${word('test.errors', end.class)} ${end.status || ''}`}</Badge>
        )}
      </h3>
      <Parts parts={parts} />
      {raw && (
        <details>
          <summary>{t('test.raw')}</summary>
          <Json label={t('test.raw')} value={raw} />
        </details>
      )}
    </section>
  );
}

/** The prompt as it is sent, part by part. */
export function Parts({ parts }) {
  return parts.map(({ part, role, name, text }, i) => (
    <details key={i}>
      <summary>
        {word('test.parts', part)} {role && part !== 'system' && word('authors', role)}{' '}
        {name && <code>{name}</code>} <span>{t('test.letters', { n: text.length })}</span>
      </summary>
      <Json label={word('test.parts', part)} value={text} />
    </details>
  ));
}

/** The score of the visitor's message: below 0 unhappy. */
function Sentiment({ of }) {
  if (!of) return null;
  const { by, score, model, ms, cost, failed } = of;
  const tone = score < 0 ? 'bad' : score > 0 ? 'good' : 'neutral';
  return (
    <section>
      <h3>{t('test.sentiment')}</h3>
      <p>
        <Badge tone={tone}>{number(score, { signDisplay: 'exceptZero' })}</Badge>{' '}
        <span class="about">
          {t(`test.ratedBy.${by}`, { model })}
          {model && ` · ${milliseconds(ms)} · ${money(cost)}`}
        </span>
      </p>
      {failed && <p class="about">{word('test.unrated', failed)}</p>}
    </section>
  );
}

function Usage({ of }) {
  if (!of) return null;
  return (
    <section>
      <h3>{t('test.usage')}</h3>
      {of.attempts.map((one, i) => (
        <p key={i} class="about">
          <bdi>{one.model}</bdi>:{' '}
          {t('transcript.tokens', {
            read: number(one.input_tokens),
            written: number(one.output_tokens),
          })}
          {one.cache_read_tokens > 0 && `, ${t('test.cached', { n: one.cache_read_tokens })}`} ·{' '}
          <bdi>{money(one.cost === null ? null : Number(one.cost))}</bdi>
        </p>
      ))}
    </section>
  );
}
