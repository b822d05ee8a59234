import { isLeft } from './attendance.js';
import { Problem, readProblem } from './problem.js';
import { csrfToken, renew } from './renewal.js';

/*
 * The admin API: JSON in and out, cookies, the token against cross-site requests, renewal of
 * the session, problems as errors. Pages use get(), post(), put(), patch() and remove().
 */
const ROOT = '/api/admin/';
const etags = new WeakMap();
let askToSignIn = null;
let untilOurs = null;
let lookWhere = null;
let expected = null; // the organization that this page shows

/** How somebody whose session is over signs in again, in place: resolves to whether they did. */
export function onSessionEnd(handler) {
  askToSignIn = handler;
}

/**
 * Waited for before each request: that the session is the one that this page is of. `look`: finds
 * out, where the server says that it is not.
 */
export function onRequest(handler, look) {
  untilOurs = handler;
  lookWhere = look;
}

/** What is asked from now on is refused where the session acts in another organization. */
export function expectOrganization(id) {
  expected = id;
}

/** A path with names in it, of which none is more than a name: resource`users/${id}/reset`. */
export function resource(texts, ...names) {
  return String.raw({ raw: texts }, ...names.map(segment));
}

function segment(name) {
  if (/^\.{0,2}$/.test(name)) throw new Problem(404); // the browser would take it for another path
  return encodeURIComponent(name);
}

export function url(path, query = {}) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') words.set(name, value);
  }
  const text = words.toString();
  return ROOT + path + (text && `?${text}`);
}

/**
 * One request. `query`: parameters; `body`: JSON, or a Blob with its type; `signal`; `was`: the
 * resource as it was read, so that a change somebody else made meanwhile is not written over
 * (412 changed-meanwhile); `last`: Last-Event-ID of a stream; `anywhere`: whoever's session it is,
 * and wherever.
 */
export async function send(method, path, options = {}) {
  if (!options.anywhere) await untilOurs();
  const init = describe(method, path, options);
  let startedAt = Date.now();
  let response = await reach(url(path, options.query), init);
  if (response.status === 401 && !isSignIn(path)) {
    const goesOn = (!isLeft() && (await renew(startedAt))) || (await askToSignIn?.());
    if (!goesOn) throw await readProblem(response);
    init.headers['X-Frontdesk-CSRF'] = csrfToken();
    startedAt = Date.now();
    response = await reach(url(path, options.query), init);
  }
  if (response.ok) return response;
  const problem = await readProblem(response);
  if (problem.code !== 'organization-changed' || options.isAgain) throw problem;
  await lookWhere();
  return send(method, path, { ...options, isAgain: true });
}

/** What needs no session: to begin one, and to end one that may be over. */
const isSignIn = (path) => /^auth\/(login|setup|forgot|reset|logout)$/.test(path);

function describe(method, path, { body, signal, was, last, accept, key, anywhere }) {
  const headers = { Accept: accept ?? 'application/json', 'X-Frontdesk-CSRF': csrfToken() };
  const isFile = body instanceof Blob;
  if (body !== undefined) headers['Content-Type'] = isFile ? body.type : 'application/json';
  if (method === 'POST' && !path.startsWith('auth/')) {
    headers['Idempotency-Key'] = key ?? crypto.randomUUID();
  }
  if (etags.has(was)) headers['If-Match'] = etags.get(was);
  if (last) headers['Last-Event-ID'] = last;
  if (expected && !anywhere) headers['Expect-Organization'] = expected;
  const text = isFile || body === undefined ? body : JSON.stringify(body);
  return { method, headers, body: text, signal, cache: 'no-store' };
}

async function reach(address, init) {
  try {
    return await fetch(address, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem(0);
  }
}

async function json(method, path, options) {
  const response = await send(method, path, options);
  if (response.status === 204) return null;
  const value = await response.json();
  const etag = response.headers.get('ETag');
  if (etag) etags.set(value, etag);
  return value;
}

export const get = (path, query, options) => json('GET', path, { ...options, query });
export const post = (path, body, options) => json('POST', path, { ...options, body });
export const put = (path, body, options) => json('PUT', path, { ...options, body });
export const patch = (path, body, options) => json('PATCH', path, { ...options, body });
export const remove = (path, options) => json('DELETE', path, options);
