import { hooks } from '../hooks.js';
import { filter, find, map } from '../list.js';
import { isRunning } from './message.js';

/**
 * What is shown of the conversation. list_ is replaced, never changed in place. language_ and
 * isGuarded_ (users are identified) are the window's.
 */
export const chat = {};
export let life = 0; // grows with every reset: what was started before is not ours any more

clear();

export function clear() {
  life++;
  chat.list_ = [];
  chat.earlier_ = chat.operator_ = chat.typing_ = ''; // cursor of older messages, names
  chat.turn_ = chat.loading_ = chat.score_ = null; // what is being delivered; a rating given
}

export function place(message, at = chat.list_.length) {
  chat.list_ = [...chat.list_.slice(0, at), message, ...chat.list_.slice(at)];
  hooks.changed_(message);
  return message;
}

export function keep(fits) {
  chat.list_ = filter(chat.list_, fits);
  hooks.changed_();
}

/** What the server has, into what is shown; a new message follows the one before it. */
export function merge(rows, at) {
  map(rows, (row) => {
    const isSame = (m) =>
      m.id_ === row.id_ || (row.job_ && m.job_ === row.job_ && m.role_ === row.role_);
    const known = find(chat.list_, isSame);
    at = (known ? chat.list_.indexOf(known) : at) + 1;
    if (!known) place(row, at - 1);
    else if (known.role_ === 'user') known.id_ = row.id_;
    else if (!isRunning(known)) hooks.changed_(Object.assign(known, row));
  });
}
