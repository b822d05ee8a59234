import { confirm, retry } from '../chat/conversation.js';
import { isRunning } from '../chat/message.js';
import { filter, find, map } from '../list.js';
import { createMarkdown } from '../markdown/render.js';
import { fill, problemText } from '../text.js';
import { dots, fillWith, h, tool } from './dom.js';
import { icon } from './icons.js';

const TICK_MS = 500;

/** One turn in the log. update_() shows what its message now says. */
export function createMessageView(message, look, onFeedback) {
  const { role_: role } = message;
  const isAnswer = role === 'assistant';
  const speaker = speakerOf(look, message);
  const text = h(isAnswer ? 'div.prose' : 'div.plain', { dir: 'auto' });
  const markdown = createMarkdown(text, cite);
  const waiting = dots(fill(look.typing_, speaker));
  const tools = h('ul.tools');
  const confirms = h('div');
  const bubble = h('div.bubble', tools, text, confirms, waiting);
  const state = h('p.state.plain', { dir: 'auto' });
  const again = h('button.pill.retry', { onclick: () => retry(message) });
  const sources = h('ul.sources', { 'aria-label': look.sources_ });
  const rate = (rating, label) =>
    tool('thumb', label, () => onFeedback(message, message.rating_ === rating ? null : rating));
  const up = rate('up', look.up_);
  const down = rate('down', look.down_);
  // only secure pages have a clipboard
  const copy = navigator.clipboard && tool('copy', look.copy_, copyText);
  const model = h('bdi');
  const foot = h('div.foot', h('bdi', timeOf(message)), model, h('span.quiets', copy, up, down));
  const node = h(
    `div.turn.${role}`,
    role === 'operator' ? h('b.state', { dir: 'auto' }, speaker) : h('span.sr', `${speaker}: `),
    bubble,
    state,
    again,
    sources,
    foot,
  );
  let cited;
  let asking;

  function update() {
    const { status_: status, citations_: citations, problem_: problem = {} } = message;
    const running = isRunning(message);
    const failed = status === 'failed';
    // marks stand where they were mentioned, before they were verified
    if (cited !== (cited = citations.length)) markdown.clear_();
    if (isAnswer) markdown.update_(message.text_, running);
    else text.textContent = message.text_;
    node.dataset.status = status;
    bubble.setAttribute('aria-busy', running);
    bubble.hidden = !running && !message.text_ && !message.tools_.length;
    waiting.hidden = status !== 'waiting';
    fillWith(tools, map(message.tools_, toolRow));
    fillWith(sources, running ? [] : map(citations, sourceRow));
    const asked = running ? message.confirms_ : [];
    if (asked !== asking) fillWith(confirms, map(asked, confirmCard)); // else the focus stays
    asking = asked;
    const lines = [
      ...message.notices_,
      status === 'sending' && look.sending_,
      status === 'stopped' && look.stopped_,
      failed && (isAnswer ? problemText(look, problem) : look.unsent_),
    ];
    state.textContent = filter(lines, Boolean).join('\n');
    // not before the server allows it
    const wait = (problem.until_ - Date.now()) / 1000;
    again.hidden = !isAnswer || !failed || problem.retryable_ === false;
    again.disabled = wait > 0;
    again.textContent = look.retry_ + (wait > 0 ? ` (${Math.ceil(wait)})` : '');
    if (wait > 0) setTimeout(update, TICK_MS);
    foot.hidden = !isAnswer || running || !message.text_;
    up.setAttribute('aria-pressed', message.rating_ === 'up');
    down.setAttribute('aria-pressed', message.rating_ === 'down');
    model.textContent = find(look.models_, (m) => m.model_id === message.model_)?.label ?? '';
  }

  function cite(id) {
    const citations = message.citations_;
    const number = citations.indexOf(find(citations, (citation) => citation.id === id)) + 1;
    if (!number) return null;
    const label = `${look.sources_} ${number}: ${citations[number - 1].label}`;
    return h('sup.cite', { role: 'note', label }, `${number}`);
  }

  function toolRow(call) {
    const words = `${call.name}`.replace(/^(get|check|find|search)_|_/g, ' ');
    return h('li', icon(call.status), h('bdi', fill(look.tool_, words)));
  }

  /** What a tool would do, in the server's words, and the visitor's to decide. */
  function confirmCard(call) {
    const { call_id } = call;
    const choose = (decision) => () => {
      card.disabled = true;
      // where that fails it may be said again; or it is over, and the card goes away
      confirm(message, { call_id, decision }).catch(() => (card.disabled = false));
    };
    const card = h(
      'fieldset.confirm',
      { 'aria-label': look.confirm_ },
      h('p.plain', { dir: 'auto' }, call.summary),
      h(
        'div.row',
        h('button.pill.strong', { onclick: choose('accept') }, look.yes_),
        h('button.pill', { onclick: choose('decline') }, look.no_),
      ),
    );
    return card;
  }

  async function copyText() {
    await navigator.clipboard.writeText(message.text_);
    copy.replaceChildren(icon('done'));
  }

  update();
  return { node_: node, update_: update, text_: () => text.innerText };
}

export function speakerOf(look, message) {
  if (message.role_ === 'user') return look.you_;
  return message.name_ || (message.role_ === 'operator' ? look.person_ : look.assistant_);
}

function sourceRow(citation, index) {
  return h('li', h('span.cite', `${index + 1}`), h('bdi', citation.label));
}

/** As 2026-11-21 10:38, by the visitor's clock. Intl would load its data as a question is sent. */
export function timeOf({ at_: at }) {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60000);
  return local.toISOString().slice(0, 16).replace('T', ' ');
}
