import { session } from '../../api/session.js';

/*
 * Answers half written wait for their conversation, also while the page is loaded anew: in this
 * tab alone, and for who wrote them.
 */
const KEY = 'frontdesk-drafts';

const writer = () => `${session.peek().user.id} ${session.peek().organization.id}`;

function read() {
  try {
    const { by, texts } = JSON.parse(sessionStorage.getItem(KEY)) ?? {};
    return by === writer() ? texts : {};
  } catch {
    return {}; // where nothing may be kept, nothing is
  }
}

export const draftOf = (path) => read()[path] ?? '';

export function keepDraft(path, text) {
  const { [path]: before, ...texts } = read();
  if (text) texts[path] = text;
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ by: writer(), texts }));
  } catch {
    // as above
  }
}
