import { resource, send } from '../../api/http.js';
import { Problem } from '../../api/problem.js';
import { createStream, watchNetwork } from '../../widget.js';

const TRIES = 5;

/**
 * Asks, and tells each event of the answer: onEvent(type, data), onJob(id). A connection that
 * breaks is taken up behind the last event; the question is never sent a second time. Resolves
 * at the end of the answer.
 */
export async function askTest(body, { signal, onJob, onEvent }) {
  let job = null;
  let seen = '';

  async function connect(mine) {
    const options = { signal: mine, accept: 'text/event-stream', last: seen };
    try {
      if (job) return await send('GET', resource`test-chat/${job}`, options);
      const response = await send('POST', 'test-chat', { ...options, body });
      job = response.headers.get('X-Frontdesk-Job');
      onJob(job);
      return response;
    } catch (error) {
      const refused = error.status ? error : !job && new Problem(0);
      throw refused ? Object.assign(refused, { status_: true }) : error;
    }
  }
  function take({ event, id, data }) {
    if (id) seen = id;
    onEvent(event, JSON.parse(data));
    return event === 'done' || event === 'error' ? { end_: event } : true;
  }
  const refuse = (problem) => ({ end_: 'refused', problem });

  const stream = createStream(connect, take, refuse, TRIES);
  const leave = () => stream.leave_();
  signal.addEventListener('abort', leave);
  watchNetwork(stream.signal_);
  const { end_: end, problem } = await stream.finished_;
  leave();
  if (!signal.aborted && /^(refused|lost|gone)$/.test(end)) throw problem ?? new Problem(0);
}
