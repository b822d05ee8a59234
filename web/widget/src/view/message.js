import { createMarkdown } from '../markdown/render.js';
import { problemText } from '../text/index.js';
import { button, h, setLabel } from './dom.js';
import { icon } from './icons.js';

const COPIED_MS = 1600;
const NONE = [];

/** One turn in the log. update() shows what its message now says. */
export function createMessageView(message, context) {
  return message.role === 'user'
    ? createQuestionView(message, context)
    : createAnswerView(message, context);
}

function createQuestionView(message, { strings }) {
  const state = h('div.state');
  const node = h(
    'div.turn.user',
    h('span.sr', `${strings.you}: `),
    h('div.bubble.plain', { dir: 'auto' }, message.text),
    state,
  );

  function update() {
    const text = { sending: strings.sending, failed: strings.notSent }[message.status] ?? '';
    state.textContent = text;
    state.hidden = text === '';
    node.dataset.status = message.status;
  }

  update();
  return { node, update };
}

function createAnswerView(message, { strings, language, onRetry, onConfirm }) {
  const prose = h('div.prose', { dir: 'auto' });
  const dots = h('div.dots', { role: 'img', 'aria-label': strings.thinking });
  dots.append(h('i'), h('i'), h('i'));
  const tools = h('ul.tools');
  const confirms = h('div');
  const bubble = h('div.bubble', tools, prose, confirms, dots);
  const state = h('div.state');
  const sources = h('ul.sources', { 'aria-label': strings.sources });
  const foot = h('div.foot');
  const node = h(
    'div.turn.assistant',
    h('span.sr', `${strings.assistant}: `),
    bubble,
    sources,
    state,
    foot,
  );
  const markdown = createMarkdown(prose, (id) => citationMark(message, id, strings));
  const copy = createCopy(message, strings);
  const retry = createRetry(message, strings, onRetry);
  foot.append(createTime(message, language), copy);
  state.after(retry.node);
  let cited = 0;
  let asking = NONE;

  function showConfirms(list) {
    if (list === asking) return; // a button that is in focus stays
    asking = list;
    confirms.replaceChildren(
      ...list.map((asked) => confirmCard(asked, strings, (...word) => onConfirm(message, ...word))),
    );
  }

  function update() {
    const running = message.status === 'waiting' || message.status === 'streaming';
    if (message.citations.length !== cited) {
      cited = message.citations.length;
      markdown.clear(); // marks stand where they were mentioned, before they were verified
    }
    markdown.update(message.text, running);
    node.dataset.status = message.status;
    bubble.setAttribute('aria-busy', String(running));
    bubble.hidden = !running && message.text === '' && message.tools.length === 0;
    dots.hidden = message.status !== 'waiting';
    showConfirms(running ? message.confirms : NONE);
    tools.replaceChildren(...message.tools.map((tool) => toolRow(tool, strings)));
    sources.replaceChildren(...(running ? [] : message.citations.map(sourceRow)));
    showState(running);
    retry.update(running);
    foot.hidden = running || message.text === '';
  }

  function showState(running) {
    const lines = [...message.notices];
    if (running && message.reconnecting) lines.push(strings.reconnecting);
    if (message.status === 'stopped') lines.push(strings.stopped);
    if (message.status === 'interrupted') lines.push(strings.interrupted);
    const failed = message.status === 'failed' || message.status === 'interrupted';
    if (failed && message.asked) lines.push(problemText(strings, message.problem));
    state.replaceChildren(...lines.map((line) => h('p', { dir: 'auto' }, line)));
    state.hidden = lines.length === 0;
  }

  update();
  return { node, update, text: () => prose.innerText, remove: retry.stop };
}

function citationMark(message, id, strings) {
  const index = message.citations.findIndex((citation) => citation.id === id);
  if (index < 0) return null;
  const label = strings.source(index + 1, message.citations[index].label);
  return h('sup.cite', { role: 'note', label }, `${index + 1}`);
}

function sourceRow({ label }, index) {
  return h('li', h('span.number', `${index + 1}`), h('bdi', label));
}

function toolRow({ name, status }, strings) {
  const ended = { done: 'check', failed: 'close', waiting: 'spark' }[status];
  const words = String(name)
    .replace(/^(get|check|find|search)_/, '')
    .replace(/_/g, ' ');
  return h('li', ended ? icon(ended) : h('span.spinner'), h('bdi', strings.tool(words)));
}

/** What a tool would do, in the server's words, and the visitor's to decide. */
function confirmCard({ call_id: call, summary }, strings, onWord) {
  const choose = (decision) => async () => {
    buttons.forEach((choice) => (choice.disabled = true));
    try {
      await onWord(call, decision);
    } catch {
      buttons.forEach((choice) => (choice.disabled = false)); // or it is over, and goes away
    }
  };
  const buttons = [
    button('pill.strong', { onclick: choose('accept') }, strings.accept),
    button('pill', { onclick: choose('decline') }, strings.decline),
  ];
  return h(
    'div.confirm',
    { role: 'group', 'aria-label': strings.confirm },
    h('p.plain', { dir: 'auto' }, summary),
    h('div.chips', ...buttons),
  );
}

function createTime(message, language) {
  const date = new Date(message.at);
  const today = date.toDateString() === new Date().toDateString();
  const format = new Intl.DateTimeFormat(language, {
    hour: 'numeric',
    minute: '2-digit',
    ...(!today && { day: 'numeric', month: 'short' }),
  });
  return h('time', { datetime: date.toISOString() }, format.format(date));
}

/** Only secure pages have a clipboard. */
function createCopy(message, strings) {
  if (!navigator.clipboard) return '';
  const node = button('quiet', { onclick });
  const show = (name, label) => {
    node.replaceChildren(icon(name));
    setLabel(node, label);
  };
  async function onclick() {
    try {
      await navigator.clipboard.writeText(message.text);
    } catch {
      return; // the visitor or the page refused
    }
    show('check', strings.copied);
    setTimeout(() => show('copy', strings.copy), COPIED_MS);
  }
  show('copy', strings.copy);
  return node;
}

/** Offered where another try may succeed, and only once the server allows it. */
function createRetry(message, strings, onRetry) {
  const label = h('span', strings.retry);
  const again = button('pill', { onclick: () => onRetry(message) }, icon('retry'), label);
  const node = h('div.retry', { hidden: true }, again);
  let allowedAt = 0;
  let timer = 0;

  function tick() {
    const left = Math.ceil((allowedAt - Date.now()) / 1000);
    again.disabled = left > 0;
    label.textContent = left > 0 ? strings.retryIn(left) : strings.retry;
    if (left <= 0) stop();
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
  }

  function update(running) {
    const { problem, asked, status } = message;
    const failed = status === 'failed' || status === 'interrupted';
    node.hidden = running || !failed || !asked || problem?.retryable === false;
    if (node.hidden || timer || !problem?.retryAfter) return;
    allowedAt = Date.now() + problem.retryAfter * 1000;
    timer = setInterval(tick, 1000);
    tick();
  }

  return { node, update, stop };
}
