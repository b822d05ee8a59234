import { post } from '../net/http.js';
import { chat } from './chat.js';
import { leave, load, startSession, wanted } from './conversation.js';
import { set, state } from './state.js';

/*
 * Who the visitor is: what the page proves (a signed token, or a user id with its hash),
 * or what the visitor says in a form (a profile, which proves nothing).
 */
let proof;

/** Where users are identified, one's conversation waits until the page has said who is there. */
export function isLocked() {
  return chat.isGuarded_ && state.user && !isKnown();
}

export function isKnown() {
  return proof && !proof.profile;
}

/** Resolves to whether the server believes it. */
export async function identify(given) {
  const user = userOf(given);
  // another's conversation is gone before anything is asked or shown
  if (state.user && user && state.user !== user) leave();
  proof = given.token || user ? given : { profile: given.profile ?? given };
  if (state.session) await tell();
  else if (proof.profile) await startSession();
  if (wanted) load();
  return !!proof;
}

export async function tell() {
  if (!proof) return;
  try {
    const { user_id } = await post(`sessions/${state.session}/identify`, proof);
    set(user_id ? { user: user_id } : { met: 'yes' });
  } catch (error) {
    // the session is another user's: the next one will be this user's
    if (error.status_ === 409) return leave();
    if (proof.profile) throw error;
    proof = null;
    console.warn(`Frontdesk: identify was refused: ${error.message}`);
  }
}

export function reset() {
  proof = null;
  leave();
}

/** The user a proof is for, read without checking it: that is the server's part. */
function userOf({ token, user_id }) {
  try {
    return (
      user_id ?? JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).sub
    );
  } catch {
    return '';
  }
}
