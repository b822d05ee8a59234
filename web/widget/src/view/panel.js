import { button, h } from './dom.js';
import { icon } from './icons.js';
import { createComposer } from './composer.js';
import { createLog } from './log.js';

const FOCUSABLE = 'button:not([disabled]):not([hidden]), textarea, a[href], [tabindex="0"]';

/** The window: header, log, a line for what concerns the whole chat, composer. */
export function createPanel({ strings, language, look, actions }) {
  const log = createLog({
    strings,
    language,
    onRetry: actions.retry,
    onConfirm: actions.confirm,
    onEarlier: actions.loadEarlier,
  });
  const composer = createComposer({ strings, onSend: actions.send, onStop: actions.stop });
  const notice = h('div.notice', { role: 'status', hidden: true });
  const announcer = h('div.sr', { role: 'status', 'aria-live': 'polite' });
  const alert = h('div.sr', { role: 'alert' });
  const restart = iconButton('compose', strings.restart, askRestart);
  const node = h(
    'section.panel',
    { id: 'panel', role: 'dialog', 'aria-label': look.title, hidden: true, tabindex: '-1' },
    createHeader(look, restart, iconButton('close', strings.close, actions.close)),
    notice,
    log.node,
    composer.node,
    announcer,
    alert,
  );
  node.addEventListener('keydown', (event) => {
    if (event.key === 'Tab' && node.getAttribute('aria-modal') === 'true') keepFocus(event);
  });

  function askRestart() {
    const choose = (then) => () => {
      showNotice('');
      then();
    };
    const startNew = choose(() => {
      actions.restart();
      composer.focus();
    });
    const keep = choose(() => restart.focus());
    const buttons = [
      button('pill.strong', { onclick: startNew }, strings.restartYes),
      button('pill', { onclick: keep }, strings.restartNo),
    ];
    showNotice(strings.restartQuestion, ...buttons);
    buttons[1].focus();
  }

  function showNotice(text, ...buttons) {
    notice.replaceChildren(...(text ? [h('p', text), ...buttons] : []));
    notice.hidden = text === '';
  }

  /** Full-screen it is modal: Tab stays inside. As a window it must not. */
  function keepFocus(event) {
    const stops = [...node.querySelectorAll(FOCUSABLE)].filter(
      (stop) => stop.getClientRects().length > 0,
    );
    const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
    const active = node.getRootNode().activeElement;
    if (active !== edge && active !== node) return;
    event.preventDefault();
    (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
  }

  /** What stands above the messages: the greeting, and while there are none, suggestions. */
  function showIntro({ suggestions, loading }) {
    const chips = suggestions.map((text) =>
      button('pill.chip', { dir: 'auto', onclick: () => actions.send(text) }, text),
    );
    const greeting = h('div.bubble', { dir: 'auto' }, look.greeting);
    const wait = h('div.loading', { role: 'status' }, h('span.spinner'), strings.loading);
    log.intro.replaceChildren(
      loading ? wait : h('div.turn.assistant', greeting),
      h(
        'div.chips',
        { role: 'group', label: strings.suggestions, hidden: chips.length === 0 },
        ...chips,
      ),
    );
  }

  return {
    node,
    log,
    composer,
    showIntro,
    showNotice,
    setModal: (modal) => node.setAttribute('aria-modal', String(modal)),
    announce: (text) => (announcer.textContent = text),
    alert: (text) => (alert.textContent = text),
  };
}

function createHeader(look, ...buttons) {
  const face = h(
    'div.face',
    { 'aria-hidden': 'true' },
    look.logo ? logo(look.logo) : icon('spark'),
  );
  const titles = h(
    'div.titles',
    h('h2.title', h('bdi', look.title)),
    h('p.subtitle', look.subtitle),
  );
  return h('header.header', face, titles, ...buttons);
}

function logo(src) {
  const image = h('img', { src, alt: '', decoding: 'async', referrerpolicy: 'no-referrer' });
  image.addEventListener('error', () => image.replaceWith(icon('spark')));
  return image;
}

function iconButton(name, label, onclick) {
  return button('tool', { label, onclick }, icon(name));
}
