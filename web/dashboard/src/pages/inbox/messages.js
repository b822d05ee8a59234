import { get } from '../../api/http.js';

const MOST_PAGES = 20;

/**
 * A conversation with all that was said in it: the API tells the oldest first, and whoever
 * answers needs the last. One that is endless ends here, with its next_cursor.
 */
export async function readWhole(path, query, options) {
  let whole = await get(path, query, options);
  for (let pages = 1; whole.next_cursor && pages < MOST_PAGES; pages++) {
    const next = await get(path, { ...query, cursor: whole.next_cursor }, options);
    whole = { ...next, messages: [...whole.messages, ...next.messages] };
  }
  return whole;
}
