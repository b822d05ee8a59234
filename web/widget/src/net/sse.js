/**
 * Server-sent events, parsed incrementally (WHATWG HTML, "Parsing an event stream").
 * Pure: text in, frames out, any fragmentation. It differs from EventSource in one
 * point: a frame's id is its own, because a ping without one must not look numbered.
 */

const FRAME_MAX = 65536; // characters; the server never writes more than a quarter of it

export function createParser() {
  let rest = '';
  let afterReturn = false; // the last chunk ended in CR: a leading LF belongs to it
  let frame = emptyFrame();

  /** Returns the frames that `chunk` completed: {type, data, id} or {retry}. */
  function feed(chunk) {
    const frames = [];
    let input = rest + (afterReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk);
    if (chunk) afterReturn = chunk.endsWith('\r');
    const lines = input.split(/\r\n|\r|\n/);
    rest = lines.pop();
    for (const line of lines) takeLine(line, frames);
    if (rest.length + frame.size > FRAME_MAX) throw new RangeError('event too large');
    return frames;
  }

  function takeLine(line, frames) {
    if (line === '') {
      if (frame.data.length > 0) {
        frames.push({ type: frame.type || 'message', data: frame.data.join('\n'), id: frame.id });
      }
      frame = emptyFrame();
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    frame.size += line.length;
    if (name === 'data') frame.data.push(value);
    else if (name === 'event') frame.type = value;
    else if (name === 'id' && !value.includes('\0')) frame.id = value;
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) frames.push({ retry: Number(value) });
  }

  return { feed };
}

function emptyFrame() {
  return { type: '', data: [], id: '', size: 0 };
}

/** The frames of a response's body. Leaving the loop early closes the connection. */
export async function* readFrames(body, onBytes = () => {}) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = createParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      yield* parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {}); // it may be closed or broken already
  }
}
