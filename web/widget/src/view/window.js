import { chat } from '../chat/chat.js';
import { stop } from '../chat/conversation.js';
import { tellTyping } from '../chat/operator.js';
import { isTooLong } from '../chat/question.js';
import { set, state } from '../chat/state.js';
import { map } from '../list.js';
import { h, setLabel, setText, tool } from './dom.js';
import { icon } from './icons.js';
import { createLog } from './log.js';
import { createSheet } from './sheet.js';

/**
 * The window: header, log, a line for what concerns the whole chat, composer or sheet.
 * items: what the menu offers, [label, act].
 */
export function createWindow(look, items, onSend, onFeedback, onHuman, onClose) {
  let sheet;
  let busy;

  const log = createLog(look, onSend, onFeedback);
  const notice = h('p.notice', { role: 'status' });
  const status = h('div.sr', { role: 'status' });
  const alert = h('div.sr', { role: 'alert' });
  const subtitle = h('p');

  const more = tool('more', look.menu_, () => showMenu(menu.hidden));
  const option = (model) => h('option', { value: model.model_id }, model.label || model.model_id);
  const models = h(
    'select.box',
    { onchange: () => set({ model: models.value }) },
    ...map([{ model_id: 'auto', label: look.auto_ }, ...look.models_], option),
  );
  const item = ([label, act]) => h('button.item', { onclick: () => act(closeMenu()) }, label);
  const menu = h(
    'div.menu',
    { hidden: true },
    look.models_.length && h('label', look.pick_, models),
    ...map(items, item),
  );
  // focusable, as Safari gives a button that is clicked no focus of its own
  const menuHome = h('div', { tabindex: '-1', onfocusout }, more, menu);

  /** One button: it sends what is written, and with nothing written stops the answer. */
  const input = h('textarea.input', {
    rows: '1',
    dir: 'auto',
    placeholder: look.write_,
    'aria-label': look.write_,
    'aria-describedby': 'hint',
    enterkeyhint: 'send',
    oninput() {
      updateComposer();
      tellTyping();
    },
    onkeydown,
  });
  const button = tool('send', look.send_, act);
  button.classList.add('strong');
  const hint = h('p.hint', { id: 'hint' });
  const composer = h('div.composer', h('div.field', input, button), hint);
  const text = () => input.value.trim();

  const face = icon('chat');
  const logo =
    look.logo_ &&
    h('img', {
      src: look.logo_,
      alt: '',
      onerror: () => logo.replaceWith(face),
    });
  const header = h(
    'header.header',
    h('div.tool', logo || face),
    h('div.titles', h('h2', h('bdi', look.title_)), subtitle),
    look.human_ && tool('person', look.talk_, onHuman),
    menuHome,
    tool('failed', look.close_, onClose),
  );
  // full-screen it is modal: who leaves it by Tab comes in again. As a window it must not.
  const before = h('span', { onfocus: () => focus() });
  const behind = h('span', { onfocus: () => header.querySelector('button').focus() });
  const node = h(
    'section.panel',
    { id: 'panel', role: 'dialog', 'aria-label': look.title_, hidden: true, tabindex: '-1' },
    before,
    header,
    notice,
    log.node_,
    composer,
    status,
    alert,
    behind,
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
    focus();
  }

  function focus() {
    (sheet ? sheet.node_.elements[0] : input).focus();
  }

  function showMenu(is) {
    menu.hidden = !is;
    more.setAttribute('aria-expanded', is);
    models.value = state.model || look.model_ || 'auto';
  }

  function closeMenu() {
    if (menu.hidden) return false;
    showMenu(false);
    more.focus();
    return true;
  }

  function onfocusout(event) {
    if (!menuHome.contains(event.relatedTarget)) showMenu(false);
  }

  function onkeydown(event) {
    // an input method uses Enter to choose a word (229: what Safari says of it)
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229)
      return;
    event.preventDefault();
    if (text() && !button.disabled) act();
  }

  function act() {
    if (!text()) stop();
    else if (onSend(text())) input.value = '';
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
    input.style.height = `${input.scrollHeight}px`;
  }

  return {
    node_: node,
    log_: log,
    composer_: composer,
    ask_: ask,
    update_(changed, title, typist) {
      setText(subtitle, title);
      log.show_(changed, typist);
      if (busy !== (busy = chat.turn_)) updateComposer();
    },
    /** What Escape leaves first; false: nothing but the window itself. */
    escape_: () => closeMenu() || sheet?.escape_(),
    focus_: focus,
    notify_: (words) => setText(notice, words || ''),
    say_: (words) => (status.textContent = words),
    warn_: (words) => (alert.textContent = words),
    setModal_(is) {
      node.setAttribute('aria-modal', is);
      before.tabIndex = behind.tabIndex = is ? 0 : -1;
    },
  };
}
