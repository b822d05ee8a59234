// A small stand-in for nginx and the worker: the wire of the handoff, with faults on demand.
// The widget under test is the built one, served as the manifest says.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

export const KEY = `fd_pk_${'A'.repeat(49)}`;

const PROBLEMS = {
  404: 'Not found',
  409: 'Busy',
  422: 'Invalid field',
  429: 'Too many requests',
  503: 'Unavailable',
};

/**
 * mock.plan     steps of the next jobs: [type, data] or a pause in ms; 'word' waits for the
 *               visitor's word, a function(word) gives the steps that follow from it
 * mock.faults   one entry a stream connection, in order; {} is none:
 *   {drop}            closed before anything is done with it
 *   {dropAfterAdmit}  accepted, but the answer never leaves; {hold}: nor does the connection end
 *   {cutAfter: n}     closed after n events; {cutBytes: n}: after n bytes
 *   {silent}          open, but nothing comes, no ping either
 *   {status, problem, retryAfter}
 * mock.refuse   route -> {status, problem}: refused once, as in 'POST sessions/:id/rating'
 * mock.requests what came: {method, path, headers, body}
 * mock.operator(session, type, data) is what a person at the dashboard does
 */
export async function startMock({ web, pages = {}, sources }) {
  const mock = {
    plan: [
      ['delta', { text: 'Hello.' }],
      ['done', { finish_reason: 'stop' }],
    ],
    faults: [],
    requests: [],
    preflights: [], // paths
    config: {},
    sessions: new Map(), // id -> {messages, job}
    jobs: new Map(),
    historyFaults: [],
    refuse: {},
    handoff: { open: true, opens_at: null, text: 'A person will be with you soon.' },
  };
  const files = manifest(web);
  const sockets = new Set();

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    const body = await readBody(request);
    if (url.pathname.startsWith('/api/v1/')) return api(mock, request, response, url, body);
    return asset({ files, pages, sources }, response, url);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  mock.port = server.address().port;
  mock.url = `http://127.0.0.1:${mock.port}`;
  mock.close = () => {
    sockets.forEach((socket) => socket.destroy());
    return new Promise((resolve) => server.close(resolve));
  };
  mock.startsHeld = 0;
  mock.operator = (session, type, data) => operate(mock.sessions.get(session), type, data);
  mock.asked = (path) => mock.requests.filter((request) => request.path.endsWith(path));
  mock.posts = () =>
    mock.requests.filter(({ method, path }) => method === 'POST' && path === 'chat');
  return mock;
}

function manifest(web) {
  const { files } = JSON.parse(readFileSync(join(web, 'manifest.json')));
  return new Map(
    files.map((f) => [f.path, { type: f.type, body: readFileSync(join(web, f.file)) }]),
  );
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text ? JSON.parse(text) : undefined;
}

function asset({ files, pages, sources }, response, url) {
  const file = files.get(url.pathname);
  if (file) return response.writeHead(200, { 'Content-Type': file.type }).end(file.body);
  const page = pages[url.pathname];
  if (page) {
    return response
      .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...page.headers })
      .end(page.html);
  }
  if (sources && /^\/src\/[\w/.-]+\.js$/.test(url.pathname) && !url.pathname.includes('..')) {
    const source = readFileSync(join(sources, url.pathname.slice('/src/'.length)));
    return response
      .writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' })
      .end(source);
  }
  return response.writeHead(404).end();
}

const CORS = {
  'Access-Control-Allow-Headers': 'X-Api-Key, Content-Type, X-Frontdesk-Session, Last-Event-ID',
  'Access-Control-Allow-Methods': 'GET, POST, DELETE',
  'Access-Control-Expose-Headers': 'X-Frontdesk-Job, X-Frontdesk-Session, Retry-After',
  'Access-Control-Max-Age': '600',
};

function api(mock, request, response, url, body) {
  const path = url.pathname.slice('/api/v1/'.length);
  response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
  for (const [name, value] of Object.entries(CORS)) response.setHeader(name, value);
  if (request.method === 'OPTIONS') {
    mock.preflights.push(path);
    return response.writeHead(204).end();
  }
  const { search } = url;
  mock.requests.push({ method: request.method, path, search, headers: request.headers, body });
  const inQuery = path === 'config' && url.searchParams.get('client_key');
  if ((inQuery || request.headers['x-api-key']) !== KEY) return problem(response, 401);

  const route = `${request.method} ${path.replace(/^(chat|sessions|messages)\/[^/]+\//, '$1/:id/')}`;
  const id = decodeURIComponent(path.split('/')[1] ?? '');
  const refused = mock.refuse[route];
  delete mock.refuse[route];
  if (refused) return problem(response, refused.status, refused.problem, refused.retryAfter);
  switch (route) {
    case 'POST messages/:id/feedback':
      return feedback(mock, request, response, id, body);
    case 'POST sessions/:id/rating':
    case 'POST sessions/:id/handoff':
    case 'POST sessions/:id/identify':
    case 'POST sessions/:id/typing':
    case 'GET sessions/:id/events': {
      const session = mock.sessions.get(id);
      if (!session) return problem(response, 404);
      return SESSION_CALLS[path.split('/')[2]](mock, request, response, session, body);
    }
    case 'GET config':
      return json(response, mock.config);
    case 'POST sessions/start':
      if (mock.startsHeld-- > 0) return undefined; // no answer comes
      return json(response, { session_id: startSession(mock) });
    case 'GET sessions/:id/history':
      return history(mock, response, id, url.searchParams);
    case 'DELETE sessions/:id/end':
      mock.sessions.delete(id);
      return json(response, { session_id: id, status: 'ended' });
    case 'POST chat':
      return chat(mock, request, response, body);
    case 'GET chat/:id/events':
      return events(mock, request, response, id);
    case 'POST chat/:id/cancel':
      return cancel(mock, request, response, id);
    case 'POST chat/:id/confirm':
      return confirm(mock, request, response, id, body);
    default:
      return problem(response, 404);
  }
}

function json(response, value) {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function problem(response, status, more = {}, retryAfter = 0) {
  const headers = {
    'Content-Type': 'application/problem+json',
    ...(retryAfter && { 'Retry-After': retryAfter }),
  };
  const retryable = status === 429 || status >= 500;
  response
    .writeHead(status, headers)
    .end(JSON.stringify({ title: PROBLEMS[status], status, retryable, ...more }));
}

export function startSession(mock) {
  const id = randomBytes(24).toString('base64url');
  mock.sessions.set(id, {
    id,
    messages: [],
    job: null,
    seen: new Map(),
    mode: 'active',
    score: null,
    user: null,
    events: [],
    listeners: new Set(),
  });
  return id;
}

function history(mock, response, id, query) {
  const fault = mock.historyFaults.shift();
  if (fault) return problem(response, fault.status);
  const session = mock.sessions.get(id);
  if (!session) return problem(response, 404);
  const end = Number(query.get('cursor') ?? session.messages.length);
  const start = Math.max(0, end - Number(query.get('limit')));
  json(response, {
    messages: session.messages.slice(start, end),
    next_cursor: start > 0 ? String(start) : null,
    status: session.mode,
    score: session.score,
  });
}

function chat(mock, request, response, body) {
  const fault = mock.faults.shift() ?? {};
  if (fault.drop) return request.socket.destroy();
  if (fault.status) return problem(response, fault.status, fault.problem, fault.retryAfter);
  const session = mock.sessions.get(body.session_id);
  if (!session) return problem(response, 404, { code: 'not-found' });
  const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  const seen = session.seen.get(body.client_message_id);
  if (seen && seen.digest !== digest) return problem(response, 422, { job_id: seen.job.id });
  if (!seen && session.job)
    return problem(response, 409, { code: 'session-busy', job_id: session.job.id });
  const job = seen?.job ?? startJob(mock, body.session_id, body.message);
  session.seen.set(body.client_message_id, { job, digest });
  if (fault.hold) return undefined;
  if (fault.dropAfterAdmit) return request.socket.destroy();
  stream(response, job, '', fault);
}

function feedback(mock, request, response, id, body) {
  const session = mock.sessions.get(request.headers['x-frontdesk-session']);
  const row = session?.messages.find((m) => m.id === id && m.role === 'assistant');
  if (!row) return problem(response, 404);
  row.rating = body.rating;
  return json(response, { message_id: id, rating: body.rating });
}

const SESSION_CALLS = {
  rating(mock, request, response, session, { score }) {
    session.score = score;
    return json(response, { score });
  },
  typing(mock, request, response, session) {
    return json(response, { status: session.mode ?? 'active' });
  },
  handoff(mock, request, response, session) {
    session.mode = 'waiting_human';
    return json(response, { status: session.mode, ...mock.handoff });
  },
  identify(mock, request, response, session, { user_id, token, profile }) {
    if (profile) return json(response, { verified: false });
    const user = user_id ?? JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sub;
    if (session.user && session.user !== user) return problem(response, 409);
    session.user = user;
    return json(response, { user_id: user, verified: true });
  },
  events(mock, request, response, session) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const last = Number(request.headers['last-event-id'] || 0);
    const write = ({ id, type, data }) =>
      response.write(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    response.write('event: ping\ndata: {}\n\n');
    if (!last) response.write('event: sync\ndata: {}\n\n');
    session.events.filter(({ id }) => id > last).forEach(write);
    const listener = { write, cut: () => response.socket.destroy() };
    session.listeners.add(listener);
    response.on('close', () => session.listeners.delete(listener));
  },
};

function operate(session, type, data) {
  if (type === 'cut') return session.listeners.forEach(({ cut }) => cut());
  if (type === 'status') session.mode = data.status;
  if (type === 'message') {
    session.messages.push({
      id: data.message_id,
      role: 'operator',
      content: data.text,
      name: data.name,
      created_at: data.created_at,
    });
  }
  const event = { id: session.events.length + 1, type, data };
  session.events.push(event);
  return session.listeners.forEach(({ write }) => write(event));
}

/** Runs the plan, whoever listens; the events and the history are the truth. */
export function startJob(mock, sessionId, message) {
  const session = mock.sessions.get(sessionId);
  const id = `0-${randomBytes(16).toString('hex')}`;
  const job = { id, session: sessionId, events: [], listeners: new Set(), cancelled: false };
  mock.jobs.set(id, job);
  session.job = job;
  const steps =
    session.mode === 'active'
      ? [['meta', { message_id: id, ...mock.meta }], ...mock.plan]
      : [
          ['meta', {}],
          ['done', { finish_reason: 'human' }],
        ];
  run(mock, session, job, message, steps);
  return job;
}

async function run(mock, session, job, message, steps) {
  const now = Date.now();
  let epoch = 1;
  let n = 0;
  let text = '';
  const citations = [];
  const emit = (type, data) => {
    if (type === 'reset') [epoch, n, text] = [epoch + 1, 0, ''];
    if (type === 'delta') text += data.text;
    if (type === 'citation') citations.push(data);
    job.events.push({ id: `${epoch}-${n++}`, type, data });
    job.listeners.forEach((listener) => listener());
  };
  let end = '';
  let word = '';
  for (const step of steps) {
    if (typeof step === 'number') await new Promise((resolve) => setTimeout(resolve, step));
    else if (step === 'word') word = await new Promise((resolve) => (job.hear = resolve));
    else if (typeof step === 'function') step(word).forEach((event) => emit(...event));
    else {
      if (job.cancelled) break;
      emit(...step);
      end = step[0];
    }
  }
  if (job.cancelled) emit('cancelled', {});
  const row = (role, content, at, more) => ({
    id: randomBytes(8).toString('hex'),
    role,
    content,
    job_id: job.id,
    created_at: new Date(at).toISOString(),
    ...more,
  });
  session.messages.push(row('user', message, now, {}));
  if (end !== 'error' && text) {
    const status = job.cancelled ? 'cancelled' : 'complete';
    const more = { id: job.id, status, citations, model: mock.meta?.model };
    session.messages.push(row('assistant', text, now + 1, more));
  }
  session.job = null;
}

function events(mock, request, response, id) {
  const fault = mock.faults.shift() ?? {};
  if (fault.drop) return request.socket.destroy();
  if (fault.status === 204) return response.writeHead(204).end();
  if (fault.status) return problem(response, fault.status, fault.problem, fault.retryAfter);
  const job = mock.jobs.get(id);
  if (!job || request.headers['x-frontdesk-session'] !== job.session) return problem(response, 404);
  const last = request.headers['last-event-id'] ?? '';
  const final = job.events.at(-1);
  if (last && last === final?.id && isTerminal(final)) return response.writeHead(204).end();
  stream(response, job, last, fault);
}

const isTerminal = ({ type }) => ['done', 'error', 'cancelled'].includes(type);

function stream(response, job, last, fault) {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    'X-Frontdesk-Job': job.id,
    'X-Frontdesk-Session': job.session,
  });
  response.flushHeaders();
  if (fault.silent) return;
  let at = job.events.findIndex(({ id }) => id === last) + 1;
  let written = 0;
  let bytes = 0;
  const cut = () => {
    job.listeners.delete(listener);
    // the bytes first, then the cut: as a proxy that dies behind what it has sent
    setTimeout(() => response.socket?.destroy(), 40);
  };
  const listener = () => {
    while (at < job.events.length) {
      if (written === fault.cutAfter) return cut();
      const event = job.events[at++];
      const frame = `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`;
      if (bytes + frame.length > fault.cutBytes) {
        response.write(frame.slice(0, fault.cutBytes - bytes));
        return cut();
      }
      response.write(frame);
      bytes += frame.length;
      written++;
      if (isTerminal(event)) {
        job.listeners.delete(listener);
        return response.end();
      }
    }
    if (written === fault.cutAfter) cut();
  };
  job.listeners.add(listener);
  response.on('close', () => job.listeners.delete(listener));
  response.write('event: ping\ndata: {}\n\n');
  listener();
}

function confirm(mock, request, response, id, body) {
  const job = mock.jobs.get(id);
  if (!job?.hear || request.headers['x-frontdesk-session'] !== job.session)
    return problem(response, 404);
  job.hear(body.decision);
  json(response, { job_id: id, ...body });
}

function cancel(mock, request, response, id) {
  const job = mock.jobs.get(id);
  if (!job || request.headers['x-frontdesk-session'] !== job.session) return problem(response, 404);
  job.cancelled = true;
  json(response, { job_id: id, state: 'cancelling' });
}
