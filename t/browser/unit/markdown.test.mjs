// WID-1: Markdown without innerHTML - what it shows, that a growing text shows the same, and
// that no text makes anything but a few harmless elements, at every streamed prefix.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { safeHref } from '../../../web/widget/src/markdown/inline.js';
import { createMarkdown } from '../../../web/widget/src/markdown/render.js';
import { createContainer } from './fake_dom.mjs';
import { VECTORS } from './vectors.mjs';

const html = (text, unfinished = false, cite) => {
  const container = createContainer();
  createMarkdown(container, cite && ((id) => cite(container, id))).update_(text, unfinished);
  return container.inner();
};

const CASES = [
  ['plain text', '<p>plain text</p>'],
  ['two\nlines', '<p>two<br></br>lines</p>'],
  ['one\n\ntwo', '<p>one</p><p>two</p>'],
  [
    '**bold** and *soft* and ***both***',
    '<p><strong>bold</strong> and <em>soft</em> and <em><strong>both</strong></em></p>',
  ],
  ['__bold__ _soft_', '<p><strong>bold</strong> <em>soft</em></p>'],
  ['snake_case_name and a * b * c', '<p>snake_case_name and a * b * c</p>'],
  ['**not closed', '<p>**not closed</p>'],
  ['a **b *c** d*', '<p>a <strong>b *c</strong> d*</p>'],
  ['`a*b*` and `` a`b ``', '<p><code dir="ltr">a*b*</code> and <code dir="ltr">a`b</code></p>'],
  ['\\*no\\* \\[x\\]', '<p>*no* [x]</p>'],
  ['# Head #', '<h3>Head</h3>'],
  ['#tag', '<p>#tag</p>'],
  ['### Deep', '<h3>Deep</h3>'],
  ['- a\n- b', '<ul><li><p>a</p></li><li><p>b</p></li></ul>'],
  [
    '* a\n  - b\n  - c\n* d',
    '<ul><li><p>a</p><ul><li><p>b</p></li><li><p>c</p></li></ul></li><li><p>d</p></li></ul>',
  ],
  ['1. a\n2. b', '<ol start="1"><li><p>a</p></li><li><p>b</p></li></ol>'],
  ['3. c\n4. d', '<ol start="3"><li><p>c</p></li><li><p>d</p></li></ol>'],
  [
    '1. a\n   - b\n\n2. c',
    '<ol start="1"><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ol>',
  ],
  ['1. a\n  - b', '<ol start="1"><li><p>a</p><ul><li><p>b</p></li></ul></li></ol>'],
  ['- a\n\n  more\n- b', '<ul><li><p>a</p><p>more</p></li><li><p>b</p></li></ul>'],
  ['- a\nlazy', '<ul><li><p>a<br></br>lazy</p></li></ul>'],
  ['text\n- item', '<p>text</p><ul><li><p>item</p></li></ul>'],
  ['born in\n1984. It', '<p>born in<br></br><bdi>1984</bdi>. It</p>'],
  ['> a\n> b\n\nc', '<blockquote><p>a<br></br>b</p></blockquote><p>c</p>'],
  ['---', '<hr></hr>'],
  [
    '```js\nlet a = "<b>";\n```\nafter',
    '<pre dir="ltr" tabindex="0"><code>let a = "&lt;b&gt;";</code></pre><p>after</p>',
  ],
  ['```\nopen', '<pre dir="ltr" tabindex="0"><code>open</code></pre>'],
  ['a<br>b', '<p>a<br></br>b</p>'],
];

test('WID-1: the subset', () => {
  for (const [text, wanted] of CASES) assert.equal(html(text), wanted, JSON.stringify(text));
});

test('WID-3: numbers and ids keep their order between letters of the other direction', () => {
  assert.equal(
    html('הזמנה #1042-B תוך 3-5 ימים, +972-3-555, 12'),
    '<p>הזמנה <bdi>#1042-B</bdi> תוך <bdi>3-5</bdi> ימים, <bdi>+972-3-555</bdi>, <bdi>12</bdi></p>',
  );
});

test('tables', () => {
  const shown = html('| a | b |\n|:--|--:|\n| c | x \\| y |\n| d |\n\nafter');
  assert.match(shown, /<tr><th>a<\/th><th>b<\/th><\/tr><tr><td>c<\/td><td>x \| y<\/td><\/tr>/);
  assert.match(shown, /<tr><td>d<\/td><\/tr><\/table><\/div><p>after<\/p>/);
  assert.equal(html('a | b\n- c'), '<p>a | b</p><ul><li><p>c</p></li></ul>');
});

test('links: label, target, what may be opened', () => {
  const link = (href, label) =>
    `<p><a href="${href}" title="${href}" target="_blank" rel="noopener noreferrer nofollow">${label}</a></p>`;
  assert.equal(html('[shop](https://shop.example/a)'), link('https://shop.example/a', 'shop'));
  assert.equal(
    html('https://shop.example/a'),
    link('https://shop.example/a', 'https://shop.example/a'),
  );
  assert.equal(html('[w](https://en.example/a_(b))'), link('https://en.example/a_(b)', 'w'));
  assert.equal(html('[m](mailto:a@b.example)'), link('mailto:a@b.example', 'm'));
  assert.match(html('see https://shop.example/a, then'), /<\/a>, then/);
  assert.match(html('(https://shop.example/a)'), />https:\/\/shop.example\/a<\/a>\)/);
  assert.equal(html('[x](javascript:alert)'), '<p><span>x</span></p>');
  assert.equal(html('![alt](https://evil.example/p.png)').includes('<img'), false);
  assert.equal(html('xhttps://shop.example'), '<p>xhttps://shop.example</p>');
});

test('an address must not hide where it goes', () => {
  assert.equal(safeHref('https://bank.example@evil.example/'), '');
  assert.equal(safeHref('HTTPS://Shop.Example/A'), 'https://shop.example/A');
  assert.equal(safeHref('//evil.example'), '');
});

test('citations: the verified ones are marked, others are left out', () => {
  const cite = (container, id) => {
    if (id !== 'article:shipping') return null;
    const mark = container.ownerDocument.createElement('sup');
    mark.append('1');
    return mark;
  };
  assert.equal(html('days [article:shipping].', false, cite), '<p>days<sup>1</sup>.</p>');
  assert.equal(html('days [article:other].', false, cite), '<p>days.</p>');
  assert.equal(html('a [note:x] b', false, cite), '<p>a [note:x] b</p>');
});

test('WID-1: while it streams, nothing half-written shows', () => {
  assert.equal(html('a **bold', true), '<p>a <strong>bold</strong></p>');
  assert.equal(html('a **', true), '<p>a </p>');
  assert.equal(html('a `co', true), '<p>a <code dir="ltr">co</code></p>');
  assert.equal(html('see [the shop](https://sh', true), '<p>see </p>');
  assert.equal(html('days [article:shi', true), '<p>days </p>');
});

const TEXTS = [
  ...CASES.map(([text]) => text),
  CASES.map(([text]) => text).join('\n\n'),
  CASES.map(([text]) => text).join('\n'),
  'intro\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- x\n-\n- y\n\npara\n-\nmore\n1.\n1. z\n***\n> q\nr\n```\ncode\n~~~\n```\n# h\nt',
];

test('a text that grows ends as it would have been shown at once', () => {
  for (const text of TEXTS) {
    const container = createContainer();
    const markdown = createMarkdown(container);
    for (let i = 1; i <= text.length; i++) {
      markdown.update_(text.slice(0, i), true);
      assert.equal(
        container.inner(),
        html(text.slice(0, i), true),
        JSON.stringify(text.slice(0, i)),
      );
    }
    markdown.update_(text, false);
    assert.equal(container.inner(), html(text), JSON.stringify(text));
  }
});

test('growing random texts too', () => {
  let seed = 7;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const bits = [
    '\n',
    '\n\n',
    '- ',
    '1. ',
    '> ',
    '# ',
    '```\n',
    '|',
    '|---|',
    '  ',
    '    ',
    '**',
    '*',
    '`',
    'a',
    'b c',
    '[x](',
    ')',
    '---\n',
  ];
  for (let round = 0; round < 300; round++) {
    let text = '';
    while (text.length < 60) text += bits[random(bits.length)];
    const container = createContainer();
    const markdown = createMarkdown(container);
    for (let i = 1; i <= text.length; i += 1 + random(4)) {
      markdown.update_(text.slice(0, i), true);
      assert.equal(
        container.inner(),
        html(text.slice(0, i), true),
        JSON.stringify(text.slice(0, i)),
      );
    }
  }
});

test('what is settled keeps its nodes: a selection survives', () => {
  const container = createContainer();
  const markdown = createMarkdown(container);
  markdown.update_('one\n\ntwo\n\nthree\n\nfour', true);
  const [first] = container.childNodes;
  markdown.update_('one\n\ntwo\n\nthree\n\nfour and more', true);
  assert.equal(container.childNodes[0], first);
  markdown.update_('something else', true);
  assert.equal(container.inner(), '<p>something else</p>');
});

const ALLOWED = new Map(
  Object.entries({
    a: ['href', 'title', 'target', 'rel'],
    bdi: [],
    blockquote: [],
    br: [],
    code: ['dir'],
    div: ['class', 'tabindex'],
    em: [],
    h3: [],
    hr: [],
    li: [],
    ol: ['start'],
    p: [],
    pre: ['dir', 'tabindex'],
    span: [],
    strong: [],
    table: [],
    td: [],
    th: [],
    tr: [],
    ul: [],
  }),
);

test(`${VECTORS.length} hostile texts at every prefix (WID-1): only harmless elements and addresses`, () => {
  assert.ok(VECTORS.length >= 60);
  for (const vector of VECTORS) {
    const container = createContainer();
    const markdown = createMarkdown(container);
    for (let i = 1; i <= vector.length; i++) {
      for (const unfinished of [true, false]) {
        markdown.update_(vector.slice(0, i), unfinished);
        for (const { name, attributes } of container.elements()) {
          const allowed = ALLOWED.get(name);
          assert.ok(allowed, `<${name}> from ${vector}`);
          for (const key of Object.keys(attributes))
            assert.ok(allowed.includes(key), `${key} from ${vector}`);
          if (name === 'a')
            assert.match(attributes.href, /^(https?:\/\/[^@]*$|mailto:|tel:)/, vector);
        }
      }
    }
  }
});

test('hostile lengths take linear time', () => {
  const long = [
    '*a ',
    '**a',
    '[a](',
    '`a',
    '``a`',
    '[[',
    '_a_',
    '<br',
    '| a ',
    '> ',
    '- a\n',
    '1. a\n',
    '![',
    'https://a ',
    ' #',
    '~~~',
  ];
  for (const bit of long) {
    const text = bit.repeat(Math.ceil(60000 / bit.length));
    const started = process.cpuUsage(); // of this process: a busy machine does not count
    html(text, true);
    const took = process.cpuUsage(started).user / 1000;
    assert.ok(took < 3000, `${JSON.stringify(bit)} took ${took} ms`);
  }
});
