import { listen } from './net/network.js';

/**
 * What the conversation tells whoever shows it; set once, by widget.js:
 * changed_(message?), received_(message), failed_(problem), asks_(confirmation), ended_().
 */
export const hooks = {};

/** For the page: frontdesk:<name> on its window. */
export function emit(name, detail) {
  window.dispatchEvent(new CustomEvent(`frontdesk:${name}`, { detail }));
}

/** Returns the function that ends it. */
export function on(name, listener) {
  const life = new AbortController();
  listen(window, `frontdesk:${name}`, (event) => listener(event.detail), life.signal);
  return () => life.abort();
}
