import { uuid } from './uuid.js';

// protocol/limits.h; bytes of UTF-8
const MESSAGE_MAX = 16384;
const URL_MAX = 2048;
const TITLE_MAX = 512;
const UNIT_MAX = 3; // bytes of a UTF-16 unit

export function isTooLong(message) {
  return new TextEncoder().encode(message).length > MESSAGE_MAX;
}

/**
 * The body of POST /chat. A retry sends it again unchanged: the server compares. It names
 * a language only where the message itself has no letters to tell it by.
 */
export function createQuestion(message, language, model) {
  return {
    session_id: '',
    message,
    stream: true,
    client_message_id: uuid(),
    language: /\p{L}/u.test(message) ? undefined : language,
    model_id: model || undefined,
    context: pageContext(location.href, document.title),
  };
}

function pageContext(url, title) {
  const page = new URL(url);
  if (!/^https?:$/.test(page.protocol)) return undefined;
  page.hash = page.username = page.password = ''; // the site's own business; it may hold tokens
  if (page.href.length > URL_MAX) page.search = '';
  if (page.href.length > URL_MAX) return undefined;
  // not between the halves of a surrogate pair
  return {
    page_url: page.href,
    title: title.slice(0, TITLE_MAX / UNIT_MAX).replace(/[\uD800-\uDBFF]$/, ''),
  };
}
