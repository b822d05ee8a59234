import { map } from '../list.js';
import { parseInline } from './inline.js';

const DEPTH_MAX = 6;
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})\s+(?=\S)/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+•]|\d{1,9}[.)])( {1,4})(?=\S)/;

/**
 * Shows Markdown that grows: paragraphs, headings, lists, quotes, fenced code, tables and
 * rules, by createElement and text nodes only, so that there is nothing to sanitise.
 * `cite(id)` returns the node of a verified citation, or null.
 *
 * Forward only: a text that grows changes nothing before its last but one block. Their
 * nodes stay, which keeps a selection alive and makes a token cost what its block costs.
 */
export function createMarkdown(container, cite = () => null) {
  let shown = '';
  let settled = 0; // offset of the first block that may change
  let open = []; // the blocks from there
  let grew;

  function make(name, children, attributes = {}) {
    const node = container.ownerDocument.createElement(name);
    map(Object.keys(attributes), (key) => node.setAttribute(key, attributes[key]));
    node.append(...children);
    return node;
  }

  function update(text, more) {
    if (text === shown && !grew === !more) return;
    if (!text.startsWith(shown.slice(0, settled))) clear();
    shown = text;
    grew = more;
    let start = settled;
    const lines = map(text.slice(settled).split('\n'), (line) => {
      start += line.length + 1;
      const indent = (spaces) => spaces.replace(/\t/g, '    ');
      return { text_: line.replace(/\r$/, '').replace(/^\s+/, indent), end_: start };
    });
    const blocks = parse(lines, more, 0);
    map(open, ({ node_ }) => node_.remove());
    container.append(...map(blocks, ({ node_ }) => node_));
    open = blocks.slice(-2);
    if (open.length > 1) settled = open[0].start_ ?? settled;
  }

  function clear() {
    container.replaceChildren();
    settled = 0;
    shown = '';
    open = [];
  }

  /** The blocks of lines, [{node_, start_}]. `more`: the last one goes on. */
  function parse(lines, more, depth, inItem) {
    const blocks = [];
    let at = 0;
    let end = lines.length;

    const textAt = (i) => lines[i]?.text_ ?? '';
    while (end && !textAt(end - 1).trim()) end--;
    /** Whether what ends before the line we are at may go on. */
    const grows = () => more && at >= end;
    const inline = (text, growing = grows()) => parseInline(text, growing, make, cite);
    const inner = (some, item) => map(parse(some, grows(), depth + 1, item), ({ node_ }) => node_);
    const isNested = (pattern, i) => depth < DEPTH_MAX && pattern.exec(textAt(i));

    const isTable = (i) =>
      /\|/.test(textAt(i)) &&
      /^[\s|:-]*-[\s|:-]*$/.test(textAt(i + 1)) &&
      cells(textAt(i)).length === cells(textAt(i + 1)).length;

    /** Does line i end a paragraph that stands before it? */
    function interrupts(i) {
      const line = textAt(i);
      const item = isNested(ITEM, i);
      return (
        !line.trim() ||
        FENCE.test(line) ||
        HEADING.test(line) ||
        RULE.test(line) ||
        isNested(QUOTE, i) ||
        (item && !/^(?!1\D)\d/.test(item[2])) ||
        isTable(i)
      );
    }

    function block() {
      const line = textAt(at++);
      const fence = FENCE.exec(line);
      const heading = HEADING.exec(line);
      if (fence) return code(fence[1], line.search(/\S/));
      if (heading) {
        // below the page's own headings and the window's
        const name = `h${Math.min(6, heading[1].length + 2)}`;
        return make(name, inline(line.slice(heading[0].length).trim().replace(/\s#+$/, '')));
      }
      if (RULE.test(line)) return make('hr', []);
      at--;
      if (isNested(QUOTE, at)) return quote();
      if (isNested(ITEM, at)) return list();
      return isTable(at) ? table() : paragraph();
    }

    function paragraph() {
      let text = textAt(at).trim();
      while (!interrupts(++at)) text += `\n${textAt(at).trim()}`;
      // the text of an item stands in it without a paragraph
      return make(inItem && !blocks.length ? 'span' : 'p', inline(text));
    }

    function code(mark, indent) {
      const close = new RegExp(`^ {0,3}\\${mark[0]}{${mark.length},}\\s*$`);
      const from = at;
      while (at < lines.length && !close.test(textAt(at))) at++;
      const text = map(lines.slice(from, at++), ({ text_ }) => outdent(text_, indent)).join('\n');
      return make('pre', [make('code', [text])], { dir: 'ltr', tabindex: '0' });
    }

    function quote() {
      const some = [];
      for (; QUOTE.test(textAt(at)); at++) some.push({ text_: textAt(at).replace(QUOTE, '') });
      return make('blockquote', inner(some));
    }

    function list() {
      const kind = (item) => item && (/\d/.test(item[2]) ? item[2].slice(-1) : 'ul');
      const first = ITEM.exec(textAt(at));
      const items = [];
      for (
        let item;
        kind((item = ITEM.exec(textAt(at)))) === kind(first) && !RULE.test(textAt(at));
      ) {
        // models indent what is nested by two as often as by three
        const own = linesOf(item[0].length, first[1].length + 2);
        items.push(make('li', inner(own, true)));
      }
      if (kind(first) === 'ul') return make('ul', items);
      return make('ol', items, { start: `${parseInt(first[2], 10)}` });
    }

    /** The lines of one item: what is indented, what continues its paragraph, blanks between. */
    function linesOf(width, indent) {
      const own = [{ text_: textAt(at).slice(width) }];
      for (let i = ++at, blank; i < lines.length; i++) {
        const text = textAt(i);
        const indented = text.search(/\S/) >= indent;
        if (!indented && ITEM.test(text)) {
          at = i;
          break;
        }
        if (!text.trim()) blank = true;
        else if (indented || !(blank || interrupts(i))) {
          if (blank) own.push({ text_: '' });
          own.push({ text_: outdent(text, width) });
          blank = false;
          at = i + 1;
        } else break;
      }
      return own;
    }

    function table() {
      const row = (name, growing) => {
        const texts = cells(textAt(at++));
        const cell = (align, i) =>
          make(name, inline(texts[i] ?? '', growing), { 'data-align': align });
        return make('tr', map(aligns, cell));
      };
      const aligns = map(cells(textAt(at + 1)), (rule) =>
        /:$/.test(rule) ? (rule[0] === ':' ? 'center' : 'end') : 'start',
      );
      const rows = [row('th', false)];
      for (at++; /\|/.test(textAt(at));) rows.push(row('td'));
      return make('div', [make('table', rows)], { class: 'table', tabindex: '0' });
    }

    while (at < lines.length) {
      if (textAt(at).trim()) {
        const start_ = lines[at - 1]?.end_;
        blocks.push({ node_: block(), start_ });
      } else {
        at++;
      }
    }
    return blocks;
  }

  return { update_: update, clear_: clear };
}

function outdent(text, width) {
  return text.slice(Math.min(width, text.search(/\S|$/)));
}

function cells(row) {
  const inner = row.trim().replace(/^\|/, '').replace(/\|$/, '');
  return map(inner.split(/(?<!\\)\|/), (cell) => cell.trim().replace(/\\\|/g, '|'));
}
