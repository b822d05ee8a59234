import { filter } from '../list.js';

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
  raw`(?<!${WORD}(?=_))([*_]{1,3}|~~)(?![\s*_~])([^]{0,999}?[^\s*_~])\4(?![*_]|(?<=_)${WORD})`,
  raw`(\n|<br\s?/?>)`, // 6
  raw`\[((?:article|product|order|deal|contact|company|activity):[^\]\s]{1,120})\]`, // 7
  LABEL + raw`\(\s?<?((?:[^\s<>()]|\([^\s()]{0,200}\)){1,2000})>?(?:\s"[^"\n]{0,200}")?\s?\)`, // 8, 9
  raw`(?<!${WORD})(https?://[^\s<>"'\x60\\]{0,2000}[^\s<>"'\x60\\.,;:!?*_~)\]])`, // 10
  // 11: a number as in "3-5", "#1042-B" or "+972-3": between other letters it keeps its order
  raw`(?<!${WORD})([+#]\d+|(?=[A-Z]*\d)[\dA-Z]{1,20}(?=[-./:][\dA-Z]))((?:[-./:]?[\dA-Z]{1,20}){0,9})`,
].join('|');
// 13: half a link; and half of a sign, of a citation or of emphasis
const UNFINISHED = raw`${LABEL}(?:$|\([^\s)]{0,2000}$)|[*_~\x60]+$|\[[a-z]{0,8}(?::[^\]\s]{0,120})?$`;
const OPEN = raw`(\*\*|\x60)(?!\s)([^]+)$`; // 14, 15

/**
 * `more`: the text goes on in the next event. An open `**` or backtick then formats up to
 * the end, and half a link or citation is held back, so that nothing flickers.
 */
export function parseInline(text, more, make, cite, inLink) {
  const tokens = new RegExp(TOKEN + (more ? `|${UNFINISHED}|${OPEN}` : ''), 'giu');
  const nodes = [];
  let at = 0;

  const inner = (part, link = inLink, grows) => parseInline(part, grows, make, cite, link);
  const code = (part) => make('code', [part.trim()], { dir: 'ltr' });
  const emphasis = ({ length }, [sign], content) => {
    if (sign === '~') return make('del', content);
    const node = length > 1 ? make('strong', content) : make('em', content);
    return length > 2 ? make('em', [node]) : node;
  };
  const link = (target, content) => {
    const href = !inLink && safeHref(target);
    const attributes = { href, title: href, target: '_blank', rel: 'noopener noreferrer nofollow' };
    return href ? make('a', content, attributes) : make('span', content);
  };

  for (let found; (found = tokens.exec(text));) {
    const [all, sign, , ticked, mark, marked, line, id, label, target, url, number, rest] = found;
    const [half, opening, opened] = found.slice(13);
    let before = text.slice(at, found.index);
    at = tokens.lastIndex;
    if (id) before = before.trimEnd(); // the mark belongs to the word before it
    nodes.push(
      before,
      sign ||
        (ticked && code(ticked)) ||
        (mark && emphasis(mark, mark, inner(marked))) ||
        (line && make('br', [])) ||
        (id && cite(id)) ||
        (label && link(target, inner(label, true))) ||
        (url && link(url, [url])) ||
        (number && make('bdi', [number + rest])) ||
        (half && make('span', inner(half, true))) ||
        (opening === '`' && code(opened)) ||
        (opening && make('strong', inner(opened, inLink, true))),
    );
  }
  return filter([...nodes, text.slice(at)], Boolean);
}

/**
 * An address a visitor may safely click, or ''. Only schemes that open a page, a mail or a
 * call; no user name before the host, which only serves to look like another site.
 */
export function safeHref(target) {
  if (/^(mailto|tel):[^\s\p{Cc}\p{Cf}<>"]+$/iu.test(target)) return target;
  try {
    const url = new URL(target);
    return /^https?:\/\//i.test(target) && !url.username && !url.password ? url.href : '';
  } catch {
    return '';
  }
}
