import { parseBlocks } from './blocks.js';
import { parseInline } from './inline.js';

/**
 * Shows Markdown that grows: createElement and text nodes only, so there is nothing to
 * sanitise. `cite(id)` returns the node of a verified citation, or null.
 *
 * A block before the last but one can no longer change (blocks.js): its nodes stay, which
 * keeps a selection alive and makes a token cost what its block costs, not the answer.
 */
export function createMarkdown(container, cite = () => null) {
  const document = container.ownerDocument;
  let shown = '';
  let settled = 0; // offset of the first block that may change
  let open = []; // nodes of the blocks from there

  function update(text, unfinished = false) {
    if (!text.startsWith(shown.slice(0, settled))) clear();
    shown = text;
    const blocks = parseBlocks(text, settled);
    const nodes = blocks.map((block, i) => blockNode(block, unfinished && i === blocks.length - 1));
    open.forEach((node) => node.remove());
    container.append(...nodes);
    const firm = Math.max(0, blocks.length - 2);
    open = nodes.slice(firm);
    if (blocks.length > 0) settled = blocks[firm].start;
  }

  function clear() {
    container.replaceChildren();
    settled = 0;
    open = [];
  }

  function element(name, children = [], attributes = {}) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function blockNode(block, unfinished) {
    switch (block.type) {
      case 'heading': {
        // below the page's own headings and the window's
        const level = Math.min(6, block.level + 2);
        return element(`h${level}`, inline(block.text, unfinished));
      }
      case 'code':
        return element('pre', [element('code', [block.text])], { dir: 'ltr', tabindex: '0' });
      case 'list':
        return listNode(block, unfinished);
      case 'table':
        return tableNode(block, unfinished);
      case 'paragraph':
        return element('p', inline(block.text, unfinished));
      default:
        return element(block.type, blockNodes(block.blocks ?? [], unfinished));
    }
  }

  function blockNodes(blocks, unfinished) {
    return blocks.map((block, i) => blockNode(block, unfinished && i === blocks.length - 1));
  }

  function listNode({ ordered, first, items }, unfinished) {
    const nodes = items.map((blocks, i) => {
      const growing = unfinished && i === items.length - 1;
      const [head, ...rest] = blocks;
      if (head?.type !== 'paragraph') return element('li', blockNodes(blocks, growing));
      const text = inline(head.text, growing && rest.length === 0);
      return element('li', [...text, ...blockNodes(rest, growing)]);
    });
    const attributes = ordered && first !== 1 ? { start: String(first) } : {};
    return element(ordered ? 'ol' : 'ul', nodes, attributes);
  }

  function tableNode({ head, align, rows }, unfinished) {
    const row = (name, texts, growing) =>
      element(
        'tr',
        texts.map((text, i) => element(name, inline(text, growing), { 'data-align': align[i] })),
      );
    const body = rows.map((texts, i) => row('td', texts, unfinished && i === rows.length - 1));
    const table = element('table', [
      element('thead', [row('th', head, false)]),
      element('tbody', body),
    ]);
    return element('div', [table], { class: 'table', tabindex: '0' });
  }

  function inline(text, unfinished) {
    return inlineNodes(parseInline(text, { unfinished }));
  }

  function inlineNodes(nodes) {
    return nodes.map(inlineNode).filter((node) => node !== null);
  }

  function inlineNode(node) {
    if (typeof node === 'string') return node;
    switch (node.type) {
      case 'code':
        return element('code', [node.text], { dir: 'ltr' });
      case 'link':
        return element('a', inlineNodes(node.nodes), {
          href: node.href,
          title: node.href,
          target: '_blank',
          rel: 'noopener noreferrer nofollow',
        });
      case 'citation':
        return cite(node.id);
      default:
        return element(node.type, inlineNodes(node.nodes ?? []));
    }
  }

  return { update, clear };
}
