import { chat } from './chat/chat.js';
import { load, loadEarlier, onForeignChange, restart, send, start } from './chat/conversation.js';
import { identify, isKnown, reset } from './chat/identity.js';
import { handOff, isPerson } from './chat/operator.js';
import { queue, set, state, useState } from './chat/state.js';
import { emit, hooks } from './hooks.js';
import { filter, map } from './list.js';
import { createLook } from './look.js';
import { post } from './net/http.js';
import { isOnline, listen, watchNetwork } from './net/network.js';
import { fill, problemText } from './text.js';
import { h, setLabel } from './view/dom.js';
import { icon } from './view/icons.js';
import { speakerOf, timeOf } from './view/message.js';
import { createShell } from './view/shell.js';
import { createWindow } from './view/window.js';

const FRAME_MS = 16;
const FURNISH_MS = 50; // behind the launcher, which has been drawn by then
const COUNT = /^\(\d+\) /; // in the page's title

/** Launcher and window over the conversation. refusal: why there can be none here. */
export function createWidget(key, options, config, strings, refusal) {
  const look = createLook(config, options, strings);
  const life = new AbortController(); // ends every listener
  const { signal } = life;
  const changed = new Set();
  let panel; // made behind the launcher's first frame
  let timer;
  let isOpen = false;
  let unread = 0;

  const isSeen = () => isOpen && !document.hidden;

  // -- what the conversation says ------------------------------------------------

  /** Shown with the next frame, however many tokens came; a timer, as hidden tabs count too. */
  hooks.changed_ = (message) => {
    changed.add(message);
    timer ??= setTimeout(show, FRAME_MS);
  };

  hooks.received_ = (message) => {
    const { text_: text } = message;
    const stopped = message.status_ === 'stopped';
    if (isSeen()) {
      changed.add(message);
      show();
      const said = `${speakerOf(look, message)}: ${panel.log_.textOf_(message)}`;
      panel.say_(stopped ? look.stopped_ : said);
    } else if (!stopped) {
      set({ unread: { ...state.unread, [message.job_ || message.id_]: 1 } });
      hooks.changed_(message);
    }
    if (text) emit('message:received', { id: message.id_, text, role: message.role_ });
  };

  hooks.failed_ = (problem) => {
    const { status_: status = 0, code = '', message = 'connection lost' } = problem;
    panel.warn_(problemText(look, problem));
    console.warn(`Frontdesk: ${status} ${code} ${message} ${problem.request_id ?? ''}`);
    emit('error', { status, code });
  };

  hooks.asks_ = (confirmation) => panel.say_(`${look.confirm_} ${confirmation.summary}`);

  hooks.ended_ = () => {
    if (state.mode === 'ended') panel.notify_(look.ended_);
    if (look.rating_ && !chat.score_ && isOpen) askForRating();
  };

  function showCount(count) {
    const label = count ? fill(look.unread_, count) : look.open_;
    setLabel(launcher, isOpen ? look.close_ : label);
    launcher.setAttribute('aria-expanded', isOpen);
    badge.hidden = isOpen || !count;
    badge.textContent = count > 9 ? '9+' : count;
  }

  function show() {
    clearTimeout(timer);
    timer = null;
    if (isSeen() && Object.keys(state.unread).length) set({ unread: {} });
    const count = Object.keys(state.unread).length;
    showCount(count);
    const here = fill(look.here_, chat.operator_ || look.person_);
    panel.update_(
      changed,
      state.mode === 'human' ? here : isPerson(state.mode) ? look.waiting_ : look.subtitle_,
      chat.typing_ && fill(look.typing_, chat.typing_),
    );
    changed.clear();
    if (unread === count) return;
    unread = count;
    document.title = (count ? `(${count}) ` : '') + document.title.replace(COUNT, '');
    emit('unread', count);
  }

  // -- what the visitor is asked -----------------------------------------------------

  const isIntroduced = () => state.met || state.user || isKnown();

  /** The form comes before the first word, and not again; `text` is that word. */
  function askFirst(text) {
    if (!look.form_.length || isIntroduced() || chat.list_.length) return false;
    const act = async (profile) => {
      await identify({ profile });
      if (text) send(text);
    };
    panel.ask_(look.first_, look.form_, act, true);
    return true;
  }

  function askForHuman() {
    open();
    const who = isIntroduced() ? [] : [{ name: 'name' }, { name: 'email' }];
    panel.ask_(look.talk_, [{ name: 'reason' }, ...who], async (form) => {
      await handOff(form);
      emit('handoff', form);
    });
  }

  function askForRating() {
    panel.ask_(look.rate_, [{ name: 'score' }, { name: 'comment' }], async (form) => {
      await post(`sessions/${state.session}/rating`, form);
      chat.score_ = form.score;
      panel.notify_(look.thanks_);
      emit('csat', form);
    });
  }

  function askFresh() {
    panel.ask_(look.fresh_, [], async () => newConversation());
  }

  async function giveFeedback(message, rating) {
    const tell = (form) => post(`messages/${message.id_}/feedback`, form, state.session);
    try {
      await tell({ rating });
      message.rating_ = rating;
      hooks.changed_(message);
      if (rating === 'down')
        panel.ask_(look.down_, [{ name: 'comment' }], (form) => tell({ rating, ...form }));
    } catch (problem) {
      panel.notify_(problemText(look, problem));
    }
  }

  /** The whole conversation as a text file, made here. */
  async function save() {
    for (let cursor; chat.earlier_ && chat.earlier_ !== cursor; await loadEarlier())
      cursor = chat.earlier_;
    const line = (m) => `${timeOf(m)} ${speakerOf(look, m)}:\n${m.text_}\n\n`;
    // the mark tells old editors that it is UTF-8
    const href = URL.createObjectURL(new Blob(['\ufeff', ...map(chat.list_, line)]));
    h('a', { href, download: `${look.title_}.txt` }).click();
  }

  // -- what the page and the visitor can do --------------------------------------------

  function sendMessage(text) {
    if (refusal) return false;
    panel.log_.follow_();
    const taken = askFirst(`${text}`) || send(`${text}`);
    show();
    return taken;
  }

  function setOpen(is) {
    isOpen = is;
    panel.node_.hidden = !is;
    launcher.replaceChildren(icon(is ? 'failed' : 'chat'), badge);
    set({ open: is });
  }

  function open(focus = true) {
    furnish();
    if (isOpen) return;
    setOpen(true);
    if (refusal) {
      panel.composer_.hidden = true;
      panel.notify_(problemText(look, refusal));
    } else {
      load();
      askFirst();
    }
    show();
    panel.log_.follow_();
    // on a touch screen the composer would bring the keyboard up over the conversation
    if (focus && !refusal && matchMedia('(hover:hover)').matches) panel.focus_();
    else if (focus) panel.node_.focus();
    emit('open');
  }

  function close() {
    if (!isOpen) return;
    const hadFocus = panel.node_.matches(':focus-within');
    setOpen(false);
    show();
    if (hadFocus) launcher.focus();
    emit('close');
  }

  function toggle() {
    if (isOpen) close();
    else open();
  }

  function newConversation() {
    restart();
    panel.notify_();
    panel.log_.follow_();
  }

  const badge = h('span.badge');
  const launcher = h(
    'button.launcher',
    { 'aria-haspopup': 'dialog', 'aria-controls': 'panel', onclick: toggle },
    icon('chat'),
    badge,
  );
  const shell = createShell(
    look,
    signal,
    launcher,
    (isFull) => panel?.setModal_(isFull),
    () => {
      if (isOpen && !panel.escape_()) close();
    },
  );

  /** The window and the conversation, in a task of their own. */
  function furnish() {
    if (panel || signal.aborted) return;
    const items = [
      look.rating_ && [look.rate_, askForRating],
      [look.save_, save],
      [look.fresh_, askFresh],
    ];
    panel = createWindow(
      look,
      filter(items, Boolean),
      sendMessage,
      giveFeedback,
      askForHuman,
      close,
    );
    panel.setModal_(shell.isFull_());
    shell.root_.prepend(panel.node_);
    const showConnection = () => panel.notify_(!isOnline() && look.offline_);
    watchNetwork(signal);
    useState(key, signal, onForeignChange);
    listen(window, 'online offline', showConnection, signal);
    listen(document, 'visibilitychange', show, signal);
    Object.assign(chat, { language_: look.tag_, isGuarded_: look.identity_ });
    start();
    show();
    showConnection();
    // an answer that was running goes on; a full screen does not come back by itself
    if (state.open && !shell.isFull_()) open(false);
    else if (!refusal && queue().length) load();
  }

  showCount(0);
  setTimeout(furnish, FURNISH_MS);

  return {
    furnish_: furnish,
    open: () => open(),
    close,
    toggle,
    show: () => (shell.root_.hidden = false),
    hide() {
      close();
      shell.root_.hidden = true;
    },
    sendMessage,
    newConversation,
    handoff: askForHuman,
    identify,
    reset() {
      close();
      reset();
    },
    destroy_() {
      clearTimeout(timer);
      document.title = document.title.replace(COUNT, '');
      life.abort();
    },
  };
}
