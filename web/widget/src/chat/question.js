import { uuid } from './uuid.js';

// protocol/limits.h; bytes of UTF-8
const MESSAGE_MAX = 16384;
const URL_MAX = 2048;

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
    context: pageContext(location, document),
  };
}

/** Without what is the site's own business: a fragment and a user's name may hold secrets. */
function pageContext({ protocol, origin, pathname, search }, { title }) {
  if (!/^http/.test(protocol)) return undefined;
  return {
    page_url: (origin + pathname + search).slice(0, URL_MAX),
    title: /^.{0,128}/su.exec(title)[0], // 512 bytes at the most
  };
}
