import { chat } from '../chat/chat.js';
import { loadEarlier } from '../chat/conversation.js';
import { map } from '../list.js';
import { fill } from '../text.js';
import { dots, h, setText } from './dom.js';
import { createMessageView } from './message.js';

const NEAR_END = 60; // px: the visitor is reading the newest

/** The messages below the greeting, kept at the newest unless the visitor has scrolled away. */
export function createLog(look, onSend, onFeedback) {
  const views = new WeakMap(); // message -> view
  let following = true;

  const earlier = h('button.pill', { onclick: loadEarlier }, look.earlier_);
  const loading = dots(fill(look.typing_, look.assistant_));
  const greeting = h('div.turn', h('div.bubble', { dir: 'auto' }, look.greeting_));
  const chip = (words) => h('button.pill', { dir: 'auto', onclick: () => onSend(words) }, words);
  const chips = h(
    'div.row.chips',
    { role: 'group', 'aria-label': look.greeting_ },
    ...map(look.suggestions_, chip),
  );
  const list = h('div.turns');
  const typing = h('p.state', { role: 'status' });
  const scroller = h(
    'div.log',
    // the log announces nothing by itself: a streamed text would be read word by word
    { role: 'log', 'aria-label': look.log_, 'aria-live': 'off', tabindex: '0', onscroll },
    earlier,
    greeting,
    chips,
    loading,
    list,
    typing,
  );
  new ResizeObserver(() => following && follow()).observe(scroller);

  const fromEnd = () => scroller.scrollHeight - scroller.scrollTop;

  function onscroll() {
    following = fromEnd() < NEAR_END + scroller.clientHeight;
  }

  function follow() {
    following = true;
    scroller.scrollTop = scroller.scrollHeight;
  }

  /** What changed is shown anew; what stays keeps its nodes, and the reader the place. */
  function show(changed, typist) {
    onscroll(); // its event may be on its way
    const place = fromEnd();
    const messages = chat.list_;
    const isOlder = messages[0] && !views.has(messages[0]);
    const nodes = map(messages, (message) => {
      const view = views.get(message) ?? createMessageView(message, look, onFeedback);
      views.set(message, view);
      if (changed.has(message)) view.update_();
      return view.node_;
    });
    const shown = new Set(nodes);
    map([...list.children], (node) => shown.has(node) || node.remove());
    map(nodes, (node, i) => node === list.children[i] || list.insertBefore(node, list.children[i]));
    earlier.hidden = !chat.earlier_;
    loading.hidden = !chat.loading_;
    chips.hidden = chat.loading_ || messages.length;
    setText(typing, typist);
    if (following) follow();
    else if (isOlder) scroller.scrollTop = scroller.scrollHeight - place;
  }

  return {
    node_: scroller,
    show_: show,
    follow_: follow,
    /** As it is read aloud: the text without its marks. */
    textOf_: (message) => views.get(message)?.text_() ?? '',
  };
}
