import { signal as signalOf } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { isOnline, onNetwork, pause, readFrames, retryDelay, watchNetwork } from '../widget.js';
import { send } from './http.js';

/*
 * Live events of the organisation, GET events: one connection a page, however many parts of
 * it listen. It is resumed behind the last event; where that is too old for the server, a
 * `sync` event says so, and whoever listens reads again.
 */
const SILENCE_MS = 25000; // the server pings every 10 s

/** Nothing comes from the server: what is shown may be old. */
export const isAway = signalOf(false);

const listeners = new Set();
let connection = null;

function tell(type, data) {
  for (const listener of listeners) listener(type, data);
}

async function readOnce(state) {
  const mine = new AbortController();
  let heardAt = Date.now();
  const watchdog = setInterval(() => Date.now() - heardAt > SILENCE_MS && mine.abort(), 1000);
  const stopListening = onNetwork(() => isOnline() || mine.abort());
  state.left.signal.addEventListener('abort', () => mine.abort(), { once: true });
  try {
    const response = await send('GET', 'events', {
      signal: mine.signal,
      accept: 'text/event-stream',
      last: state.last,
    });
    isAway.value = false;
    if (state.missed) tell('sync', {}); // it was away: what is shown may be old
    state.missed = false;
    for await (const frame of readFrames(response.body, () => (heardAt = Date.now()))) {
      state.fruitless = 0;
      if (frame.id) state.last = frame.id;
      if (frame.data && frame.event !== 'ping') tell(frame.event, JSON.parse(frame.data));
    }
  } finally {
    clearInterval(watchdog);
    stopListening();
  }
}

async function run(state) {
  const { signal } = state.left;
  watchNetwork(signal);
  while (!signal.aborted) {
    try {
      await readOnce(state);
    } catch (error) {
      if (error.status === 403 || error.status === 404) return; // not for this role
      if (!state.last) state.missed = true;
      if (state.fruitless || !isOnline()) isAway.value = true; // once alone is no news
    }
    if (!signal.aborted) await pause(retryDelay(++state.fruitless), signal);
  }
}

function open() {
  const state = { left: new AbortController(), last: '', fruitless: 0, missed: false };
  run(state);
  return state;
}

/** Calls listener(type, data) with each event while this part of the page is shown. */
export function useEvents(listener) {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const mine = (type, data) => latest.current(type, data);
    listeners.add(mine);
    connection ??= open();
    return () => {
      listeners.delete(mine);
      if (listeners.size) return;
      connection?.left.abort();
      connection = null;
    };
  }, []);
}
