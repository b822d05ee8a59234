import { onNetwork } from '../widget.js';

/*
 * One tab does something for all tabs of a browser: it leads, which is to hold a lock, and tells
 * the others through a channel. Of a tab that is closed or crashes the browser gives the lock to
 * the next. One that is frozen keeps it and is silent: then it is taken away. No shared worker
 * does it, as the policy of Trusted Types lets in none.
 */
const TICK_MS = 2500;
const PATIENCE = 10; // ticks without a word; no time, as a machine that slept has not waited
const ANSWER = 3; // ticks, once the leader was asked
const ASK = 'ask';

/**
 * Takes part in what is done under this name, until `signal`:
 *   lead(signal, tell)  does it, and tells the others; who ends sooner takes no part any more
 *   hear(message)       what the leader tells
 *   word()              what a leader says now and then, and to whoever asks
 * Where there are no locks or channels (both need a secure context) each tab does it for itself.
 */
export async function share(name, { lead, hear, word }, signal) {
  if (!navigator.locks || !globalThis.BroadcastChannel) return lead(signal, () => {});
  const channel = new BroadcastChannel(name);
  let leads = false;
  let patience = PATIENCE;
  let waiting; // for the lock
  let term; // as leader

  const tell = (message) => signal.aborted || channel.postMessage(message);
  const ask = () => {
    if (leads) return;
    tell(ASK);
    patience = Math.min(patience, ANSWER);
  };
  channel.onmessage = ({ data }) => {
    if (leads) {
      if (data === ASK) tell(word());
    } else if (data !== ASK) {
      patience = PATIENCE;
      hear(data);
    }
  };
  const timer = setInterval(() => {
    if (leads) tell(word());
    else if (--patience < 0) waiting.abort();
  }, TICK_MS);
  const stopListening = onNetwork(ask); // also when a page comes back
  signal.addEventListener('abort', () => {
    waiting.abort();
    term.abort();
  });
  tell(ASK);

  try {
    for (let steal = false; !signal.aborted; steal = waiting.signal.aborted) {
      waiting = new AbortController();
      term = new AbortController();
      patience = PATIENCE;
      try {
        await navigator.locks.request(name, steal ? { steal } : { signal: waiting.signal }, () => {
          leads = true;
          tell(word());
          return lead(term.signal, tell);
        });
        break;
      } catch (error) {
        if (error.name !== 'AbortError') throw error; // else it was given up, or taken away
      }
      leads = false;
      term.abort();
    }
  } finally {
    clearInterval(timer);
    stopListening();
    channel.close();
  }
}
