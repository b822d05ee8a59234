import { find } from '../list.js';
import { hooks } from '../hooks.js';
import { post, request } from '../net/http.js';
import { createStream } from '../net/stream.js';
import { chat, place } from './chat.js';
import { startSession, sync } from './conversation.js';
import { isLocked } from './identity.js';
import { createMessage, fromHistory } from './message.js';
import { set, state } from './state.js';

/*
 * A person in the conversation: asking for one, and what one writes. The session's events
 * are read only while somebody is waited for or there.
 */
const TYPING_MS = 6000;

let stream;
let typing;
let toldAt = 0;

export function isPerson(mode) {
  return /human/.test(mode);
}

export function listenToOperator() {
  const { session } = state;
  const wanted = isPerson(state.mode) && !isLocked() && session;
  if (stream?.session_ === wanted) return;
  stream?.leave_();
  stream = null;
  if (!wanted) return;
  stream = createStream(
    (signal) => request('GET', `sessions/${session}/events`, undefined, '', signal, state.cursor),
    (frame) => session === state.session && take(frame),
    (problem) => (problem.status_ === 404 ? { end_: 'gone' } : problem),
    Infinity,
  );
  stream.session_ = session;
}

function take(frame) {
  const type = frame.event;
  if (frame.id) set({ cursor: frame.id });
  const data = JSON.parse(frame.data);
  if (type === 'message') {
    setTyping('');
    const [message] = fromHistory([{ ...data, id: data.message_id, content: data.text }]);
    if (message && !find(chat.list_, (m) => m.id_ === message.id_)) say(message);
  } else if (type === 'status') {
    setMode(data.status, data.name);
  } else if (type === 'typing') {
    setTyping(data.name);
  } else if (type === 'sync') {
    sync();
  }
  return true;
}

function say(message) {
  hooks.received_(place(message));
}

function setTyping(name) {
  clearTimeout(typing);
  chat.typing_ = name;
  if (name) typing = setTimeout(setTyping, TYPING_MS, '');
  hooks.changed_();
}

/** The visitor writes: who answers sees it. */
export function tellTyping() {
  if (!isPerson(state.mode) || Date.now() - toldAt < TYPING_MS / 2) return;
  toldAt = Date.now();
  post(`sessions/${state.session}/typing`, {}).catch(() => {});
}

export function setMode(mode, name) {
  const before = state.mode;
  if (name) chat.operator_ = name;
  if (mode !== before) set({ mode });
  if (isPerson(before) && !isPerson(mode)) hooks.ended_();
  listenToOperator();
  hooks.changed_();
}

/** Resolves when the server has taken it; what it says is part of the conversation. */
export async function handOff(form) {
  if (!state.session) await startSession();
  const taken = await post(`sessions/${state.session}/handoff`, form);
  if (taken.text) say(createMessage('note', { text_: taken.text, status_: 'done' }));
  setMode(taken.status);
}
