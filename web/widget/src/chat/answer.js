import { BEFORE_ALL, formatEventId, judgeEvent, parseEventId } from '../net/event_id.js';
import { persist, retryDelay } from '../net/network.js';
import { Problem } from '../net/problem.js';
import { readFrames } from '../net/sse.js';

const SILENCE_MS = 25000; // the server pings every 10 s: longer silence is a dead connection
const STALE_MS = 12000; // the same, when the page or the network has just come back
const FRUITLESS_MAX = 8; // tries in a row that brought nothing, about a minute
const CANCEL_GRACE_MS = 4000; // between an accepted cancel and the end of the stream

const TERMINAL = new Set(['done', 'cancelled']);

/**
 * Brings one answer home: posts a question or attaches to its job, reads the events in
 * order and resumes a cut stream by the last id, so that nothing is lost or doubled.
 *
 * sink.accepted(job, session), sink.event(type, data), sink.connection(up).
 * finished resolves to {end, ...}:
 *   done        with its data
 *   cancelled   by the visitor
 *   failed      problem, the server's
 *   busy        another answer of this session is running: problem.jobId
 *   no-session  the session is unknown or ended: problem
 *   gone        the job has no more events: the history tells how it ended
 *   lost        the connection did not come back
 */
export function createAnswer({ api, network, question, session, job = '', sink }) {
  let last = BEFORE_ALL;
  let fruitless = 0;
  let retryHint = 0;
  let lastBytes = 0;
  let connection = null; // AbortController of the open request
  let stopped = false; // by the visitor
  const leave = new AbortController(); // the answer is no longer wanted here

  async function run() {
    for (;;) {
      const result = await attempt();
      if (leave.signal.aborted || (stopped && !job)) return { end: 'cancelled' };
      if (result.end) return result;
      fruitless++;
      if (fruitless > FRUITLESS_MAX) return { end: 'lost' };
      sink.connection(false);
      const wait = retryDelay(fruitless, retryHint);
      await network.pause(Math.max(wait, (result.retryAfter ?? 0) * 1000), leave.signal);
      if (leave.signal.aborted) return { end: 'cancelled' };
    }
  }

  /** One connection. Without `end` in its result it is worth another. */
  async function attempt() {
    connection = new AbortController();
    const watchdog = setInterval(() => silentFor(SILENCE_MS) && connection.abort(), 1000);
    lastBytes = Date.now();
    try {
      const response = await open(connection.signal);
      if (response.status === 204) return { end: 'gone' };
      return await read(response);
    } catch (error) {
      return error instanceof Problem ? judgeProblem(error) : {};
    } finally {
      clearInterval(watchdog);
      connection = null;
    }
  }

  async function open(signal) {
    if (job) {
      const lastId = last === BEFORE_ALL ? '' : formatEventId(last);
      return api.events(job, session, lastId, signal);
    }
    // The same client_message_id each time: the server attaches a repetition to its job.
    const response = await api.chat(question, signal);
    adopt(
      response.headers.get('X-Frontdesk-Job') ?? '',
      response.headers.get('X-Frontdesk-Session'),
    );
    return response;
  }

  function adopt(newJob, newSession) {
    job = newJob;
    session = newSession || session;
    sink.accepted(job, session);
    if (stopped) cancel();
  }

  async function read(response) {
    for await (const frame of readFrames(response.body, heard)) {
      if (frame.retry !== undefined) retryHint = frame.retry;
      const id = frame.id && parseEventId(frame.id);
      if (!id) continue; // a ping, or no event of ours
      const verdict = judgeEvent(last, id);
      if (verdict === 'behind') return {};
      if (verdict === 'ignore') continue;
      const data = JSON.parse(frame.data);
      last = id;
      fruitless = 0;
      if (frame.type === 'error') return { end: 'failed', problem: new Problem(data.status, data) };
      if (TERMINAL.has(frame.type)) return { end: frame.type, data };
      sink.event(frame.type, data);
    }
    return {}; // ended without a terminal event: it was cut
  }

  function heard() {
    lastBytes = Date.now();
    sink.connection(true);
  }

  function judgeProblem(problem) {
    if (job) {
      if (problem.status === 404) return { end: 'gone' };
      const passing = problem.status === 429 || problem.status >= 500;
      return passing ? { retryAfter: problem.retryAfter } : { end: 'failed', problem };
    }
    const noSession = problem.status === 404 || problem.field === 'session_id';
    if (noSession || problem.code === 'session-ended') return { end: 'no-session', problem };
    if (problem.status === 409 && problem.jobId) return { end: 'busy', problem };
    if (problem.status === 422 && problem.jobId) {
      adopt(problem.jobId, session); // our id with another body: that answer is ours
      return {};
    }
    return { end: 'failed', problem };
  }

  function silentFor(ms) {
    return Date.now() - lastBytes > ms;
  }

  async function cancel() {
    // failing is no matter: the stream is left all the same, and nobody listens any more
    await persist(network, () => api.cancel(job, session), leave.signal).catch(() => {});
    setTimeout(detach, CANCEL_GRACE_MS);
  }

  /** The visitor's Stop. Before the job is known there may be nothing to cancel yet. */
  function stop() {
    if (stopped) return;
    stopped = true;
    if (job) cancel();
    else if (!connection) detach();
  }

  /** Leaves the answer alone; the server goes on. */
  function detach() {
    leave.abort();
    connection?.abort();
  }

  const stopListening = network.onChange(() => {
    if (!network.isOnline() || silentFor(STALE_MS)) connection?.abort();
  });
  const finished = run().finally(stopListening);

  return { finished, stop, detach };
}
