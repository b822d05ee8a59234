import { filter, map } from '../list.js';
import { listen } from '../net/network.js';

const FRESH_MS = 20 * 60 * 1000; // an unsent question older than this waits for the visitor

/**
 * What outlives the page, shared by the site's tabs through localStorage; where that is
 * refused (private windows, blocked cookies) it lasts as long as the page. No lists in it:
 * old libraries change how those become JSON. Read state, write by set().
 *
 *   session, mode (of the conversation), user (a verified one), met (the form is filled)
 *   cursor   the id of the session's last event
 *   model    the visitor's choice
 *   queue    client_message_id -> {question, job, at, failed}: what is not answered yet
 *   unread   id -> 1
 */
export let state = checked();
let name;

/** Another tab changed it: onForeign(the state before). */
export function useState(key, signal, onForeign) {
  name = `frontdesk:${key}`;
  state = checked(read());
  const onStorage = (event) => {
    if (event.key && event.key !== name) return;
    const before = state;
    state = checked(read());
    onForeign(before);
  };
  listen(window, 'storage', onStorage, signal);
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null; // nothing that is ours
  }
}

/** What other tabs wrote meanwhile is kept. */
export function set(patch) {
  const stored = read();
  state = { ...(stored ? checked(stored) : state), ...patch };
  try {
    localStorage.setItem(name, JSON.stringify(state));
  } catch {
    // full or forbidden: memory has to do
  }
}

export function forget() {
  set({ ...checked(), model: state.model });
}

/** What is still to be delivered, in the order it was asked. */
export function queue() {
  return map(Object.keys(state.queue), (id) => state.queue[id]);
}

/** Without a question: its place is given up. */
export function enqueue(id, question, job, failed) {
  set({});
  const { [id]: _, ...others } = state.queue;
  set({
    queue: question ? { ...state.queue, [id]: { question, job, failed, at: Date.now() } } : others,
  });
}

/** Anything may stand in a page's storage: what is not ours is dropped. */
function checked(value) {
  const { queue: entries, unread } = Object(value);
  const clean = { queue: {}, unread: { ...Object(unread) } };
  map(['session', 'mode', 'user', 'met', 'cursor', 'model'], (field) => {
    // some of them become part of an address
    clean[field] = /^[^\s?#%]+$/.exec(value?.[field] ?? '')?.[0] ?? '';
  });
  const keys = filter(Object.keys(Object(entries)), (id) => isEntry(Object(entries[id]), id));
  map(keys, (id) => {
    const { job, at } = entries[id];
    clean.queue[id] = entries[id];
    if (!job && !(Date.now() - at < FRESH_MS)) entries[id].failed = true;
  });
  return clean;
}

function isEntry({ question, job }, id) {
  return question?.client_message_id === id && question.message?.trim && job?.trim;
}
