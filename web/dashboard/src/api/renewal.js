import { recall, remember } from '../storage.js';
import { readProblem } from './problem.js';

/** The session's token, which scripts of this page alone can read and send back. */
export function csrfToken() {
  return /(?:^|; )(?:__Host-)?frontdesk-csrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
}

/**
 * New claims for the session. Tabs share the cookie, and claims that were replaced twice end
 * the session as stolen: so one tab renews at a time, and not what another has just renewed.
 * `since`: when the request was sent that found them expired. False: the session is over.
 */
export async function renew(since) {
  if (!csrfToken()) return false;
  return navigator.locks.request('frontdesk-refresh', async () => {
    if (Number(recall('renewed')) > since) return true;
    const response = await fetch('/api/admin/auth/refresh', {
      method: 'POST',
      headers: { 'X-Frontdesk-CSRF': csrfToken() },
    });
    if (response.status === 401 || response.status === 403) return false;
    if (!response.ok) throw await readProblem(response);
    remember('renewed', String(Date.now()));
    return true;
  });
}
