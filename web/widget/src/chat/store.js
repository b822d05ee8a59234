const PENDING_MAX_MS = 20 * 60 * 1000; // a job and its events live no longer on the server

/**
 * What outlives the page: the session, the question whose answer is still running, and
 * the answers not yet seen. Shared by the site's tabs through localStorage; where that is
 * refused (private windows, blocked cookies) it lasts as long as the page.
 */
export function createStore(window, key, signal) {
  const name = `frontdesk:${key}`;
  let state = load();

  function load() {
    try {
      return checked(JSON.parse(window.localStorage.getItem(name)));
    } catch {
      return checked(null);
    }
  }

  function save() {
    try {
      window.localStorage.setItem(name, JSON.stringify(state));
    } catch {
      // full or forbidden: memory has to do
    }
  }

  function update(patch) {
    state = { ...state, ...patch };
    save();
  }

  return {
    /** {session, pending, unread}; to be read only */
    get state() {
      return state;
    },
    setSession: (session) => update({ session }),
    /** pending: {question, job, at} */
    setPending: (pending) => update({ pending }),
    settle(messageId) {
      if (state.pending?.question.client_message_id === messageId) update({ pending: null });
    },
    addUnread(id) {
      if (!state.unread.includes(id)) update({ unread: [...state.unread, id].slice(-99) });
    },
    clearUnread: () => state.unread.length > 0 && update({ unread: [] }),
    forget: () => update(checked(null)),
    /** Another tab changed it: listener(the session before). */
    onForeignChange(listener) {
      const onStorage = (event) => {
        if (event.key !== name && event.key !== null) return;
        const before = state.session;
        state = load();
        listener(before);
      };
      window.addEventListener('storage', onStorage, { signal });
    },
  };
}

/** Anything may stand in a page's storage: what is not ours is dropped. */
function checked(value) {
  const { session, pending, unread } = value ?? {};
  return {
    session: typeof session === 'string' ? session : '',
    pending: isPending(pending) ? pending : null,
    unread: Array.isArray(unread) ? unread.filter((id) => typeof id === 'string') : [],
  };
}

function isPending(pending) {
  return (
    typeof pending?.question?.message === 'string' &&
    typeof pending.question.client_message_id === 'string' &&
    typeof pending.job === 'string' &&
    Date.now() - pending.at < PENDING_MAX_MS
  );
}
