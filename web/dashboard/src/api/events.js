import { computed, signal as signalOf } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { isOnline, onNetwork, pause, readFrames, retryDelay, watchNetwork } from '../widget.js';
import { send } from './http.js';
import { elsewhere, hasEnded, session } from './session.js';
import { share } from './tabs.js';

/*
 * Live events of the organisation, GET events: one connection a browser, which has six to a host
 * where it speaks HTTP/1.1. One tab reads them for all tabs of a person and an organisation,
 * however many parts of each listen. Whichever tab goes on resumes behind the last event; where
 * that is too old for the server, or a tab has missed something, a `sync` event says so, and
 * whoever listens reads again.
 */
const SILENCE_MS = 25000; // the server pings every 10 s

/** Nothing comes from the server: what is shown may be old. */
export const isAway = signalOf(false);

const listeners = new Set();
let last = null; // event that this tab has heard of
let close = null;

/** Those that may share a connection: none while the session is over, or acts elsewhere. */
const circle = computed(() => {
  if (!session.value || hasEnded.value || elsewhere.value) return null;
  return `frontdesk-events ${session.value.user.id} ${session.value.organization.id}`;
});

function tell(type, data) {
  for (const listener of listeners) listener(type, data);
}

const word = () => ({ before: last, last, away: isAway.peek() });

/** What the leader has read. It is told as it came, so that a gap is one of this tab's. */
function hear(message) {
  isAway.value = message.away;
  const hasMissed = message.before !== last;
  last = message.last;
  if (hasMissed) tell('sync', {});
  if (message.type) tell(message.type, message.data);
}

/** What the server says, for the others first: a listener that fails is this tab's. */
function take(frame, tellOthers) {
  const before = last;
  if (frame.id) last = frame.id;
  if (!frame.data || frame.event === 'ping') return tellOthers(word());
  const data = JSON.parse(frame.data);
  tellOthers({ ...word(), before, type: frame.event, data });
  return tell(frame.event, data);
}

async function read(signal, onFrame) {
  const mine = new AbortController();
  let heardAt = Date.now();
  const watchdog = setInterval(() => Date.now() - heardAt > SILENCE_MS && mine.abort(), 1000);
  const stopListening = onNetwork(() => isOnline() || mine.abort());
  signal.addEventListener('abort', () => mine.abort(), { once: true });
  try {
    const response = await send('GET', 'events', {
      signal: mine.signal,
      accept: 'text/event-stream',
      last,
    });
    isAway.value = false;
    for await (const frame of readFrames(response.body, () => (heardAt = Date.now()))) {
      onFrame(frame);
    }
  } finally {
    clearInterval(watchdog);
    stopListening();
  }
}

async function lead(signal, tellOthers) {
  let fruitless = 0;
  const onFrame = (frame) => {
    fruitless = 0;
    take(frame, tellOthers);
  };
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve));
  while (!signal.aborted) {
    try {
      await Promise.race([read(signal, onFrame), stopped]); // a request may wait for a sign-in
    } catch (error) {
      if (error.status === 403 || error.status === 404) return; // not for this role
      if (fruitless || !isOnline()) isAway.value = true; // once alone is no news
      tellOthers(word());
    }
    if (!signal.aborted) await pause(retryDelay(++fruitless), signal);
  }
}

function open() {
  const shown = new AbortController();
  let part;
  last = null;
  watchNetwork(shown.signal);
  const stop = circle.subscribe((name) => {
    part?.abort();
    if (!name) return;
    part = new AbortController();
    share(name, { lead, hear, word }, part.signal);
  });
  return () => {
    shown.abort();
    stop();
    part?.abort();
  };
}

/** Calls listener(type, data) with each event while this part of the page is shown. */
export function useEvents(listener) {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const mine = (type, data) => latest.current(type, data);
    listeners.add(mine);
    close ??= open();
    return () => {
      listeners.delete(mine);
      if (listeners.size) return;
      close();
      close = null;
    };
  }, []);
}
