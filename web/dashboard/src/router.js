import { signal } from '@preact/signals';
import { isOld } from './version.js';

export const BASE = '/dashboard';

function read() {
  return {
    path: location.pathname.slice(BASE.length).replace(/\/+$/, '') || '/',
    query: new URLSearchParams(location.search),
  };
}

/** Where we are: {path, query}, below /dashboard. */
export const place = signal(read());

let guard = null; // asks whether what was typed may be lost

/** While set, leaving asks fn() first: true lets go. Returns the function that takes it back. */
export function guardLeaving(fn) {
  guard = fn;
  return () => {
    if (guard === fn) guard = null;
  };
}

/** Whether the page may be left: asks, where something typed would be lost. After true nothing is asked again. */
export async function mayLeave() {
  if (guard && !(await guard())) return false;
  guard = null;
  return true;
}

/** The page anew, without asking: what is typed on it belongs nowhere any more. */
export function reload() {
  guard = null;
  location.reload();
}

export async function navigate(to, { replace = false } = {}) {
  if (!(await mayLeave())) return;
  if (isOld.peek()) location.assign(BASE + to);
  else go(to, replace);
}

function go(to, replace) {
  history[replace ? 'replaceState' : 'pushState'](null, '', BASE + to);
  place.value = read();
}

/** The same page with other parameters, as filters have them; '' and null take one away. */
export function setQuery(changes, { replace = true } = {}) {
  const { path, query } = place.peek();
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '' || value === null || value === undefined) next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  go(path + (text && `?${text}`), replace);
}

export const href = (to) => BASE + to;

function onClick(event) {
  const link = event.target.closest?.('a[href]');
  const plain = !event.defaultPrevented && event.button === 0;
  if (!link || !plain || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (!`${link.pathname}/`.startsWith(`${BASE}/`) || link.hash) return;
  event.preventDefault();
  navigate(link.pathname.slice(BASE.length) + link.search || '/');
}

async function onPop() {
  const to = read();
  if (guard) {
    const { path, query } = place.peek();
    history.pushState(null, '', `${BASE}${path}${query.size ? `?${query}` : ''}`);
    if (!(await guard())) return;
    guard = null;
    go(to.path + (to.query.size ? `?${to.query}` : ''), true);
    return;
  }
  place.value = to;
}

export function startRouter() {
  document.addEventListener('click', onClick);
  addEventListener('popstate', onPop);
  addEventListener('beforeunload', (event) => guard && event.preventDefault());
}
