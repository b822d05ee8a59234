import { signal } from '@preact/signals';

/*
 * The server may get other files while a page is open: then what this page has not loaded yet is
 * gone. Its own script is named by its content, so that the page as it is served now says
 * whether there is another one.
 */
const PAUSE_MS = 60000;
const FRESH_MS = 10000;

const own = document.querySelector('script[type=module]').getAttribute('src');
let lookedAt = Date.now();

/** There is a newer version than the one that runs here. The next page that is opened is of it. */
export const isOld = signal(false);

/** Looks whether there is a newer version; resolves to whether there is. */
export async function lookForNewer() {
  lookedAt = Date.now();
  const page = await fetch('/dashboard/', { cache: 'no-store' });
  if (page.ok && !(await page.text()).includes(`"${own}"`)) isOld.value = true;
  return isOld.value;
}

/**
 * Whether this page was loaded anew just now: then it is not done again by itself, as servers
 * behind one name may be of two versions for a while.
 */
export function isFresh() {
  const [{ type }] = performance.getEntriesByType('navigation');
  return type === 'reload' && performance.now() < FRESH_MS;
}

/** lookForNewer(), once in a while: when the server was away, or somebody comes back to the page. */
export function lookSometimes() {
  if (isOld.peek() || document.hidden || Date.now() - lookedAt < PAUSE_MS) return;
  lookForNewer().catch(() => {}); // it is away: the next time will tell
}
