import { filter, find, listOf, map } from '../list.js';

const blank = {
  status_: 'waiting',
  text_: '',
  citations_: [],
  tools_: [],
  confirms_: [],
  notices_: [],
};

/**
 * One turn as it is shown. role_: user, assistant, operator, note (the server's word on a
 * hand-off). status_ of a question: sending, sent, failed; of an answer: waiting,
 * streaming, done, stopped, failed (what came is kept).
 *
 * And, where there is one: job_, asked_ (an answer's question), question_ (the request),
 * problem_, name_, model_, rating_.
 */
export function createMessage(role, fields) {
  return { ...blank, role_: role, at_: Date.now(), ...fields };
}

export function isRunning(message) {
  return /waiting|streaming/.test(message.status_);
}

/** A page of the history. */
export function fromHistory(rows) {
  const isShown = (row) => /^(user|assistant|operator)$/.test(row?.role) && row.content?.trim;
  return map(filter(listOf(rows), isShown), (row) =>
    createMessage(row.role, {
      id_: `${row.id}`,
      text_: row.content,
      status_: /interrupted|cancelled/.test(row.status) ? 'stopped' : 'done',
      job_: row.job_id,
      name_: row.name,
      model_: row.model,
      rating_: row.rating,
      citations_: citationsOf(row),
      at_: Date.parse(row.created_at) || 0,
    }),
  );
}

export function citationsOf(row) {
  return filter(listOf(row.citations), (c) => c?.id?.trim && c.label?.trim);
}

/** Applies an event of the stream (protocol/event.h) to an answer. */
export function applyEvent(message, type, data) {
  if (type === 'meta') {
    message.id_ = data.message_id ?? message.id_;
    message.model_ = data.model;
  }
  if (type === 'delta') {
    message.text_ += data.text;
    message.status_ = 'streaming';
  }
  if (type === 'reset') Object.assign(message, blank);
  if (type === 'notice') message.notices_ = [...message.notices_, data.text];
  if (type === 'citation') message.citations_ = mergeBy('id', message.citations_, data);
  if (type === 'tool') message.tools_ = mergeBy('call_id', message.tools_, data);
  if (type === 'confirm') message.confirms_ = mergeBy('call_id', message.confirms_, data);
  if (type === 'tool' && data.status !== 'waiting')
    message.confirms_ = filter(message.confirms_, (c) => c.call_id !== data.call_id);
}

function mergeBy(key, list, item) {
  const same = (other) => other[key] === item[key];
  return find(list, same)
    ? map(list, (other) => (same(other) ? { ...other, ...item } : other))
    : [...list, item];
}
