// ADM-1 in the dashboard: people, teams, keys, and the record of who changed what.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, api, close, heading, open, options, start, url, walkInTheDark } from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

const dialog = (page, name) => page.getByRole('dialog', { name });
const saved = (page, text) => page.locator('.toast').getByText(text).last().waitFor();
const row = (page, text) => page.getByRole('row').filter({ hasText: text });

test('ADM-1: somebody is invited, chooses a password by the link, and is disabled again', options, async () => {
  const email = `dana-${Date.now()}@people.example`;
  const page = await open(browser, '/users', { as: 'admin' });
  await page.getByRole('button', { name: 'Invite somebody' }).click();
  const invite = dialog(page, 'Invite somebody');
  await invite.getByLabel('Email').fill('no address');
  await invite.getByLabel('Name').fill('Dana');
  await invite.getByLabel('Email').fill(email);
  assert.deepEqual(await invite.getByLabel('Role').locator('option').evaluateAll((all) => all.map(({ value }) => value)), ['client', 'staff', 'admin']);
  await accessible(page, 'invite');
  await invite.getByRole('button', { name: 'Make the invitation' }).click();
  const token = dialog(page, 'A link to choose a password');
  const link = await token.locator('code').textContent();
  assert.match(link, /\/dashboard\/reset#token=/);
  await token.getByRole('button', { name: 'Close' }).click();
  await row(page, 'Dana').getByText('Invited').waitFor();

  const dana = await open(browser, link.slice(`${url}/dashboard`.length));
  await dana.getByLabel('New password').fill('three brown teapots');
  await dana.getByRole('button', { name: 'Set the password' }).click();
  await dana.getByText('Your password is set').waitFor();
  await dana.getByRole('link', { name: 'Sign in' }).click();
  await dana.getByLabel('Email').fill(email);
  await dana.getByLabel('Password', { exact: true }).fill('three brown teapots');
  await dana.getByRole('button', { name: 'Sign in' }).click();
  await heading(dana, 'Overview').waitFor();
  assert.equal(await dana.getByRole('link', { name: 'API keys' }).count(), 0);

  await page.reload();
  await row(page, 'Dana').getByRole('button', { name: /Actions/ }).click();
  await page.getByRole('menuitem', { name: 'Disable' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
  await row(page, 'Dana').getByText('Disabled').waitFor();
  for (;;) {
    // within a second, on every process of nginx
    const answer = await dana.context().request.get(`${url}/api/admin/auth/me`);
    if (answer.status() === 401) break;
  }
  await dana.context().close();
  await close(page);
});

test('ADM-1: a team is made, filled and taken apart', options, async () => {
  const name = `Team ${Date.now()}`;
  const member = `Member ${Date.now()}`;
  // somebody whose sessions nobody needs: leaving a team ends them
  await api('POST', 'admin/users', { email: `member-${Date.now()}@people.example`, name: member, role: 'staff' });
  const page = await open(browser, '/users?tab=teams', { as: 'admin' });
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Make the team' }).click();
  const team = page.locator('section').filter({ has: page.getByRole('heading', { name }) });
  await team.getByText('0 members').waitFor();
  await team.getByRole('button', { name: 'Add somebody' }).click();
  await page.getByRole('menuitem', { name: member }).click();
  await team.getByText('1 member', { exact: true }).waitFor();
  await team.getByRole('button', { name: 'Take out' }).click();
  await team.getByText('0 members').waitFor();
  await team.getByRole('button', { name: /Actions/ }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button').last().click();
  await team.waitFor({ state: 'detached' });
  await close(page);
});

test('ADM-2: a key is made and shown once, replaced, and revoked', options, async () => {
  const page = await open(browser, '/keys', { as: 'admin' });
  const name = `key ${Date.now()}`;
  await page.getByRole('button', { name: 'Make a key' }).click();
  const form = dialog(page, 'Make a key');
  await form.getByLabel('Name').fill(name);
  await form.getByLabel('Sites that may use it').fill('not a site');
  await form.getByRole('button', { name: 'Make a key' }).click();
  await form.locator('.field.wrong').getByLabel('Sites that may use it').waitFor();
  await form.getByLabel('Sites that may use it').fill('https://one.example\nhttps://*.two.example');
  await form.getByRole('button', { name: 'Make a key' }).click();
  const made = dialog(page, 'Your new key');
  const key = await made.locator('code').textContent();
  assert.match(key, /^fd_pk_/);
  await accessible(page, 'the key');
  await made.getByRole('button', { name: 'Close' }).click();
  const config = () => fetch(`${url}/api/v1/config`, { headers: { 'X-Api-Key': key, Origin: 'https://www.two.example' } });
  for (let answer; (answer = await config()).status !== 200; ) await answer.text();

  await row(page, name).getByRole('button', { name: /Actions/ }).click();
  await page.getByRole('menuitem', { name: 'Replace' }).click();
  await dialog(page, 'Replace').getByRole('button', { name: 'Replace' }).click();
  await dialog(page, 'Your new key').getByRole('button', { name: 'Close' }).click();
  await row(page, name).getByText('Expires').waitFor();
  const { keys } = await api('GET', 'admin/keys?limit=100');
  const old = keys.find((one) => one.name === name && one.status === 'expiring');
  await row(page, `…${old.last4}`).getByRole('button', { name: /Actions/ }).click();
  await page.getByRole('menuitem', { name: 'Revoke' }).click();
  const sure = page.getByRole('dialog');
  await sure.getByRole('textbox').fill(old.last4);
  await sure.getByRole('button', { name: 'Revoke' }).click();
  await saved(page, 'The key has stopped.');
  for (let answer; (answer = await config()).status !== 401; ) await answer.text();
  await close(page);
});

test('ENG-17: what is kept, business hours and canned replies are set', options, async () => {
  const page = await open(browser, '/settings?tab=business', { as: 'admin' });
  await page.getByLabel('Opening hours').fill('whenever we like');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('nobody can compute with them').waitFor();
  await page.getByLabel('Opening hours').fill('Monday to Friday 09:00-17:00');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('nobody can compute with them').waitFor({ state: 'detached' });
  await page.getByRole('tab', { name: 'How long things are kept' }).click();
  await page.getByLabel('What was said').fill('31');
  const kept = page.waitForResponse((answer) => answer.url().endsWith('/retention') && answer.request().method() === 'PUT');
  await page.getByRole('button', { name: 'Save' }).click();
  await kept;
  assert.equal((await api('GET', 'admin/retention')).message_days, 31);
  await page.getByLabel('What was said').fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog', { name: 'Keep it for a shorter time?' }).getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Save', disabled: false }).waitFor();
  assert.equal(await page.getByLabel('What was said').inputValue(), '7');
  assert.equal((await api('GET', 'admin/retention')).message_days, 31);
  await page.getByLabel('What was said').fill('31');
  await page.getByRole('tab', { name: 'Canned replies' }).click();
  await page.getByRole('button', { name: 'New reply' }).click();
  const shortcut = `s${Date.now()}`;
  await page.getByLabel('Shortcut').fill(shortcut);
  await page.getByLabel('Text').fill('Hello {visitor}');
  await page.getByRole('button', { name: 'Save' }).click();
  await row(page, shortcut).waitFor();
  await close(page);
});

test('dark, hebrew, narrow: axe finds nothing, nothing is wider than the window', options, () =>
  walkInTheDark(browser, 'owner', [
    '/users',
    '/users?tab=teams',
    '/keys',
    '/audit',
    '/settings',
    '/settings?tab=business',
    '/settings?tab=replies',
    '/settings?tab=retention',
    '/settings?tab=identity',
  ]),
);
