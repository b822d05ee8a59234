// The dashboard's frame: policy, navigation, keyboard, languages, appearances, narrow screens.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  accessible,
  close,
  heading,
  open,
  options,
  overflows,
  shoot,
  start,
  url,
} from './harness.mjs';

const slow = { ...options, timeout: 400000 };

let browser;
before(async () => (browser = await start()));
after(() => browser?.close());

test(
  'EDGE-4: the page has a strict policy wherever it is, its files are for ever, what is no file is not there',
  options,
  async () => {
    for (const path of ['', '/', '/conversations/some', '/keys?x=1']) {
      const { status, headers } = await fetch(`${url}/dashboard${path}`);
      assert.equal(status, 200, path);
      const policy = headers.get('content-security-policy');
      assert.match(
        policy,
        /default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/,
      );
      for (const part of [
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ])
        assert.ok(policy.includes(part), part);
      assert.doesNotMatch(policy, /unsafe|\*|https?:/);
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
      assert.equal(headers.get('cache-control'), 'no-cache');
    }
    const page = await (await fetch(`${url}/dashboard/`)).text();
    assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    const [script] = /\/dashboard\/assets\/main\.\w+\.js/.exec(page);
    const file = await fetch(url + script, { headers: { 'Accept-Encoding': 'br' } });
    assert.match(file.headers.get('cache-control'), /immutable/);
    assert.equal(file.headers.get('content-encoding'), 'br');
    for (const path of ['/dashboard/assets/gone.js', '/dashboard/x.css', '/dashboardx'])
      assert.equal((await fetch(url + path)).status, 404, path);
  },
);

test(
  'links, Back and shortcuts go to pages; the title takes the focus and names the window',
  options,
  async () => {
    const page = await open(browser, '/', { as: 'staff' });
    await heading(page, 'Overview').waitFor();
    await page.getByRole('link', { name: 'Conversations', exact: true }).click();
    await heading(page, 'Conversations').and(page.locator(':focus')).waitFor();
    assert.equal(await page.title(), 'Conversations · Frontdesk');
    await page.goBack();
    await heading(page, 'Overview').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await heading(page, 'Conversations').waitFor();
    await page.keyboard.press('/');
    await page.getByPlaceholder('Search what was said').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('g o'); // letters, while somebody types
    await heading(page, 'Conversations').waitFor();
    await close(page);
  },
);

test('the help names the shortcuts, and switches single letters off', options, async () => {
  const page = await open(browser, '/', { as: 'staff' });
  await heading(page, 'Overview').waitFor();
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await help.getByText('Go to Conversations').waitFor();
  await accessible(page, 'help');
  await help.getByRole('switch').click();
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Go to anything' });
  await palette.getByRole('combobox').fill('conv');
  await accessible(page, 'palette');
  await page.keyboard.press('Enter');
  await heading(page, 'Conversations').waitFor();
  await close(page);
});

test(
  'a page that is not there says so, and a broken answer can be asked for again',
  options,
  async () => {
    const page = await open(browser, '/nowhere', { as: 'staff' });
    await heading(page, 'Not found').waitFor();
    await page.route('**/api/admin/conversations?*', (route) => route.abort());
    await page.getByRole('link', { name: 'Conversations', exact: true }).click();
    await page.getByRole('alert').getByText('cannot be reached').waitFor();
    await page.unroute('**/api/admin/conversations?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await close(page);
  },
);

test('in Hebrew it reads from the right, and remembers the language', options, async () => {
  const page = await open(browser, '/', { as: 'staff' });
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('menuitemradio', { name: 'עברית' }).click();
  await heading(page, 'סקירה').waitFor();
  assert.equal(
    await page.evaluate(() => `${document.documentElement.lang} ${document.documentElement.dir}`),
    'he rtl',
  );
  const { x } = await page.locator('.sidebar').boundingBox();
  assert.ok(x > 900, 'the navigation is on the right');
  await close(page);
});

const LOOKS = [
  ['light', {}],
  ['dark', { context: { colorScheme: 'dark' } }],
  ['hebrew', { language: 'he' }],
  ['hebrew-dark', { language: 'he', context: { colorScheme: 'dark' } }],
  ['narrow', { context: { viewport: { width: 360, height: 720 } } }],
  ['narrow-hebrew', { language: 'he', context: { viewport: { width: 360, height: 720 } } }],
];

for (const [look, how] of LOOKS) {
  test(
    `DSH: ${look}: axe finds nothing on any page, nothing is wider than the window`,
    slow,
    async () => {
      const page = await open(browser, '/account', { as: 'owner', ...how });
      await page.locator('main h1').first().waitFor({ state: 'attached' });
      const paths = await page
        .locator('.sidebar .nav-entry')
        .evaluateAll((links) =>
          links.map((link) => link.getAttribute('href').slice('/dashboard'.length)),
        );
      assert.ok(paths.length > 3);
      for (const path of [...paths, '/account']) {
        await page.goto(`${url}/dashboard${path}`);
        await page.locator('main h1').first().waitFor({ state: 'attached' });
        await page.waitForFunction(() => !document.querySelector('main .skeleton'));
        await accessible(page, `${path} ${look}`);
        assert.equal(await overflows(page), false, `${path} ${look}`);
        await shoot(page, `${path.slice(1) || 'overview'}-${look}`);
      }
      if (look.startsWith('narrow')) {
        await page.locator('.topbar button').first().click();
        await page.locator('.drawer').waitFor();
        await accessible(page, `navigation ${look}`);
      }
      await close(page);
    },
  );
}
