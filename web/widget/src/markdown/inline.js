import { filter, map } from '../list.js';

/*
 * Inline Markdown to nodes. There is no HTML and there are no images: what a model writes
 * must not load anything. Every look-ahead is bounded, so that no text takes more than
 * linear time.
 */
const { raw } = String;
const WORD = raw`[\p{L}\p{N}]`;
const LABEL = raw`!?\[((?:[^[\]\\\n]|\\.){1,300})\]`;
const TOKEN = [
  raw`\\([!-/:-@[-\x60{-~])`, // 1: an escaped sign
  raw`(\x60{1,3})(?!\x60)([^]{0,999}?[^\x60])\2(?!\x60)`, // 3: code
  // 4, 5: emphasis; an underscore in a word is only an underscore
  raw`(?<!${WORD}(?=_))([*_]{1,3})(?![\s*_])([^]{0,999}?[^\s*_])\4(?![*_]|(?<=_)${WORD})`,
  raw`(\n|<br\s?/?>)`, // 6
  raw`\[((?:article|product|order|deal|contact|company|activity):[^\]\s]{1,120})\]`, // 7
  LABEL + raw`\(((?:[^\s()]|\([^\s()]{0,200}\)){1,2000})\)`, // 8, 9
  raw`(?<!${WORD})(https?://[^\s<>"'\x60\\]{0,2000}[^\s<>"'\x60\\.,;:!?*_~)\]])`, // 10
  // 11: a number as in "3-5", "#1042-B" or "+972-3": between other letters it keeps its order
  raw`(?<!${WORD})([+#]?(?=[A-Z]{0,9}\d)[\dA-Z]+(?:[-./:][\dA-Z]+)*)`,
].join('|');
const HALF = raw`(?:${LABEL}(?:\([^\s)]{0,2000})?|\[[a-z]{0,8}(?::[^\]\s]{0,120})?|[*_\x60]{1,3})$`;

/**
 * `more`: the text goes on in the next event. Half a link, a citation or a sign at its end is
 * held back, and what is open there is closed, so that nothing flickers.
 */
export function parseInline(source, more, make, cite, inLink) {
  const tokens = new RegExp(TOKEN, 'giu');
  const nodes = [];
  let text = source;
  let at = 0;

  const inner = (part, link = inLink) => parseInline(part, false, make, cite, link);
  const emphasis = ({ length }, content) => {
    const node = make(length > 1 ? 'strong' : 'em', content);
    return length > 2 ? make('em', [node]) : node;
  };
  const link = (target, content) => {
    const href = !inLink && safeHref(target);
    const attributes = { href, title: href, target: '_blank', rel: 'noopener noreferrer nofollow' };
    return href ? make('a', content, attributes) : make('span', content);
  };

  if (more) {
    text = text.replace(new RegExp(HALF), '');
    map(['`', '**'], (sign) => {
      if (text.split(sign).length % 2 === 0) text += sign;
    });
  }
  for (let found; (found = tokens.exec(text));) {
    const [, sign, , code, mark, marked, line, id, label, target, url, number] = found;
    let before = text.slice(at, found.index);
    at = tokens.lastIndex;
    if (id) before = before.trimEnd(); // the mark belongs to the word before it
    nodes.push(
      before,
      sign ||
        (code && make('code', [code.trim()], { dir: 'ltr' })) ||
        (mark && emphasis(mark, inner(marked))) ||
        (line && make('br', [])) ||
        (id && cite(id)) ||
        (label && link(target, inner(label, true))) ||
        (url && link(url, [url])) ||
        (number && make('bdi', [number])),
    );
  }
  return filter([...nodes, text.slice(at)], Boolean);
}

/**
 * An address a visitor may safely click, or ''. Only schemes that open a page, a mail or a
 * call; no user name before the host, which only serves to look like another site.
 */
export function safeHref(target) {
  try {
    const { protocol, username, password, href } = new URL(target);
    return /^(https?|mailto|tel):$/.test(protocol) && !username && !password ? href : '';
  } catch {
    return '';
  }
}
