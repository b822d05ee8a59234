/**
 * Inline Markdown to a tree: strings, and {type, nodes} named as elements, of a fixed set
 * (code has text, link an href, citation an id). Linear time: every look-ahead is bounded
 * and delimiters are matched on a stack. There is no HTML and there are no images: what a
 * model writes must not load anything.
 */

const DEPTH_MAX = 24; // open delimiters; deeper ones stay text
const LABEL = String.raw`\[((?:[^\[\]\\\n]|\\.){1,300})\]`;
const TARGET = String.raw`\(\s?<?((?:[^\s<>()]|\([^\s()]{0,200}\)){1,2000})>?(?:\s"[^"\n]{0,200}")?\s?\)`;
const LINK = new RegExp(`!?${LABEL}${TARGET}`, 'y');
const LINK_UNFINISHED = new RegExp(`!?${LABEL}(?:$|\\([^\\s)]{0,2000}$)`, 'y');
const CITATION = /\[((?:article|product|order|deal|contact|company|activity):[^\]\s]{1,120})\]/y;
const CITATION_UNFINISHED = /\[[a-z]{0,8}(?::[^\]\s]{0,120})?$/y;
const BARE_URL = /https?:\/\/[^\s<>"'`\\]{1,2000}/iy;
const BREAK_TAG = /<br\s?\/?>/iy;
const PLAIN = /[^\\`*_~[\]!<\nhH]+/y;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const WORD = /[\p{L}\p{N}_]/u;

/**
 * `unfinished`: the text goes on in the next event. An open `**` or backtick then formats
 * up to the end, and half a link or citation is held back, so that nothing flickers.
 */
export function parseInline(text, { unfinished = false, links = true } = {}) {
  const root = { nodes: [] };
  const stack = [root];
  const noCloser = new Set(); // lengths of backtick runs that nothing closes
  let at = 0;

  const top = () => stack[stack.length - 1];
  const put = (node) => putNode(top().nodes, node);
  const match = (pattern) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const take = (found, node) => {
    at += found[0].length;
    put(node);
  };

  while (at < text.length) {
    const plain = match(PLAIN);
    if (plain) {
      take(plain, plain[0]);
      continue;
    }
    const char = text[at];
    if (char === '\\') escape();
    else if (char === '`') code();
    else if (char === '*' || char === '_' || char === '~') delimiter(char);
    else if (char === '\n') lineBreak();
    else if (!special(char)) putChar();
  }
  closeRest();
  return root.nodes;

  function putChar() {
    put(text[at++]);
  }

  function escape() {
    const next = text[at + 1];
    if (next !== undefined && PUNCTUATION.test(next)) {
      put(next);
      at += 2;
    } else {
      putChar();
    }
  }

  function lineBreak() {
    at++;
    put({ type: 'br' });
  }

  function code() {
    const run = /`+/y;
    const fence = match(run)[0];
    const from = at + fence.length;
    const close = noCloser.has(fence.length) ? -1 : findRun(text, from, fence.length);
    if (close >= 0) {
      put({ type: 'code', text: text.slice(from, close).trim() });
      at = close + fence.length;
      return;
    }
    noCloser.add(fence.length);
    if (unfinished && fence.length === 1 && from < text.length) {
      put({ type: 'code', text: text.slice(from) });
      at = text.length;
    } else {
      put(fence);
      at = from;
    }
  }

  /** Links, citations and addresses; false: it is only a character. */
  function special(char) {
    let found;
    if (char === '[' && (found = match(CITATION))) {
      trimEnd(top().nodes); // the mark belongs to the word before it
      take(found, { type: 'citation', id: found[1] });
    } else if ((char === '[' || char === '!') && (found = match(LINK))) {
      takeLink(found, found[1], found[2]);
    } else if (char === '<' && (found = match(BREAK_TAG))) {
      take(found, { type: 'br' });
    } else if ((char === 'h' || char === 'H') && !wordBefore() && (found = match(BARE_URL))) {
      bareUrl(found[0]);
    } else if (unfinished && char === '[' && (found = match(CITATION_UNFINISHED))) {
      at = text.length;
    } else if (unfinished && (found = match(LINK_UNFINISHED))) {
      take(found, { type: 'span', nodes: parseInline(found[1], { links: false }) });
    } else {
      return false;
    }
    return true;
  }

  function takeLink(found, label, target) {
    const href = links && safeHref(target);
    const nodes = parseInline(label, { links: false });
    take(found, href ? { type: 'link', href, nodes } : { type: 'span', nodes });
  }

  function bareUrl(url) {
    let end = url.length;
    // a sentence's punctuation is not the address's, nor is a bracket it did not open
    while (/[.,;:!?*_~\]]/.test(url[end - 1]) || unopened(url.slice(0, end))) end--;
    const shown = url.slice(0, end);
    const href = links && safeHref(shown);
    put(href ? { type: 'link', href, nodes: [shown] } : shown);
    at += end;
  }

  function wordBefore() {
    return at > 0 && WORD.test(text[at - 1]);
  }

  function delimiter(char) {
    const start = at;
    while (text[at] === char) at++;
    let count = at - start;
    const before = text[start - 1] ?? ' ';
    const after = text[at] ?? (unfinished ? 'more' : ' ');
    const inWord = char === '_' && WORD.test(before) && WORD.test(after);
    const canOpen = !inWord && !/\s/.test(after);
    const canClose = !inWord && !/\s/.test(before);
    if (count > 3 || (char === '~' && count !== 2)) {
      put(char.repeat(count));
      return;
    }
    while (count > 0) {
      const opener = canClose ? findOpener(char, count) : -1;
      if (opener > 0) {
        count -= close(opener);
      } else if (canOpen && stack.length < DEPTH_MAX) {
        const size = Math.min(count, 2);
        stack.push({ char, size, nodes: [] });
        count -= size;
      } else {
        put(char.repeat(count));
        count = 0;
      }
    }
  }

  /** The nearest opener of the same length, else the nearest that is not longer. */
  function findOpener(char, count) {
    const nearest = (fits) => {
      for (let i = stack.length - 1; i > 0; i--) {
        if (stack[i].char === char && fits(stack[i].size)) return stack[i].nodes.length ? i : -1;
      }
      return -1;
    };
    const same = count < 3 ? nearest((size) => size === count) : -1;
    return same > 0 ? same : nearest((size) => size <= count);
  }

  function close(index) {
    while (stack.length - 1 > index) dissolve();
    const { char, size, nodes } = stack.pop();
    put({ type: char === '~' ? 'del' : size === 2 ? 'strong' : 'em', nodes });
    return size;
  }

  /** The innermost delimiter was only characters after all. */
  function dissolve() {
    const { char, size, nodes } = stack.pop();
    put(char.repeat(size));
    nodes.forEach(put);
  }

  function closeRest() {
    while (stack.length > 1) {
      const { char, size, nodes } = top();
      if (unfinished && char === '*' && size === 2 && nodes.length > 0) close(stack.length - 1);
      else if (unfinished && nodes.length === 0) stack.pop();
      else dissolve();
    }
  }
}

function putNode(nodes, node) {
  const lastIndex = nodes.length - 1;
  if (typeof node === 'string' && typeof nodes[lastIndex] === 'string') nodes[lastIndex] += node;
  else nodes.push(node);
}

function trimEnd(nodes) {
  const last = nodes.length - 1;
  if (typeof nodes[last] === 'string') nodes[last] = nodes[last].trimEnd();
}

function findRun(text, from, length) {
  const runs = /`+/g;
  runs.lastIndex = from;
  for (let run; (run = runs.exec(text));) if (run[0].length === length) return run.index;
  return -1;
}

function unopened(url) {
  return url.endsWith(')') && url.split(')').length > url.split('(').length;
}

/**
 * An address a visitor may safely click, or ''. Only schemes that open a page, a mail or a
 * call; no user name before the host, which only serves to look like another site.
 */
export function safeHref(target) {
  if (/^(mailto|tel):[^\s\p{Cc}\p{Cf}<>"]+$/iu.test(target)) return target;
  if (!/^https?:\/\//i.test(target)) return '';
  try {
    const url = new URL(target);
    return url.username || url.password ? '' : url.href;
  } catch {
    return '';
  }
}
