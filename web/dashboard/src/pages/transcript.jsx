import { useState } from 'preact/hooks';
import { explain } from '../explain.js';
import { clock, dateTime, milliseconds, money, number } from '../format.js';
import { t, word } from '../i18n.js';
import { Badge } from '../ui/badge.jsx';
import { Json } from '../ui/code.jsx';
import { Icon } from '../ui/icon.jsx';
import { Markdown } from '../ui/markdown.jsx';

/**
 * What was said, in order. `details`: also what was called, from where it was known, what it
 * cost. Messages: as the API says them, and of one that is on its way {pending} or {failed}.
 */
export function Transcript({ messages, details, after }) {
  return (
    <ol class="transcript">
      {messages.map((message) => (
        <Message key={message.key ?? message.id} of={message} details={details} />
      ))}
      {after}
    </ol>
  );
}

const SIDES = {
  user: 'visitor',
  assistant: 'ai',
  operator: 'operator',
  system: 'note',
  tool: 'note',
};

function Message({ of: message, details }) {
  const side = SIDES[message.role] ?? 'note';
  const author = message.author ?? word('authors', message.role);
  return (
    <li class={`message ${side} ${message.pending ? 'pending' : ''}`}>
      <p class="by">
        <b dir="auto">{author}</b>
        <time dateTime={message.created_at} title={dateTime(message.created_at)}>
          {clock(message.created_at)}
        </time>
        {message.rating && (
          <Badge tone={message.rating === 'up' ? 'good' : 'bad'}>
            {word('feedback', message.rating)}
          </Badge>
        )}
        {message.status && message.status !== 'complete' && (
          <Badge tone="warn">{word('messageStatus', message.status)}</Badge>
        )}
      </p>
      <div class="bubble">
        {side === 'ai' ? <Answer of={message} /> : <p dir="auto">{message.content}</p>}
      </div>
      {message.rating_comment && (
        <p class="about" dir="auto">
          {t('conversations.comment')}: <q>{message.rating_comment}</q>
        </p>
      )}
      {message.failed && (
        <p class="error" role="alert">
          {t('inbox.notSent')}{' '}
          <button type="button" class="link" onClick={message.retry}>
            {t('common.retry')}
          </button>
        </p>
      )}
      {details && <Details of={message} />}
    </li>
  );
}

/** A text of the AI, and its sources by number, in the order in which they were first cited. */
export function Answer({ of: { content, citations = [] }, more }) {
  return (
    <>
      <Markdown text={content} sources={citations} more={more} />
      {citations.length > 0 && (
        <ol class="sources" dir="auto">
          {citations.map(({ id, label, title, url }) => (
            <li key={id}>
              {/^https?:/.test(url ?? '') ? (
                <a href={url} target="_blank" rel="noopener noreferrer">
                  {label ?? title ?? id}
                </a>
              ) : (
                <bdi>{label ?? title ?? id}</bdi>
              )}
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

function Details({ of: message }) {
  const {
    route,
    tools = [],
    model_id: model,
    tokens_input: read,
    tokens_output: written,
    cost_usd: cost,
  } = message;
  const facts = [
    model && <bdi key="model">{model}</bdi>,
    route?.tier && word('tiers', route.tier),
    read !== null &&
      read !== undefined &&
      t('transcript.tokens', { read: number(read), written: number(written) }),
    cost !== null && cost !== undefined && money(cost),
  ].filter(Boolean);
  return (
    <>
      {tools.map((call, i) => (
        <ToolCall key={call.call_id ?? i} of={call} />
      ))}
      {facts.length > 0 && (
        <details class="facts">
          <summary>
            {facts.map((fact, i) => (
              <span key={i}>{fact}</span>
            ))}
          </summary>
          {route && <Json label={t('transcript.route')} value={route} />}
        </details>
      )}
    </>
  );
}

const TOOL_TONES = {
  done: 'good',
  failed: 'bad',
  unknown: 'bad',
  declined: 'warn',
  expired: 'warn',
  pending: 'warn',
};

function ToolCall({ of: call }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="tool-call" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="tool" size={14} />
        <code>{call.name}</code>
        <Badge tone={TOOL_TONES[call.status]}>{word('toolStatus', call.status)}</Badge>
        <span class="about">{milliseconds(call.ms)}</span>
      </summary>
      {open && (
        <div class="stack">
          <p class="about">{t('transcript.request')}</p>
          <Json label={t('transcript.request')} value={call.parameters} />
          <p class="about">
            {t('transcript.response')} {call.http_status && <code>HTTP {call.http_status}</code>}{' '}
            {explain(call.detail_reason, call.detail)}
          </p>
          <Json label={t('transcript.response')} value={call.response} />
          {call.approved_by && (
            <p class="about">{t('transcript.approvedBy', { who: call.approved_by })}</p>
          )}
        </div>
      )}
    </details>
  );
}
