// WID-1, WID-2, WID-3, WID-6: what the widget does to a page, how it looks, who can use it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';
import { brotliCompressSync, constants } from 'node:zlib';
import { answers, ask, launcher, lastAnswer, settled, startLab, visit } from './harness.mjs';
import { VECTORS } from './unit/vectors.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let lab;
before(async () => (lab = await startLab()));
after(() => lab?.close());
beforeEach(() => {
  lab.mock.plan = [
    ['delta', { text: 'Hello.' }],
    ['done', {}],
  ];
  lab.mock.config = {};
  lab.mock.faults = [];
  lab.mock.requests.length = 0;
});

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

test('WID-1: a strict policy with Trusted Types is enough, and nothing else is asked', async () => {
  const page = await visit(lab, '/strict');
  await ask(page, 'Hello?');
  assert.equal(await lastAnswer(page), 'Hello.');
  assert.deepEqual([...page.hosts], [`127.0.0.1:${lab.mock.port}`]);
  assert.equal(
    await page.locator('.launcher').evaluate((node) => getComputedStyle(node).borderRadius),
    '50%',
  );
  await close(page);
});

test('WID-6: small, within its budget', async () => {
  const budget = JSON.parse(readFileSync(lab.budget));
  const body = readFileSync(lab.widget);
  const packed = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  assert.ok(budget.raw <= 50000 && body.length <= budget.raw, `${body.length} bytes`);
  assert.ok(packed.length <= budget.brotli, `${packed.length} bytes with brotli`);
});

test('one global name, no layout shift, no cookie, one widget however often it is embedded', async () => {
  const bare = await visit(lab, '/blank');
  const known = new Set(await bare.evaluate(() => Object.getOwnPropertyNames(window)));
  const page = await visit(lab, '/twice', { context: bare.context() });
  await launcher(page).waitFor();
  const names = await page.evaluate(() => Object.getOwnPropertyNames(window));
  assert.deepEqual(
    names.filter((name) => !known.has(name)),
    ['Frontdesk'],
  );
  assert.equal(await page.locator('frontdesk-widget').count(), 1);
  const shift = await page.evaluate(
    () =>
      new Promise((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) =>
          list.getEntries().forEach((entry) => (sum += entry.value)),
        ).observe({
          type: 'layout-shift',
          buffered: true,
        });
        setTimeout(() => resolve(sum), 200);
      }),
  );
  assert.equal(shift, 0);
  assert.deepEqual(await page.context().cookies(), []);
  await close(page);
});

test("WID-1: a rude page's styles stay out", async () => {
  const page = await visit(lab, '/rude');
  await launcher(page).click();
  const style = await page.locator('h2').evaluate((node) => {
    const { fontSize, display } = getComputedStyle(node);
    return {
      fontSize,
      display,
      hidden: getComputedStyle(node.closest('.panel').querySelector('.notice')).display,
    };
  });
  assert.deepEqual(style, { fontSize: '17px', display: 'block', hidden: 'none' });
  await close(page);
});

test('from another origin: no preflight before the launcher, and the key in a header but for that', async () => {
  const page = await visit(lab, '/blank');
  await page.evaluate(
    ([port, key]) => {
      const script = document.createElement('script');
      script.src = `http://localhost:${port}/widget.js`;
      script.dataset.clientKey = key;
      document.head.append(script);
    },
    [lab.mock.port, `fd_pk_${'A'.repeat(49)}`],
  );
  await ask(page, 'Hello?');
  assert.equal(await lastAnswer(page), 'Hello.');
  assert.ok(page.hosts.has(`localhost:${lab.mock.port}`));
  const inAddress = lab.mock.requests.filter(({ search }) => search.includes('fd_pk_'));
  assert.deepEqual(
    inAddress.map(({ path }) => path),
    ['config'],
  );
  assert.ok(!lab.mock.preflights.includes('config'));
  await close(page);
});

for (const [status, title] of [
  [401, 'The key was revoked'],
  [403, 'This origin is not allowed'],
]) {
  test(`WID-1: refused for good (${status}): a kind word for the visitor, one line for the developer`, async () => {
    const page = await visit(lab, '/blank');
    await page.route('**/api/v1/config*', (route) =>
      route.fulfill({ status, body: JSON.stringify({ title }) }),
    );
    await page.goto(`${lab.mock.url}/plain`);
    await launcher(page).click();
    await page.getByText('The chat is not available here').waitFor();
    assert.equal(await page.locator('.input').isVisible(), false);
    assert.equal(await page.evaluate(() => window.Frontdesk.sendMessage('Hello?')), false);
    assert.deepEqual(page.faults.splice(0), [`console: Frontdesk: ${status} ${title}`]);
    assert.equal(lab.mock.posts().length, 0);
    await close(page);
  });
}

test('WID-6: a tag without its key is one line for the developer, and nothing on the page', async () => {
  const page = await visit(lab, '/keyless');
  await page.waitForFunction(() => document.readyState === 'complete');
  assert.equal(await page.locator('frontdesk-widget').count(), 0);
  assert.deepEqual(page.faults.splice(0), [
    'console: Frontdesk: data-client-key is missing on the script tag.',
  ]);
  await close(page);
});

test('WID-1: keyboard: Enter opens, Escape closes, the focus comes back; typing stays inside', async () => {
  const page = await visit(lab, '/plain');
  await page.evaluate(() => {
    window.pressed = [];
    document.addEventListener('keydown', (event) => window.pressed.push(event.key));
  });
  await launcher(page).focus();
  await page.keyboard.press('Enter');
  const focused = () =>
    page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.className);
  assert.equal(await focused(), 'input');
  assert.equal(await launcher(page).getAttribute('aria-expanded'), 'true');
  await page.keyboard.type('/help');
  assert.deepEqual(await page.evaluate(() => window.pressed), []);
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'launcher');
  assert.equal(await page.locator('.panel').isVisible(), false);
  await close(page);
});

test('WID-1: keyboard: as a window it lets Tab out, full-screen it keeps it', async () => {
  const page = await visit(lab, '/plain');
  await launcher(page).click();
  const inside = () => page.evaluate(() => document.activeElement.localName === 'frontdesk-widget');
  for (let i = 0; i < 12 && (await inside()); i++) await page.keyboard.press('Shift+Tab');
  assert.equal(await inside(), false);
  assert.equal(await page.locator('.panel').getAttribute('aria-modal'), 'false');
  await page.setViewportSize({ width: 390, height: 700 });
  await page.locator('.panel[aria-modal=true]').waitFor();
  await page.locator('.input').focus();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    assert.equal(await inside(), true);
  }
  await close(page);
});

test('WID-1: a finished answer is announced once, and not while it is written', async () => {
  lab.mock.plan = ['One ', 'two ', 'three.']
    .flatMap((text) => [['delta', { text }], 60])
    .concat([['done', {}]]);
  const page = await visit(lab, '/plain');
  await launcher(page).click();
  await page.evaluate(() => {
    window.announced = [];
    const node = document
      .querySelector('frontdesk-widget')
      .shadowRoot.querySelector('.sr[role=status]');
    new MutationObserver(() => window.announced.push(node.textContent)).observe(node, {
      childList: true,
    });
  });
  await ask(page, 'Count');
  await settled(page);
  await page.waitForTimeout(50);
  assert.deepEqual(await page.evaluate(() => window.announced), ['AI assistant: One two three.']);
  const log = page.getByRole('log');
  assert.equal(await log.getAttribute('aria-live'), 'off');
  await close(page);
});

for (const [name, path, options] of [
  ['light', '/plain', {}],
  ['dark', '/dark', {}],
  ['Hebrew', '/hebrew', {}],
  ['small', '/plain', { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true }],
]) {
  test(`WID-1: accessible by axe, and targets of 44 px: ${name}`, async () => {
    lab.mock.config = {
      branding: { name: 'Shop', primary_color: '#f5b301' },
      suggested_questions: ['How long does shipping take?'],
    };
    lab.mock.plan = [
      ['tool', { call_id: '1', name: 'get_order_status', status: 'done' }],
      [
        'delta',
        {
          text: '# Head\n\nText [article:a] and [link](https://shop.example/).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```',
        },
      ],
      ['citation', { id: 'article:a', label: 'Article' }],
      ['notice', { kind: 'model', text: 'Another model answered.' }],
      ['done', {}],
    ];
    const page = await visit(lab, path, { ...options, reducedMotion: 'reduce' });
    await launcher(page).click();
    await page.addScriptTag({ path: AXE });
    const audit = () => page.evaluate(() => axe.run(document.querySelector('frontdesk-widget')));
    const small = () =>
      page
        .locator('.root button:visible:not(.quiet)')
        .evaluateAll((buttons) =>
          buttons
            .map((button) => button.getBoundingClientRect())
            .filter((box) => box.width < 44 || box.height < 44),
        );
    assert.deepEqual(
      (await audit()).violations.map(({ id, nodes }) => [id, nodes[0].html]),
      [],
    );
    assert.deepEqual(await small(), []);
    await ask(page, 'Question');
    await settled(page);
    assert.deepEqual(
      (await audit()).violations.map(({ id, nodes }) => [id, nodes[0].html]),
      [],
    );
    assert.deepEqual(await small(), []);
    await close(page);
  });
}

test('WID-3: Hebrew: mirrored window, direction by message, translated words', async () => {
  lab.mock.plan = [
    ['delta', { text: 'המשלוח לוקח **3 ימים**.' }],
    ['done', {}],
  ];
  const page = await visit(lab, '/hebrew');
  await ask(page, 'כמה זמן לוקח המשלוח?');
  await settled(page);
  assert.equal(await launcher(page).evaluate((node) => node.offsetLeft), 20);
  const direction = (locator) => locator.evaluate((node) => getComputedStyle(node).direction);
  assert.equal(await direction(answers(page).last().locator('.prose')), 'rtl');
  const box = (selector) =>
    page
      .locator(selector)
      .last()
      .evaluate((node) => node.getBoundingClientRect().toJSON());
  const [asked, answered] = [
    await box('.turns .user .bubble'),
    await box('.turns .assistant .bubble'),
  ];
  assert.ok(asked.left < answered.left, 'the question stands on the left');
  await ask(page, 'In English?');
  assert.equal(await direction(page.locator('.turns .user .bubble .plain').last()), 'ltr');
  assert.equal(await page.locator('.input').getAttribute('placeholder'), 'כתיבת הודעה…');
  await close(page);
});

test('WID-2: the configuration shows: name, colour, greeting, questions that are asked by a click', async () => {
  lab.mock.config = {
    branding: { name: 'Lamp Shop', primary_color: '#0b6e4f' },
    greeting: 'Looking for light?',
    suggested_questions: ['Which bulb fits?'],
    position: 'bottom-left',
    theme: 'dark',
  };
  const page = await visit(lab, '/plain');
  await launcher(page).click();
  assert.equal(await page.locator('h2').innerText(), 'Lamp Shop');
  assert.match(await page.locator('.log > .turn').innerText(), /Looking for light\?/);
  await page.getByRole('group', { name: 'Looking for light?' }).waitFor();
  assert.equal(await page.locator('.root').getAttribute('data-theme'), 'dark');
  assert.equal(await launcher(page).evaluate((node) => node.offsetLeft), 20);
  await page.locator('.chips .pill').click();
  await settled(page);
  assert.equal(lab.mock.posts()[0].body.message, 'Which bulb fits?');
  assert.equal(await page.locator('.chips').isVisible(), false);
  await close(page);
});

test('without a configuration the widget is there all the same', async () => {
  const page = await visit(lab, '/blank');
  await page.route('**/api/v1/config*', (route) => route.fulfill({ status: 503, body: '' }));
  await page.goto(`${lab.mock.url}/plain`);
  await ask(page, 'Hello?');
  assert.equal(await lastAnswer(page), 'Hello.');
  await close(page);
});

test('WID-5: the page calls and listens; calls made before the script came are kept', async () => {
  const page = await visit(lab, '/blank');
  await page.evaluate(() => {
    window.heard = [];
    window.Frontdesk = { q: [['open'], ['on', 'ready', () => window.heard.push('ready')]] };
    const script = document.createElement('script');
    script.src = '/widget.js';
    script.dataset.clientKey = `fd_pk_${'A'.repeat(49)}`;
    document.head.append(script);
  });
  await page.locator('.panel').waitFor();
  const heard = await page.evaluate(async () => {
    const { Frontdesk, heard } = window;
    const stop = Frontdesk.on('message:sent', ({ text }) => heard.push(`sent ${text}`));
    const received = new Promise((resolve) => Frontdesk.on('message:received', resolve));
    Frontdesk.on('close', () => {
      throw new Error("the page's own mistake");
    });
    Frontdesk.sendMessage('Hi');
    heard.push((await received).text);
    stop();
    Frontdesk.close();
    Frontdesk.toggle();
    return heard;
  });
  assert.deepEqual(heard, ['ready', 'sent Hi', 'Hello.']);
  await page.evaluate(() => window.Frontdesk.destroy());
  assert.equal(await page.locator('frontdesk-widget').count(), 0);
  assert.equal(await page.evaluate(() => 'Frontdesk' in window), false);
  assert.match(page.faults.splice(0).join(), /the page's own mistake/);
  await close(page);
});

test(`${VECTORS.length} hostile texts in a real browser: no script, no request, at any prefix`, async () => {
  const page = await visit(lab, '/blank');
  page.on('dialog', (dialog) => page.faults.push('dialog'));
  await page.evaluate(async (vectors) => {
    window.alert = () => console.error('script ran');
    const { createMarkdown } = await import('/src/markdown/render.js');
    for (const vector of vectors) {
      const container = document.createElement('div');
      document.body.append(container);
      const markdown = createMarkdown(container);
      for (let i = 1; i <= vector.length; i++)
        markdown.update_(vector.slice(0, i), i < vector.length);
      for (const node of container.querySelectorAll('*'))
        node.dispatchEvent(new MouseEvent('mouseover'));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }, VECTORS);
  assert.deepEqual([...page.hosts], [`127.0.0.1:${lab.mock.port}`]);
  assert.equal(
    await page.evaluate(
      () =>
        document.querySelectorAll(
          'script, img, iframe, svg, style, link:not([rel=icon]), [onerror], [style]',
        ).length,
    ),
    0,
  );
  await close(page);
});

test('a hostile answer through the whole widget', async () => {
  const text = VECTORS.filter((vector) => vector.length < 120).join('\n\n');
  lab.mock.plan = [
    ...(text.match(/[^]{1,200}/g) ?? []).map((part) => ['delta', { text: part }]),
    ['done', {}],
  ];
  const page = await visit(lab, '/plain');
  await ask(page, '<img src=x onerror=alert(1)>');
  await settled(page);
  assert.deepEqual([...page.hosts], [`127.0.0.1:${lab.mock.port}`]);
  assert.equal(await page.locator('.user .bubble').innerText(), '<img src=x onerror=alert(1)>');
  await close(page);
});
