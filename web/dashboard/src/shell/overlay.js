import { signal } from '@preact/signals';

/** What lies over the page: 'help', 'palette', 'navigation' (on narrow screens) or nothing. */
export const overlay = signal(null);
