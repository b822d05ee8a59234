import { Problem } from './problem.js';

const STEP_MS = 500;
const LONGEST_MS = 15000;
const TRIES = 4;

/** How long to wait before trying again for the n-th time (from 1), with jitter. */
export function retryDelay(attempt, hint = 0, random = Math.random) {
  const step = Math.min(LONGEST_MS, STEP_MS * 2 ** (attempt - 1));
  return Math.min(LONGEST_MS, Math.max(hint, step)) * (0.75 + random() / 2);
}

/** Does a piece of work that the network or a moment's overload may fail, patiently. */
export async function persist(network, work, signal) {
  for (let attempt = 1; ; attempt++) {
    await network.pause(0, signal);
    try {
      return await work();
    } catch (error) {
      const refused = error instanceof Problem && error.status < 500;
      if (refused || attempt === TRIES || signal?.aborted) throw error;
    }
    await network.pause(retryDelay(attempt), signal);
  }
}

/** The browser's view of the network: on or off, and when to look again at once. */
export function createNetwork(window, signal) {
  const listeners = new Set();
  const notify = () => listeners.forEach((listener) => listener());
  const onVisible = () => window.document.visibilityState === 'visible' && notify();
  const onShow = (event) => event.persisted && notify();
  window.addEventListener('online', notify, { signal });
  window.addEventListener('offline', notify, { signal });
  window.addEventListener('pageshow', onShow, { signal });
  window.document.addEventListener('visibilitychange', onVisible, { signal });

  const isOnline = () => window.navigator.onLine !== false;

  function onChange(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Resolves after `ms`, sooner when the network or the page comes back or `given` is up. */
  function pause(ms, given) {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        stopListening();
        resolve();
      };
      const finishOnline = () => isOnline() && finish();
      const timer = setTimeout(finishOnline, ms);
      const stopListening = onChange(finishOnline);
      given?.addEventListener('abort', finish, { once: true });
      if (given?.aborted) finish();
    });
  }

  return { isOnline, onChange, pause };
}
