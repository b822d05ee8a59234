// WID-1, WID-2, WID-3, EDGE-4: the demo pages, with all that such pages do to a guest. On the real
// stack where FRONTDESK_URL names one, else against the mock API.
//   [FRONTDESK_SHOTS=dir] node --test demo.test.mjs
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask, lastAnswer, launch, launcher, settled, startLab, visit } from './harness.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PAGES = ['', 'shop', 'wordpress', 'shopify', 'wix', 'dark', 'hebrew', 'strict', 'playground'];
const WINDOW = { width: 1280, height: 860 };
const stack = process.env.FRONTDESK_URL?.replace(/\/$/, '');
const shots = process.env.FRONTDESK_SHOTS;

let lab;
before(async () => {
  if (shots) mkdirSync(shots, { recursive: true });
  lab = stack ? { browser: await launch(), mock: { url: stack } } : await startLab();
  lab.mock.plan = [
    ['delta', { text: 'Two to four days. שלום.' }],
    ['done', { finish_reason: 'stop' }],
  ];
});
after(() => (stack ? lab?.browser.close() : lab?.close()));

const open = (name, options = {}) =>
  visit(lab, `/demo/${name}`, { viewport: WINDOW, colorScheme: 'light', ...options });
const question = (name) =>
  name === 'hebrew' ? 'כמה זמן לוקח משלוח?' : 'How long does shipping take?';
const violations = async (page) => {
  await page.addScriptTag({ path: AXE });
  const { violations: found } = await page.evaluate(() =>
    axe.run({ exclude: ['iframe[sandbox]'] }),
  );
  return found.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))]);
};

const shoot = async (page, name) =>
  shots && page.screenshot({ path: join(shots, `demo-${name}.png`), animations: 'disabled' });

async function close(page) {
  assert.deepEqual(page.faults, []);
  assert.deepEqual([...page.hosts].filter(Boolean), [new URL(lab.mock.url).host]);
  await page.context().close();
}

/** How the widget looks, whatever the page around it says; colours, sides and words aside. */
async function looks(page) {
  const properties = [
    'font',
    'letterSpacing',
    'textTransform',
    'textDecorationLine',
    'textShadow',
    'boxSizing',
    'float',
    'display',
    'paddingBlock',
    'marginBlock',
    'borderRadius',
    'borderTopWidth',
    'listStyleType',
    'width',
    'height',
    'minHeight',
    'maxWidth',
    'opacity',
    'visibility',
    'transform',
    'clipPath',
    'zIndex',
    'position',
    'cursor',
    'boxShadow',
  ];
  return page.locator('frontdesk-widget').evaluate(
    (host, names) =>
      [
        ...host.shadowRoot.querySelectorAll(
          '.launcher, .panel, .panel header *, .composer *, .input',
        ),
      ].map((node) => {
        const style = getComputedStyle(node);
        return [
          node.className?.baseVal ?? node.className,
          ...names.map((name) => `${name}: ${style[name]}`),
        ];
      }),
    properties,
  );
}

for (const name of PAGES) {
  test(`WID-1: /demo/${name}: the widget opens and answers, nothing complains`, async () => {
    const page = await open(name);
    await launcher(page).waitFor();
    const box = await launcher(page).boundingBox();
    const onTop = await page.evaluate(
      ([x, y]) => document.elementFromPoint(x, y).localName,
      [box.x + box.width / 2, box.y + box.height / 2],
    );
    assert.equal(onTop, 'frontdesk-widget', 'nothing of the page covers the launcher');
    await shoot(page, name || 'index');
    await ask(page, question(name));
    assert.match(await lastAnswer(page), /\S/);
    await shoot(page, `${name || 'index'}-open`);
    await close(page);
  });

  test(`WID-1: /demo/${name}: accessible by axe, also on a telephone`, async () => {
    for (const viewport of [WINDOW, { width: 360, height: 740 }]) {
      const page = await open(name, { viewport, reducedMotion: 'reduce', bypassCSP: true });
      await launcher(page).waitFor();
      assert.deepEqual(await violations(page), []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `nothing is ${wide} px too wide`);
      await page.context().close();
    }
  });
}

test('WID-2: the styles of no page reach the widget', async () => {
  const seen = [];
  for (const name of ['strict', 'wordpress', 'shopify', 'wix']) {
    const page = await open(name, { reducedMotion: 'reduce' });
    await launcher(page).waitFor();
    await launcher(page).click();
    await page.locator('.panel').waitFor();
    seen.push(await looks(page));
    await page.context().close();
  }
  assert.ok(seen[0].length > 8, 'there is something to compare');
  for (const other of seen.slice(1)) assert.deepEqual(other, seen[0]);
});

test('WID-1: a page of the old kind keeps its handlers, its prototypes and its keys', async () => {
  const page = await open('wordpress');
  await launcher(page).waitFor();
  const own = () =>
    page.evaluate(() =>
      [
        window.onerror,
        window.onmessage,
        document.onclick,
        window.name,
        window.jQuery === window.$,
        Object.keys(Array.prototype),
      ].map((value) => (typeof value === 'function' ? `${value}`.length : value)),
    );
  const before = await own();
  await ask(page, 'search / shipping');
  await settled(page);
  assert.deepEqual(await own(), before);
  assert.equal(await page.locator('.turns .user .bubble').last().innerText(), 'search / shipping');
  await page.locator('.input').press('Escape');
  await page.locator('.thumbnail').click();
  await page.keyboard.press('/');
  assert.equal(
    await page.evaluate(() => document.activeElement.name),
    's',
    "the page's shortcut works",
  );
  await close(page);
});

test('WID-1: a store that swaps its body keeps the chat, and its cart keeps the focus', async () => {
  const page = await open('shopify');
  await ask(page, question());
  const answer = await lastAnswer(page);
  await page.locator('.input').press('Escape');
  await page.getByRole('button', { name: /about page/ }).click();
  await page.getByRole('heading', { name: 'About us' }).waitFor();
  await launcher(page).click();
  assert.equal(await lastAnswer(page), answer, 'the conversation is there on the next page');
  await page.locator('.input').press('Escape');
  await page.goBack();
  await page.getByRole('button', { name: 'Add to cart' }).first().click();
  await page.getByRole('dialog', { name: 'Cart' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Cart' }).waitFor({ state: 'hidden' });
  assert.equal(await page.locator('frontdesk-widget').count(), 1);
  await close(page);
});

test('WID-1: frames that talk all the time neither hear the chat nor stop it', async () => {
  const page = await open('wix');
  await launcher(page).waitFor();
  await page.waitForFunction(() => document.documentElement.dataset.frameHeight);
  await ask(page, 'Is there a lamp?');
  assert.match(await lastAnswer(page), /\S/);
  assert.equal(await page.locator('.turns .user .bubble').last().innerText(), 'Is there a lamp?');
  await close(page);
});

test('WID-3: the Hebrew page has it on the left, in Hebrew', async () => {
  const page = await open('hebrew');
  await launcher(page).waitFor();
  assert.ok((await launcher(page).boundingBox()).x < 100);
  await launcher(page).click();
  assert.equal(await page.locator('.root').getAttribute('dir'), 'rtl');
  assert.match(await page.locator('.input').getAttribute('placeholder'), /[א-ת]/);
  await close(page);
});

test('EDGE-4: a page view costs the script and one request, with the greeting in it', async () => {
  const context = await lab.browser.newContext({ viewport: WINDOW });
  const asked = [];
  context.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (!pathname.startsWith('/demo/')) asked.push(pathname);
  });
  const page = await visit(lab, '/demo/shop', { context });
  await launcher(page).waitFor();
  await page.waitForLoadState('networkidle');
  assert.deepEqual(asked, ['/widget.js', '/api/v1/config']);
  if (stack) {
    await launcher(page).click();
    await page.getByText("I know Demo Shop's shipping").waitFor();
  }
  await close(page);
});

test('EDGE-4: the page with the strict policy runs the pinned file, and counts no violation', async () => {
  const page = await open('strict');
  await ask(page, question());
  await settled(page);
  const script = page.locator('script[data-client-key]');
  assert.match(await script.getAttribute('src'), /^\/widget\.[0-9a-f]{8}\.js$/);
  assert.match(await script.getAttribute('integrity'), /^sha384-[\w+/]{64}$/);
  assert.equal(await page.locator('#violations').innerText(), '0');
  await close(page);
});

const onlyStack = { skip: stack ? false : 'the mock sends no headers for other hosts' };
test(
  'EDGE-4: from another host with crossorigin and integrity; a byte off, and it does not run',
  onlyStack,
  async () => {
    const guide = await open('strict');
    const script = guide.locator('script[data-client-key]');
    const [src, integrity, key] = await Promise.all(
      ['src', 'integrity', 'data-client-key'].map((name) => script.getAttribute(name)),
    );
    await guide.context().close();
    const other = lab.mock.url.replace('127.0.0.1', 'localhost');
    for (const [hash, count] of [
      [integrity, 1],
      [integrity.replace(/-./, (was) => (was === '-A' ? '-B' : '-A')), 0],
    ]) {
      const page = await (await lab.browser.newContext()).newPage();
      const refused = [];
      page.on(
        'console',
        (message) => /integrity/i.test(message.text()) && refused.push(message.text()),
      );
      await page.goto(`${lab.mock.url}/healthz`); // a page with nothing of ours in it
      await page.evaluate(
        ([address, wanted, clientKey]) =>
          new Promise((resolve) => {
            const element = document.createElement('script');
            element.src = address;
            element.integrity = wanted;
            element.crossOrigin = 'anonymous';
            element.dataset.clientKey = clientKey;
            element.onload = element.onerror = resolve;
            document.head.append(element);
          }),
        [other + src, hash, key],
      );
      if (count) await launcher(page).waitFor();
      assert.equal(await page.locator('frontdesk-widget').count(), count);
      assert.equal(refused.length, 1 - count);
      await page.context().close();
    }
  },
);

test('WID-1: the guide teaches: snippets of this host to copy, questions that are asked', async () => {
  const page = await open('', { permissions: ['clipboard-read', 'clipboard-write'] });
  const copied = async (index) => {
    await page.getByRole('button', { name: 'Copy' }).nth(index).click();
    await page.locator('[data-copy][data-done]').nth(0).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  const tag = await copied(0);
  assert.match(
    tag,
    /^<script async src="http:\/\/127\.0\.0\.1:\d+\/widget\.js"\s+data-client-key="fd_pk_\w{49}"><\/script>$/,
  );
  assert.equal(await page.evaluate(() => document.querySelectorAll('main a').length), 8);
  await page.getByRole('button', { name: 'How long does shipping take?' }).click();
  assert.match(await lastAnswer(page), /\S/);
  await close(page);

  const hebrew = await open('?lang=he&theme=dark');
  assert.equal(await hebrew.locator('html').getAttribute('dir'), 'rtl');
  assert.equal(
    await hebrew.getByRole('heading', { level: 1 }).innerText(),
    'שורת HTML אחת, והחנות עונה.',
  );
  await launcher(hebrew).click();
  assert.equal(await hebrew.locator('.root').getAttribute('data-theme'), 'dark');
  await close(hebrew);
});

test('WID-1: the playground: every call does what it says, every event is shown', async () => {
  const page = await open('playground');
  const run = (name) => page.locator(`[data-run=${name}]`).click();
  const heard = (name) => page.locator('#log b', { hasText: name }).last().waitFor();
  await heard('ready');
  await run('open');
  await heard('open');
  assert.ok(await page.locator('.panel').isVisible());
  await run('close');
  await heard('close');
  await run('hide');
  await launcher(page).waitFor({ state: 'hidden' });
  await run('show');
  await launcher(page).waitFor();
  await run('send');
  await heard('message:sent');
  await heard('message:received');
  await run('dark');
  const drawn = (what) => page.locator(`.root${what}`).waitFor({ state: 'attached' });
  await drawn('[data-theme=dark]');
  await run('hebrew');
  await drawn('[dir=rtl]');
  await run('light');
  await drawn('[data-theme=light][dir=ltr]');
  await run('identify');
  await run('handoff');
  await page.locator('.panel').waitFor();
  await run('new');
  await page.locator('.turns .user').waitFor({ state: 'detached' });
  await run('reset');
  await run('destroy');
  await page.locator('frontdesk-widget').waitFor({ state: 'detached' });
  assert.deepEqual(await page.locator('#log p', { hasText: 'refused' }).allInnerTexts(), []);
  await close(page);
});
