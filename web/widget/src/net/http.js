const ANSWER_IN_MS = 15000; // of a request that does not stream

let base;
let key;

/** The configuration. In its address the key spares a preflight; from then on it is in a header. */
export function configure(origin, clientKey) {
  base = `${origin}/api/v1/`;
  const config = get(`config?client_key=${clientKey}&v=${VERSION}`); // the build knows which
  key = clientKey;
  return config;
}

/** With a signal: the response, whose body is an event stream; else its JSON. */
export async function request(method, path, body, session, signal, last) {
  const headers = {};
  if (key) headers['X-Api-Key'] = key;
  if (body) headers['Content-Type'] = 'application/json';
  if (session) headers['X-Frontdesk-Session'] = session;
  if (last) headers['Last-Event-ID'] = last;
  const response = await fetch(base + path, {
    method,
    headers,
    body: body && JSON.stringify(body),
    signal: signal ?? AbortSignal.timeout(ANSWER_IN_MS),
    credentials: 'omit',
    cache: 'no-store',
  });
  if (!response.ok) throw await readProblem(response);
  return signal ? response : response.status === 204 ? {} : response.json();
}

export function get(path) {
  return request('GET', path);
}

export function post(path, body, session) {
  return request('POST', path, body, session);
}

/**
 * A refusal of the server, as an Error with its status_ and fields: from an RFC 9457 document, or
 * whatever an intermediary answered in its place.
 */
export function createProblem(status, document, retryAfter) {
  const { detail, title, retry_after, retryable } = document ?? {};
  const wait = (retry_after || retryAfter) * 1000 || 0; // given in seconds
  return Object.assign(new Error(detail || title || `HTTP ${status}`), document, {
    status_: status,
    wait_: wait,
    until_: Date.now() + wait,
    retryable_: retryable ?? (status === 429 || status >= 500),
  });
}

export async function readProblem(response) {
  // a proxy's HTML page, or a body that was cut: the status has to do
  const document = await response.json().catch(() => {});
  return createProblem(response.status, document, response.headers.get('Retry-After'));
}
