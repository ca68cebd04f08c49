import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { StreamFramer } from './stream-framer.ts';

const message = (body: string, name = 'Content-Length'): string =>
  `BYE sip:a@b SIP/2.0\r\nVia: x\r\n${name}: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test('messages come out whole, however the stream is cut', () => {
  const texts = [message(''), message('v=0\r\n\r\nü'), message('x'.repeat(5000), 'l')];
  const stream = Buffer.from(`\r\n\r\n${texts.join('\r\n\r\n')}`);
  const cuts = fc.array(fc.nat({ max: stream.length }), { maxLength: 12 });
  fc.assert(
    fc.property(cuts, (places) => {
      const framer = new StreamFramer();
      const edges = [0, ...places.sort((a, b) => a - b), stream.length];
      const messages = edges.flatMap((edge, i) => {
        const framed = framer.push(stream.subarray(edges[i - 1] ?? 0, edge));
        assert.equal(framed.broken, undefined);
        return framed.messages.map(String);
      });
      assert.deepEqual(messages, texts);
    }),
    { numRuns: 500, seed: 18 },
  );
});

test('a double line break asks for an answer, a single one is the answer to ours', () => {
  const pings = (text: string): number => new StreamFramer().push(Buffer.from(text)).pings;
  assert.equal(pings('\r\n'), 0);
  assert.equal(pings('\r\n\r\n'), 1);
  assert.equal(pings(message('a')), 0);
  assert.equal(pings(`${message('a')}\r\n\r\n${message('b')}\r\n`), 1);
});

test('byte by byte works as well', () => {
  const framer = new StreamFramer();
  const stream = Buffer.from(message('hello') + message(''));
  const messages = [...stream].flatMap((byte) => framer.push(Uint8Array.of(byte)).messages);
  assert.deepEqual(messages.map(String), [message('hello'), message('')]);
});

test('a stream that cannot be cut says so', () => {
  const broken = (text: string): string | undefined =>
    new StreamFramer().push(Buffer.from(text)).broken;
  assert.equal(broken('BYE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n'), 'no usable Content-Length');
  assert.equal(broken('BYE sip:a@b SIP/2.0\r\nl: -1\r\n\r\n'), 'no usable Content-Length');
  assert.equal(broken('BYE sip:a@b SIP/2.0\r\nl: 9999999\r\n\r\n'), 'message too long');
  assert.equal(broken('x'.repeat(70_000)), 'message too long');
  assert.equal(broken('x'.repeat(1000)), undefined);
});

test('messages before the break are still given out', () => {
  const framed = new StreamFramer().push(Buffer.from(`${message('')}GET / HTTP/1.1\r\n\r\n`));
  assert.equal(framed.messages.length, 1);
  assert.equal(framed.broken, 'no usable Content-Length');
});
