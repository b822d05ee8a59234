import { chat } from '../chat/chat.js';
import { loadEarlier } from '../chat/conversation.js';
import { map } from '../list.js';
import { h, tool } from './dom.js';
import { createMessageView } from './message.js';

const NEAR_END = 60; // px: the visitor is reading the newest

/** The messages, kept at the newest unless the visitor has scrolled away. */
export function createLog(look, onFeedback) {
  const views = new Map(); // message -> view
  let following = true;

  const earlier = h('button.pill.earlier', { onclick: loadEarlier }, look.earlier_);
  const intro = h('div.intro');
  const list = h('div.turns');
  const typing = h('p.state', { role: 'status' });
  const newest = tool('down', look.newest_, follow);
  newest.classList.add('newest');
  const scroller = h(
    'div.log',
    // the log announces nothing by itself: a streamed text would be read word by word
    { role: 'log', 'aria-label': look.log_, 'aria-live': 'off', tabindex: '0', onscroll },
    earlier,
    intro,
    list,
    typing,
    newest,
  );
  new ResizeObserver(() => following && follow()).observe(scroller);

  function onscroll() {
    const { scrollHeight, scrollTop, clientHeight } = scroller;
    following = newest.hidden = scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  function follow() {
    following = newest.hidden = true;
    scroller.scrollTop = scroller.scrollHeight;
  }

  /** What changed is shown anew; what stays keeps its nodes, and the reader the place. */
  function show(changed) {
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    const [first] = chat.list_;
    const isOlder = first && !views.has(first);
    const gone = new Set(views.keys());
    map(chat.list_, (message) => gone.delete(message));
    gone.forEach((message) => {
      views.get(message).node_.remove();
      views.delete(message);
    });
    let next = list.firstChild;
    map(chat.list_, (message) => {
      const view = views.get(message) ?? createMessageView(message, look, onFeedback);
      views.set(message, view);
      if (changed.has(message)) view.update_();
      if (view.node_ === next) next = next.nextSibling;
      else list.insertBefore(view.node_, next);
    });
    earlier.hidden = !chat.earlier_;
    if (following) follow();
    else if (isOlder) scroller.scrollTop = scroller.scrollHeight - fromEnd;
  }

  return {
    node_: scroller,
    intro_: intro,
    typing_: typing,
    show_: show,
    follow_: follow,
    /** As it is read aloud: the text without its marks. */
    textOf_: (message) => views.get(message)?.text_() ?? '',
  };
}
