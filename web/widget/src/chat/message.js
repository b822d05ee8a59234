import { uuid } from './uuid.js';

/**
 * One turn as it is shown. status of a question: sending, sent, failed; of an answer:
 * waiting, streaming, done, stopped, interrupted (what came is kept), failed.
 */
export function createMessage(role, fields) {
  return {
    id: uuid(),
    role,
    text: '',
    status: role === 'user' ? 'sending' : 'waiting',
    jobId: '',
    citations: [],
    tools: [],
    confirms: [],
    notices: [],
    problem: null,
    reconnecting: false,
    at: Date.now(),
    ...fields,
  };
}

const STORED_STATUS = { complete: 'done', interrupted: 'interrupted', cancelled: 'stopped' };

/** A page of the history in the order it was spoken. */
export function fromHistory(stored) {
  return stored
    .filter(({ role, content }) => /^(user|assistant)$/.test(role) && typeof content === 'string')
    .sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0))
    .map((row) =>
      createMessage(row.role, {
        id: String(row.id),
        text: row.content,
        status: row.role === 'user' ? 'sent' : (STORED_STATUS[row.status] ?? 'done'),
        jobId: row.job_id ?? '',
        citations: citationsOf(row.citations),
        at: new Date(row.created_at).getTime() || 0,
      }),
    );
}

export function citationsOf(list) {
  if (!Array.isArray(list)) return [];
  return list.filter((c) => typeof c?.id === 'string' && typeof c.label === 'string');
}

/** Applies an event of the stream (protocol/event.h) to an answer. */
export function applyEvent(message, type, data) {
  switch (type) {
    case 'delta':
      message.text += data.text;
      message.status = 'streaming';
      break;
    case 'reset':
      Object.assign(message, {
        text: '',
        status: 'waiting',
        citations: [],
        tools: [],
        confirms: [],
        notices: [],
      });
      break;
    case 'citation':
      message.citations = mergeBy('id', message.citations, data);
      break;
    case 'tool':
      message.tools = mergeBy('call_id', message.tools, data);
      if (data.status !== 'waiting') forgetConfirm(message, data.call_id);
      break;
    case 'confirm':
      message.confirms = mergeBy('call_id', message.confirms, data);
      break;
    case 'notice':
      message.notices = [...message.notices, data.text];
      break;
    default: // meta and events of a newer server
  }
}

/** The same list where it is not in it: what is shown stays as it is. */
function forgetConfirm(message, callId) {
  const others = message.confirms.filter((asked) => asked.call_id !== callId);
  if (others.length < message.confirms.length) message.confirms = others;
}

function mergeBy(key, list, item) {
  const known = list.some((other) => other[key] === item[key]);
  return known
    ? list.map((other) => (other[key] === item[key] ? { ...other, ...item } : other))
    : [...list, item];
}
