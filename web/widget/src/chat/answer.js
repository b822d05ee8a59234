import { judgeEvent, parseEventId } from '../net/event_id.js';
import { createProblem, post, request } from '../net/http.js';
import { persist } from '../net/network.js';
import { createStream } from '../net/stream.js';

const FRUITLESS_MAX = 8; // tries in a row that brought nothing, about a minute
const CANCEL_GRACE_MS = 4000; // between an accepted cancel and the end of the stream

/**
 * Brings one answer home: posts a question or attaches to its job, takes the events in
 * order and resumes a cut stream by the last id, so that nothing is lost or doubled.
 *
 * accept(job, session), event(type, data).
 * finished_ resolves to {end_, ...}:
 *   done        with its data_
 *   cancelled, left  by the visitor, by this page
 *   failed      problem_, the server's
 *   no-session  the session is unknown or ended: problem_
 *   gone        the job has no more events: the history tells how it ended
 *   lost        the connection did not come back
 */
export function createAnswer(question, session, job, accept, event) {
  let last = [0, 0];
  let lastId;
  let stopped; // by the visitor

  async function connect(signal) {
    if (job) return request('GET', `chat/${job}/events`, undefined, session, signal, lastId);
    // The same client_message_id each time: the server attaches a repetition to its job.
    const response = await request('POST', 'chat', question, '', signal);
    adopt(response.headers.get('X-Frontdesk-Job'), response.headers.get('X-Frontdesk-Session'));
    return response;
  }

  function adopt(newJob, newSession) {
    job = newJob;
    session = newSession || session;
    accept(job, session);
    if (stopped) cancel();
  }

  function take(frame) {
    const id = parseEventId(frame.id);
    if (!id) return false; // a ping, or no event of ours
    const verdict = judgeEvent(last, id);
    if (verdict < 1) return verdict && {};
    const type = frame.event;
    const data = JSON.parse(frame.data);
    last = id;
    lastId = frame.id;
    if (type === 'error') return { end_: 'failed', problem_: createProblem(data.status, data) };
    if (type === 'done' || type === 'cancelled') return { end_: type, data_: data };
    event(type, data);
    return true;
  }

  function refuse(problem) {
    const { status_: status, job_id: other } = problem;
    let end_ = 'failed';
    if (job) {
      if (status === 429 || status >= 500) return problem;
      if (status === 404) end_ = 'gone';
    } else if (stopped) {
      end_ = 'cancelled';
    } else if (
      status === 404 ||
      problem.field === 'session_id' ||
      problem.code === 'session-ended'
    ) {
      end_ = 'no-session';
    } else if (other) {
      // our id with another body: that answer is ours; else (409) another's goes first
      if (status === 409) event('busy', {});
      else adopt(other, session);
      return {};
    }
    return { end_, problem_: problem };
  }

  async function cancel() {
    // failing is no matter: the stream is left all the same, and nobody listens any more
    await persist(() => post(`chat/${job}/cancel`, undefined, session), stream.signal_).catch(
      () => {},
    );
    setTimeout(stream.leave_, CANCEL_GRACE_MS);
  }

  const stream = createStream(connect, take, refuse, FRUITLESS_MAX);

  return {
    finished_: stream.finished_,
    leave_: stream.leave_,
    /** The visitor's Stop. Before the job is known there may be nothing to cancel yet. */
    stop_() {
      if (stopped) return;
      stopped = true;
      if (job) cancel();
      else if (!stream.isOpen_()) stream.leave_();
    },
  };
}
