import { isOnline, onNetwork, pause, retryDelay } from './network.js';
import { readFrames } from './sse.js';

const SILENCE_MS = 25000; // the server pings every 10 s: longer silence is a dead connection
const STALE_MS = 12000; // the same, when the page or the network has just come back

/**
 * Reads an event stream to its end through any number of connections.
 *   connect(signal)  opens one, behind what was taken last
 *   take(frame)      true: progress; {end_}: the end; {}: this connection is of no more use
 *   refuse(problem)  the same, of a refusal; {wait_}: not before so many ms
 *   tries            connections in a row that bring nothing
 * finished_ resolves to {end_, ...}: what was returned, 'gone' (204), 'lost' or 'left'.
 */
export function createStream(connect, take, refuse, tries) {
  const left = new AbortController();
  const { signal } = left;
  let connection;
  let heardAt;
  let hint = 0;
  let fruitless = 0;

  const silentFor = (ms) => Date.now() - heardAt > ms;

  async function attempt() {
    const mine = (connection = new AbortController());
    heardAt = Date.now();
    const watchdog = setInterval(() => silentFor(SILENCE_MS) && mine.abort(), 1000);
    try {
      const response = await connect(mine.signal);
      if (response.status === 204) return { end_: 'gone' };
      for await (const frame of readFrames(response.body, () => (heardAt = Date.now()))) {
        hint = +frame.retry || hint;
        const taken = frame.data && take(frame);
        if (taken === true) fruitless = 0;
        else if (taken) return taken;
      }
    } catch (error) {
      if (error.status_) return refuse(error);
    } finally {
      clearInterval(watchdog);
      connection = null;
    }
    return {}; // it ended before the end, or broke
  }

  async function run() {
    while (!signal.aborted) {
      const result = await attempt();
      if (result.end_) return result;
      if (++fruitless > tries) return { end_: 'lost' };
      await pause(Math.max(retryDelay(fruitless, hint), result.wait_ ?? 0), signal);
    }
    return { end_: 'left' };
  }

  const stopListening = onNetwork(() => {
    if (!isOnline() || silentFor(STALE_MS)) connection?.abort();
  });

  return {
    finished_: run().finally(stopListening),
    signal_: signal,
    isOpen_: () => !!connection,
    /** Leaves it alone; the server goes on. */
    leave_() {
      left.abort();
      connection?.abort();
    },
  };
}
