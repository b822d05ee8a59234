import { resource, send } from '../../api/http.js';
import { pause, readFrames, retryDelay } from '../../widget.js';

const TRIES = 5;

/**
 * Asks, and tells each event of the answer: onEvent(type, data), onJob(id). A connection that
 * breaks is taken up behind the last event. Resolves at the end of the answer.
 */
export async function askTest(body, { signal, onJob, onEvent }) {
  let job = null;
  let seen = '';
  for (let tries = 0; ; tries++) {
    try {
      const options = { signal, accept: 'text/event-stream', last: seen };
      const response = job
        ? await send('GET', resource`test-chat/${job}`, options)
        : await send('POST', 'test-chat', { ...options, body });
      job ??= response.headers.get('X-Frontdesk-Job');
      if (job) onJob(job);
      for await (const frame of readFrames(response.body, () => {})) {
        if (frame.id) seen = frame.id;
        if (!frame.data) continue;
        tries = 0;
        const data = JSON.parse(frame.data);
        onEvent(frame.event, data);
        if (frame.event === 'done' || frame.event === 'error') return;
      }
    } catch (error) {
      if (signal.aborted || error.status > 0 || !job || tries >= TRIES) throw error;
    }
    await pause(retryDelay(tries + 1), signal);
    if (signal.aborted) return;
  }
}
