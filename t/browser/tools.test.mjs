// WID-1, ENG-10: what tools do while an answer comes, and the visitor's word on it.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ask, lastAnswer, startLab, visit } from './harness.mjs';

// the icons of a tool's end
const DONE = 'M5 12l5 5 9-9';
const FAILED = 'M6 6l12 12M18 6L6 18';
const CALL = 'c_0123456789abcdef01234567';
const SUMMARY = 'Books a table.\nday: friday\nname: <b>Ann</b> ![x](https://evil.example/x.png)';

const tool = (status) => ['tool', { call_id: CALL, name: 'book_table', status, ms: 5 }];
const PLAN = [
  ['delta', { text: 'One moment.' }],
  tool('waiting'),
  ['confirm', { call_id: CALL, summary: SUMMARY, expires_at: '2099-01-01T00:00:00Z' }],
  'word',
  (word) =>
    word === 'accept'
      ? [tool('running'), tool('done'), ['delta', { text: '\n\nBooked.' }]]
      : [tool('failed'), ['delta', { text: '\n\nNothing was booked.' }]],
  ['done', {}],
];

let lab;
before(async () => (lab = await startLab()));
after(() => lab?.close());
beforeEach(() => {
  Object.assign(lab.mock, { plan: PLAN, config: {}, faults: [] });
  lab.mock.requests.length = 0;
});

const card = (page) => page.locator('.confirm');
const words = () => lab.mock.requests.filter(({ path }) => path.endsWith('/confirm'));

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

test('a tool asks, the visitor accepts', async () => {
  const page = await visit(lab, '/strict');
  await ask(page, 'A table, please');
  await card(page).waitFor();
  assert.equal(await card(page).locator('.plain').innerText(), SUMMARY); // text, whatever is in it
  assert.equal(await card(page).getAttribute('aria-label'), 'Shall I do this?');
  const said = page.locator('.panel > .sr[role=status]');
  assert.match(await said.textContent(), /^Shall I do this\? Books a table\./);
  assert.equal(await page.locator('.tools i').count(), 1);
  await page.getByRole('button', { name: 'Yes', exact: true }).click();
  assert.equal(await lastAnswer(page), 'One moment.\n\nBooked.');
  assert.equal(await card(page).count(), 0);
  assert.equal(await page.locator('.tools path').getAttribute('d'), DONE);
  const [{ body, headers }] = words();
  assert.deepEqual(body, { call_id: CALL, decision: 'accept' });
  assert.ok(headers['x-frontdesk-session']);
  assert.equal(words().length, 1);
  assert.deepEqual([...page.hosts], [new URL(lab.mock.url).host]); // nothing was fetched for it
  await close(page);
});

test('declined with the keyboard', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'A table, please');
  await page.getByRole('button', { name: 'No', exact: true }).focus();
  await page.keyboard.press('Enter');
  assert.equal(await lastAnswer(page), 'One moment.\n\nNothing was booked.');
  assert.equal(words()[0].body.decision, 'decline');
  assert.equal(await page.locator('.tools path').getAttribute('d'), FAILED);
  await close(page);
});

test('in Hebrew', async () => {
  const page = await visit(lab, '/hebrew');
  await ask(page, 'שולחן בבקשה');
  await card(page).waitFor();
  assert.equal(await card(page).getAttribute('aria-label'), 'לבצע את זה?');
  await page.getByRole('button', { name: 'כן' }).click();
  assert.equal(await lastAnswer(page), 'One moment.\n\nBooked.');
  await close(page);
});

test('a word that is refused may be said again; a reset takes the question back', async () => {
  lab.mock.plan = [
    tool('waiting'),
    ['confirm', { call_id: CALL, summary: SUMMARY, expires_at: '2099-01-01T00:00:00Z' }],
    1500,
    ['reset', { attempt: 2 }],
    ['delta', { text: 'Anew.' }],
    ['done', {}],
  ];
  const page = await visit(lab, '/plain');
  await ask(page, 'A table, please');
  const yes = page.getByRole('button', { name: 'Yes', exact: true });
  await yes.click(); // 404: the mock does not listen
  await yes.and(page.locator(':enabled')).waitFor();
  assert.equal(await lastAnswer(page), 'Anew.');
  assert.equal(await card(page).count(), 0);
  assert.equal(await page.locator('.tools li').count(), 0);
  await close(page);
});
