import { map } from '../list.js';

const STEP_MS = 500;
const LONGEST_MS = 15000;
const TRIES = 4;

const listeners = new Set();

/** Listens to events, named as in "online offline", until the signal is up. */
export function listen(target, types, listener, signal) {
  map(types.split(' '), (type) => target.addEventListener(type, listener, { signal }));
}

/** Whoever waits looks again when the network, the page or the machine comes back. */
export function watchNetwork(signal) {
  const notify = () => listeners.forEach((listener) => listener());
  listen(window, 'online offline pageshow', notify, signal);
  listen(document, 'resume visibilitychange', () => document.hidden || notify(), signal);
}

export function isOnline() {
  return navigator.onLine !== false;
}

export function onNetwork(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Resolves after `ms`, sooner when the network or the page comes back or `signal` is up. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const finish = () => {
      if (!isOnline() && !signal?.aborted) return;
      clearTimeout(timer);
      stopListening();
      resolve();
    };
    const timer = setTimeout(finish, ms);
    const stopListening = onNetwork(finish);
    signal?.addEventListener('abort', finish);
    if (signal?.aborted) finish();
  });
}

/** How long to wait before trying again for the n-th time (from 1), with jitter. */
export function retryDelay(attempt, hint = 0) {
  const step = STEP_MS * 2 ** Math.min(attempt - 1, 9);
  return Math.min(LONGEST_MS, Math.max(hint, step)) * (0.75 + Math.random() / 2);
}

/** Does a piece of work that the network or a moment's overload may fail, patiently. */
export async function persist(work, signal) {
  for (let attempt = 0; ;) {
    await pause(attempt && retryDelay(attempt), signal);
    try {
      return await work();
    } catch (error) {
      if (error.status_ < 500 || ++attempt === TRIES || signal?.aborted) throw error;
    }
  }
}
