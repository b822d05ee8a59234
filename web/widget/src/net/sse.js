import { map } from '../list.js';

/**
 * Server-sent events, parsed incrementally (WHATWG HTML, "Parsing an event stream").
 * Pure: text in, frames out, any fragmentation. It differs from EventSource in one
 * point: a frame's id is its own, because a ping without one must not look numbered.
 */

const FRAME_MAX = 65536; // characters; the server never writes more than a quarter of it

/** Returns the function that takes a chunk and returns its frames: {event, data, id, retry}. */
export function createParser() {
  let rest = '';
  let frame = {};

  return (chunk) => {
    const frames = [];
    const lines = (rest + chunk).split(/\r\n|\r(?!$)|\n/); // an LF may follow a CR at the end
    rest = lines.pop();
    map(lines, (line) => {
      const [, name, value] = /^([^:]*):? ?([^]*)/.exec(line);
      if (line) frame[name] = name === 'data' && frame.data ? `${frame.data}\n${value}` : value;
      else {
        frames[frames.length] = frame;
        frame = {};
      }
    });
    if (`${rest}${frame.data}`.length > FRAME_MAX) throw new RangeError('event too large');
    return frames;
  };
}

/** The frames of a response's body. Leaving the loop early closes the connection. */
export async function* readFrames(body, onBytes) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parse = createParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      yield* parse(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {}); // it may be closed or broken already
  }
}
