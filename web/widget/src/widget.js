import { createConversation } from './chat/conversation.js';
import { createStore } from './chat/store.js';
import { createLook } from './look.js';
import { createNetwork } from './net/network.js';
import { chooseLanguage, problemText } from './text/index.js';
import { createLauncher } from './view/launcher.js';
import { createPanel } from './view/panel.js';
import { createShell } from './view/shell.js';

const OPEN_IN_TAB = 'frontdesk:open';

/** Puts the parts together: conversation, window and launcher, events for the page. */
export function createWidget({ api, options, config, emit }) {
  const { language, direction, strings } = chooseLanguage(
    options.language,
    ...(config.languages ?? []),
    navigator.language,
  );
  const look = createLook({ config, options, strings, language, direction });
  const life = new AbortController(); // ends every listener
  const { signal } = life;
  const store = createStore(window, options.key, signal);
  const network = createNetwork(window, signal);
  let isOpen = false;

  const conversation = createConversation({
    api,
    network,
    store,
    language,
    page: () => ({ url: location.href, title: document.title }),
    emit: onConversation,
  });
  const launcher = createLauncher({ strings, onclick: () => (isOpen ? close() : open()) });
  const panel = createPanel({
    strings,
    language,
    look,
    actions: { ...conversation, close, restart },
  });
  const shell = createShell({
    language,
    direction,
    look,
    signal,
    onLayout: panel.setModal,
    onEscape: () => isOpen && close(),
  });

  function onConversation(event, message) {
    const on = {
      list: showList,
      state: showState,
      message: () => panel.log.touch(message),
      sent: () => {
        panel.log.follow();
        emit('message:sent', { id: message.id, text: message.text });
      },
      answered: () => onAnswered(message),
      confirm: () => panel.announce(`${strings.confirm} ${message.summary}`),
      failed: () => {
        panel.alert(problemText(strings, message.problem));
        emit('error', { status: message.problem?.status ?? 0, code: message.problem?.code ?? '' });
      },
    };
    on[event]();
  }

  function onAnswered(answer) {
    const stopped = answer.status === 'stopped';
    if (isSeen()) {
      panel.announce(
        stopped ? strings.stopped : `${strings.assistant}: ${panel.log.textOf(answer)}`,
      );
    } else if (!stopped) {
      store.addUnread(answer.jobId);
    }
    showState();
    if (answer.text) emit('message:received', { id: answer.id, text: answer.text });
  }

  function isSeen() {
    return isOpen && document.visibilityState === 'visible';
  }

  function markSeen() {
    if (isSeen()) store.clearUnread();
    showState();
  }

  let unread = 0;
  function showState() {
    if (isSeen()) store.clearUnread();
    launcher.update({ open: isOpen, unread: store.state.unread.length });
    panel.composer.setBusy(conversation.busy);
    showIntro();
    if (unread !== store.state.unread.length) {
      unread = store.state.unread.length;
      emit('unread', unread);
    }
  }

  function showList() {
    panel.log.show(conversation.messages, conversation.hasEarlier);
    showIntro();
  }

  let introduced = '';
  function showIntro() {
    const { loading, messages } = conversation;
    const suggestions = loading || messages.length > 0 ? [] : look.suggestions;
    const next = `${loading} ${suggestions.length}`;
    if (next === introduced) return;
    introduced = next;
    panel.showIntro({ suggestions, loading });
  }

  let online = true;
  function showConnection() {
    if (online === network.isOnline()) return;
    online = !online;
    panel.showNotice(online ? '' : strings.offline);
  }

  // -- what the page and the visitor can do --------------------------------

  function open({ focus = true } = {}) {
    if (isOpen) return;
    isOpen = true;
    panel.node.hidden = false;
    shell.root.dataset.open = '';
    rememberOpen(true);
    conversation.load();
    markSeen();
    panel.log.follow();
    // on a touch screen the composer would bring the keyboard up over the conversation
    if (focus && matchMedia('(hover: hover)').matches) panel.composer.focus();
    else if (focus) panel.node.focus();
    emit('open');
  }

  function close() {
    if (!isOpen) return;
    const hadFocus = panel.node.contains(panel.node.getRootNode().activeElement);
    isOpen = false;
    panel.node.hidden = true;
    delete shell.root.dataset.open;
    rememberOpen(false);
    showState();
    if (hadFocus) launcher.node.focus();
    emit('close');
  }

  function restart() {
    conversation.restart();
    panel.log.follow();
  }

  function destroy() {
    conversation.close();
    life.abort();
  }

  shell.root.append(panel.node, launcher.node);
  document.addEventListener('visibilitychange', markSeen, { signal });
  network.onChange(showConnection);
  showConnection();
  showList();
  showState();
  shell.open();
  // an answer that was running goes on; a full screen does not come back by itself
  if (wasOpen() && !shell.isFull()) open({ focus: false });
  else if (store.state.pending) conversation.load();

  return {
    open,
    close,
    toggle: () => (isOpen ? close() : open()),
    sendMessage: (text) => conversation.send(String(text)),
    newConversation: restart,
    destroy,
  };
}

function rememberOpen(value) {
  try {
    if (value) sessionStorage.setItem(OPEN_IN_TAB, '1');
    else sessionStorage.removeItem(OPEN_IN_TAB);
  } catch {
    // a page without storage forgets
  }
}

function wasOpen() {
  try {
    return sessionStorage.getItem(OPEN_IN_TAB) === '1';
  } catch {
    return false;
  }
}
