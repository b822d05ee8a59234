import { emit, hooks } from '../hooks.js';
import { find, map } from '../list.js';
import { get, post, request } from '../net/http.js';
import { persist } from '../net/network.js';
import { createAnswer } from './answer.js';
import { chat, clear, keep, life, merge, place } from './chat.js';
import { isLocked, tell } from './identity.js';
import { applyEvent, citationsOf, createMessage, fromHistory } from './message.js';
import { listenToOperator, setMode } from './operator.js';
import { createQuestion } from './question.js';
import { dequeue, enqueue, forget, queue, set, state } from './state.js';
import { uuid } from './uuid.js';

const FOREIGN_MS = 5000; // a tab that asked something and does not send it is gone

export let wanted; // someone looks at the conversation
const own = {}; // client_message_ids that this tab sends
let loaded; // the life whose history was asked for
let starting;

// -- sending ----------------------------------------------------------------

export function send(text) {
  const message = text.trim();
  if (!message) return false;
  if (isLocked()) leave();
  const asked = place(createMessage('user', { text_: message }));
  ask(asked, createQuestion(message, chat.language_, state.model), '');
  emit('message:sent', { id: asked.question_.client_message_id, text: message });
  return true;
}

function ask(asked, question, job) {
  asked.question_ = question;
  asked.status_ = 'sending';
  own[question.client_message_id] = true;
  enqueue(question, job);
  deliverAll();
}

/** Tries again where it failed: the same connection, the same question or a new turn. */
export function retry(answer) {
  const { asked_: asked, job_: job } = answer;
  const question = asked.question_;
  keep((message) => message !== answer);
  dequeue(question);
  // a turn that is over on the server would only bring its end again under its id
  const isOver = answer.problem_ && job;
  ask(asked, isOver ? { ...question, client_message_id: uuid() } : question, isOver ? '' : job);
}

/** One after the other: a conversation has one answer at a time. */
async function deliverAll() {
  for (const born = life; !chat.turn_ && born === life;) {
    const entry = find(queue(), ({ failed }) => !failed);
    if (!entry) break;
    const { question, job, at } = entry;
    if (!job && !own[question.client_message_id] && Date.now() - at < FOREIGN_MS) {
      setTimeout(deliverAll, FOREIGN_MS);
      break;
    }
    const turn = (chat.turn_ = {});
    await deliver(entry, turn);
    if (chat.turn_ === turn) chat.turn_ = null;
  }
  hooks.changed_();
}

const asker = (id) => find(chat.list_, (m) => m.question_?.client_message_id === id);

async function deliver({ question, job }, turn) {
  const born = life;
  const id = question.client_message_id;
  const ofJob = (role) => find(chat.list_, (m) => job && m.job_ === job && m.role_ === role);
  if (ofJob('assistant')) return dequeue(question); // the history brought it
  const asked =
    asker(id) ?? ofJob('user') ?? place(createMessage('user', { text_: question.message }));
  asked.question_ = question;
  asked.status_ = job ? 'sent' : 'sending';
  const answer = createMessage('assistant', { asked_: asked, job_: job });
  place(answer, chat.list_.indexOf(asked) + 1);

  const result = await outcome(asked, answer, turn).catch((problem) => ({ problem_: problem }));
  if (born !== life) return undefined;
  dequeue(question);
  await settle(answer, asked, turn.stopped_ && !answer.job_ ? { end_: 'left' } : result);
  hooks.changed_(asked);
  hooks.changed_(answer);
  // a person who takes over ends what the assistant was saying
  if (turn.behind_ || (result.end_ === 'cancelled' && !turn.stopped_)) await sync();
  return undefined;
}

/** How the answer ended; a session that is gone is begun anew, once. */
async function outcome(asked, answer, turn) {
  for (let renewed; ; renewed = true) {
    const stopped = new Promise((resolve) => (turn.stop_ = resolve));
    if (!state.session) await Promise.race([startSession(), stopped]);
    if (turn.stopped_) return {};
    asked.question_ = { ...asked.question_, session_id: state.session };
    const result = await follow(asked, answer, turn);
    if (result.end_ !== 'no-session' || renewed) return result;
    set({ session: '', mode: '' });
  }
}

/** Once, whoever waits for it; with it the server is told who the visitor is. */
export function startSession() {
  starting ??= persist(() => post('sessions/start', { language: chat.language_ }))
    .then((started) => {
      set({ session: started.session_id });
      return tell();
    })
    .finally(() => (starting = null));
  return starting;
}

/** The answer's events, into its message. */
function follow(asked, answer, turn) {
  const note = () => enqueue(asked.question_, answer.job_);
  const accept = (job, session) => {
    if (session !== state.session) set({ session });
    asked.status_ = 'sent';
    asked.job_ = answer.job_ = job;
    note();
    // the history may have brought the same turn, without saying that it is ours
    keep((m) => !job || m.job_ !== job || m === asked || m === answer);
    hooks.changed_(asked);
  };
  const event = (type, data) => {
    applyEvent(answer, type, data);
    hooks.changed_(answer);
    if (type === 'confirm') hooks.asks_(data);
    // the history knows what another tab asked, and to whom the assistant hands over
    if (/busy|handoff|human/.test([type, data.kind, data.name])) turn.behind_ = true;
  };
  note();
  Object.assign(turn, createAnswer(asked.question_, state.session, answer.job_, accept, event));
  return turn.finished_;
}

async function settle(answer, asked, result) {
  const { end_: end, problem_: problem } = result;
  const job = answer.job_;
  const data = Object(result.data_);
  const isHuman = data.finish_reason === 'human';
  const citations = citationsOf(data);
  asked.status_ = job || end === 'done' ? 'sent' : 'failed';
  answer.status_ = end === 'done' ? end : /cancelled|left/.test(end) ? 'stopped' : 'failed';
  answer.problem_ = problem;
  if (citations.length) answer.citations_ = citations;
  if (isHuman) keep((message) => message !== answer);
  if (isHuman || end === 'gone') await sync();
  if (isHuman) return;
  if (answer.status_ !== 'failed') return hooks.received_(answer);
  // not said is not forgotten: after a reload it is there, to be sent or followed again
  if (!job || !problem) enqueue(asked.question_, job, true);
  hooks.failed_(problem ?? {});
}

export function stop() {
  if (!chat.turn_) return;
  chat.turn_.stopped_ = true;
  chat.turn_.stop_();
}

/** What the visitor says to a tool that asks; the answer goes on by itself. */
export function confirm(answer, word) {
  return persist(() => post(`chat/${answer.job_}/confirm`, word, state.session));
}

// -- history and other tabs --------------------------------------------------

const history = (more = '') => get(`sessions/${state.session}/history?limit=50${more}`);

/** Once: what was said before, and what a former page left under way. */
export async function load() {
  // what a former page left behind is this one's to deliver
  if (!wanted) map(queue(), ({ question }) => (own[question.client_message_id] = true));
  wanted = true;
  if (isLocked() || loaded === life) return;
  if (state.session) {
    const born = (loaded = life);
    chat.loading_ = true;
    hooks.changed_();
    const first = await persist(history).catch((error) => {
      if (error.status_ === 404) set({ session: '', mode: '' });
      loaded = 0; // the next opening tries again
      return {};
    });
    if (born !== life) return;
    chat.loading_ = false;
    take(first, 0);
  }
  // what was not said yet is shown again, and sent if it may
  map(queue(), ({ question, job, failed }) => {
    if (failed && job) enqueue(question, job);
    if (!failed || job || asker(question.client_message_id)) return;
    const asked = createMessage('user', {
      text_: question.message,
      question_: question,
      status_: 'failed',
    });
    place(createMessage('assistant', { asked_: place(asked), status_: 'failed' }));
  });
  deliverAll();
}

function take(page, at) {
  if (!at) chat.earlier_ = page.next_cursor;
  merge(fromHistory(page.messages), at);
  chat.score_ ||= page.score;
  if (page.status) setMode(page.status, page.name);
  hooks.changed_();
}

/** The page of the history that `more` names, or the newest. */
async function read(more) {
  const born = life;
  const heard = state.cursor;
  const page = await history(more).catch(() => {});
  if (!page || born !== life) return;
  if (heard !== state.cursor) page.status = ''; // an event that came meanwhile is newer
  take(page, more ? 0 : chat.list_.length);
}

export function sync() {
  return read();
}

export function loadEarlier() {
  return read(`&cursor=${chat.earlier_}`);
}

export function onForeignChange(before) {
  if (before.session && before.session !== state.session) start();
  if (wanted) {
    load();
    deliverAll();
  }
  listenToOperator();
  hooks.changed_();
}

// -- life ---------------------------------------------------------------------

/** Anew, with what is stored. */
export function start() {
  chat.turn_?.leave_?.();
  clear();
  listenToOperator();
  hooks.changed_();
}

/** Nothing of it stays in this browser. */
export function leave() {
  forget();
  start();
}

/** A new conversation; the old one ends on the server too, where it can be reached. */
export function restart() {
  const { session, user, met } = state;
  stop();
  leave();
  set({ user, met });
  if (session) request('DELETE', `sessions/${session}/end`).catch(() => {});
}
