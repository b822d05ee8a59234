import { map } from '../list.js';
import { parseInline } from './inline.js';

const { raw } = String;
const DEPTH_MAX = 6;

// How the blocks begin. A paragraph goes on until one of them does, or a line is blank: END,
// to which its user adds the items that count.
const FENCE = raw` {0,3}(\x60{3,}|~{3,})`;
const HEADING = raw` {0,3}#{1,6} +(?=\S)`;
const RULE = raw` {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$`;
const TABLE = raw`(?=.*\|).*\n(?=.*-)[ :-]*\|[ |:-]*$`;
const QUOTE = raw` {0,3}>`;
const ITEM = raw`( {0,3})([-*+•]|\d{1,9}[.)]) {1,4}(?=\S)`;
const END = raw`(?! *$|${FENCE}|${HEADING}|${RULE}|${TABLE}|${QUOTE}|`;

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
  let open = 0; // how many blocks stand from there
  let grew;

  function make(name, children, attributes = {}) {
    const node = container.ownerDocument.createElement(name);
    map(Object.keys(attributes), (key) => node.setAttribute(key, attributes[key]));
    node.append(...children);
    return node;
  }

  function update(source, more) {
    const text = source.replace(/[\r\u2028\u2029]/g, '').replace(/\t/g, '    ');
    if (text === shown && !grew === !more) return;
    if (!text.startsWith(shown.slice(0, settled))) clear();
    shown = text;
    grew = more;
    for (; open; open--) container.lastChild.remove();
    const starts = parse(container, text.slice(settled), more, 0);
    open = Math.min(2, starts.length);
    settled += starts[starts.length - 2] ?? 0;
  }

  function clear() {
    container.replaceChildren();
    shown = '';
    settled = open = 0;
  }

  /** Puts the blocks of a text into a node; where each begins. `more`: the last one goes on. */
  function parse(parent, source, more, depth) {
    const text = source.trimEnd();
    const starts = [];
    let at = 0;
    let found;

    /** Goes behind this pattern, where the text goes on with it. */
    const take = (pattern) => {
      const sticky = new RegExp(pattern, 'my');
      sticky.lastIndex = at;
      found = sticky.exec(text);
      if (found) at = sticky.lastIndex;
      return found;
    };
    const grows = () => more && at >= text.length;
    const inline = (words) => parseInline(words, grows(), make, cite);
    const inner = (name, words) => {
      const node = make(name, []);
      parse(node, words, grows(), depth + 1);
      return node;
    };

    function block() {
      if (take(raw`${FENCE}[^\x60\n]*$([^]*?)(?:^ {0,3}\1[\x60~]* *$|(?![^]))`)) {
        const code = make('code', [found[2].replace('\n', '').trimEnd()]);
        return make('pre', [code], { dir: 'ltr', tabindex: '0' });
      }
      // all alike, below the window's own
      if (take(`${HEADING}(.*)`)) return make('h3', inline(found[1].replace(/ #+ *$/, '')));
      if (take(RULE)) return make('hr', []);
      if (take(raw`${TABLE}(\n(?=.*\|).*)*`)) return table(found[0].split('\n'));
      if (depth < DEPTH_MAX) {
        if (take(raw`(?:${QUOTE}.*\n?)+`))
          return inner('blockquote', found[0].replace(/^ {0,3}> ?/gm, ''));
        if (take(ITEM)) return list(found);
      }
      // a line that begins with a year begins no list
      return make('p', inline(take(raw`.+(\n${END}(?! *(?!1\D)\d)${ITEM}).+)*`)[0].trim()));
    }

    function list([first, indent, mark]) {
      const isOrdered = /\d/.test(mark);
      const same = isOrdered ? raw`\d{1,9}[.)]` : '[-*+•]';
      // models indent what is nested by two as often as by three
      const nested = raw`(?:\n *)*\n {${indent.length + 2},}\S.*`;
      const head = raw`(?: *\n)*(?!${RULE})( {0,3}${same} {1,4}(?=\S))`;
      const next = raw`${head}(.*(?:${nested}|\n${END}${ITEM}).+)*)`;
      const items = [];
      for (at -= first.length; take(next);) {
        const outdent = new RegExp(`^ {1,${found[1].length}}`, 'gm');
        items.push(inner('li', found[2].replace(outdent, '')));
      }
      if (!isOrdered) return make('ul', items);
      return make('ol', items, { start: `${parseInt(mark, 10)}` });
    }

    function table([head, , ...body]) {
      const rows = map([head, ...body], (line, i) => {
        const cells = line
          .trim()
          .replace(/^\||\|$/g, '')
          .split(/(?<!\\)\|/);
        return make(
          'tr',
          map(cells, (cell) => make(i ? 'td' : 'th', inline(cell.trim()))),
        );
      });
      return make('div', [make('table', rows)], { class: 'table', tabindex: '0' });
    }

    while ((take(raw`(?: *\n)*`), at < text.length)) {
      starts.push(at);
      parent.append(block());
    }
    return starts;
  }

  return { update_: update, clear_: clear };
}
