// ADM-4: conversations of all organizations, for the platform's owner; nobody else is offered or given them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import he from '../../../web/dashboard/lang/he.js';
import {
  accessible,
  api,
  ask,
  close,
  conversation,
  heading,
  open,
  options,
  overflows,
  shoot,
  nearKey,
  start,
  url,
} from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

const row = (page, words) => page.getByRole('row').filter({ hasText: words });
const cell = (page, words, name) => row(page, words).getByRole('cell', { name, exact: true });
const filter = (page, name = 'Organization') =>
  page.locator('.filters').getByRole('button', { name: new RegExp(`^${name}`) });

async function choose(page, item) {
  await filter(page).click();
  await page.getByRole('menuitemradio', { name: item }).click();
}

test(
  'ADM-4: conversations of two organizations in one list, and the way to one of the other',
  options,
  async () => {
    const mark = Date.now();
    await ask(`Is the lamp green ${mark}?`);
    await ask(`Is the chair green ${mark}?`, nearKey);
    const { id } = await conversation(`chair green ${mark}`, nearKey);
    const home = await api('GET', 'admin/organization');
    const side = await api('GET', 'admin/organization', undefined, nearKey);
    const page = await open(browser, '/conversations', { as: 'roamer' });
    await row(page, `lamp green ${mark}`).waitFor();
    assert.equal(await row(page, `chair green ${mark}`).count(), 0, 'its own alone');

    await choose(page, 'All organizations');
    await cell(page, `chair green ${mark}`, 'Near Shop').waitFor();
    await cell(page, `lamp green ${mark}`, home.name).waitFor();
    assert.match(page.url(), /organization=all/);
    assert.equal(await page.getByPlaceholder('Search what was said').count(), 0);
    assert.equal(await page.getByRole('button', { name: 'Export' }).count(), 0);
    await accessible(page, 'all organizations');
    await shoot(page, 'conversations-all');
    await page.reload();
    await row(page, `chair green ${mark}`).waitFor();

    await row(page, `chair green ${mark}`).click();
    await page.getByText('This conversation is of Near Shop').waitFor();
    await heading(page, 'Conversation').waitFor();
    await accessible(page, 'of another organization');
    await page.goBack();
    await row(page, `chair green ${mark}`).waitFor();
    assert.match(page.url(), /organization=all/);
    await row(page, `chair green ${mark}`).getByRole('link').click();
    const loaded = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Go to Near Shop' }).click();
    await loaded;
    await page.getByText(`Is the chair green ${mark}?`).last().waitFor();
    await page.locator('.sidebar .organization').getByText('Near Shop').first().waitFor();
    assert.ok(page.url().endsWith(`/conversations/${id}?organization=${side.id}`));
    await page.reload();
    await page.locator('.message.ai').first().waitFor();

    await page.goto(`${url}/dashboard/conversations?organization=all`);
    await row(page, `lamp green ${mark}`).getByRole('link').click();
    await page.getByRole('button', { name: `Go to ${home.name}` }).click();
    await page.getByText(`Is the lamp green ${mark}?`).last().waitFor();
    await close(page);
  },
);

test(
  'ADM-4: one other organization, found by its name, searched, read again',
  options,
  async () => {
    const words = `rhubarb${Date.now()}`;
    await ask(`Do you have ${words}?`, nearKey);
    const page = await open(browser, '/conversations', { as: 'roamer' });
    await filter(page).click();
    await page.getByRole('menuitem', { name: 'Another one…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Conversations of an organization' });
    await dialog.getByRole('searchbox').fill('Near');
    await dialog.getByRole('button', { name: 'Near Shop' }).click();
    await row(page, words).waitFor();
    const side = await api('GET', 'admin/organization', undefined, nearKey);
    assert.match(page.url(), new RegExp(`organization=${side.id}`));
    await filter(page).getByText('Near Shop').waitFor();

    const later = `later ${Date.now()}`;
    await ask(later, nearKey);
    await conversation(later, nearKey);
    await page.getByText('this list does not change by itself').waitFor();
    await page.getByRole('button', { name: 'Read again' }).click();
    await row(page, later).waitFor();

    const end = Date.now() + 120000; // until its words can be searched
    for (let found = []; !found.length; await new Promise((go) => setTimeout(go, 100))) {
      assert.ok(Date.now() < end, 'it is found by its words');
      const path = `admin/conversations?q=${words}`;
      ({ conversations: found } = await api('GET', path, undefined, nearKey));
    }
    await page.getByPlaceholder('Search what was said').fill(words);
    await row(page, later).waitFor({ state: 'detached' });
    await row(page, words).waitFor();
    await choose(page, 'All organizations');
    await row(page, later).waitFor();
    assert.doesNotMatch(page.url(), /q=/, 'words are searched in one organization at a time');
    await choose(page, /^This one/);
    await page.getByRole('button', { name: 'Export' }).waitFor();
    assert.doesNotMatch(page.url(), /organization=/);
    await close(page);
  },
);

test(
  'ADM-4: whoever is of one organization is offered no other, and given none',
  options,
  async () => {
    const words = `not for the neighbour ${Date.now()}`;
    await ask(words, nearKey);
    const { id } = await conversation(words, nearKey);
    const side = await api('GET', 'admin/organization', undefined, nearKey);
    const page = await open(browser, '/conversations', { as: 'owner' });
    await page.getByRole('button', { name: 'Export' }).waitFor();
    assert.equal(await filter(page).count(), 0);
    for (const forged of ['all', side.id, 'nonsense']) {
      await page.goto(`${url}/dashboard/conversations?organization=${forged}`);
      const refusal = 'Only the platform’s owner sees conversations of other organizations.';
      await page.getByRole('alert').getByText(refusal).waitFor();
      assert.equal(await page.getByRole('row').count(), 0);
      assert.equal(await filter(page).count(), 0);
    }
    await accessible(page, 'refused');
    await page.goto(`${url}/dashboard/conversations/${id}?organization=${side.id}`);
    await page.locator('main').getByRole('alert').waitFor();
    assert.equal(await page.getByText(words).count(), 0);
    assert.equal(await page.getByText('Near Shop').count(), 0);
    await close(page);
  },
);

test('ADM-4: all organizations in Hebrew, on a telephone', options, async () => {
  const words = `כחול ${Date.now()}`;
  await ask(words, nearKey);
  const page = await open(browser, '/conversations?organization=all', {
    as: 'roamer',
    language: 'he',
    context: { viewport: { width: 360, height: 720 } },
  });
  await row(page, words).getByText('Near Shop').first().waitFor();
  await filter(page, he.conversations.organization)
    .getByText(he.conversations.allOrganizations)
    .waitFor();
  assert.equal(await page.evaluate(() => document.dir), 'rtl');
  assert.equal(await overflows(page), false);
  await accessible(page, 'all organizations, Hebrew');
  await row(page, words).getByRole('link').click();
  await page
    .getByText(he.conversations.isOf.replace('{name}', 'Near Shop'), { exact: true })
    .waitFor();
  await accessible(page, 'of another organization, Hebrew');
  await close(page);
});
