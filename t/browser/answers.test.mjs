// WID-4: answers through cuts, refusals, reloads and tabs, in Chromium against the mock server.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  answers,
  ask,
  choose,
  lastAnswer,
  launcher,
  questions,
  settled,
  startLab,
  tryAgain,
  visit,
} from './harness.mjs';
import { startSession } from './mock-api.mjs';

const TEXT = 'Shipping takes **3 to 5 days** [article:shipping].';
const SHOWN = 'Shipping takes 3 to 5 days1.';

const inPieces = (text, pause = 0) =>
  text
    .match(/.{1,6}/gs)
    .flatMap((piece) => [['delta', { text: piece }], ...(pause ? [pause] : [])]);
const PLAN = [
  ...inPieces(TEXT),
  ['citation', { id: 'article:shipping', label: 'Shipping' }],
  ['done', {}],
];
const SLOW = [
  ...inPieces(TEXT, 80),
  ['citation', { id: 'article:shipping', label: 'Shipping' }],
  ['done', {}],
];

let lab;
before(async () => (lab = await startLab()));
after(() => lab?.close());
beforeEach(() => {
  Object.assign(lab.mock, { plan: PLAN, config: {}, faults: [], historyFaults: [], startsHeld: 0 });
  lab.mock.requests.length = 0;
  lab.mock.sessions.clear();
  lab.mock.jobs.clear();
});

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

async function startAnew(page) {
  await choose(page, 'New conversation');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.turns > *').first().waitFor({ state: 'detached' });
}

const cancels = () => lab.mock.requests.filter(({ path }) => path.endsWith('/cancel'));

test('a question, its streamed answer, its source', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'How long does shipping take?');
  assert.equal(await lastAnswer(page), SHOWN);
  assert.equal(await page.locator('.assistant .sources').innerText(), '1\nShipping');
  assert.equal(await page.locator('sup.cite').getAttribute('title'), 'Sources 1: Shipping');
  const [{ body, headers }] = lab.mock.posts();
  assert.equal(body.stream, true);
  assert.equal('language' in body, false); // its letters tell
  assert.deepEqual(body.context, { page_url: `${lab.mock.url}/plain`, title: 'A page' });
  assert.match(body.client_message_id, /^[\da-f-]{36}$/);
  await close(page);
});

test('it shows as it comes', async () => {
  lab.mock.plan = [
    ['delta', { text: 'First part' }],
    400,
    ['delta', { text: ', second part.' }],
    ['done', {}],
  ];
  const page = await visit(lab, '/plain');
  await ask(page, 'Go');
  await page.getByText('First part', { exact: true }).waitFor();
  assert.equal(await page.locator('.field .tool').getAttribute('aria-label'), 'Stop');
  assert.equal(await lastAnswer(page), 'First part, second part.');
  await close(page);
});

test('cut at every event: nothing lost, nothing doubled, one job', async () => {
  const page = await visit(lab, '/plain');
  for (let cutAfter = 0; cutAfter <= PLAN.length; cutAfter++) {
    lab.mock.faults = [{ cutAfter }];
    await ask(page, `Question ${cutAfter}`);
    assert.equal(await lastAnswer(page), SHOWN, `cut after ${cutAfter}`);
  }
  assert.equal(lab.mock.jobs.size, PLAN.length + 1);
  assert.equal(lab.mock.posts().length, PLAN.length + 1);
  await close(page);
});

test('cut inside an event, twice in a row', async () => {
  lab.mock.faults = [{ cutBytes: 131 }, { cutBytes: 77 }];
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  assert.equal(await lastAnswer(page), SHOWN);
  const resumes = lab.mock.requests.filter(({ path }) => path.endsWith('/events'));
  assert.ok(resumes[0].headers['last-event-id'].startsWith('1-'));
  assert.ok(resumes[0].headers['x-frontdesk-session']);
  await close(page);
});

test('a question lost on its way, before or after it was accepted, is one question', async () => {
  for (const fault of [{ drop: true }, { dropAfterAdmit: true }]) {
    lab.mock.jobs.clear();
    lab.mock.requests.length = 0;
    lab.mock.faults = [fault, fault, fault]; // Chromium tries once more by itself
    const page = await visit(lab, '/plain');
    await ask(page, 'Question');
    assert.equal(await lastAnswer(page), SHOWN);
    assert.equal(lab.mock.jobs.size, 1);
    const bodies = lab.mock.posts().map(({ body }) => body);
    assert.equal(bodies.length, 4);
    bodies.forEach((body) => assert.deepEqual(body, bodies[0]));
    assert.equal(await questions(page).count(), 1);
    await close(page);
  }
});

test('a reset drops what was shown', async () => {
  lab.mock.plan = [['delta', { text: 'Wrong start' }], 100, ['reset', { attempt: 2 }], ...PLAN];
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  assert.equal(await lastAnswer(page), SHOWN);
  await close(page);
});

test('silence without a ping is a dead connection: it is left and resumed', async () => {
  lab.mock.faults = [{ silent: true }];
  const page = await visit(lab, '/blank');
  await page.clock.install();
  await page.goto(`${lab.mock.url}/plain`);
  await ask(page, 'Question');
  await page.locator('.dots').last().waitFor();
  await page.waitForTimeout(200);
  await page.clock.fastForward(27000);
  await page.clock.runFor(3000);
  assert.equal(await lastAnswer(page), SHOWN);
  await close(page);
});

test('busy: the answer that runs is shown, then the question is asked', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'First');
  await settled(page);
  const [sessionId] = lab.mock.sessions.keys();
  const { startJob } = await import('./mock-api.mjs');
  lab.mock.plan = [['delta', { text: 'Somebody else asked.' }], 3000, ['done', {}]];
  startJob(lab.mock, sessionId, 'From elsewhere');
  lab.mock.plan = PLAN;
  await ask(page, 'Second');
  assert.equal(await lastAnswer(page), SHOWN);
  assert.match(await page.locator('.turns').innerText(), /Somebody else asked\.[^]*Second/);
  await close(page);
});

test('too fast (429): why, a countdown, then a retry of the same question', async () => {
  lab.mock.faults = [{ status: 429, retryAfter: 2 }];
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  const again = page.locator('.assistant .retry');
  await again.waitFor();
  assert.match(await answers(page).last().innerText(), /a bit fast/);
  assert.equal(await again.isDisabled(), true);
  assert.match(await questions(page).last().innerText(), /Not sent/);
  await page.locator('.assistant .retry:enabled').waitFor();
  await tryAgain(page);
  assert.equal(await lastAnswer(page), SHOWN);
  assert.equal(await questions(page).count(), 1);
  const [first, second] = lab.mock.posts();
  assert.equal(first.body.client_message_id, second.body.client_message_id);
  await close(page);
});

test('unavailable (503) on a resume is waited out', async () => {
  lab.mock.faults = [{ cutAfter: 3 }, { status: 503, retryAfter: 1 }];
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  assert.equal(await lastAnswer(page), SHOWN);
  await close(page);
});

test('an error event keeps what came; trying again is a new turn', async () => {
  lab.mock.plan = [
    ['delta', { text: 'Half an ans' }],
    ['error', { status: 502, title: 'Provider failed', retryable: true }],
  ];
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  assert.equal(await lastAnswer(page), 'Half an ans');
  assert.match(await answers(page).last().innerText(), /cannot answer right now/);
  lab.mock.plan = PLAN;
  await tryAgain(page);
  assert.equal(await lastAnswer(page), SHOWN);
  const [first, second] = lab.mock.posts();
  assert.notEqual(first.body.client_message_id, second.body.client_message_id);
  await close(page);
});

test('an error that another try cannot help offers none', async () => {
  lab.mock.faults = [
    { status: 403, problem: { title: 'AI assistant is disabled for this org', retryable: false } },
  ];
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await settled(page);
  assert.equal(await page.locator('.assistant .retry').isVisible(), false);
  await close(page);
});

test('Stop: the server is told, what came stays', async () => {
  lab.mock.plan = SLOW;
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await page.getByText('Shipping takes').waitFor();
  await page.locator('.field .tool').click();
  await settled(page);
  assert.match(await answers(page).last().innerText(), /^AI assistant:\s+Shipping[^]*Stopped/);
  assert.equal(cancels().length, 1);
  assert.ok(cancels()[0].headers['x-frontdesk-session']);
  await ask(page, 'Another');
  await close(page);
});

test('a page that reloads mid-answer goes on with it', async () => {
  lab.mock.plan = SLOW;
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await page.getByText('Shipping').first().waitFor();
  await page.reload();
  assert.equal(await lastAnswer(page), SHOWN);
  assert.equal(await questions(page).count(), 1);
  assert.equal(await answers(page).count(), 1);
  assert.equal(lab.mock.posts().length, 1);
  await close(page);
});

test('a page that reloads while its question is on the way asks it once', async () => {
  lab.mock.plan = SLOW;
  lab.mock.faults = [{ hold: true }]; // the page does not know whether it was accepted
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await page.waitForTimeout(200);
  await page.reload();
  assert.equal(await lastAnswer(page), SHOWN);
  assert.equal(await questions(page).count(), 1);
  assert.equal(lab.mock.jobs.size, 1);
  assert.equal(lab.mock.posts().length, 2);
  await close(page);
});

test('a page that reloads before there is a session asks its question all the same', async () => {
  lab.mock.startsHeld = 1;
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await page.waitForTimeout(200);
  await page.reload();
  assert.equal(await lastAnswer(page), SHOWN);
  assert.equal(await questions(page).count(), 1);
  assert.equal(lab.mock.posts().length, 1);
  await close(page);
});

test('a visitor who returns finds the conversation, sources and all', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await settled(page);
  await page.reload();
  assert.equal(await lastAnswer(page), SHOWN);
  assert.equal(await page.locator('.assistant .sources').innerText(), '1\nShipping');
  assert.equal(await questions(page).count(), 1);
  await close(page);
});

test('older messages come a page at a time, the reader keeps the place', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await settled(page);
  const [session] = lab.mock.sessions.values();
  for (let i = 0; i < 70; i++) {
    session.messages.push({
      id: `m${i}`,
      role: 'user',
      content: `Line ${i}`,
      created_at: new Date(Date.now() + i * 1000).toISOString(),
    });
  }
  await page.reload();
  await page.getByText('Line 69').waitFor();
  assert.equal(await questions(page).count(), 50);
  await page.getByRole('button', { name: 'Earlier messages' }).click();
  await page.getByText('Line 0', { exact: true }).waitFor({ state: 'attached' });
  assert.equal(await page.locator('.turns > *').count(), 72);
  assert.equal(await page.getByRole('button', { name: 'Earlier messages' }).isVisible(), false);
  await close(page);
});

test('a session the server no longer knows is begun anew, without a word', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'First');
  await settled(page);
  lab.mock.sessions.clear();
  await ask(page, 'Second');
  assert.equal(await lastAnswer(page), SHOWN);
  lab.mock.sessions.clear();
  await page.reload();
  await page.locator('.log > .turn .bubble').waitFor();
  assert.equal(await questions(page).count(), 0);
  await close(page);
});

test('a job that is gone on resume (204, 404) is read from the history', async () => {
  for (const status of [204, 404]) {
    lab.mock.plan = PLAN;
    lab.mock.faults = [{ cutAfter: 3 }, { status }];
    const page = await visit(lab, '/plain');
    await ask(page, 'Question');
    assert.equal(await lastAnswer(page), SHOWN);
    await close(page);
  }
});

test('two tabs: the answer of one shows in the other, and so does its end', async () => {
  lab.mock.plan = SLOW;
  const one = await visit(lab, '/plain');
  const two = await visit(lab, '/plain', { context: one.context() });
  await launcher(two).click();
  await ask(one, 'Question');
  assert.equal(await lastAnswer(two), SHOWN);
  assert.equal(await lastAnswer(one), SHOWN);
  assert.equal(lab.mock.jobs.size, 1);
  await startAnew(one);
  await two.waitForFunction(
    () => !document.querySelector('frontdesk-widget').shadowRoot.querySelector('.turns > *'),
  );
  assert.deepEqual(two.faults, []);
  await close(one);
});

test('an answer that ends behind a closed window is counted, once, until it is read', async () => {
  lab.mock.plan = SLOW;
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await page.keyboard.press('Escape');
  await page.locator('.badge:not([hidden])').waitFor();
  assert.equal(await launcher(page).getAttribute('aria-label'), 'Open chat, 1 unread');
  await page.reload();
  await page.locator('.badge:not([hidden])').waitFor();
  assert.equal(await launcher(page).getAttribute('aria-label'), 'Open chat, 1 unread');
  await launcher(page).click();
  await page.keyboard.press('Escape');
  assert.equal(await launcher(page).getAttribute('aria-label'), 'Open chat');
  await close(page);
});

test('offline: said so, kept, sent when the network is back', async () => {
  const page = await visit(lab, '/plain');
  await launcher(page).click();
  await page.context().setOffline(true);
  await page.locator('.notice').waitFor();
  await ask(page, 'Question');
  await page.waitForTimeout(150);
  assert.equal(lab.mock.posts().length, 0);
  assert.match(await questions(page).last().innerText(), /Sending/);
  await page.context().setOffline(false);
  assert.equal(await lastAnswer(page), SHOWN);
  assert.equal(await page.locator('.notice').isVisible(), false);
  await close(page);
});

test('offline in the middle of an answer', async () => {
  lab.mock.plan = SLOW;
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await page.getByText('Shipping').first().waitFor();
  await page.context().setOffline(true);
  await page.locator('.notice').getByText('You are offline').waitFor();
  await page.context().setOffline(false);
  assert.equal(await lastAnswer(page), SHOWN);
  assert.equal(lab.mock.jobs.size, 1);
  await close(page);
});

test('a new conversation ends the old one', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await settled(page);
  await choose(page, 'New conversation');
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await questions(page).count(), 1);
  await startAnew(page);
  assert.ok(
    lab.mock.requests.some(({ method, path }) => method === 'DELETE' && path.endsWith('/end')),
  );
  await ask(page, 'Another');
  assert.equal(await lastAnswer(page), SHOWN);
  const [first, second] = lab.mock.posts();
  assert.notEqual(first.body.session_id, second.body.session_id);
  await close(page);
});

test('a message too long is held back and said so', async () => {
  const page = await visit(lab, '/plain');
  await launcher(page).click();
  await page.locator('.input').fill('x'.repeat(16385));
  assert.equal(await page.locator('.field .tool').isDisabled(), true);
  assert.equal(
    await page.locator('.hint').innerText(),
    'This message is too long. Please change it.',
  );
  await page.locator('.input').press('Enter');
  assert.equal(lab.mock.posts().length, 0);
  await close(page);
});

test('a long answer: the newest stays in view unless the reader has scrolled away', async () => {
  lab.mock.plan = [
    ...Array.from({ length: 60 }, (_, i) => [
      ['delta', { text: `Paragraph ${i}.\n\n` }],
      15,
    ]).flat(),
    ['done', {}],
  ];
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await page.getByText('Paragraph 20.').waitFor({ state: 'attached' });
  const log = page.locator('.log');
  assert.ok(
    await log.evaluate((node) => node.scrollHeight - node.scrollTop - node.clientHeight < 60),
  );
  await log.evaluate((node) => (node.scrollTop = 0));
  await settled(page);
  assert.equal(await log.evaluate((node) => node.scrollTop), 0);
  await ask(page, 'Another'); // to see it is why it was asked
  await page.locator('.user[data-status=sent]').nth(1).waitFor();
  assert.ok(
    await log.evaluate((node) => node.scrollHeight - node.scrollTop - node.clientHeight < 2),
  );
  await close(page);
});

test('a foreign session in the storage is not used twice', async () => {
  const page = await visit(lab, '/blank');
  const session = startSession(lab.mock);
  await page.evaluate(
    ([key, value]) => localStorage.setItem(`frontdesk:${key}`, value),
    [
      `fd_pk_${'A'.repeat(49)}`,
      JSON.stringify({ version: 1, session: 'unknown', queue: {}, unread: {} }),
    ],
  );
  await page.goto(`${lab.mock.url}/plain`);
  await ask(page, 'Question');
  assert.equal(await lastAnswer(page), SHOWN);
  assert.ok(!lab.mock.posts().some(({ body }) => body.session_id === session));
  await close(page);
});
