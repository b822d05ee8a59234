// WID-5 in Chromium: a person in the conversation, what the visitor is asked, who it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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
  visit,
} from './harness.mjs';

let lab;
before(async () => (lab = await startLab()));
after(() => lab?.close());
beforeEach(() => {
  Object.assign(lab.mock, {
    plan: [
      ['delta', { text: 'Hello.' }],
      ['done', {}],
    ],
    config: { features: { handoff: true, rating: true, identity: true } },
    faults: [],
    refuse: {},
    meta: {},
  });
  lab.mock.requests.length = 0;
  lab.mock.sessions.clear();
});

const send = (page) => page.locator('.sheet .strong').click();
const sheet = (page) => page.locator('.sheet');
const onlySession = () => [...lab.mock.sessions.keys()].at(-1);
const streams = () =>
  lab.mock.requests.filter(({ path }) => /^sessions\/[^/]+\/events$/.test(path));

function says(text, id = text) {
  lab.mock.operator(onlySession(), 'message', {
    message_id: id,
    role: 'operator',
    name: 'Dana',
    text,
    created_at: new Date().toISOString(),
  });
}

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

async function handOver(page) {
  await launcher(page).click();
  await page.getByRole('button', { name: 'Talk to a person' }).click();
  await page.getByLabel('What is it about?').fill('A broken lamp');
  await page.getByLabel('Email').fill('ann@customer.example');
  await send(page);
  await page.locator('.note').getByText('A person will be with you soon.').waitFor();
}

test('WID-5: a person is asked for, answers, and leaves again', async () => {
  const page = await visit(lab, '/strict');
  assert.equal(streams().length, 0);
  await handOver(page);
  assert.deepEqual(lab.mock.asked('/handoff')[0].body, {
    reason: 'A broken lamp',
    email: 'ann@customer.example',
  });
  assert.equal(await page.locator('.titles p').innerText(), 'A person will answer here');
  lab.mock.operator(onlySession(), 'status', { status: 'human', name: 'Dana' });
  await page.getByText('Dana is here for you').waitFor();
  lab.mock.operator(onlySession(), 'typing', { name: 'Dana' });
  await page.getByText('Dana is typing…').waitFor();
  says('Hello, *I* am Dana.');
  await page.locator('.operator').getByText('Hello, *I* am Dana.').waitFor(); // a person writes no Markdown
  assert.match(await page.locator('.panel > .sr[role=status]').textContent(), /^Dana: Hello/);
  await ask(page, 'It does not shine');
  await page.locator('.user[data-status=sent]').waitFor();
  assert.equal(lab.mock.asked('/typing').length, 1); // not with every letter
  assert.equal(await page.locator('.turns .assistant').count(), 0); // no model, and no empty bubble
  lab.mock.operator(onlySession(), 'status', { status: 'active' });
  await page.getByText('AI assistant', { exact: true }).waitFor();
  await sheet(page).getByText('Rate this conversation').waitFor();
  await close(page);
});

test("WID-5: a person's words survive a cut, a reload and a closed window", async () => {
  const page = await visit(lab, '/plain');
  await handOver(page);
  says('One');
  await page.locator('.operator').getByText('One', { exact: true }).waitFor();
  lab.mock.operator(onlySession(), 'cut');
  says('Two');
  await page.locator('.operator').getByText('Two', { exact: true }).waitFor();
  assert.equal(streams().at(-1).headers['last-event-id'], '1');
  await page.reload();
  await page.locator('.operator').nth(1).waitFor();
  says('Three');
  await page.locator('.operator').nth(2).waitFor();
  assert.equal(await page.locator('.operator').count(), 3);
  await page.keyboard.press('Escape');
  await launcher(page).click();
  await page.keyboard.press('Escape');
  says('Four');
  await page.locator('.badge:not([hidden])').waitFor();
  assert.match(await page.title(), /^\(1\) /);
  await launcher(page).click();
  await page.locator('.operator').nth(3).waitFor();
  assert.doesNotMatch(await page.title(), /^\(/);
  await close(page);
});

test('WID-5: a hand-off that is refused says why, and may be sent again', async () => {
  lab.mock.refuse['POST sessions/:id/handoff'] = { status: 503 };
  const page = await visit(lab, '/plain');
  await launcher(page).click();
  await page.getByRole('button', { name: 'Talk to a person' }).click();
  await send(page);
  await sheet(page).getByText('We cannot answer right now').waitFor();
  await send(page);
  await page.locator('.note').getByText('A person will be with you soon.').waitFor();
  await close(page);
});

test('WID-5: feedback on an answer, taken back, and why', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await settled(page);
  const up = page.getByRole('button', { name: 'Helpful', exact: true });
  await up.click();
  await page.locator('[aria-pressed=true]').waitFor();
  await up.click();
  await page.locator('[aria-pressed=true]').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Not helpful' }).click();
  await page.getByLabel('Tell us more').fill('Too short');
  await send(page);
  await sheet(page).waitFor({ state: 'detached' });
  assert.deepEqual(
    lab.mock.asked('/feedback').map(({ body }) => body),
    [
      { rating: 'up' },
      { rating: null },
      { rating: 'down' },
      { rating: 'down', comment: 'Too short' },
    ],
  );
  assert.ok(lab.mock.asked('/feedback')[0].headers['x-frontdesk-session']);
  await page.reload();
  await page.locator('[aria-pressed=true][aria-label="Not helpful"]').waitFor();
  lab.mock.refuse['POST messages/:id/feedback'] = { status: 500 };
  await up.click();
  await page.locator('.notice').getByText('cannot answer right now').waitFor();
  assert.equal(await up.getAttribute('aria-pressed'), 'false');
  await close(page);
});

test('WID-5: the conversation is rated, with the keyboard', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await settled(page);
  await page.evaluate(() => window.Frontdesk.on('csat', (form) => (window.rated = form)));
  await choose(page, 'Rate this conversation');
  await page.getByRole('radio', { name: '1' }).focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
  await page.getByLabel('Tell us more').fill('Quick');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('.notice').getByText('Thank you!').waitFor();
  assert.deepEqual(lab.mock.asked('/rating')[0].body, { score: 4, comment: 'Quick' });
  assert.deepEqual(await page.evaluate(() => window.rated), { score: 4, comment: 'Quick' });
  await close(page);
});

test('WID-5: the form comes first, once, and its words are checked', async () => {
  lab.mock.config.features.prechat = {
    fields: [
      { name: 'name', required: true },
      { name: 'email', label: { en: 'Work email' }, required: false },
    ],
  };
  lab.mock.config.suggested_questions = ['When is the shop open?'];
  const page = await visit(lab, '/plain');
  await launcher(page).click();
  await sheet(page).waitFor();
  assert.equal(await page.locator('.composer').isVisible(), false);
  await page.locator('.chips .pill').click(); // waits for the form
  await send(page); // without a name
  assert.equal(lab.mock.posts().length, 0);
  await page.getByLabel('Name').fill('Ann');
  await page.getByLabel('Work email').fill('ann@customer.example');
  await send(page);
  assert.equal(await lastAnswer(page), 'Hello.');
  assert.equal(
    await questions(page).locator('.bubble .plain').innerText(),
    'When is the shop open?',
  );
  assert.deepEqual(lab.mock.asked('/identify')[0].body, {
    profile: { name: 'Ann', email: 'ann@customer.example' },
  });
  await choose(page, 'New conversation');
  await send(page);
  await page.locator('.turns > *').first().waitFor({ state: 'detached' });
  assert.equal(await sheet(page).count(), 0);
  await ask(page, 'Again');
  await settled(page);
  assert.equal(lab.mock.asked('/identify').length, 2); // the new session is told too
  await close(page);
});

test('WID-5: a model is chosen, and each answer names its own', async () => {
  lab.mock.config.features.model_picker = true;
  lab.mock.config.models = [
    { model_id: 'fast', label: 'Quick' },
    { model_id: 'deep', label: 'Thorough' },
  ];
  lab.mock.meta = { model: 'deep' };
  const page = await visit(lab, '/plain');
  await launcher(page).click();
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByLabel('Model').selectOption('Thorough');
  await page.keyboard.press('Escape');
  await ask(page, 'Question');
  await settled(page);
  assert.equal(lab.mock.posts()[0].body.model_id, 'deep');
  assert.match(await answers(page).locator('.foot').innerText(), /Thorough/);
  await page.reload();
  await settled(page);
  assert.match(await answers(page).locator('.foot').innerText(), /Thorough/);
  await close(page);
});

test('WID-5: the transcript is a file, with all that was said', async () => {
  const page = await visit(lab, '/strict');
  await ask(page, 'Question');
  await settled(page);
  const download = page.waitForEvent('download');
  await choose(page, 'Download transcript');
  const text = readFileSync(await (await download).path(), 'utf8');
  assert.match(text, /You:\nQuestion\n[^]*AI assistant:\nHello\./);
  await close(page);
});

const token = (sub) => `x.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.y`;
const identify = (page, proof) => page.evaluate((given) => window.Frontdesk.identify(given), proof);

test('WID-5: the server is told who the visitor is, now or with the next session', async () => {
  const page = await visit(lab, '/plain');
  await launcher(page).waitFor();
  assert.equal(await identify(page, { user_id: 'u1', user_hash: 'h' }), true);
  assert.equal(lab.mock.requests.filter(({ path }) => path.startsWith('sessions')).length, 0);
  await ask(page, 'Question');
  await settled(page);
  assert.deepEqual(lab.mock.asked('/identify')[0].body, { user_id: 'u1', user_hash: 'h' });
  lab.mock.refuse['POST sessions/:id/identify'] = { status: 422, problem: { title: 'Expired' } };
  assert.equal(await identify(page, { token: token('u1') }), false);
  await close(page);
});

test("WID-5: another user's history never appears, nor a former one's on a page that names nobody", async () => {
  const page = await visit(lab, '/plain');
  await launcher(page).waitFor();
  await identify(page, { token: token('ann') });
  await ask(page, "Ann's question");
  await settled(page);

  await page.reload(); // open again, and nobody said who is there
  await page.locator('.log > .turn .bubble').waitFor();
  assert.equal(await questions(page).count(), 0);
  await identify(page, { token: token('ann') });
  await page.getByText("Ann's question").waitFor();

  await identify(page, { token: token('ben') });
  await page.locator('.turns > *').first().waitFor({ state: 'detached' });
  await ask(page, "Ben's question");
  await settled(page);
  assert.equal(lab.mock.sessions.size, 2);
  assert.deepEqual(
    [...lab.mock.sessions.values()].map(({ user }) => user),
    ['ann', 'ben'],
  );

  await page.evaluate(() => window.Frontdesk.reset());
  assert.equal(await page.locator('.panel').isVisible(), false);
  await launcher(page).click();
  assert.equal(await questions(page).count(), 0);
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes('question')), false);
  await close(page);
});

test('WID-5: a session that is bound to another is left, the next one is begun', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await settled(page);
  lab.mock.sessions.get(onlySession()).user = 'somebody';
  await identify(page, { token: token('ann') });
  await page.locator('.turns > *').first().waitFor({ state: 'detached' });
  await ask(page, 'Mine');
  await settled(page);
  assert.equal(lab.mock.sessions.get(onlySession()).user, 'ann');
  assert.equal(lab.mock.sessions.size, 2);
  await close(page);
});

test('WID-5: a person who takes over ends what the assistant was saying', async () => {
  lab.mock.plan = [['delta', { text: 'As an assistant I' }], 'word', () => []];
  const page = await visit(lab, '/plain');
  await ask(page, 'Question');
  await page.getByText('As an assistant I').waitFor();
  const session = onlySession();
  const job = lab.mock.sessions.get(session).job;
  lab.mock.operator(session, 'status', { status: 'human', name: 'Dana' });
  job.cancelled = true;
  job.hear('');
  await page.locator('.assistant[data-status=stopped]').waitFor();
  await page.locator('.titles p').getByText('is here for you').waitFor();
  says('I am a person.');
  await page.locator('.operator').getByText('I am a person.').waitFor();
  await close(page);
});
