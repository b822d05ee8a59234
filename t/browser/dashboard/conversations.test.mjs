// ADM-4 in the dashboard: the live list, filters, one conversation with what it was made of, exports.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  accessible,
  api,
  ask,
  close,
  conversation,
  heading,
  open,
  options,
  shoot,
  start,
} from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

/** What was said is found within seconds, when it has been counted. */
async function findable(words) {
  for (;;) {
    const { conversations } = await api('GET', `admin/conversations?q=${words}`);
    if (conversations.length) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const row = (page, words) => page.getByRole('row').filter({ hasText: words });

test('ADM-4: what is asked shows up while the list is open', options, async () => {
  await ask('Do you sell plants?');
  const page = await open(browser, '/conversations', { as: 'staff' });
  await row(page, 'Do you sell plants?').first().waitFor();
  const words = `Is there parking number ${Date.now()}?`;
  await ask(words);
  await page.getByRole('button', { name: /new conversation/ }).click();
  await row(page, words).waitFor();
  await close(page);
});

test(
  'ADM-4: filters are in the address, and a link with them shows the same',
  options,
  async () => {
    const words = `umbrella${Date.now()}`;
    await ask(`Do you have an ${words}?`);
    const { id } = await conversation(words);
    await api('PATCH', `admin/conversations/${id}`, { status: 'archived' });
    const page = await open(browser, '/conversations', { as: 'staff' });
    await page.getByLabel('State').selectOption('archived');
    await row(page, words).waitFor();
    await row(page, 'With the AI').first().waitFor({ state: 'detached' });
    assert.match(page.url(), /status=archived/);
    await page.reload();
    await row(page, words).waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    assert.doesNotMatch(page.url(), /status/);
    await page.getByPlaceholder('Search what was said').fill('nobodyeversaidthis');
    await page.getByText('Nothing found').waitFor();
    await close(page);
  },
);

test('ADM-4: one conversation: what was said, its sources, its cost', options, async () => {
  const words = `to Norway ${Date.now()}`;
  const { response } = await ask(`How long does shipping take ${words}?`);
  const { id } = await conversation(words);
  const page = await open(browser, '/conversations', { as: 'staff' });
  await row(page, words).click();
  await page.getByText(`How long does shipping take ${words}?`).last().waitFor();
  assert.ok(page.url().endsWith(id));
  await page
    .locator('.message.ai .prose')
    .getByText('I am the built-in offline assistant')
    .waitFor();
  if (/\[article:/.test(response)) assert.ok((await page.locator('.sources li').count()) > 0);
  await page.locator('.facts summary').first().click();
  await page.locator('.facts .json').first().waitFor();
  await accessible(page, 'conversation');
  await shoot(page, 'conversation');
  await page.getByRole('link', { name: 'Conversations' }).last().click();
  await heading(page, 'Conversations').waitFor();
  await close(page);
});

test('ADM-4: an export has what the filters show', { ...options, timeout: 240000 }, async () => {
  const words = `export${Date.now()}`;
  await ask(`Tell me of ${words}`);
  await findable(words);
  const page = await open(browser, `/conversations?q=${words}`, { as: 'staff' });
  await row(page, words).waitFor();
  await page.getByRole('button', { name: 'Export' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'CSV for spreadsheets' }).click(),
  ]);
  const text = readFileSync(await download.path(), 'utf8');
  assert.ok(text.startsWith('\ufeff'));
  assert.match(text, new RegExp(words));
  assert.equal(text.trim().split('\n').length, 2);
  await close(page);
});

test(
  "ADM-4: a visitor's data is deleted only after a question, and by who may",
  options,
  async () => {
    const words = `secret${Date.now()}`;
    await ask(`My ${words} is 12`);
    const { id } = await conversation(words);
    const staff = await open(browser, `/conversations/${id}`, { as: 'staff' });
    await staff.getByRole('button', { name: 'Actions' }).click();
    assert.equal(await staff.getByRole('menuitem', { name: /Delete/ }).count(), 0);
    await close(staff);
    const page = await open(browser, `/conversations/${id}`, { as: 'owner' });
    await page.getByRole('button', { name: 'Actions' }).click();
    await page.getByRole('menuitem', { name: /Delete/ }).click();
    await accessible(page, 'question');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Actions' }).click();
    await page.getByRole('menuitem', { name: /Delete/ }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /Delete/ })
      .click();
    await heading(page, 'Conversations').waitFor();
    assert.equal(await row(page, words).count(), 0);
    await close(page);
  },
);
