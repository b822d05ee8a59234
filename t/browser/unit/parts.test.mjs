// The small pure parts: colours, words, the question's body, what a page may store.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createQuestion, isTooLong } from '../../../web/widget/src/chat/question.js';
import { fromHistory } from '../../../web/widget/src/chat/message.js';
import { createStore } from '../../../web/widget/src/chat/store.js';
import { uuid } from '../../../web/widget/src/chat/uuid.js';
import { createLook } from '../../../web/widget/src/look.js';
import { Problem } from '../../../web/widget/src/net/problem.js';
import en from '../../../web/widget/src/text/en.js';
import he from '../../../web/widget/src/text/he.js';
import { chooseLanguage, problemText } from '../../../web/widget/src/text/index.js';
import { contrast, palette, parseColor } from '../../../web/widget/src/theme.js';

test('WID-2: whatever the brand, text on it and in it can be read', () => {
  const bubbles = { light: '#f3f4f7', dark: '#24262d' };
  for (let i = 0; i < 4096; i++) {
    const brand = `#${i.toString(16).padStart(3, '0')}`;
    for (const theme of ['light', 'dark']) {
      const colors = palette(brand, theme);
      const ratio = (a, b) => contrast(parseColor(a), parseColor(b));
      assert.ok(ratio(colors.onBrand, colors.brand) >= 4.5, brand);
      assert.ok(ratio(colors.onBrand, colors.brandDeep) >= 4.5, brand);
      assert.ok(ratio(colors.accent, bubbles[theme]) >= 4.5, `${brand} ${theme}`);
    }
  }
});

test('a brand that is no colour falls to the built-in one', () => {
  for (const wrong of ['red; background: url(//evil)', '#12', '', undefined, 5, '#gggggg']) {
    assert.equal(palette(wrong, 'light').brand, '#4f46e5');
  }
});

test('WID-3: every language says everything, in the same shape', () => {
  const shape = (value) =>
    typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .sort()
            .map(([key, inner]) => [key, shape(inner)]),
        )
      : typeof value;
  assert.deepEqual(shape(he), shape(en));
});

test('WID-3: the language of the page, of its shop, of the visitor, or English', () => {
  assert.equal(chooseLanguage('he-IL').direction, 'rtl');
  assert.equal(chooseLanguage('iw').language, 'he');
  assert.equal(chooseLanguage('', 'he', 'en').language, 'he');
  assert.equal(chooseLanguage('fr', undefined, 'en-US').language, 'en');
  assert.equal(chooseLanguage('constructor').language, 'en');
});

test('every refusal has words a visitor understands', () => {
  for (const status of [0, 400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504]) {
    assert.ok(problemText(en, new Problem(status)).length > 10, String(status));
  }
  assert.equal(problemText(en, null), en.problems.lost);
  assert.equal(problemText(en, new Problem(429, { retry_after: 3600 })), en.problems.quota);
});

test('a problem that is no problem document', async () => {
  const page = await Problem.from(
    new Response('<html>502</html>', { status: 502, headers: { 'Retry-After': '4' } }),
  );
  assert.deepEqual([page.status, page.retryAfter, page.retryable, page.code], [502, 4, true, '']);
  const odd = await Problem.from(new Response('[1]', { status: 400 }));
  assert.equal(odd.retryable, false);
});

const question = (page, message = 'Hi') =>
  createQuestion({ message, language: 'en', session: 's', page });

test("the page's address without what is not ours, within the bounds of limits.h", () => {
  const { context } = question({ url: 'https://u:p@shop.example/a?b=1#token=secret', title: 'A' });
  assert.deepEqual(context, { page_url: 'https://shop.example/a?b=1', title: 'A' });
  assert.equal(question({ url: 'file:///home/x', title: 'A' }).context, undefined);
  const long = question({
    url: `https://shop.example/a?${'x'.repeat(3000)}`,
    title: 'ש'.repeat(600),
  });
  assert.equal(long.context.page_url, 'https://shop.example/a');
  assert.ok(new TextEncoder().encode(long.context.title).length <= 512);
  assert.ok(
    !/[\uD800-\uDFFF]/.test(
      question({ url: 'https://a.example', title: `a${'🙂'.repeat(300)}` }).context.title.replace(
        /🙂/gu,
        '',
      ),
    ),
  );
});

test('a message is measured in bytes', () => {
  assert.equal(isTooLong('a'.repeat(16384)), false);
  assert.equal(isTooLong('a'.repeat(16385)), true);
  assert.equal(isTooLong('ש'.repeat(8193)), true);
});

test('message ids are version 4 UUIDs', () => {
  const ids = Array.from({ length: 100 }, uuid);
  ids.forEach((id) =>
    assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
  );
  assert.equal(new Set(ids).size, 100);
});

test('a history is shown as it was spoken, microseconds and all', () => {
  const row = (role, created_at, more) => ({
    id: created_at,
    role,
    content: role,
    created_at,
    ...more,
  });
  const shown = fromHistory([
    row('assistant', '2026-01-01T00:00:00.000002Z', {
      status: 'cancelled',
      citations: [{ id: 'a', label: 'A' }, null, { id: 1 }],
    }),
    row('tool', '2026-01-01T00:00:00.000003Z'),
    row('user', '2026-01-01T00:00:00.000001Z'),
  ]);
  assert.deepEqual(
    shown.map(({ role, status }) => [role, status]),
    [
      ['user', 'sent'],
      ['assistant', 'stopped'],
    ],
  );
  assert.deepEqual(shown[1].citations, [{ id: 'a', label: 'A' }]);
});

function storage(initial) {
  const values = new Map(initial);
  return {
    addEventListener() {},
    localStorage: {
      getItem: (name) => values.get(name) ?? null,
      setItem: (name, value) => values.set(name, value),
    },
  };
}

test('what a page finds in its storage is checked', () => {
  for (const bad of [
    '',
    '{',
    'null',
    '[]',
    '5',
    '{"session":5,"pending":{"job":1},"unread":{}}',
    '{"pending":{"question":{}}}',
  ]) {
    const store = createStore(storage([['frontdesk:k', bad]]), 'k');
    assert.deepEqual(
      [store.state.session, store.state.pending, store.state.unread],
      ['', null, []],
      bad,
    );
  }
  const pending = { question: { message: 'm', client_message_id: 'c' }, job: '', at: Date.now() };
  const kept = (at) =>
    createStore(
      storage([['frontdesk:k', JSON.stringify({ session: 's', pending: { ...pending, at } })]]),
      'k',
    ).state.pending;
  assert.deepEqual(kept(pending.at), pending);
  assert.equal(kept(Date.now() - 3600000), null);
});

test('storage that is refused lasts as long as the page', () => {
  const forbidden = {
    addEventListener() {},
    get localStorage() {
      throw new Error('SecurityError');
    },
  };
  const store = createStore(forbidden, 'k');
  store.setSession('s');
  store.addUnread('j');
  store.addUnread('j');
  assert.deepEqual([store.state.session, store.state.unread], ['s', ['j']]);
});

test('WID-2: the look of a configuration, of the tag, and of nonsense', () => {
  const look = (config, options = {}, language = 'en', direction = 'ltr') =>
    createLook({ config, options, strings: language === 'he' ? he : en, language, direction });
  const shop = look({
    branding: { name: 'Shop', primary_color: '#123456', logo_url: 'https://shop.example/l.png' },
    position: 'bottom-left',
    greeting: { en: 'Hello', he: 'שלום' },
    suggested_questions: ['One?', 5, ' '],
    theme: 'dark',
  });
  assert.deepEqual(
    [shop.title, shop.color, shop.side, shop.greeting, shop.suggestions, shop.theme, shop.logo],
    ['Shop', '#123456', 'left', 'Hello', ['One?'], 'dark', 'https://shop.example/l.png'],
  );
  assert.equal(look({ position: 'left' }, { position: 'right' }).side, 'right');
  assert.equal(look({}, {}, 'he', 'rtl').side, 'left');
  const odd = look({
    branding: 'x',
    greeting: 5,
    suggested_questions: { en: 'x' },
    theme: 'pink',
    position: 7,
  });
  assert.deepEqual(
    [odd.title, odd.greeting, odd.suggestions, odd.theme, odd.side, odd.logo],
    [en.title, en.greeting, [], 'auto', 'right', ''],
  );
  assert.equal(look({ branding: { logo_url: 'javascript:alert(1)' } }).logo, '');
});
