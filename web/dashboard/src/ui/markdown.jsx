import { useLayoutEffect, useRef } from 'preact/hooks';
import { createMarkdown } from '../widget.js';

/**
 * Markdown as the widget shows it: by nodes, never by HTML. `sources`: [{id}] of the citations that
 * are marked by their number; a mark of anything else is left out. `more`: it still grows.
 */
export function Markdown({ text, sources = [], more }) {
  const box = useRef();
  const shown = useRef();
  const marks = sources.map(({ id }) => id).join(' ');
  useLayoutEffect(() => {
    const numbers = new Map(sources.map(({ id }, i) => [id, String(i + 1)]));
    shown.current?.clear_();
    shown.current = createMarkdown(box.current, (id) => mark(numbers.get(id)));
  }, [marks]);
  useLayoutEffect(() => shown.current.update_(text ?? '', !!more), [text, more, marks]);
  return <div ref={box} class="prose" dir="auto" />;
}

function mark(number) {
  if (!number) return null;
  const node = document.createElement('sup');
  node.className = 'cite';
  node.textContent = number;
  return node;
}
