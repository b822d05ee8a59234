// A dashboard that was open while the server got other files, or while it is away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, close, heading, open, options, start, url } from './harness.mjs';

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

/** Loads the page as a former build's would be: of a script by another name than the server's. */
async function loadFormer(page) {
  const { pathname } = new URL(page.url());
  const asFormer = async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(/(main\.\w+\.js)/, '$1?former');
    await route.fulfill({ response, body });
  };
  await page.route(url + pathname, asFormer, { times: 1 });
  await page.goto(url + pathname);
  await page.locator('main h1').waitFor();
  await page.evaluate(() => (window.isFormer = true));
}

const isFormer = (page) => page.evaluate(() => window.isFormer === true);

test(
  'DSH: a page whose file is gone since an upgrade is loaded of the newer version',
  options,
  async () => {
    const page = await open(browser, '/account', { as: 'staff' });
    await heading(page, 'Your account').waitFor();
    await loadFormer(page);
    await page.route('**/assets/analytics.*.js', (route) => route.fulfill({ status: 404 }), {
      times: 1,
    });
    await page.getByRole('link', { name: 'Analytics' }).click();
    await heading(page, 'Analytics').waitFor();
    assert.equal(await isFormer(page), false);
    await close(page);
  },
);

test(
  'DSH: of a newer version one is told; who types goes on, and the next page is of it',
  options,
  async () => {
    const page = await open(browser, '/account', { as: 'staff' });
    await heading(page, 'Your account').waitFor();
    await loadFormer(page);
    await page.getByLabel('Present password').fill('half a password');
    await page.evaluate(() => {
      const now = Date.now;
      Date.now = () => now() + 3600000; // it is looked for once in a while
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.locator('.toast').getByText('There is a new version').waitFor();
    assert.equal(await page.getByLabel('Present password').inputValue(), 'half a password');
    await page.getByRole('link', { name: 'Conversations', exact: true }).click();
    const asked = page.getByRole('dialog', { name: 'Leave without saving?' });
    await asked.getByRole('button', { name: 'Cancel' }).click();
    assert.ok(await isFormer(page), 'nothing is loaded over what is typed');
    await page.getByRole('link', { name: 'Conversations', exact: true }).click();
    await asked.getByRole('button', { name: 'Leave' }).click();
    await heading(page, 'Conversations').waitFor();
    assert.equal(await isFormer(page), false);
    assert.equal(await page.locator('.toast').count(), 0);
    await close(page);
  },
);

test(
  'DSH: while nothing comes from the server it is said that what is shown may be old',
  options,
  async () => {
    await ask('Is there something to look at?');
    const page = await open(browser, '/conversations', { as: 'staff' });
    await page.getByRole('row').nth(1).waitFor();
    await page.context().setOffline(true);
    await page.getByText('No connection').waitFor();
    assert.ok((await page.getByRole('row').count()) > 1, 'what was there stays');
    await page.context().setOffline(false);
    await page.getByText('No connection').waitFor({ state: 'detached' });
    await close(page);
  },
);

test(
  'DSH: a file that does not come while the server is away is asked for again',
  options,
  async () => {
    const page = await open(browser, '/account', { as: 'staff' });
    await heading(page, 'Your account').waitFor();
    const away = (route) => route.abort();
    await page.route('**/assets/**', away);
    await page.route(`${url}/dashboard/`, away);
    await page.getByRole('link', { name: 'Analytics' }).click();
    await page.getByRole('alert').getByText('cannot be reached').waitFor();
    await page.unroute('**/assets/**');
    await page.unroute(`${url}/dashboard/`);
    await page.getByRole('button', { name: 'Try again' }).click();
    await heading(page, 'Analytics').waitFor();
    await close(page);
  },
);
