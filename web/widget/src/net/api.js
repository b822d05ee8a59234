import { Problem } from './problem.js';

const ANSWER_IN_MS = 15000; // of a request that does not stream

/** The HTTP surface the widget uses. A refusal is thrown as a Problem. */
export function createApi({ base, key }) {
  async function request(method, path, { body, headers, signal } = {}) {
    const response = await fetch(`${base}/api/v1/${path}`, {
      method,
      headers: {
        'X-Api-Key': key,
        ...(body && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body && JSON.stringify(body),
      signal,
      credentials: 'omit',
      cache: 'no-store',
    });
    if (!response.ok) throw await Problem.from(response);
    return response;
  }

  async function ask(method, path, options) {
    const signal = AbortSignal.timeout(ANSWER_IN_MS);
    const response = await request(method, path, { ...options, signal });
    return response.status === 204 ? null : response.json();
  }

  const id = encodeURIComponent;
  const stream = { Accept: 'text/event-stream' };

  return {
    config: () => ask('GET', 'config'),
    startSession: (language) => ask('POST', 'sessions/start', { body: { language } }),
    endSession: (session) => ask('DELETE', `sessions/${id(session)}/end`),
    history: (session, cursor) =>
      ask(
        'GET',
        `sessions/${id(session)}/history?limit=50${cursor ? `&cursor=${id(cursor)}` : ''}`,
      ),
    cancel: (job, session) =>
      ask('POST', `chat/${id(job)}/cancel`, { headers: { 'X-Frontdesk-Session': session } }),
    confirm: (job, session, call, decision) =>
      ask('POST', `chat/${id(job)}/confirm`, {
        headers: { 'X-Frontdesk-Session': session },
        body: { call_id: call, decision },
      }),
    chat: (question, signal) =>
      request('POST', 'chat', { body: question, headers: stream, signal }),
    events: (job, session, lastId, signal) =>
      request('GET', `chat/${id(job)}/events`, {
        headers: {
          ...stream,
          'X-Frontdesk-Session': session,
          ...(lastId && { 'Last-Event-ID': lastId }),
        },
        signal,
      }),
  };
}
