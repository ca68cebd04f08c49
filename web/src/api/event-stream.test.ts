import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as holds, nat, property } from 'fast-check';
import { ManualClock } from '../../../src/platform/clock.ts';
import { followStream, makeEventParser, type StreamMessage } from './event-stream.ts';

function parseChunks(chunks: string[]): StreamMessage[] {
  const seen: StreamMessage[] = [];
  const parser = makeEventParser((message) => seen.push(message));
  for (const chunk of chunks) parser.push(chunk);
  return seen;
}

test('a message ends at the empty line, comments are passed over, data lines are joined', () => {
  const body = ': hello\nevent: change\ndata: {"a":1}\n\ndata: x\ndata: y\n\ndata: half';
  assert.deepEqual(parseChunks([body]), [
    { event: 'change', data: '{"a":1}' },
    { event: 'message', data: 'x\ny' },
  ]);
});

test('CR, LF and CRLF all end a line', () => {
  assert.deepEqual(parseChunks(['data: a\r\n\r', '\ndata: b\r\rdata: c\n\n']), [
    { event: 'message', data: 'a' },
    { event: 'message', data: 'b' },
    { event: 'message', data: 'c' },
  ]);
});

test('the chunks a body comes in never change what is read', () => {
  const body = 'event: change\r\ndata: {"type":"call.ended"}\r\n\r\n:\n\ndata: 2\n\n';
  const whole = parseChunks([body]);
  holds(
    property(array(nat(body.length), { maxLength: 8 }), (cuts) => {
      const marks = [0, ...cuts.toSorted((a, b) => a - b), body.length];
      const chunks = marks.slice(1).map((mark, i) => body.slice(marks[i], mark));
      assert.deepEqual(parseChunks(chunks), whole);
    }),
    { seed: 20260105, numRuns: 300 },
  );
});

test('a stream that breaks is opened again, later each time, until it is stopped', async () => {
  const clock = new ManualClock();
  let opened = 0;
  const refuse = (async () => {
    opened += 1;
    throw new TypeError('network is down');
  }) as unknown as typeof fetch;
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  const live: boolean[] = [];
  const stop = followStream({
    url: 'http://127.0.0.1/v1/stream',
    headers: {},
    clock,
    fetch: refuse,
    onMessage: () => undefined,
    onLive: (now) => live.push(now),
  });
  await settled();
  clock.advance(500);
  await settled();
  assert.equal(opened, 2);
  clock.advance(999);
  await settled();
  assert.equal(opened, 2);
  clock.advance(1);
  await settled();
  assert.equal(opened, 3);
  stop();
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(live, [false, false, false]);
});
