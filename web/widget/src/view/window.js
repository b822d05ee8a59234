import { chat } from '../chat/chat.js';
import { stop } from '../chat/conversation.js';
import { isTooLong } from '../chat/question.js';
import { set, state } from '../chat/state.js';
import { filter, map } from '../list.js';
import { dots, fillWith, h, setLabel, setText, tool } from './dom.js';
import { icon } from './icons.js';
import { createLog } from './log.js';
import { createSheet } from './sheet.js';

const TALLEST = 140; // px of the composer, then it scrolls

/**
 * The window: header, log, a line for what concerns the whole chat, composer or sheet.
 * items: what the menu offers, [label, act].
 */
export function createWindow(look, items, onSend, onFeedback, onHuman, onClose) {
  let sheet;
  let modal;
  let busy;
  let introduced;

  const log = createLog(look, onFeedback);
  const notice = h('p.notice', { role: 'status' });
  const announcer = h('div.sr', { role: 'status' });
  const subtitle = h('p');

  const more = tool('more', look.menu_, toggleMenu);
  const option = ({ model_id: value, label }) => h('option', { value }, label || value);
  const models = h(
    'select.box',
    { onchange: () => set({ model: models.value }) },
    ...map([{ model_id: 'auto', label: look.auto_ }, ...look.models_], option),
  );
  const item = ([label, act]) => h('button.item', { onclick: () => act(closeMenu()) }, label);
  const menu = h(
    'div.menu',
    { hidden: true, onfocusout },
    look.models_.length && h('label', look.pick_, models),
    ...map(items, item),
  );

  /** One button: it sends what is written, and with nothing written stops the answer. */
  const input = h('textarea.input', {
    rows: '1',
    dir: 'auto',
    placeholder: look.write_,
    'aria-label': look.write_,
    'aria-describedby': 'hint',
    enterkeyhint: 'send',
    oninput: updateComposer,
    onkeydown: typed,
  });
  const button = tool('send', look.send_, act);
  button.classList.add('strong', 'send');
  const hint = h('p.hint', { id: 'hint' });
  const composer = h('div.composer', h('div.field', input, button), hint);
  const text = () => input.value.trim();

  const logo =
    look.logo_ &&
    h('img', {
      src: look.logo_,
      alt: '',
      referrerpolicy: 'no-referrer',
      onerror: () => logo.replaceWith(icon('spark')),
    });
  const node = h(
    'section.panel',
    {
      id: 'panel',
      role: 'dialog',
      'aria-label': look.title_,
      hidden: true,
      tabindex: '-1',
      onkeydown,
    },
    h(
      'header.header',
      h('div.tool.face', { 'aria-hidden': 'true' }, logo || icon('spark')),
      h('div.titles', h('h2.title', h('bdi', look.title_)), subtitle),
      look.human_ && tool('person', look.talk_, onHuman),
      more,
      tool('close', look.close_, onClose),
      menu,
    ),
    notice,
    log.node_,
    composer,
    announcer,
  );

  /** Asks the visitor in place of the composer; another question that stood there goes. */
  function ask(title, fields, act, mustAnswer) {
    sheet?.node_.remove();
    composer.hidden = true;
    sheet = createSheet(look, title, fields, act, mustAnswer, () => {
      sheet = null;
      composer.hidden = false;
      input.focus();
    });
    log.node_.after(sheet.node_);
    log.follow_();
    sheet.focus_();
  }

  function toggleMenu() {
    menu.hidden = !menu.hidden;
    more.setAttribute('aria-expanded', !menu.hidden);
    models.value = state.model || look.model_ || 'auto';
    if (!menu.hidden) menu.querySelector('select,button').focus();
  }

  function closeMenu() {
    if (menu.hidden) return false;
    toggleMenu();
    more.focus();
    return true;
  }

  function onfocusout({ relatedTarget: next }) {
    if (next !== more && !menu.contains(next) && !menu.hidden) toggleMenu();
  }

  function typed(event) {
    // an input method uses Enter to choose a word (229: what Safari says of it)
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229)
      return;
    event.preventDefault();
    if (text()) act();
  }

  function act() {
    if (!text()) stop();
    else if (!isTooLong(text()) && onSend(text())) input.value = '';
    updateComposer();
    if (!sheet) input.focus();
  }

  function updateComposer() {
    const tooLong = isTooLong(text());
    const stops = chat.turn_ && !text();
    input.setAttribute('aria-invalid', tooLong);
    hint.textContent = tooLong ? look.long_ : look.hint_;
    hint.classList.toggle('wrong', tooLong);
    button.disabled = tooLong || !(text() || stops);
    button.replaceChildren(icon(stops ? 'stop' : 'send'));
    setLabel(button, stops ? look.stop_ : look.send_);
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, TALLEST)}px`;
  }

  /** Full-screen it is modal: Tab stays inside. As a window it must not. */
  function onkeydown(event) {
    if (event.key !== 'Tab' || !modal) return;
    const stops = filter(
      node.querySelectorAll('button,textarea,input,select,a,[tabindex="0"]'),
      (stop) => !stop.disabled && stop.getClientRects().length,
    );
    const { activeElement: active } = node.getRootNode();
    const last = stops.length - 1;
    const [edge, other] = event.shiftKey ? [0, last] : [last, 0];
    if (active !== stops[edge] && active !== node) return;
    event.preventDefault();
    stops[other].focus();
  }

  /** Above the messages: the greeting, and while there are none, suggestions. */
  function showIntro() {
    const fresh = !chat.loading_ && !chat.list_.length;
    if (introduced === (introduced = `${chat.loading_}${fresh}`)) return;
    const chip = (words) => h('button.pill', { dir: 'auto', onclick: () => onSend(words) }, words);
    fillWith(log.intro_, [
      chat.loading_
        ? dots(look.loading_)
        : h('div.turn', h('div.bubble', { dir: 'auto' }, look.greeting_)),
      fresh && h('div.row', ...map(look.suggestions_, chip)),
    ]);
  }

  return {
    node_: node,
    log_: log,
    composer_: composer,
    ask_: ask,
    update_(changed, title, typing) {
      setText(log.typing_, typing);
      setText(subtitle, title);
      showIntro();
      log.show_(changed);
      if (busy !== (busy = chat.turn_)) updateComposer();
    },
    /** What Escape leaves first; false: nothing but the window itself. */
    escape_: () => closeMenu() || sheet?.escape_(),
    focus_: () => (sheet ? sheet.focus_() : input.focus()),
    notify_: (words) => fillWith(notice, [words]),
    announce_: (words) => (announcer.textContent = words),
    setModal_: (is) => node.setAttribute('aria-modal', (modal = is)),
  };
}
