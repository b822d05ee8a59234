// What the dashboard's tests share: people who are signed in, pages that report their faults, axe.
//   FRONTDESK_URL, FRONTDESK_CLIENT_KEY, FRONTDESK_SECRET_KEY; FRONTDESK_PEOPLE: {"staff":
//   {"email", "password"}, ...}; FRONTDESK_SIDE_KEY: of another organisation, that of the people
//   "side" and "sideStaff", where a test may switch things off; FRONTDESK_NEAR_KEY: of one where
//   nobody does; FRONTDESK_TESTED_KEY: of that of
//   "tester", which may have the model server FRONTDESK_MODEL (t/lib/provider.pl) and the webhook
//   FRONTDESK_HOOK. t/browser/run makes all of them.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { launch } from '../harness.mjs';

export const url = process.env.FRONTDESK_URL?.replace(/\/$/, '');
export const people = JSON.parse(process.env.FRONTDESK_PEOPLE ?? '{}');
export const options = { skip: url ? false : 'FRONTDESK_URL is not set' };
const shots = process.env.FRONTDESK_SHOTS;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function start() {
  if (!url) return null;
  if (shots) mkdirSync(shots, { recursive: true });
  return launch();
}

const mainKey = process.env.FRONTDESK_SECRET_KEY;
export const sideKey = process.env.FRONTDESK_SIDE_KEY;
export const nearKey = process.env.FRONTDESK_NEAR_KEY;
export const testedKey = process.env.FRONTDESK_TESTED_KEY;

/** A request to the API with an organisation's secret key, as its programs make it. */
export async function api(method, path, body, key = mainKey) {
  const response = await fetch(`${url}/api/${path}`, {
    method,
    headers: {
      'X-Api-Key': key,
      ...(body && { 'Content-Type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
  const answer = response.status === 204 ? {} : await response.json();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** A visitor's question, answered: {session_id, response, ...}. */
export const ask = (message, key) => api('POST', 'v1/chat', { message }, key);

/** The conversation that was begun with these words. */
export async function conversation(words, key) {
  for (const end = Date.now() + 120000; ; ) {
    assert.ok(Date.now() < end, `no conversation began with "${words}"`);
    const { conversations } = await api(
      'GET',
      'admin/conversations?order=recent&limit=200',
      undefined,
      key,
    );
    const found = conversations.find(({ title }) => title?.includes(words));
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A page of the dashboard, in a browser of its own; `as`: who is signed in. */
export async function open(browser, path, { as, language = 'en', context: more = {} } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 820 }, ...more });
  context.setDefaultTimeout(40000);
  await context.addInitScript((code) => {
    localStorage.setItem('frontdesk-language', code);
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  }, language);
  if (as) await signIn(context, people[as]);
  const page = await context.newPage();
  page.faults = [];
  page.hosts = new Set();
  page.on('pageerror', (error) => page.faults.push(`error: ${error.stack}`));
  page.on('console', (message) => {
    const refused = /Failed to load resource/.test(message.text());
    if (message.type() === 'error' && !refused) page.faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => page.hosts.add(new URL(request.url()).host));
  await page.goto(`${url}/dashboard${path}`);
  return page;
}

async function signIn(context, { email, password }) {
  for (;;) {
    const answer = await context.request.post(`${url}/api/admin/auth/login`, {
      data: { email, password },
    });
    if (answer.ok()) return;
    // passwords are looked at a few at a time
    assert.equal(answer.status(), 503, await answer.text());
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** Nothing went wrong on the page, and it asked nobody but this server. */
export async function close(page) {
  assert.deepEqual(page.faults, []);
  assert.deepEqual([...page.hosts], [new URL(url).host]);
  await page.context().close();
}

/** What axe finds on the page as it is now: nothing. */
export async function accessible(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { resultTypes: ['violations'] }),
  );
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`,
  );
  assert.deepEqual(found, [], name);
}

/** Whether anything is wider than the window. */
export const overflows = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

/** How pages look where most can go wrong (the other looks: shell.test.mjs): nothing for axe to
    find, nothing wider than the window. */
export async function walkInTheDark(browser, as, paths) {
  const look = 'dark, hebrew, narrow';
  const page = await open(browser, paths[0], {
    as,
    language: 'he',
    context: { colorScheme: 'dark', viewport: { width: 360, height: 720 } },
  });
  for (const path of paths) {
    await page.goto(`${url}/dashboard${path}`);
    await page.locator('main h1').waitFor();
    await page.waitForFunction(() => !document.querySelector('main .skeleton'));
    await accessible(page, `${path} ${look}`);
    assert.equal(await overflows(page), false, `${path} ${look}`);
  }
  await close(page);
}

export const shoot = async (page, name) =>
  shots && page.screenshot({ path: join(shots, `dashboard-${name}.png`) });

export const heading = (page, name) => page.getByRole('heading', { level: 1, name, exact: true });
