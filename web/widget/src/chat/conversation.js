import { persist } from '../net/network.js';
import { Problem } from '../net/problem.js';
import { createAnswer } from './answer.js';
import { applyEvent, citationsOf, createMessage, fromHistory } from './message.js';
import { createQuestion } from './question.js';
import { uuid } from './uuid.js';

const BUSY_MAX = 3; // answers of other tabs waited for, one after the other

/**
 * The conversation of this visitor: its messages, the answer that is running, and its
 * life across pages and tabs. emit(event, ...): 'list' (messages came or went),
 * 'message' (one changed), 'state', 'sent', 'answered', 'failed', 'confirm' (it asks).
 */
export function createConversation({ api, network, store, page, language, emit }) {
  let messages = [];
  let earlier = ''; // cursor of the older messages, '' = that was all
  let wanted = false; // someone looks at the conversation
  let loaded = null; // promise of the first page of the history
  let loading = false;
  let running = null; // the turn whose answer is on its way
  let life = 0; // grows with every reset: what was started before is not ours any more

  // -- sending ------------------------------------------------------------

  function send(text) {
    const message = text.trim();
    if (!message || running) return false;
    const question = createQuestion({
      message,
      language,
      session: store.state.session,
      page: page(),
    });
    const asked = createMessage('user', { text: message, question });
    ask(asked);
    emit('sent', asked);
    return true;
  }

  function ask(asked, job = '') {
    const answer = createMessage('assistant', { asked });
    asked.status = job ? 'sent' : 'sending';
    place(asked, answer);
    deliver(asked, answer, job);
  }

  /** Tries again where it failed: the same connection, the same question or a new turn. */
  function retry(answer) {
    const { asked } = answer;
    if (running || !asked) return;
    const job = answer.problem ? '' : answer.jobId;
    if (answer.problem && answer.jobId) {
      // that turn is over on the server, and its id would only bring its end again
      asked.question = { ...asked.question, client_message_id: uuid() };
    }
    remove(answer);
    ask(asked, job);
  }

  /** What the visitor says to a tool that asks; the answer goes on by itself. */
  function confirm(answer, call, decision) {
    return persist(network, () => api.confirm(answer.jobId, store.state.session, call, decision));
  }

  async function deliver(asked, answer, job) {
    const born = life;
    const turn = createTurn(asked);
    running = turn;
    emit('state');
    try {
      const result = await outcome(asked, answer, job, turn);
      if (born !== life) return;
      if (result.end !== 'lost') store.settle(turn.messageId);
      await settle(answer, result);
    } catch (error) {
      if (born !== life) return;
      store.settle(turn.messageId);
      if (turn.stopped) finish(answer, 'stopped');
      else fail(answer, error instanceof Problem ? error : noConnection());
    } finally {
      if (running === turn) running = null;
      if (born === life) emit('state');
    }
  }

  /** How the answer ended, after the detours: a session that is gone, another answer first. */
  async function outcome(asked, answer, job, turn) {
    let result;
    for (let busy = 0, renewed = false; ;) {
      if (!store.state.session) {
        // asked is asked, also if the page goes away before there is a session
        store.setPending({ question: asked.question, job: '', at: Date.now() });
        await startSession(turn.signal);
      }
      asked.question = { ...asked.question, session_id: store.state.session };
      if (turn.stopped) return { end: 'cancelled' };
      store.setPending({ question: asked.question, job, at: Date.now() });
      result = await follow(asked, answer, job, turn);
      if (result.end === 'no-session' && !renewed) {
        renewed = true;
        store.setSession('');
      } else if (result.end === 'busy' && busy++ < BUSY_MAX && !turn.stopped) {
        await followOther(result.problem.jobId, asked, turn);
      } else {
        return result;
      }
    }
  }

  async function startSession(signal) {
    const started = await persist(network, () => api.startSession(language), signal);
    store.setSession(started.session_id);
  }

  function follow(asked, answer, job, turn) {
    answer.jobId = job;
    const accepted = (acceptedJob, session) => {
      if (session !== store.state.session) store.setSession(session);
      store.setPending({ question: asked.question, job: acceptedJob, at: Date.now() });
      asked.status = 'sent';
      adoptJob(asked, answer, acceptedJob);
    };
    return bring(answer, turn, { question: asked.question, job, accepted });
  }

  /** The answer's events, into its message. */
  function bring(message, turn, { question, job, accepted }) {
    const sink = {
      accepted,
      event(type, data) {
        applyEvent(message, type, data);
        emit('message', message);
        if (type === 'confirm') emit('confirm', data);
      },
      connection(up) {
        if (message.reconnecting === !up) return;
        message.reconnecting = !up;
        emit('message', message);
      },
    };
    return turn.track(
      createAnswer({ api, network, question, session: store.state.session, job, sink }),
    );
  }

  /** The history may have brought the same turn, without saying that it is ours. */
  function adoptJob(asked, answer, job) {
    asked.jobId = answer.jobId = job;
    messages = messages.filter((m) => m === asked || m === answer || !job || m.jobId !== job);
    emit('list');
    emit('message', asked);
  }

  /** An answer this tab knows nothing of stands in the way: show it, then go on. */
  async function followOther(job, asked, turn) {
    const other = createMessage('assistant', { jobId: job });
    messages.splice(messages.indexOf(asked), 0, other);
    emit('list');
    await bring(other, turn, { job });
    other.status = 'done';
    if (other.text) emit('message', other);
    else remove(other);
  }

  // -- ends ---------------------------------------------------------------

  function settle(answer, result) {
    answer.reconnecting = false;
    switch (result.end) {
      case 'done':
        return finish(answer, 'done', citationsOf(result.data.citations));
      case 'cancelled':
        return finish(answer, 'stopped');
      case 'gone':
        return settleFromHistory(answer);
      default:
        return fail(answer, result.problem ?? null);
    }
  }

  function finish(answer, status, citations = []) {
    answer.status = status;
    if (citations.length > 0) answer.citations = citations;
    answer.asked.status = answer.jobId || status === 'done' ? 'sent' : 'failed';
    emit('message', answer.asked);
    emit('message', answer);
    emit('answered', answer);
  }

  /** problem null: the connection was lost, the answer itself may be fine. */
  function fail(answer, problem) {
    if (!answer.jobId) answer.asked.status = 'failed';
    answer.problem = problem;
    answer.reconnecting = false;
    answer.status = answer.text ? 'interrupted' : 'failed';
    emit('message', answer.asked);
    emit('message', answer);
    emit('failed', answer);
  }

  async function settleFromHistory(answer) {
    const { messages: stored } = await api.history(store.state.session);
    const found = fromHistory(stored).find(
      ({ role, jobId }) => role === 'assistant' && jobId === answer.jobId,
    );
    if (!found) return fail(answer, null);
    answer.text = found.text;
    return finish(answer, found.status, found.citations);
  }

  // -- history and other tabs ---------------------------------------------

  /** Once: what was said before, and the answer a former page left running. */
  function load() {
    wanted = true;
    if (!store.state.session) {
      resumePending();
      return Promise.resolve();
    }
    loaded ??= loadFirst(life);
    return loaded;
  }

  async function loadFirst(born) {
    loading = true;
    emit('state');
    try {
      const first = await persist(network, () => api.history(store.state.session));
      if (born !== life) return;
      const known = new Set(messages.map((message) => message.jobId).filter(Boolean));
      messages = [...fromHistory(first.messages).filter((m) => !known.has(m.jobId)), ...messages];
      earlier = first.next_cursor ?? '';
    } catch (error) {
      if (born !== life) return;
      if (error instanceof Problem && error.status === 404) store.forget();
      else loaded = null; // the next opening tries again
    }
    loading = false;
    emit('list');
    emit('state');
    resumePending();
  }

  function resumePending() {
    const { pending } = store.state;
    if (!pending || running) return;
    const { question, job } = pending;
    const answered = messages.some((m) => m.role === 'assistant' && job && m.jobId === job);
    if (answered) {
      store.settle(question.client_message_id);
      return;
    }
    const spoken = messages.find((m) => m.role === 'user' && job && m.jobId === job);
    const asked = spoken ?? createMessage('user', { text: question.message });
    asked.question = question;
    ask(asked, job);
  }

  async function loadEarlier() {
    const cursor = earlier;
    earlier = '';
    try {
      const older = await api.history(store.state.session, cursor);
      messages = [...fromHistory(older.messages), ...messages];
      earlier = older.next_cursor ?? '';
    } catch {
      earlier = cursor;
    }
    emit('list');
  }

  store.onForeignChange((before) => {
    if (before && before !== store.state.session) clear();
    if (wanted && store.state.session) load();
    if (wanted && store.state.pending?.job) resumePending();
    emit('state');
  });

  // -- life ---------------------------------------------------------------

  function place(...added) {
    messages = [...messages.filter((message) => !added.includes(message)), ...added];
    emit('list');
  }

  function remove(message) {
    messages = messages.filter((other) => other !== message);
    emit('list');
  }

  function clear() {
    life++;
    running?.detach();
    running = null;
    messages = [];
    earlier = '';
    loaded = null;
    loading = false;
    emit('list');
    emit('state');
  }

  /** A new conversation; the old one ends on the server too, where it can be reached. */
  function restart() {
    const ended = store.state.session;
    running?.stop();
    store.forget();
    clear();
    if (ended) api.endSession(ended).catch(() => {});
  }

  return {
    send,
    retry,
    confirm,
    load,
    loadEarlier,
    restart,
    stop: () => running?.stop(),
    close() {
      life++;
      running?.detach();
    },
    get messages() {
      return messages;
    },
    get busy() {
      return running !== null;
    },
    get loading() {
      return loading;
    },
    get hasEarlier() {
      return earlier !== '';
    },
  };
}

/** One question on its way: what Stop and leaving it mean at each moment. */
function createTurn(asked) {
  const givenUp = new AbortController();
  let answer = null;
  return {
    messageId: asked.question.client_message_id,
    signal: givenUp.signal,
    get stopped() {
      return givenUp.signal.aborted;
    },
    track(newAnswer) {
      answer = newAnswer;
      if (givenUp.signal.aborted) answer.stop();
      return answer.finished;
    },
    stop() {
      givenUp.abort();
      answer?.stop();
    },
    detach() {
      answer?.detach();
    },
  };
}

function noConnection() {
  return new Problem(0, { retryable: true });
}
