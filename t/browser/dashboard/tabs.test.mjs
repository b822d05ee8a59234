// Many tabs of one browser: one connection for live events, whichever tab holds it. ENG-14 ADM-1 ADM-2
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, ask, conversation, open, options, people, nearKey, start, url } from './harness.mjs';

const slow = { ...options, timeout: 240000 };
const MANY = 8; // a browser has six connections to a host, where it speaks HTTP/1.1

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

/** Tabs of one browser, each at the inbox; `tabs.streams()`: the requests for events that are open. */
async function openTabs(count, as) {
  const first = await open(browser, '/reset', { as }); // a page without live events
  const context = first.context();
  const running = new Set();
  const faults = first.faults;
  context.on('request', (request) => new URL(request.url()).pathname === '/api/admin/events' && running.add(request));
  for (const over of ['requestfinished', 'requestfailed']) context.on(over, (request) => running.delete(request));
  await context.addInitScript(() => {
    window.told = []; // by other tabs
    window.BroadcastChannel = class extends BroadcastChannel {
      set onmessage(listener) {
        super.onmessage = (event) => {
          if (window.isDeaf) return;
          window.told.push(JSON.stringify(event.data));
          listener(event);
        };
      }
    };
  });
  const tabs = [first];
  while (tabs.length < count) tabs.push(await context.newPage());
  await Promise.all(tabs.map((page) => inbox(page)));
  context.on('weberror', (error) => faults.push(error.error().stack));
  tabs.close = async () => {
    assert.deepEqual(faults, []);
    await context.close();
  };
  tabs.streams = () => [...running].filter((request) => !pageOf(request).isClosed());
  return tabs;
}

const pageOf = (request) => request.frame().page();

async function inbox(page) {
  await page.goto(`${url}/dashboard/inbox`);
  await page.locator('.queue-row, .queue .empty').first().waitFor();
}

async function until(condition) {
  const end = Date.now() + 120000;
  while (!condition()) {
    assert.ok(Date.now() < end, `waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The page that holds the only connection. */
async function leader(tabs) {
  await until(() => tabs.streams().length === 1);
  return pageOf(tabs.streams()[0]);
}

/** A conversation with a person, which these tabs show: {id, say(text), release()}. */
async function talk(tabs, key) {
  const words = `many tabs ${Date.now()}`;
  await ask(words, key);
  const { id } = await conversation(words, key);
  const post = (what, body) => api('POST', `admin/conversations/${id}/${what}`, body, key);
  await post('join', { name: 'Dana' });
  await allShow(tabs, words); // then its events change what is there
  return { id, say: (text) => post('reply', { text }), release: () => post('release') };
}

const show = (page, text) => page.locator('.queue-row').filter({ hasText: text }).waitFor({ timeout: 120000 });
const allShow = (tabs, text) => Promise.all(tabs.map((page) => show(page, text)));

test('ENG-14: eight tabs hold one connection, and whichever is closed, the others miss nothing', slow, async () => {
  const tabs = await openTabs(MANY, 'tabber');
  const mark = Date.now();
  const talking = await talk(tabs);
  await talking.say(`the first ${mark}`);
  await allShow(tabs, `the first ${mark}`);

  const first = await leader(tabs);
  const deaf = tabs.find((page) => page !== first);
  await deaf.evaluate(() => (window.isDeaf = true));
  await talking.say(`the missed ${mark}`);
  await allShow(tabs.filter((page) => page !== deaf), `the missed ${mark}`);
  await deaf.evaluate(() => (window.isDeaf = false));
  await show(deaf, `the missed ${mark}`);

  await first.close();
  await talking.say(`the second ${mark}`);
  const rest = tabs.filter((page) => page !== first);
  await allShow(rest, `the second ${mark}`);
  assert.ok(rest.includes(await leader(tabs)));

  const context = rest[0].context();
  const away = (page, state) => page.getByText('No connection').waitFor({ state });
  await context.setOffline(true);
  await Promise.all(rest.map((page) => away(page, 'visible')));
  await talking.say(`the third ${mark}`);
  await context.setOffline(false);
  await allShow(rest, `the third ${mark}`);
  await Promise.all(rest.map((page) => away(page, 'detached')));
  await leader(tabs);
  await talking.release();
  await tabs.close();
});

test('ENG-14: a tab that is frozen leaves the others no longer deaf than a silent server would', slow, async () => {
  const tabs = await openTabs(3, 'tabber');
  const mark = Date.now();
  const talking = await talk(tabs);
  await talking.say(`the first ${mark}`);
  await allShow(tabs, `the first ${mark}`);

  const frozen = await leader(tabs);
  const devtools = await frozen.context().newCDPSession(frozen);
  await devtools.send('Debugger.enable');
  const paused = new Promise((resolve) => devtools.once('Debugger.paused', resolve));
  await devtools.send('Debugger.pause');
  await paused; // no script of it runs any more, and it keeps its lock
  await talking.say(`the second ${mark}`);
  const rest = tabs.filter((page) => page !== frozen);
  await allShow(rest, `the second ${mark}`);
  await devtools.send('Debugger.resume');
  await show(frozen, `the second ${mark}`);
  assert.ok(rest.includes(await leader(tabs)));
  await talking.say(`the third ${mark}`);
  await allShow(tabs, `the third ${mark}`);
  await talking.release();
  await tabs.close();
});

test('ADM-2: a tab that goes to another organization shares nothing with those that stay', slow, async () => {
  const home = await api('GET', 'admin/organization');
  const side = await api('GET', 'admin/organization', undefined, nearKey);
  const tabs = await openTabs(3, 'roamer');
  const mark = Date.now();
  const ours = await talk(tabs);
  await ours.say(`of home ${mark}`);
  await allShow(tabs, `of home ${mark}`);

  const gone = await leader(tabs);
  const stay = tabs.filter((page) => page !== gone);
  await gone.locator('.sidebar .organization').getByRole('button', { name: home.name }).click();
  const choices = gone.getByRole('dialog', { name: 'Act in an organization' });
  const loaded = gone.waitForEvent('load');
  await choices.getByRole('button', { name: side.name }).click();
  await loaded;
  await inbox(gone);
  const theirs = await talk([gone], nearKey);
  await theirs.say(`of the side ${mark}`);
  await show(gone, `of the side ${mark}`);
  assert.equal(await leader(tabs), gone);
  assert.equal(tabs.streams()[0].headers()['expect-organization'], side.id);

  await ours.say(`at home again ${mark}`);
  const elsewhere = stay[0].getByRole('dialog', { name: 'You are in another organization now' });
  await elsewhere.getByRole('button', { name: `Back to ${home.name}` }).click();
  await allShow(stay, `at home again ${mark}`);
  await theirs.say(`still of the side ${mark}`);
  await ours.say(`still of home ${mark}`);
  await allShow(stay, `still of home ${mark}`);
  assert.ok(stay.includes(await leader(tabs)));
  for (const page of stay) {
    const told = await page.evaluate(() => window.told.join('\n'));
    assert.ok(!told.includes(theirs.id), 'no other organization');
  }
  const told = await gone.evaluate(() => window.told.join('\n'));
  assert.ok(!told.includes(ours.id), 'nor the other way round');
  await ours.release();
  await theirs.release();
  await tabs.close();
});

test('ADM-1: who signs out is out in every tab, and who comes next finds nothing of theirs', slow, async () => {
  const tabs = await openTabs(3, 'tabber');
  const mark = Date.now();
  const talking = await talk(tabs);
  await talking.say(`before ${mark}`);
  await allShow(tabs, `before ${mark}`);

  const out = tabs[1];
  await out.getByRole('button', { name: /^Account/ }).click();
  await out.getByRole('menuitem', { name: 'Sign out' }).click();
  for (const page of [tabs[0], tabs[2]]) await page.getByRole('dialog', { name: 'Please sign in again' }).waitFor();
  await until(() => !tabs.streams().length);

  const other = people.newcomer;
  await out.getByLabel('Email').fill(other.email);
  await out.getByLabel('Password', { exact: true }).fill(other.password);
  await out.getByRole('button', { name: 'Sign in', exact: true }).click();
  await out.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await inbox(out);
  await talking.say(`after ${mark}`);
  await allShow(tabs, `after ${mark}`);
  await leader(tabs);
  await talking.release();
  await tabs.close();
});
