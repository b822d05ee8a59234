import { button, h } from './dom.js';
import { icon } from './icons.js';
import { createMessageView } from './message.js';

const NEAR_END = 60; // px: the visitor is reading the newest

/** The messages, kept at the newest unless the visitor has scrolled away. */
export function createLog({ onEarlier, ...context }) {
  const { strings } = context;
  const views = new Map(); // message id -> view
  const changed = new Set();
  let frame = 0;
  let following = true;

  const earlier = button('pill', { onclick: onEarlier }, strings.earlier);
  const top = h('div.earlier', { hidden: true }, earlier);
  const intro = h('div.intro');
  const list = h('div.turns');
  const scroller = h(
    'div',
    // the log announces nothing by itself: a streamed text would be read word by word
    {
      class: 'log',
      role: 'log',
      'aria-label': strings.messages,
      'aria-live': 'off',
      tabindex: '0',
    },
    top,
    intro,
    list,
  );
  const newest = button(
    'newest',
    { label: strings.newest, onclick: follow, hidden: true },
    icon('down'),
  );
  const node = h('div.stage', scroller, newest);

  scroller.addEventListener('scroll', () => {
    const { scrollHeight, scrollTop, clientHeight } = scroller;
    following = scrollHeight - scrollTop - clientHeight < NEAR_END;
    newest.hidden = following;
  });
  new ResizeObserver(() => following && follow()).observe(scroller);

  function follow() {
    following = true;
    newest.hidden = true;
    scroller.scrollTop = scroller.scrollHeight;
  }

  /** Messages came or went. What stays keeps its nodes, and the reader the place. */
  function show(messages, hasEarlier) {
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    const ids = new Set(messages.map(({ id }) => id));
    for (const [id, view] of views) {
      if (ids.has(id)) continue;
      view.remove?.();
      view.node.remove();
      views.delete(id);
    }
    let before = null;
    for (const message of [...messages].reverse()) {
      const view = views.get(message.id) ?? createMessageView(message, context);
      views.set(message.id, view);
      if (view.node.parentNode !== list || view.node.nextSibling !== before) {
        list.insertBefore(view.node, before);
      }
      before = view.node;
    }
    top.hidden = !hasEarlier;
    if (following) follow();
    else scroller.scrollTop = scroller.scrollHeight - fromEnd;
  }

  /** One message changed: shown with the next frame, however many tokens came. */
  function touch(message) {
    changed.add(message.id);
    frame ||= requestAnimationFrame(flush);
  }

  function flush() {
    frame = 0;
    for (const id of changed) views.get(id)?.update();
    changed.clear();
    if (following) scroller.scrollTop = scroller.scrollHeight;
  }

  /** As it is read aloud: the text without its marks. */
  function textOf(message) {
    flush();
    return views.get(message.id).text();
  }

  return { node, intro, show, touch, follow, textOf };
}
