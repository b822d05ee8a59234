import { map } from '../list.js';

/**
 * Server-sent events, parsed incrementally (WHATWG HTML, "Parsing an event stream").
 * Pure: text in, frames out, any fragmentation. It differs from EventSource in one
 * point: a frame's id is its own, because a ping without one must not look numbered.
 */

const FRAME_MAX = 65536; // characters; the server never writes more than a quarter of it

/** Returns the function that takes a chunk and returns the frames it completed. */
export function createParser() {
  const empty = () => ({ type_: 'message', data_: null, id_: '', size_: 0 });
  let rest = '';
  let frame = empty();

  return (chunk) => {
    const frames = [];
    const lines = (rest + chunk).split(/\r\n|\r(?!$)|\n/); // an LF may follow a CR at the end
    rest = lines.pop();
    map(lines, (line) => {
      if (!line) {
        if (frame.data_ !== null) frames.push(frame);
        frame = empty();
        return;
      }
      const [, name, value] = /^([^:]*):? ?([^]*)/.exec(line);
      frame.size_ += line.length;
      if (name === 'data') frame.data_ = frame.data_ === null ? value : `${frame.data_}\n${value}`;
      else if (name === 'event') frame.type_ = value || 'message';
      else if (name === 'id' && !value.includes('\0')) frame.id_ = value;
      else if (name === 'retry' && /^\d{1,9}$/.test(value)) frames.push({ retry_: +value });
    });
    if (rest.length + frame.size_ > FRAME_MAX) throw new RangeError('event too large');
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
