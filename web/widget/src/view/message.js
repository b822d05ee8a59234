import { confirm, retry } from '../chat/conversation.js';
import { isRunning } from '../chat/message.js';
import { find, map } from '../list.js';
import { createMarkdown } from '../markdown/render.js';
import { fill, problemText } from '../text.js';
import { dots, fillWith, h, tool } from './dom.js';
import { icon } from './icons.js';

const COPIED_MS = 1600;

/** One turn in the log. update_() shows what its message now says. */
export function createMessageView(message, look, onFeedback) {
  const { role_: role } = message;
  const isAnswer = role === 'assistant';
  const speaker = speakerOf(look, message);
  const isPlain = role === 'user' || role === 'operator';
  const text = h(isPlain ? 'div.plain' : 'div.prose', { dir: 'auto' });
  const waiting = dots(fill(look.typing_, look.assistant_));
  const tools = h('ul.tools');
  const confirms = h('div');
  const bubble = h('div.bubble', ...(role === 'user' ? [text] : [tools, text, confirms, waiting]));
  const sources = h('ul.sources', { 'aria-label': look.sources_ });
  const state = h('div.state');
  const again = h('button.pill.retry', { onclick: () => retry(message) });
  const rate = (rating, label) =>
    tool('thumb', label, () => onFeedback(message, message.rating_ === rating ? null : rating));
  const up = rate('up', look.up_);
  const down = rate('down', look.down_);
  // only secure pages have a clipboard
  const copy = navigator.clipboard && tool('copy', look.copy_, copyText);
  const model = h('bdi');
  const foot = h(
    'div.foot',
    timeOf(look, message),
    model,
    isAnswer && h('span.quiets', copy, up, down),
  );
  const node = h(
    `div.turn.${role}`,
    role === 'operator' ? h('b.state', { dir: 'auto' }, speaker) : h('span.sr', `${speaker}: `),
    bubble,
    state,
    ...(role === 'user' ? [] : [again, sources, foot]),
  );
  const markdown = createMarkdown(text, cite);
  let cited = 0;
  let asking;
  let timer;
  let until;

  function update() {
    const { status_: status, citations_: citations, problem_: problem } = message;
    const running = isRunning(message);
    if (citations.length !== cited) {
      cited = citations.length;
      markdown.clear_(); // marks stand where they were mentioned, before they were verified
    }
    if (isPlain) text.textContent = message.text_;
    else markdown.update_(message.text_, running);
    node.dataset.status = status;
    bubble.setAttribute('aria-busy', running);
    bubble.hidden = !running && !message.text_ && !message.tools_.length;
    waiting.hidden = status !== 'waiting';
    fillWith(tools, map(message.tools_, toolRow));
    fillWith(sources, running ? [] : map(citations, sourceRow));
    const asked = running ? message.confirms_ : [];
    if (asked !== asking) fillWith(confirms, map(asked, confirmCard)); // else the focus stays
    asking = asked;

    const failed = message.asked_ && /failed|interrupted/.test(status);
    const line = (words) => words && h('p', { dir: 'auto' }, words);
    fillWith(
      state,
      map(
        [
          ...message.notices_,
          status === 'sending' && look.sending_,
          status === 'stopped' && look.stopped_,
          status === 'interrupted' && look.cut_,
          role === 'user' && status === 'failed' && look.unsent_,
          running && message.down_ && look.reconnect_,
          failed && problemText(look, problem),
        ],
        line,
      ),
    );
    again.hidden = !failed || problem?.retryable_ === false;
    if (!again.hidden) countDown();
    foot.hidden = running || !message.text_;
    up.setAttribute('aria-pressed', message.rating_ === 'up');
    down.setAttribute('aria-pressed', message.rating_ === 'down');
    model.textContent = find(look.models_, (m) => m.model_id === message.model_)?.label ?? '';
  }

  /** Not before the server allows it. */
  function countDown() {
    clearTimeout(timer);
    until ??= Date.now() + (message.problem_?.wait_ ?? 0) * 1000;
    const left = Math.ceil((until - Date.now()) / 1000);
    again.disabled = left > 0;
    again.textContent = `${look.retry_}${left > 0 ? ` (${left})` : ''}`;
    if (left > 0) timer = setTimeout(countDown, 500);
  }

  function cite(id) {
    const { citations_: citations } = message;
    const number = citations.indexOf(find(citations, (citation) => citation.id === id)) + 1;
    if (!number) return null;
    const label = `${look.sources_} ${number}: ${citations[number - 1].label}`;
    return h('sup.cite', { role: 'note', label }, `${number}`);
  }

  function toolRow({ name, status }) {
    const ended = { done: 'check', failed: 'close', waiting: 'spark' }[status];
    const words = `${name}`.replace(/^(get|check|find|search)_|_/g, ' ');
    return h('li', ended ? icon(ended) : h('i'), h('bdi', fill(look.tool_, words)));
  }

  /** What a tool would do, in the server's words, and the visitor's to decide. */
  function confirmCard({ call_id, summary }) {
    const disable = (is) =>
      map(card.querySelectorAll('button'), (button) => (button.disabled = is));
    const choose = (decision) => () => {
      disable(true);
      // where that fails it may be said again; or it is over, and the card goes away
      confirm(message, { call_id, decision }).catch(() => disable(false));
    };
    const card = h(
      'div.confirm',
      { role: 'group', 'aria-label': look.confirm_ },
      h('p.plain', { dir: 'auto' }, summary),
      h(
        'div.row',
        h('button.pill.strong', { onclick: choose('accept') }, look.yes_),
        h('button.pill', { onclick: choose('decline') }, look.no_),
      ),
    );
    return card;
  }

  async function copyText() {
    const show = (name) => copy.replaceChildren(icon(name));
    await navigator.clipboard.writeText(message.text_);
    show('check');
    setTimeout(show, COPIED_MS, 'copy');
  }

  update();
  return { node_: node, update_: update, text_: () => text.innerText };
}

export function speakerOf(look, { role_: role, name_: name }) {
  if (role === 'user') return look.you_;
  return name || (role === 'operator' ? look.person_ : look.assistant_);
}

function sourceRow({ label }, index) {
  return h('li', h('span.cite', `${index + 1}`), h('bdi', label));
}

function timeOf({ tag_: language }, { at_: at }) {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  const format = { dateStyle: today ? undefined : 'medium', timeStyle: 'short' };
  return h('time', { datetime: date.toISOString() }, date.toLocaleString(language, format));
}
