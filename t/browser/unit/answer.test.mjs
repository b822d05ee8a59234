// WID-4: one answer brought home through every cut, without a lost or doubled token.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnswer } from '../../../web/widget/src/chat/answer.js';
import { retryDelay } from '../../../web/widget/src/net/network.js';

globalThis.navigator ??= { onLine: true };

const JOB = '0-0123456789abcdef0123456789abcdef';
const EVENTS = [
  ['1-0', 'meta', {}],
  ['1-1', 'delta', { text: 'a' }],
  ['1-2', 'delta', { text: 'b' }],
  ['1-3', 'delta', { text: 'c' }],
  ['1-4', 'done', { finish_reason: 'stop' }],
];

const frames = (events) =>
  events
    .map(([id, type, data]) => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
    .join('');

/** A connection that delivers `text` and then ends, or breaks. */
function connection(text, { broken = false, headers = {} } = {}) {
  const body = new ReadableStream({
    start(controller) {
      if (text) controller.enqueue(new TextEncoder().encode(text));
      if (broken) controller.error(new TypeError('network error'));
      else controller.close();
    },
  });
  return new Response(body, {
    headers: { 'X-Frontdesk-Job': JOB, 'X-Frontdesk-Session': 's', ...headers },
  });
}

/** Runs an answer against a list of connections; each is a function of (lastId) or an error. */
async function bring(connections, { job = '', question = { client_message_id: 'm' } } = {}) {
  const seen = { text: '', types: [], lastIds: [], posts: 0, jobs: [], pauses: [] };
  const real = { setTimeout, fetch };
  globalThis.setTimeout = (work, ms, ...args) => {
    if (ms > 0) seen.pauses.push(ms); // and none is waited for
    return real.setTimeout(work, 0, ...args);
  };
  globalThis.fetch = async (url, { method, headers }) => {
    if (method === 'POST') seen.posts++;
    else seen.jobs.push(/chat\/(.*)\/events/.exec(url)[1]);
    const lastId = headers['Last-Event-ID'] ?? '';
    seen.lastIds.push(lastId);
    const step = connections.shift();
    if (step === undefined) return refusal(410); // one connection too many
    if (step instanceof Error) throw step;
    return step(lastId);
  };
  const accept = (accepted) => (seen.job = accepted);
  const event = (type, data) => {
    seen.types.push(type);
    if (type === 'reset') seen.text = '';
    if (type === 'delta') seen.text += data.text;
  };
  const result = await createAnswer(question, 's', job, accept, event).finished_;
  Object.assign(globalThis, real);
  return { ...seen, result, left: connections.length };
}

const refusal = (status, document = {}, headers = {}) =>
  new Response(JSON.stringify(document), { status, headers });

const after = (lastId) => EVENTS.slice(EVENTS.findIndex(([id]) => id === lastId) + 1);

test('an answer in one piece', async () => {
  const { text, result, job, lastIds } = await bring([() => connection(frames(EVENTS))]);
  assert.equal(text, 'abc');
  assert.equal(result.end_, 'done');
  assert.equal(job, JOB);
  assert.deepEqual(lastIds, ['']);
});

test('cut after every byte, by an end or by an error: the same text', async () => {
  const whole = frames(EVENTS);
  for (let i = 0; i < whole.length; i++) {
    for (const broken of [true, false]) {
      const { text, result, posts } = await bring([
        () => connection(whole.slice(0, i), { broken }),
        (lastId) => connection(frames(after(lastId))),
      ]);
      assert.equal(text, 'abc', `cut at ${i}`);
      assert.equal(result.end_, 'done');
      assert.equal(posts, 1);
    }
  }
});

test('events that come twice are shown once, a gap is asked for again', async () => {
  const gap = [EVENTS[0], EVENTS[1], EVENTS[3]];
  const { text, lastIds } = await bring([
    () => connection(frames([...EVENTS.slice(0, 2), ...EVENTS.slice(0, 2)])),
    () => connection(frames(gap)),
    (lastId) => connection(frames(after(lastId))),
  ]);
  assert.equal(text, 'abc');
  assert.deepEqual(lastIds, ['', '1-1', '1-1']);
});

test('a reset drops what was shown; the old epoch is over', async () => {
  const { text } = await bring([
    () =>
      connection(
        frames([
          ...EVENTS.slice(0, 3),
          ['2-0', 'reset', { attempt: 2 }],
          EVENTS[3],
          ['2-1', 'delta', { text: 'new' }],
          ['2-2', 'done', {}],
        ]),
      ),
  ]);
  assert.equal(text, 'new');
});

test('a replay of a higher epoch is taken from its reset', async () => {
  const { text } = await bring([
    () => connection(frames(EVENTS.slice(0, 3))),
    () =>
      connection(
        frames([
          ['2-0', 'reset', {}],
          ['2-1', 'delta', { text: 'abc' }],
          ['2-2', 'done', {}],
        ]),
      ),
  ]);
  assert.equal(text, 'abc');
});

test('a question the network lost is asked again, as the same message', async () => {
  const { text, posts } = await bring([
    new TypeError('failed'),
    new TypeError('failed'),
    () => connection(frames(EVENTS)),
  ]);
  assert.equal(text, 'abc');
  assert.equal(posts, 3);
});

test('a page that reloads follows the job from its start', async () => {
  const { text, posts, jobs, lastIds } = await bring([() => connection(frames(EVENTS))], {
    job: JOB,
  });
  assert.deepEqual([text, posts, jobs, lastIds], ['abc', 0, [JOB], ['']]);
});

test('nothing more (204), and a job that is unknown: the history has to tell', async () => {
  const nothing = () => new Response(null, { status: 204 });
  assert.equal((await bring([nothing], { job: JOB })).result.end_, 'gone');
  assert.equal((await bring([() => refusal(404)], { job: JOB })).result.end_, 'gone');
});

test('overload on a resume is waited out', async () => {
  const { text, pauses } = await bring([
    () => connection(frames(EVENTS.slice(0, 2))),
    () => refusal(503, {}, { 'Retry-After': '7' }),
    (lastId) => connection(frames(after(lastId))),
  ]);
  assert.equal(text, 'abc');
  assert.ok(pauses.some((ms) => ms >= 7000));
});

test('refusals of a question', async () => {
  const end = async (...problem) => (await bring([() => refusal(...problem)])).result;
  assert.equal((await end(429, { retry_after: 3 })).problem_.wait_, 3000);
  assert.equal((await end(503)).end_, 'failed');
  assert.equal((await end(404)).end_, 'no-session');
  assert.equal((await end(409, { code: 'session-ended' })).end_, 'no-session');
  assert.equal((await end(422, { field: 'session_id' })).end_, 'no-session');
});

test('a conversation that is busy with another answer is asked again when that is over', async () => {
  const { text, posts, types } = await bring([
    () => refusal(409, { code: 'session-busy', job_id: 'other' }),
    () => connection(frames(EVENTS)),
  ]);
  assert.deepEqual([text, posts, types[0]], ['abc', 2, 'busy']);
});

test('our message under another body: its job is followed', async () => {
  const { text, jobs } = await bring([
    () => refusal(422, { job_id: JOB }),
    () => connection(frames(EVENTS)),
  ]);
  assert.equal(text, 'abc');
  assert.deepEqual(jobs, [JOB]);
});

test('an error event ends the answer with its problem', async () => {
  const { result, text } = await bring([
    () =>
      connection(
        frames([
          ...EVENTS.slice(0, 2),
          ['1-2', 'error', { status: 502, title: 'Provider', retryable: true }],
        ]),
      ),
  ]);
  assert.equal(text, 'a');
  assert.equal(result.end_, 'failed');
  assert.deepEqual([result.problem_.status_, result.problem_.retryable_], [502, true]);
});

test('it gives up after a while without progress, not before; progress counts anew', async () => {
  const fails = (n) => Array.from({ length: n }, () => new TypeError('failed'));
  const lost = await bring([() => connection(frames(EVENTS.slice(0, 2))), ...fails(20)]);
  assert.equal(lost.result.end_, 'lost');
  assert.equal(lost.left, 12);
  const found = await bring([
    ...fails(8),
    () => connection(frames(EVENTS.slice(0, 2))),
    ...fails(7),
    (lastId) => connection(frames(after(lastId))),
  ]);
  assert.equal(found.text, 'abc');
});

test("a server's retry: is honoured, with jitter", async () => {
  const { pauses } = await bring([
    () => connection(`retry: 6000\n\n${frames(EVENTS.slice(0, 2))}`),
    (lastId) => connection(frames(after(lastId))),
  ]);
  assert.ok(
    pauses.some((ms) => ms >= 4500 && ms <= 7500),
    String(pauses),
  );
  const delays = Array.from({ length: 50 }, () => retryDelay(1));
  assert.ok(Math.min(...delays) >= 375 && Math.max(...delays) <= 625);
  assert.ok(new Set(delays).size > 40);
  assert.ok(retryDelay(50) <= 18750);
});

test('a stream of something else ends as lost, not in a loop', async () => {
  const page = () => connection('<html>captive portal</html>');
  assert.equal((await bring(Array.from({ length: 9 }, () => page))).result.end_, 'lost');
});
