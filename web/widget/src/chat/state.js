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
 *   open     the window is
 */
const blank = { version: 1, session: '', mode: '', queue: {}, unread: {} };
export let state = blank;
let name;

/** Another tab changed it: onForeign(the state before). */
export function useState(key, signal, onForeign) {
  name = `frontdesk:${key}`;
  state = read() ?? blank;
  const onStorage = (event) => {
    if (event.key && event.key !== name) return;
    const before = state;
    state = read() ?? blank;
    onForeign(before);
  };
  listen(window, 'storage', onStorage, signal);
}

/** What is there, if it is ours. */
function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(name));
    return stored.version === blank.version ? stored : undefined;
  } catch {
    return undefined;
  }
}

function store(value) {
  state = value;
  try {
    localStorage.setItem(name, JSON.stringify(state));
  } catch {
    // full or forbidden: memory has to do
  }
}

/** What other tabs wrote meanwhile is kept. */
export function set(patch) {
  store({ ...(read() ?? state), ...patch });
}

export function forget() {
  const { model, open } = state;
  store({ ...blank, model, open });
}

/** What is still to be delivered, in the order it was asked. */
export function queue() {
  const entries = filter(
    map(Object.keys(state.queue), (id) => state.queue[id]),
    Boolean,
  );
  return map(entries, (entry) => {
    const isOld = !entry.job && Date.now() - entry.at > FRESH_MS;
    return { ...entry, failed: entry.failed || isOld };
  });
}

export function enqueue(question, job, failed) {
  put(question, { question, job, failed, at: Date.now() });
}

export function dequeue(question) {
  put(question);
}

function put(question, entry) {
  set({}); // what other tabs queued meanwhile
  set({ queue: { ...state.queue, [question.client_message_id]: entry } });
}
