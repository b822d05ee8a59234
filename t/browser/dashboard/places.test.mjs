// Where one works: a superadmin's organizations, and anybody's teams. ADM-1 ADM-2
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, api, ask, close, conversation, heading, open, options, people, shoot, sideKey, start, url } from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

const sidebar = (page) => page.locator('.sidebar .organization');
const inOrganization = (page, name) => sidebar(page).getByText(name, { exact: true }).first().waitFor();

/** The organizations to go to, by the button with the name of the present one. */
async function switcher(page, name, title = 'Act in an organization') {
  await sidebar(page).getByRole('button', { name }).click();
  const dialog = page.getByRole('dialog', { name: title });
  await dialog.getByRole('searchbox').and(page.locator(':focus')).waitFor();
  return dialog;
}

/** Searches, and goes to what is found, all by the keyboard. */
async function goTo(page, dialog, name) {
  await page.keyboard.type(name);
  await dialog.locator('.choice').nth(1).waitFor({ state: 'detached' }); // it alone is left
  await dialog.locator('.choice').getByText(name, { exact: true }).waitFor();
  const loaded = page.waitForEvent('load');
  await page.keyboard.press('Tab');
  await dialog.getByRole('button', { name }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await loaded;
  await inOrganization(page, name);
}

test('ADM-2: a superadmin finds an organization, and every page is of it', options, async () => {
  const words = `a question at home ${Date.now()}`;
  await ask(words);
  await conversation(words);
  const home = await api('GET', 'admin/organization');
  const side = await api('GET', 'admin/organization', undefined, sideKey);
  const page = await open(browser, '/', { as: 'roamer' });
  await inOrganization(page, home.name);
  const dialog = await switcher(page, home.name);
  await accessible(page, 'switcher');
  await shoot(page, 'switcher');
  await page.keyboard.type('no such organization');
  await dialog.getByText('Nothing found').waitFor();
  await page.keyboard.press('Control+A');
  await goTo(page, dialog, 'Side Shop');

  const expected = new Set();
  page.on('request', (request) => {
    const path = new URL(request.url()).pathname;
    if (path.startsWith('/api/admin/') && !path.startsWith('/api/admin/auth/')) expected.add(request.headers()['expect-organization']);
  });
  await page.goto(`${url}/dashboard/settings`);
  await page.waitForFunction((id) => document.querySelector('input[name="name"]')?.value === id, side.name);
  await page.goto(`${url}/dashboard/users`);
  await page.getByRole('row').filter({ hasText: people.side.email }).waitFor();
  assert.equal(await page.getByText(people.mate.email).count(), 0);
  await page.goto(`${url}/dashboard/conversations?q=${encodeURIComponent(words)}`);
  await page.locator('main .empty').waitFor();
  await page.goto(`${url}/dashboard/`);
  await heading(page, 'Overview').waitFor();
  await page.getByText('How Side Shop is doing.').waitFor();
  assert.deepEqual([...expected], [side.id], 'every request says where it is meant');

  await goTo(page, await switcher(page, 'Side Shop'), home.name);
  await page.goto(`${url}/dashboard/conversations?q=${encodeURIComponent(words)}`);
  await page.locator('main .table').getByText(words).first().waitFor();
  await close(page);
});

test('ADM-2: in Hebrew, from right to left, by the keyboard', options, async () => {
  const home = await api('GET', 'admin/organization');
  const page = await open(browser, '/', { as: 'roamer', language: 'he' });
  await inOrganization(page, home.name);
  const dialog = await switcher(page, home.name, 'פעולה בארגון');
  assert.equal(await page.evaluate(() => document.dir), 'rtl');
  await accessible(page, 'switcher, Hebrew');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await goTo(page, await switcher(page, home.name, 'פעולה בארגון'), 'Side Shop');
  assert.equal(await page.evaluate(() => document.dir), 'rtl');
  await goTo(page, await switcher(page, 'Side Shop', 'פעולה בארגון'), home.name);
  await close(page);
});

test('ADM-2: whoever is of one organization is offered no other', options, async () => {
  const { name } = await api('GET', 'admin/organization');
  const page = await open(browser, '/', { as: 'owner' });
  await inOrganization(page, name);
  assert.equal(await sidebar(page).getByRole('button', { name }).count(), 0);
  await close(page);
});

/** A conversation that a person has: it is in the queue. */
async function held(words) {
  await ask(words);
  const { id } = await conversation(words);
  await api('POST', `admin/conversations/${id}/join`, { name: 'Dana' });
  return id;
}

test('ADM-1: the active team goes with each request, and the inbox shows what is its', options, async () => {
  const mark = Date.now();
  const { users } = await api('GET', 'admin/users?limit=200');
  const mate = users.find(({ email }) => email === people.mate.email);
  const [lamps, chairs] = await Promise.all(['Lamps', 'Chairs'].map((name) => api('POST', 'admin/teams', { name: `${name} ${mark}` })));
  await api('PUT', `admin/teams/${lamps.id}/members/${mate.id}`, { role: 'staff' });
  const ids = [await held(`about a lamp ${mark}`), await held(`about a chair ${mark}`), await held(`about nothing ${mark}`)];
  await api('PATCH', `admin/conversations/${ids[1]}`, { team_id: chairs.id });

  const page = await open(browser, '/inbox', { as: 'mate' });
  const teamNow = async () => (await (await page.context().request.get(`${url}/api/admin/auth/me`)).json()).team_id;
  const choose = async (name) => {
    await sidebar(page).getByRole('button', { name: /^Team/ }).click();
    assert.equal(await page.getByRole('menuitemradio', { name: `Chairs ${mark}` }).count(), 0, 'only their own');
    await page.getByRole('menuitemradio', { name }).click();
    await sidebar(page).getByRole('button', { name: new RegExp(`^Team\\s*${name}`) }).waitFor();
  };
  assert.equal(await teamNow(), null);
  await choose(`Lamps ${mark}`);
  assert.equal(await teamNow(), lamps.id);
  await page.reload();
  await sidebar(page).getByText(`Lamps ${mark}`).waitFor();

  const row = (words) => page.locator('.queue-row').filter({ hasText: `${words} ${mark}` });
  await row('about a lamp').click();
  const given = page.waitForResponse((answer) => answer.request().method() === 'PATCH');
  await page.locator('.thread-aside select').selectOption({ label: `Lamps ${mark}` });
  assert.equal((await given).status(), 200);
  const filter = page.locator('.queue .filter select');
  for (const [team, words] of [
    [`Lamps ${mark}`, 'about a lamp'],
    [`Chairs ${mark}`, 'about a chair'],
    ['No team', 'about nothing'],
  ]) {
    await filter.selectOption({ label: team });
    await row(words).waitFor();
    for (const others of ['about a lamp', 'about a chair', 'about nothing']) {
      if (others !== words) await row(others).waitFor({ state: 'detached' });
    }
  }
  await accessible(page, 'inbox of a team');
  await filter.selectOption({ label: 'All teams' });
  await row('about a chair').waitFor();

  await choose('No team');
  assert.equal(await teamNow(), null);
  await close(page);
  for (const id of ids) {
    await api('PATCH', `admin/conversations/${id}`, { team_id: null });
    await api('POST', `admin/conversations/${id}/release`);
  }
  await api('DELETE', `admin/teams/${lamps.id}/members/${mate.id}`);
  for (const { id } of [lamps, chairs]) await api('DELETE', `admin/teams/${id}`);
});
