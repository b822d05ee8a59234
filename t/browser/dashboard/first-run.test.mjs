// ADM-1: an installation where nobody has an account yet. Runs before all others, by t/browser/run.
//   FRONTDESK_URL, FRONTDESK_SETUP_TOKEN
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, close, heading, open, options, shoot, start } from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

test('ADM-1: the first person makes an organization, and is at work in it', options, async () => {
  const page = await open(browser, '/');
  await heading(page, 'Welcome to Frontdesk').waitFor();
  await accessible(page, 'set-up');
  await shoot(page, 'setup');
  await page.getByLabel('Token').fill('not a token');
  await page.getByLabel('Organization').fill('Corner Shop');
  await page.getByLabel('Your name').fill('Ruth');
  await page.getByLabel('Email').fill('ruth@corner.example');
  await page.getByLabel('Password', { exact: true }).fill('corner of a round house');
  await page.getByRole('button', { name: 'Begin' }).click();
  const wrong = page.locator('.field.wrong');
  await wrong.getByLabel('Token').and(page.locator(':focus')).waitFor();
  assert.match(await wrong.innerText(), /unknown/);
  await page.getByLabel('Token').fill(process.env.FRONTDESK_SETUP_TOKEN);
  await page.getByRole('button', { name: 'Begin' }).click();
  await heading(page, 'Overview').waitFor();
  await page.getByRole('button', { name: /Corner Shop/ }).waitFor();
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
  await page.waitForFunction(() => !document.querySelector('main .skeleton'));
  await accessible(page, 'first steps');
  await shoot(page, 'first-steps');
  await close(page);
});
