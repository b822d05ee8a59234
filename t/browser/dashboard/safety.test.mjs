// What a page of the dashboard never does: act where its person is not, take one thing for
// another, write over what somebody else changed, or hide the last words from who answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, api, ask, close, conversation, heading, open, options, people, shoot, sideKey, start, url } from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

/** Goes to another page of the dashboard without loading it anew. */
const go = (page, path) =>
  page.evaluate((to) => {
    history.pushState(null, '', `/dashboard${to}`);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);

/** What the page is asked to change from now on. */
function changes(page) {
  const seen = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') seen.push(`${request.method()} ${new URL(request.url()).pathname.slice('/api/admin/'.length)}`);
  });
  return seen;
}

/** The organisation's name on the page. */
const inOrganization = (page, name) => page.locator('.sidebar .organization').getByText(name, { exact: true }).first().waitFor();

/** A superadmin, in the other organisation. */
async function actInSide(page) {
  await page.locator('.sidebar').getByRole('button', { name: 'Demo Shop' }).click();
  const loaded = page.waitForEvent('load'); // its name stands in the dialog before that, too
  await page.getByRole('dialog').getByRole('button', { name: /Side Shop/ }).click();
  await loaded;
  await inOrganization(page, 'Side Shop');
}

test('ADM-1: an address with another path in it opens nothing and sends nothing', options, async () => {
  const page = await open(browser, '/', { as: 'staff' });
  await heading(page, 'Overview').waitFor();
  const seen = changes(page);
  for (const path of ['/inbox/..%2Ftest-runs%3Fx=', '/inbox/%2e%2e%2fauth%2flogout%23', '/conversations/%E0', '/tools/a%5Cb']) {
    await go(page, path);
    await heading(page, 'Not found').waitFor();
    await go(page, '/account');
    await heading(page, 'Your account').waitFor();
  }
  await page.goto(`${url}/dashboard/conversations/%E0`);
  await heading(page, 'Not found').waitFor();
  assert.deepEqual(seen, []);
  await close(page);
});

/** A canned reply that somebody is typing, in the organization that the page is of. */
async function typeReply(page) {
  const shortcut = `w${Date.now()}`;
  await go(page, '/settings?tab=replies');
  await page.getByRole('button', { name: 'New reply' }).click();
  const form = page.getByRole('dialog').filter({ has: page.getByLabel('Shortcut') });
  await form.getByLabel('Shortcut').fill(shortcut);
  await form.getByLabel('Text').fill('typed with care');
  return { shortcut, form };
}

const hasReply = async (shortcut, key) =>
  (await api('GET', 'admin/canned-replies', undefined, key)).canned_replies.some((one) => one.shortcut === shortcut);

const elsewhere = (page) => page.getByRole('dialog', { name: 'You are in another organization now' });

test('ADM-1: who signs in again in place goes on in the organization of the page, with what was typed', options, async () => {
  const page = await open(browser, '/', { as: 'root' });
  await actInSide(page);
  const { shortcut, form } = await typeReply(page);
  // the session ends elsewhere
  const other = await open(browser, '/account', { as: 'root' });
  await other.getByRole('button', { name: 'End all others' }).click();
  await other.getByText('The session has ended.').waitFor();
  await close(other);
  await form.getByRole('button', { name: 'Save' }).click();
  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  await dialog.getByLabel('Password', { exact: true }).fill(people.root.password);
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await form.waitFor({ state: 'detached' }); // it is saved
  await inOrganization(page, 'Side Shop');
  assert.ok(await hasReply(shortcut, sideKey), 'where it was typed');
  assert.ok(!(await hasReply(shortcut)), 'and not at home');
  await close(page);
});

test('ADM-1: an organization that one may not act in any more is said, and nothing typed is lost', options, async () => {
  const page = await open(browser, '/', { as: 'root' });
  await actInSide(page);
  const { shortcut, form } = await typeReply(page);
  await page.context().clearCookies();
  await page.route('**/api/admin/auth/organization', (route) => route.fulfill({ status: 422, json: { code: 'invalid-field', detail: 'It is switched off.' } }));
  await form.getByRole('button', { name: 'Save' }).click();
  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  await dialog.getByLabel('Password', { exact: true }).fill(people.root.password);
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await elsewhere(page).getByRole('button', { name: 'Back to Side Shop' }).click();
  await elsewhere(page).getByText('It is switched off.').waitFor();
  assert.equal(await form.getByLabel('Text').inputValue(), 'typed with care');
  assert.ok(!(await hasReply(shortcut)), 'it is not saved at home');
  await close(page);
});

test('ADM-1: a second tab that goes to another organization leaves the first its words, and the choice', options, async () => {
  const { name: home } = await api('GET', 'admin/organization');
  const first = await open(browser, '/', { as: 'root' });
  await inOrganization(first, home);
  const { shortcut, form } = await typeReply(first);
  const second = await first.context().newPage();
  await second.goto(`${url}/dashboard/`);
  await actInSide(second);
  await elsewhere(first).getByText('Side Shop').first().waitFor();
  await accessible(first, 'elsewhere');
  await shoot(first, 'elsewhere');
  assert.equal(await form.getByLabel('Text').inputValue(), 'typed with care');
  await elsewhere(first).getByRole('button', { name: `Back to ${home}` }).click();
  await elsewhere(first).waitFor({ state: 'detached' });
  await form.getByRole('button', { name: 'Save' }).click();
  await form.waitFor({ state: 'detached' });
  assert.ok(await hasReply(shortcut), 'saved where it was typed');
  // now it is the second that is elsewhere, and goes along
  const loaded = second.waitForEvent('load');
  await elsewhere(second).getByRole('button', { name: `Go to ${home}` }).click();
  await loaded;
  await inOrganization(second, home);
  await close(first);
});

test('ADM-1: what a tab sends before it hears of another organization is refused, and not lost', options, async () => {
  const { name: home } = await api('GET', 'admin/organization');
  const page = await open(browser, '/', { as: 'root' });
  await inOrganization(page, home);
  const { shortcut, form } = await typeReply(page);
  // the cookie changes, and nobody tells the page
  const csrf = (await page.context().cookies()).find(({ name }) => name.endsWith('-csrf')).value;
  const side = await api('GET', 'admin/organization', undefined, sideKey);
  const gone = await page.context().request.post(`${url}/api/admin/auth/organization`, {
    headers: { 'X-Frontdesk-CSRF': csrf, Origin: url },
    data: { organization_id: side.id },
  });
  assert.equal(gone.status(), 200);
  const refused = page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.url().endsWith('/canned-replies'));
  await form.getByRole('button', { name: 'Save' }).click();
  assert.equal((await refused).status(), 409);
  await elsewhere(page).getByText('Side Shop').first().waitFor();
  assert.ok(!(await hasReply(shortcut, sideKey)), 'it is not in the other organization');
  await elsewhere(page).getByRole('button', { name: `Back to ${home}` }).click();
  await form.waitFor({ state: 'detached' }); // what was being sent went on
  assert.ok(await hasReply(shortcut));
  assert.ok(!(await hasReply(shortcut, sideKey)));
  await close(page);
});

test('ADM-1: a tab that has not heard of it yet sends nothing', options, async () => {
  const { name } = await api('GET', 'admin/organization', undefined, sideKey);
  const page = await open(browser, '/settings', { as: 'root' });
  await page.getByLabel('Name').fill('Meant for the demo shop');
  const reloaded = page.waitForEvent('load');
  const seen = changes(page);
  // an event of storage goes to the other tabs only: this one is as one that sleeps
  await page.evaluate(() => localStorage.setItem('frontdesk-signed-in', 'somebody somewhere'));
  await page.getByRole('button', { name: 'Save' }).click();
  await reloaded;
  assert.deepEqual(seen, []);
  assert.equal((await api('GET', 'admin/organization', undefined, sideKey)).name, name);
  await close(page);
});

test('ADM-1: somebody else may sign in where a session has ended', options, async () => {
  const page = await open(browser, '/', { as: 'staff' });
  await heading(page, 'Overview').waitFor();
  await page.context().clearCookies();
  await go(page, '/conversations');
  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  await dialog.getByRole('button', { name: 'somebody else' }).click();
  await heading(page, 'Sign in').waitFor();
  await close(page);
});

test('ADM-3: an article is never shown, or saved, as another', options, async () => {
  const mark = Date.now();
  for (const name of ['first', 'second']) {
    await api('POST', 'admin/knowledge/articles', { slug: `${name}-${mark}`, title: name, body: `The ${name} text.`, format: 'markdown' });
  }
  const page = await open(browser, `/knowledge/first-${mark}`, { as: 'admin' });
  await page.getByText('The first text.').first().waitFor();
  await page.route(`**/knowledge/articles/second-${mark}`, (route) => route.fulfill({ status: 503, json: { code: 'busy', detail: 'Not just now.' } }), { times: 1 });
  await go(page, `/knowledge/second-${mark}`);
  await page.getByRole('alert').getByText('Not just now.').waitFor();
  assert.equal(await page.locator('form textarea').count(), 0);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('The second text.').first().waitFor();
  await close(page);
});

/** A canned reply that is being edited when somebody else changes it. */
async function changedMeanwhile() {
  const shortcut = `m${Date.now()}`;
  const { id } = await api('POST', 'admin/canned-replies', { shortcut, text: 'as it was' });
  const page = await open(browser, '/settings?tab=replies', { as: 'admin' });
  await page.getByRole('button', { name: new RegExp(`Actions.*${shortcut}`) }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Text').fill('typed here');
  await api('PATCH', `admin/canned-replies/${id}`, { text: 'changed there' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').getByText('Somebody else changed this meanwhile').waitFor();
  assert.equal(await dialog.getByLabel('Text').inputValue(), 'typed here');
  const text = async () => (await api('GET', `admin/canned-replies/${id}`)).text;
  assert.equal(await text(), 'changed there');
  return { page, dialog, text };
}

test('ADM-1: what another changed meanwhile is read again, where one wants it', options, async () => {
  const { page, dialog } = await changedMeanwhile();
  await dialog.getByRole('button', { name: 'Load it again' }).click();
  await page.waitForFunction(() => document.querySelector('dialog textarea').value === 'changed there');
  await close(page);
});

test('ADM-1: or what was typed stays, and is saved knowingly', options, async () => {
  const { page, dialog, text } = await changedMeanwhile();
  const again = page.waitForResponse((answer) => answer.request().method() === 'GET' && /canned-replies\/.+/.test(answer.url()));
  await dialog.getByRole('button', { name: 'Keep what I typed' }).click();
  await again;
  assert.equal(await dialog.getByLabel('Text').inputValue(), 'typed here');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await text(), 'typed here');
  await close(page);
});

test('ENG-14: an operator sees the last words, however many came before', options, async () => {
  const words = `a long story ${Date.now()}`;
  await ask(words);
  const { id } = await conversation(words);
  const { messages } = await api('GET', `admin/conversations/${id}?limit=200`);
  assert.ok(messages.length > 1);
  const page = await open(browser, '/inbox', { as: 'staff' });
  await page.locator('.sidebar .nav-entry').first().waitFor(); // the page listens where it is sent
  await page.route(`**/api/admin/conversations/${id}?*`, (route) => {
    route.continue({ url: route.request().url().replace('limit=200', 'limit=1') });
  });
  await go(page, `/inbox/${id}`);
  await page.locator('.transcript .message').nth(messages.length - 1).waitFor();
  await close(page);
});
