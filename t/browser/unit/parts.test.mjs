// The small pure parts: colours, words, the question's body, what a page may store.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { createQuestion, isTooLong } from '../../../web/widget/src/chat/question.js';
import { citationsOf, fromHistory } from '../../../web/widget/src/chat/message.js';
import { uuid } from '../../../web/widget/src/chat/uuid.js';
import { createLook } from '../../../web/widget/src/look.js';
import { createProblem, readProblem } from '../../../web/widget/src/net/http.js';
import en from '../../../web/widget/lang/en.js';
import he from '../../../web/widget/lang/he.js';
import { chooseLanguage, problemText } from '../../../web/widget/src/text.js';
import { palette } from '../../../web/widget/src/theme.js';

/** WCAG 2.2, by the standard's own curve; of #rrggbb, #rgb or rgb(). */
function contrast(one, other) {
  const luminance = (color) => {
    const short = /^#(.)(.)(.)$/
      .exec(color)
      ?.slice(1)
      .map((d) => parseInt(d + d, 16));
    const long = /^#(..)(..)(..)$/
      .exec(color)
      ?.slice(1)
      .map((d) => parseInt(d, 16));
    const [r, g, b] = (short ?? long ?? color.match(/\d+/g)).map((value) => {
      const c = value / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (luminance(one) + 0.05) / (luminance(other) + 0.05);
  return Math.max(ratio, 1 / ratio);
}

test('WID-2: whatever the brand, text on it and in it can be read', () => {
  const steps = Array.from({ length: 18 }, (_, i) => (i * 15).toString(16).padStart(2, '0'));
  for (const r of steps) {
    for (const g of steps) {
      for (const b of steps) {
        const brand = `#${r}${g}${b}`;
        for (const isDark of [false, true]) {
          const { on, accent } = palette(brand, isDark);
          assert.ok(contrast(on, brand) >= 4.5, brand);
          assert.ok(contrast(accent, isDark ? '#24262d' : '#f3f4f7') >= 4.5, `${brand} ${isDark}`);
        }
      }
    }
  }
});

test('WID-2: a brand that is no colour falls to the built-in one', () => {
  for (const wrong of ['red; background: url(//evil)', '#12', '', undefined, 5, '#gggggg', {}]) {
    const look = createLook({ branding: { primary_color: wrong } }, {}, en);
    assert.equal(palette(look.color_, false).brand, '#4f46e5');
  }
});

test('WID-3: every language says everything, in the same shape, with the same gaps', () => {
  const shape = (language) => Object.keys(language).sort();
  const gaps = (language) =>
    Object.keys(language)
      .filter((key) => /#/.test(language[key]))
      .sort();
  assert.equal(readdirSync(new URL('../../../web/widget/lang', import.meta.url)).length, 2);
  assert.deepEqual(shape(he), shape(en));
  assert.deepEqual(gaps(he), gaps(en));
});

test('WID-3: the language of the page, of its shop, of the visitor, or English', () => {
  const choose = (...wanted) => chooseLanguage([en, he], wanted).tag_;
  assert.equal(choose('he-IL'), 'he');
  assert.equal(choose('', 'he', 'en'), 'he');
  assert.equal(choose('fr', undefined, 'en-US'), 'en');
  assert.equal(choose('constructor', {}, null), 'en');
  assert.equal(he.dir_, 'rtl');
});

test('WID-1: every refusal has words a visitor understands', () => {
  for (const strings of [en, he]) {
    for (const status of [0, 400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504]) {
      assert.ok(problemText(strings, createProblem(status)).length > 10, String(status));
    }
    assert.equal(problemText(strings, {}), strings.lost_);
    assert.equal(problemText(strings, new TypeError('fetch failed')), strings.lost_);
    assert.equal(problemText(strings, createProblem(429, { retry_after: 3600 })), strings.limit_);
    assert.equal(problemText(strings, createProblem(429, {}, '2')), strings.fast_);
  }
});

test('WID-1: a problem that is no problem document', async () => {
  const page = await readProblem(
    new Response('<html>502</html>', { status: 502, headers: { 'Retry-After': '4' } }),
  );
  assert.deepEqual([page.status_, page.wait_, page.retryable_], [502, 4000, true]);
  const odd = await readProblem(new Response('[1]', { status: 400 }));
  assert.deepEqual([odd.retryable_, odd.message], [false, 'HTTP 400']);
});

function question({ url = 'https://shop.example/', title = 'A' }, message = 'Hi') {
  globalThis.location = new URL(url);
  globalThis.document = { title };
  return createQuestion(message, 'en', '');
}

test("WID-1: the page's address without what is not ours, within the bounds of limits.h", () => {
  const { context } = question({ url: 'https://u:p@shop.example/a?b=1#token=secret' });
  assert.deepEqual(context, { page_url: 'https://shop.example/a?b=1', title: 'A' });
  assert.equal(question({ url: 'file:///home/x' }).context, undefined);
  assert.equal(question({ url: 'about:srcdoc' }).context, undefined);
  const long = question({
    url: `https://shop.example/a?${'x'.repeat(3000)}`,
    title: 'ש'.repeat(600),
  });
  assert.equal(long.context.page_url.length, 2048);
  assert.ok(new TextEncoder().encode(long.context.title).length <= 512);
  const cut = question({ title: `a${'🙂'.repeat(300)}` }).context.title.replace(/🙂/gu, '');
  assert.ok(!/[\uD800-\uDFFF]/.test(cut));
});

test('WID-3: a language is named only where the message has no letters to tell it by', () => {
  assert.equal(question({}, 'כמה?').language, undefined);
  assert.equal(question({}, 'Combien ?').language, undefined);
  assert.equal(question({}, '1042').language, 'en');
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

test('WID-4: what a history brings is checked', () => {
  const citations = [{ id: 'a', label: 'A' }, null, { id: 1 }, 'x'];
  const shown = fromHistory([
    null,
    { id: 1, role: 'user', content: 'Q', created_at: '2026-01-01T00:00:00.000001Z' },
    { id: 2, role: 'assistant', content: 'A', status: 'cancelled', rating: 'up', citations },
    { id: 3, role: 'operator', content: 'Hello', name: 'Dana' },
    { id: 4, role: 'tool', content: '' },
    { id: 5, role: 'assistant', content: null },
  ]);
  assert.deepEqual(
    shown.map(({ role_, status_, rating_, name_ }) => [role_, status_, rating_, name_]),
    [
      ['user', 'done', undefined, undefined],
      ['assistant', 'stopped', 'up', undefined],
      ['operator', 'done', undefined, 'Dana'],
    ],
  );
  assert.deepEqual(shown[1].citations_, [{ id: 'a', label: 'A' }]);
  assert.deepEqual(citationsOf({}), []);
  assert.deepEqual(fromHistory('x'), []);
});

/** A state of its own, over a page's storage. */
let copies = 0;
async function stateOver(storage) {
  globalThis.window = { addEventListener() {} };
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, ...storage });
  const module = await import(`../../../web/widget/src/chat/state.js?${copies++}`);
  module.useState('k', undefined, () => {});
  return module;
}

function storageOf(values) {
  return {
    value: {
      getItem: (name) => values.get(name) ?? null,
      setItem: (name, value) => values.set(name, value),
    },
  };
}

test('WID-4: what a page finds in its storage is checked', async () => {
  const bad = [
    '',
    '{',
    'null',
    '[]',
    '5',
    '"x"',
    '{"session":{},"queue":{"a":{"job":1},"b":null,"c":5},"unread":5}',
    '{"session":"../x?y","queue":{"a":{"question":{}}},"unread":null}',
    '{"session":[],"queue":[1],"mode":null}',
    '{"version":0,"session":"s","queue":{},"unread":{}}',
  ];
  for (const text of bad) {
    const { state, queue } = await stateOver(storageOf(new Map([['frontdesk:k', text]])));
    assert.deepEqual([state.session, queue(), state.unread], ['', [], {}], text);
  }
});

test('WID-4: a question outlives its page; an old one waits for the visitor', async () => {
  const values = new Map();
  const first = await stateOver(storageOf(values));
  first.set({ session: 's' });
  first.enqueue({ message: 'm', client_message_id: 'c' }, '');
  first.enqueue({ message: 'n', client_message_id: 'd' }, '0-1');
  const second = await stateOver(storageOf(values));
  const shown = () =>
    second.queue().map(({ question, job, failed }) => [question.message, job, !!failed]);
  assert.deepEqual(shown(), [
    ['m', '', false],
    ['n', '0-1', false],
  ]);
  first.dequeue({ client_message_id: 'c' });
  second.set({ mode: 'human' }); // what another tab wrote is kept
  assert.deepEqual(shown(), [['n', '0-1', false]]);

  const old = JSON.parse(values.get('frontdesk:k'));
  old.queue.c = { question: { message: 'm', client_message_id: 'c' }, job: '', at: 5 };
  values.set('frontdesk:k', JSON.stringify(old));
  const third = await stateOver(storageOf(values));
  assert.deepEqual(
    third.queue().map(({ failed }) => !!failed),
    [false, true],
  );
});

test('WID-4: storage that is refused lasts as long as the page', async () => {
  const { set, enqueue, queue } = await stateOver({
    get() {
      throw new Error('SecurityError');
    },
  });
  set({ session: 's' });
  enqueue({ message: 'm', client_message_id: 'c' }, '');
  assert.equal(queue().length, 1);
});

test('WID-2: the look of a configuration, of the tag, and of nonsense', () => {
  const look = (config, options = {}, strings = en) => createLook(config, options, strings);
  const shop = look({
    branding: { name: 'Shop', primary_color: '#123456', logo_url: 'https://shop.example/l.png' },
    position: 'bottom-left',
    greeting: { en: 'Hello', he: 'שלום' },
    suggested_questions: ['One?', 5, ' '],
    theme: 'dark',
    features: {
      model_picker: true,
      handoff: true,
      prechat: { fields: [{ name: 'email', required: true }, { name: 'elements' }, 5] },
    },
    models: [{ model_id: 'm', label: 'M' }, {}, null],
  });
  assert.deepEqual(
    [
      shop.title_,
      shop.color_,
      shop.side_,
      shop.greeting_,
      shop.suggestions_,
      shop.theme_,
      shop.logo_,
    ],
    ['Shop', '#123456', 'left', 'Hello', ['One?'], 'dark', 'https://shop.example/l.png'],
  );
  assert.deepEqual(
    [shop.form_.length, shop.models_.length, shop.human_, shop.rating_],
    [1, 1, true, undefined],
  );
  assert.equal(look({ position: 'left' }, { position: 'right' }).side_, 'right');
  assert.equal(look({}, {}, he).side_, 'left');
  const odd = look({
    branding: 'x',
    greeting: 5,
    suggested_questions: { en: 'x' },
    theme: 'pink',
    position: 7,
    features: 'all',
    models: {},
  });
  assert.deepEqual(
    [odd.title_, odd.greeting_, odd.suggestions_, odd.theme_, odd.side_, odd.logo_, odd.models_],
    [en.title_, en.greeting_, [], undefined, 'right', undefined, []],
  );
  assert.equal(look({ branding: { logo_url: 'javascript:alert(1)' } }).logo_, undefined);
});
