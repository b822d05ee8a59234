/**
 * Block Markdown to a list of {type, start, ...}: paragraphs, headings, lists, quotes,
 * fenced code, tables and rules. Forward only, so that a text that grows changes nothing
 * before its last but one block; there are no reference definitions for the same reason.
 */

const DEPTH_MAX = 6;
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})\s+(?=\S)/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+•]|\d{1,9}[.)])( {1,4})(?=\S)/;
const TABLE_RULE = /^:?-+:?$/;

/** `from`: where a block starts in `text`; what is before it is left out. */
export function parseBlocks(text, from = 0) {
  const lines = [];
  for (let at = from; at <= text.length;) {
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    lines.push({ text: clean(text.slice(at, end)), start: at });
    at = end + 1;
  }
  return parseLines(lines, 0);
}

function clean(line) {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.replace(/^[ \t]+/, (indent) => indent.replace(/\t/g, '    '));
}

function parseLines(lines, depth) {
  const blocks = [];
  for (let i = 0; i < lines.length;) {
    if (isBlank(lines[i])) {
      i++;
      continue;
    }
    const [block, next] = parseBlock(lines, i, depth);
    block.start = lines[i].start;
    blocks.push(block);
    i = next;
  }
  return blocks;
}

/** The block that starts at line i, and the line after it. */
function parseBlock(lines, i, depth) {
  const line = lines[i].text;
  let found;
  if ((found = FENCE.exec(line))) return parseFence(lines, i, found);
  if ((found = HEADING.exec(line))) {
    const text = line.slice(found[0].length).trimEnd().replace(/\s#+$/, '');
    return [{ type: 'heading', level: found[1].length, text }, i + 1];
  }
  if (RULE.test(line)) return [{ type: 'hr' }, i + 1];
  if (depth < DEPTH_MAX && QUOTE.test(line)) return parseQuote(lines, i, depth);
  if (depth < DEPTH_MAX && ITEM.test(line)) return parseList(lines, i, depth);
  if (isTable(lines, i)) return parseTable(lines, i);
  return parseParagraph(lines, i, depth);
}

function isBlank(line) {
  return line.text.trim() === '';
}

function isTable(lines, i) {
  const rule = lines[i + 1]?.text;
  if (rule === undefined || !lines[i].text.includes('|')) return false;
  const rules = cells(rule);
  return (
    rules.every((cell) => TABLE_RULE.test(cell)) && rules.length === cells(lines[i].text).length
  );
}

/** Does line i end a paragraph that stands before it? */
function interrupts(lines, i, depth) {
  const line = lines[i].text;
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line)) return true;
  if (depth < DEPTH_MAX) {
    if (QUOTE.test(line)) return true;
    const item = ITEM.exec(line);
    if (item && (!/\d/.test(item[2]) || /^1[.)]$/.test(item[2]))) return true;
  }
  return isTable(lines, i);
}

function parseParagraph(lines, i, depth) {
  const text = [lines[i++].text.trim()];
  while (i < lines.length && !isBlank(lines[i]) && !interrupts(lines, i, depth)) {
    text.push(lines[i++].text.trim());
  }
  return [{ type: 'paragraph', text: text.join('\n') }, i];
}

function parseFence(lines, i, [, fence]) {
  const indent = lines[i].text.search(/\S/);
  const close = new RegExp(`^ {0,3}\\${fence[0]}{${fence.length},}\\s*$`);
  const text = [];
  for (i++; i < lines.length && !close.test(lines[i].text); i++) {
    text.push(outdent(lines[i].text, indent));
  }
  return [{ type: 'code', text: text.join('\n') }, i + 1];
}

function parseQuote(lines, i, depth) {
  const inner = [];
  for (; i < lines.length && QUOTE.test(lines[i].text); i++) {
    inner.push({ ...lines[i], text: lines[i].text.replace(QUOTE, '') });
  }
  return [{ type: 'blockquote', blocks: parseLines(inner, depth + 1) }, i];
}

function parseList(lines, i, depth) {
  const first = ITEM.exec(lines[i].text);
  const kind = listKind(first[2]);
  const nested = first[1].length + 2; // models indent by two as often as by three
  const list = { type: 'list', ordered: kind !== 'bullet', items: [] };
  if (list.ordered) list.first = parseInt(first[2], 10);
  for (let item; i < lines.length && (item = ITEM.exec(lines[i].text));) {
    if (listKind(item[2]) !== kind || RULE.test(lines[i].text)) break;
    const [inner, next] = itemLines(lines, i, item[0].length, nested, depth);
    list.items.push(parseLines(inner, depth + 1));
    i = next;
  }
  return [list, i];
}

function listKind(marker) {
  return /\d/.test(marker) ? marker.slice(-1) : 'bullet';
}

/** The lines of one item: what is indented, what continues its paragraph, blanks between. */
function itemLines(lines, i, width, nested, depth) {
  const inner = [{ ...lines[i], text: lines[i].text.slice(width) }];
  let blanks = 0;
  let end = i + 1;
  for (let at = i + 1; at < lines.length; at++) {
    const { text } = lines[at];
    if (isBlank(lines[at])) {
      blanks++;
      continue;
    }
    const indented = text.search(/\S/) >= nested;
    if (!indented && ITEM.test(text)) return [inner, at];
    if (!indented && (blanks > 0 || interrupts(lines, at, depth))) break;
    for (; blanks > 0; blanks--) inner.push({ text: '', start: lines[at].start });
    inner.push({ ...lines[at], text: outdent(text, width) });
    end = at + 1;
  }
  return [inner, end];
}

function outdent(text, width) {
  return text.slice(Math.min(width, Math.max(0, text.search(/\S|$/))));
}

function cells(row) {
  const inner = row.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, '|'));
}

function parseTable(lines, i) {
  const head = cells(lines[i].text);
  const align = cells(lines[i + 1].text).map((rule) =>
    rule.endsWith(':') ? (rule.startsWith(':') ? 'center' : 'end') : 'start',
  );
  const rows = [];
  for (i += 2; i < lines.length && !isBlank(lines[i]) && lines[i].text.includes('|'); i++) {
    const row = cells(lines[i].text).slice(0, head.length);
    while (row.length < head.length) row.push('');
    rows.push(row);
  }
  return [{ type: 'table', head, align, rows }, i];
}
