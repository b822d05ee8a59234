// The event-stream parser: the same frames at every fragmentation (EDGE-6, WID-4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeEvent, parseEventId } from '../../../web/widget/src/net/event_id.js';
import { createParser, readFrames } from '../../../web/widget/src/net/sse.js';

const parse = (...chunks) => {
  const parser = createParser();
  return chunks.flatMap((chunk) => parser(chunk)).filter(({ data, retry }) => data || retry);
};

const STREAM =
  'retry: 1500\n\n' +
  'id: 1-0\nevent: meta\ndata: {"model":"m"}\n\n' +
  ': a comment\n\n' +
  'event: ping\ndata: {}\n\n' +
  'id: 1-1\r\nevent: delta\r\ndata: {"text":"שלום 🙂"}\r\n\r\n' +
  'id: 1-2\revent: delta\rdata:no space\rdata: second line\r\r' +
  'id: 1-3\nevent: done\ndata: {}\n\n';

const FRAMES = [
  { retry: '1500' },
  { event: 'meta', data: '{"model":"m"}', id: '1-0' },
  { event: 'ping', data: '{}' },
  { event: 'delta', data: '{"text":"שלום 🙂"}', id: '1-1' },
  { event: 'delta', data: 'no space\nsecond line', id: '1-2' },
  { event: 'done', data: '{}', id: '1-3' },
];

test('the whole stream at once', () => assert.deepEqual(parse(STREAM), FRAMES));

test('every split in two, and one character at a time', () => {
  for (let i = 0; i <= STREAM.length; i++) {
    assert.deepEqual(parse(STREAM.slice(0, i), STREAM.slice(i)), FRAMES, `split at ${i}`);
  }
  assert.deepEqual(parse(...STREAM.split('')), FRAMES);
});

test('every split of the bytes, through a response body', async () => {
  const bytes = new TextEncoder().encode(STREAM);
  for (let i = 1; i < bytes.length; i += 3) {
    const body = new Blob([bytes]).stream().pipeThrough(
      new TransformStream({
        transform(chunk, controller) {
          controller.enqueue(chunk.slice(0, i));
          controller.enqueue(chunk.slice(i));
        },
      }),
    );
    const frames = [];
    for await (const frame of readFrames(body, () => {}))
      if (frame.data || frame.retry) frames.push(frame);
    assert.deepEqual(frames, FRAMES, `split at byte ${i}`);
  }
});

test('a frame without its blank line is no frame', () => {
  assert.deepEqual(parse('id: 1-1\nevent: delta\ndata: {"text":"half'), []);
  assert.deepEqual(parse('id: 1-1\nevent: delta\ndata: {}\n'), []);
});

test('an endless line is refused before it fills the memory', () => {
  const parser = createParser();
  assert.throws(() => {
    for (let i = 0; i < 1000; i++) parser('data: '.padEnd(1000, 'x'));
  }, RangeError);
});

test('an endless frame of short lines too', () => {
  const parser = createParser();
  assert.throws(() => {
    for (let i = 0; i < 10000; i++) parser('data: some line of text\n');
  }, RangeError);
});

test('event ids: strict, and judged as protocol/event.h says', () => {
  assert.deepEqual(parseEventId('3-17'), [3, 17]);
  for (const wrong of ['', '1', '1-', '-1', '1-2-3', '1-x', ' 1-2', '12345678901-1']) {
    assert.equal(parseEventId(wrong), null, wrong);
  }
  const at = (text) => parseEventId(text);
  const judge = (last, next) => judgeEvent(at(last), at(next));
  assert.equal(judge('0-0', '1-0'), 1);
  assert.equal(judge('1-4', '1-5'), 1);
  assert.equal(judge('1-4', '1-4'), 0);
  assert.equal(judge('1-4', '1-2'), 0);
  assert.equal(judge('1-4', '1-6'), -1);
  assert.equal(judge('1-4', '2-0'), 1);
  assert.equal(judge('1-4', '2-1'), -1);
  assert.equal(judge('2-0', '1-9'), 0);
});
