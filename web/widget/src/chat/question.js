import { uuid } from './uuid.js';

// protocol/limits.h; bytes of UTF-8
const MESSAGE_MAX = 16384;
const URL_MAX = 2048;
const TITLE_MAX = 512;
const UNIT_MAX = 3; // bytes of a UTF-16 unit

export function isTooLong(message) {
  return new TextEncoder().encode(message).length > MESSAGE_MAX;
}

/** The body of POST /chat. A retry sends it again unchanged: the server compares. */
export function createQuestion({ message, language, session, page }) {
  const context = pageContext(page);
  return {
    session_id: session,
    message,
    stream: true,
    client_message_id: uuid(),
    language,
    ...(context && { context }),
  };
}

function pageContext({ url, title }) {
  let page;
  try {
    page = new URL(url);
  } catch {
    return null;
  }
  if (!/^https?:$/.test(page.protocol)) return null;
  page.hash = ''; // the site's own business; it may hold tokens
  page.username = page.password = '';
  if (page.href.length > URL_MAX) page.search = '';
  if (page.href.length > URL_MAX) return null;
  return { page_url: page.href, title: cut(title, TITLE_MAX / UNIT_MAX) };
}

function cut(text, max) {
  // not between the halves of a surrogate pair
  return text.slice(0, max).replace(/[\uD800-\uDBFF]$/, '');
}
