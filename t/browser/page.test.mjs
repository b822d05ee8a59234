// WID-1, WID-4: what pages do to a widget, and what it does not do to them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';
import {
  ask,
  lastAnswer,
  launcher,
  questions,
  settled,
  startLab,
  tryAgain,
  visit,
} from './harness.mjs';
import { KEY } from './mock-api.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let lab;
before(async () => (lab = await startLab()));
after(() => lab?.close());
beforeEach(() => {
  Object.assign(lab.mock, {
    plan: [
      ['delta', { text: 'Hello.' }],
      ['done', {}],
    ],
    config: {},
    faults: [],
    refuse: {},
  });
  lab.mock.requests.length = 0;
});

async function close(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

test('WID-1: a page that overrides and freezes the prototypes has a chat all the same', async () => {
  const page = await visit(lab, '/library');
  await ask(page, 'Hello?');
  assert.equal(await lastAnswer(page), 'Hello.');
  await page.reload();
  assert.equal(await lastAnswer(page), 'Hello.');
  assert.equal(await questions(page).count(), 1);
  await close(page);
});

test('WID-1: in the head, without async, it waits for the body', async () => {
  const page = await visit(lab, '/head');
  await ask(page, 'Hello?');
  assert.equal(await lastAnswer(page), 'Hello.');
  await close(page);
});

test('WID-1: a page that replaces its body, or everything, keeps the conversation', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'Hello?');
  await settled(page);
  await page.evaluate(() => {
    const body = document.createElement('body');
    body.append('Another page');
    document.documentElement.replaceChild(body, document.body);
  });
  assert.equal(await lastAnswer(page), 'Hello.');
  await page.evaluate(() => {
    document.documentElement.replaceChildren(document.head, document.createElement('body'));
  });
  await page.locator('frontdesk-widget').waitFor({ state: 'attached' });
  assert.equal(await lastAnswer(page), 'Hello.');
  await close(page);
});

test('WID-4: blocked storage is no reason not to talk', async () => {
  const page = await visit(lab, '/blank');
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('blocked', 'SecurityError');
        },
      });
  });
  await page.goto(`${lab.mock.url}/plain`);
  await ask(page, 'One');
  await settled(page);
  await ask(page, 'Two');
  await page.locator('.assistant[data-status=done]').nth(1).waitFor();
  assert.equal(lab.mock.asked('sessions/start').length, 1);
  await close(page);
});

test('WID-4: what is written while an answer comes, or offline, is sent in its turn', async () => {
  const page = await visit(lab, '/plain');
  lab.mock.plan = [['delta', { text: 'First.' }], 400, ['done', {}]];
  await ask(page, 'One');
  await ask(page, 'Two');
  await ask(page, 'Three');
  await page.locator('.assistant[data-status=done]').nth(2).waitFor();
  const order = lab.mock.posts().map(({ body }) => body.message);
  assert.deepEqual(order, ['One', 'Two', 'Three']);
  assert.match(
    await page.locator('.turns').innerText(),
    /One[^]*First[^]*Two[^]*First[^]*Three[^]*First/,
  );
  await page.context().setOffline(true);
  await page.locator('.notice').getByText('You are offline').waitFor();
  await ask(page, 'Four');
  await ask(page, 'Five');
  await page.locator('.user[data-status=sending]').nth(1).waitFor();
  await page.context().setOffline(false);
  await page.locator('.assistant[data-status=done]').nth(4).waitFor();
  assert.equal(lab.mock.posts().length, 5);
  await close(page);
});

test('WID-4: what failed is there after a reload, to be sent again, once', async () => {
  const page = await visit(lab, '/plain');
  lab.mock.faults = [{ status: 503, problem: { retryable: true } }];
  await ask(page, 'Keep me');
  await page.getByText('We cannot answer right now').first().waitFor();
  await page.reload();
  await page.locator('.user[data-status=failed]').waitFor();
  await tryAgain(page);
  assert.equal(await lastAnswer(page), 'Hello.');
  assert.equal(await questions(page).count(), 1);
  const ids = lab.mock.posts().map(({ body }) => body.client_message_id);
  assert.equal(new Set(ids).size, 1);
  await close(page);
});

test('WID-1: each refusal has its word for the visitor and one line for the developer', async () => {
  const page = await visit(lab, '/plain');
  const lines = [];
  page.on(
    'console',
    (message) => message.text().startsWith('Frontdesk:') && lines.push(message.text()),
  );
  const cases = [
    [{ status: 402 }, 'reached its limit'],
    [
      { status: 403, problem: { title: 'AI assistant is disabled for this org' } },
      'not available here',
    ],
    [{ status: 413 }, 'too long'],
    [{ status: 422, problem: { field: 'message' } }, 'was not accepted'],
    [{ status: 429, retryAfter: 600 }, 'reached its limit'],
    [{ status: 500 }, 'cannot answer right now'],
    [{ status: 503 }, 'cannot answer right now'],
  ];
  for (const [fault, words] of cases) {
    lab.mock.faults = [fault];
    await ask(page, `Question ${fault.status}`);
    await page.locator('.assistant .state').last().getByText(words).waitFor();
  }
  assert.equal(lines.length, cases.length);
  assert.match(lines[1], /^Frontdesk: 403 .*disabled for this org/);
  await close(page);
});

test('WID-2: hostile theme values are refused, and nothing is fetched for them', async () => {
  lab.mock.config = {
    branding: {
      name: '<img src=x onerror=alert(1)>',
      primary_color: 'red;background:url(https://evil.example/x)',
      logo_url: 'javascript:alert(1)',
    },
    theme: 'url(https://evil.example/y)',
    position: '"><script>',
    greeting: '<b>Hi</b>',
    suggested_questions: ['</style><script>alert(1)</script>'],
  };
  const page = await visit(lab, '/plain');
  await launcher(page).click();
  assert.equal(await page.locator('h2').innerText(), '<img src=x onerror=alert(1)>');
  assert.equal(await page.locator('.root script, .root img').count(), 0);
  assert.deepEqual([...page.hosts], [new URL(lab.mock.url).host]);
  await close(page);
});

test('WID-5: theme and language change at run time, the conversation stays; hidden is hidden', async () => {
  const page = await visit(lab, '/plain');
  await ask(page, 'Hello?');
  await settled(page);
  await page.evaluate(() => window.Frontdesk.update({ lang: 'he', theme: 'dark' }));
  await page.locator('.root[dir=rtl][data-theme=dark]').waitFor({ state: 'attached' });
  assert.equal(await lastAnswer(page), 'Hello.');
  assert.equal(await page.locator('frontdesk-widget').count(), 1);
  await page.evaluate(() => window.Frontdesk.hide());
  assert.equal(await launcher(page).isVisible(), false);
  await page.evaluate(() => window.Frontdesk.show());
  await launcher(page).waitFor();
  await close(page);
});

test('WID-5: events reach the page as DOM events too', async () => {
  const page = await visit(lab, '/plain');
  await page.evaluate(() => {
    window.seen = [];
    for (const name of ['open', 'message:sent', 'message:received', 'close'])
      window.addEventListener(`frontdesk:${name}`, ({ detail }) =>
        window.seen.push([name, detail?.text]),
      );
  });
  await ask(page, 'Hi');
  await settled(page);
  await page.keyboard.press('Escape');
  assert.deepEqual(await page.evaluate(() => window.seen), [
    ['open', undefined],
    ['message:sent', 'Hi'],
    ['message:received', 'Hello.'],
    ['close', undefined],
  ]);
  await close(page);
});

test('WID-5: the types name every call of the API', async () => {
  const page = await visit(lab, '/plain');
  await launcher(page).waitFor();
  const calls = await page.evaluate(() => Object.keys(window.Frontdesk).sort());
  const types = readFileSync(new URL('../../web/widget/frontdesk.d.ts', import.meta.url), 'utf8');
  const api = /interface FrontdeskWidget \{([^]*?)\n\}/.exec(types)[1];
  const named = new Set([...api.matchAll(/^ {2}(\w+)[(<]/gm)].map(([, name]) => name));
  assert.deepEqual(calls, [...named].sort());
  await close(page);
});

test('WID-1: a failure is announced at once, an answer when there is nothing else to say', async () => {
  const page = await visit(lab, '/plain');
  lab.mock.faults = [{ status: 503 }];
  await ask(page, 'Question');
  await settled(page);
  assert.match(await page.locator('.sr[role=alert]').textContent(), /^We cannot answer right now/);
  assert.equal(await page.locator('.sr[role=status]').textContent(), '');
  await close(page);
});

test('WID-1: a click that comes before the window is made opens it', async () => {
  const page = await visit(lab, '/blank');
  await page.evaluate((key) => {
    const click = () =>
      document.querySelector('frontdesk-widget').shadowRoot.querySelector('.launcher').click();
    window.Frontdesk = { q: [['on', 'ready', click]] };
    const script = document.createElement('script');
    script.src = '/widget.js';
    script.dataset.clientKey = key;
    document.head.append(script);
  }, KEY);
  await page.locator('.panel').waitFor();
  await ask(page, 'Hello?');
  assert.equal(await lastAnswer(page), 'Hello.');
  await close(page);
});

test('WID-1: forced colours: what has no border of its own gets one', async () => {
  const page = await visit(lab, '/plain', { forcedColors: 'active' });
  await ask(page, 'Question');
  await settled(page);
  for (const part of ['.launcher', '.panel', '.user .bubble', '.assistant .bubble']) {
    const [style, color] = await page
      .locator(part)
      .last()
      .evaluate((node) => {
        const { outlineStyle, outlineColor } = getComputedStyle(node);
        return [outlineStyle, outlineColor];
      });
    assert.equal(style, 'solid', part);
    assert.doesNotMatch(color, /^rgba\(.*, 0\)$/, part); // transparent
  }
  await close(page);
});

test('WID-1: an on-screen keyboard: the window keeps to what can be seen', async () => {
  const page = await visit(lab, '/plain', {
    viewport: { width: 390, height: 700 },
    reducedMotion: 'reduce',
  });
  await launcher(page).click();
  const box = () => page.locator('.panel').boundingBox();
  assert.deepEqual(await box(), { x: 0, y: 0, width: 390, height: 700 });
  const resize = (height, offsetTop, scale) =>
    page.evaluate(
      (values) => {
        for (const [name, value] of Object.entries(values))
          Object.defineProperty(visualViewport, name, { configurable: true, value });
        visualViewport.dispatchEvent(new Event('resize'));
      },
      { height, offsetTop, scale },
    );
  await resize(380, 40, 1);
  assert.deepEqual(await box(), { x: 0, y: 40, width: 390, height: 380 });
  await resize(200, 90, 2); // zoomed in on purpose: nothing moves
  assert.deepEqual(await box(), { x: 0, y: 40, width: 390, height: 380 });
  await close(page);
});

test('WID-4: a page that comes back from the cache of pages leaves a dead connection at once', async () => {
  lab.mock.faults = [{ silent: true }];
  const page = await visit(lab, '/blank');
  await page.clock.install();
  await page.goto(`${lab.mock.url}/plain`);
  await page.clock.runFor(1000);
  await ask(page, 'Question');
  await page.clock.runFor(1000);
  await page.locator('.user[data-status=sent]').waitFor();
  await page.clock.fastForward(14000); // less than the silence that is waited for
  await page.evaluate(() =>
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
  );
  await page.clock.runFor(2000);
  assert.equal(await lastAnswer(page), 'Hello.');
  await close(page);
});

test('WID-5: the package loads it, once, and says when that fails', async () => {
  const source = readFileSync(new URL('../../web/widget/load.js', import.meta.url), 'utf8');
  const page = await visit(lab, '/blank');
  const seen = await page.evaluate(
    async ([text, host, clientKey]) => {
      const { load } = await import(
        URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
      );
      const refused = await load({ host, clientKey, file: 'nothing.js' }).catch((e) => e.message);
      window.Frontdesk = { q: [['open']] }; // a call that waits for it
      const [one, two] = [
        await load({ host, clientKey, lang: 'he' }),
        await load({ host, clientKey }),
      ];
      return [refused, one === two, typeof one.sendMessage, document.scripts.length];
    },
    [source, lab.mock.url, KEY],
  );
  assert.deepEqual(seen, [
    `Frontdesk: ${lab.mock.url}/nothing.js could not be loaded`,
    true,
    'function',
    2,
  ]);
  await page.locator('.root[dir=rtl] .panel').waitFor();
  page.faults.splice(0); // the script that is not there
  await close(page);
});

const features = {
  handoff: true,
  rating: true,
  prechat: { fields: [{ name: 'email', required: true }] },
};
const STATES = {
  closed: () => {},
  form: (page) => launcher(page).click(),
  error: async (page) => {
    lab.mock.config = {};
    await page.reload();
    lab.mock.faults = [{ status: 503 }];
    await ask(page, 'Question');
    await settled(page);
  },
  streaming: async (page) => {
    lab.mock.config = {};
    lab.mock.plan = [
      ['tool', { call_id: 'c', name: 'x', status: 'running' }],
      ['delta', { text: 'Half' }],
      'word',
    ];
    await page.reload();
    await ask(page, 'Question');
    await page.getByText('Half').waitFor();
  },
  confirm: async (page) => {
    lab.mock.config = {};
    const asked = { call_id: 'c', summary: 'Books a table', expires_at: '2099-01-01T00:00:00Z' };
    lab.mock.plan = [['confirm', asked], 'word'];
    await page.reload();
    await ask(page, 'Question');
    await page.locator('.confirm').waitFor();
  },
  handoff: async (page) => {
    lab.mock.config = { features: { handoff: true } };
    await page.reload();
    await launcher(page).click();
    await page.getByRole('button', { name: 'Talk to a person' }).click();
  },
  rating: async (page) => {
    lab.mock.config = { features: { rating: true } };
    await page.reload();
    await launcher(page).click();
    await page.getByRole('button', { name: 'More' }).click();
    await page.locator('.menu .item').first().click();
  },
};
for (const [name, reach] of Object.entries(STATES)) {
  test(`WID-1: accessible by axe: ${name}`, async () => {
    lab.mock.config = { features };
    const page = await visit(lab, '/plain', { reducedMotion: 'reduce' });
    await reach(page);
    await page.addScriptTag({ path: AXE });
    const { violations } = await page.evaluate(() =>
      axe.run(document.querySelector('frontdesk-widget')),
    );
    assert.deepEqual(
      violations.map(({ id, nodes }) => [id, nodes[0].html]),
      [],
    );
    await close(page);
  });
}

test('WID-1: at 400 % zoom nothing is lost', async () => {
  const page = await visit(lab, '/plain', { viewport: { width: 320, height: 256 } });
  await ask(page, 'Question');
  await settled(page);
  const wide = await page.locator('.log').evaluate((log) => log.scrollWidth - log.clientWidth);
  assert.equal(wide, 0);
  for (const part of ['.input', '.header .tool >> nth=-1']) {
    const box = await page.locator(part).boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= 256, part);
  }
  await close(page);
});
