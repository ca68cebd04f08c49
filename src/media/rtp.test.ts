import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { buildRtp, isRtcp, parseRtp, sequenceAhead, timestampAhead } from './rtp.ts';

const PACKET = {
  payloadType: 111,
  marker: true,
  sequence: 65_535,
  timestamp: 4_294_967_295,
  ssrc: 0xdead_beef,
  payload: Buffer.from('opus'),
};

test('a packet that is written and read is the same', () => {
  assert.deepEqual(parseRtp(buildRtp(PACKET)), PACKET);
});

test('padding, sources and header extension are not part of the payload', () => {
  const packet = Buffer.from('b1ef000100000002000000030000000abede000110ff0000aabb0002', 'hex');
  const parsed = parseRtp(packet);
  assert.equal(parsed?.payloadType, 0x6f);
  assert.equal(Buffer.from(parsed?.payload ?? []).toString('hex'), 'aabb');
});

for (const [what, hex] of [
  ['an empty datagram', ''],
  ['eleven bytes', '8000000000000000000000'],
  ['version 1', '400000010000000200000003aa'],
  ['an extension that is longer than the packet', '900000010000000200000003bede0100'],
  ['more sources than bytes', '8f0000010000000200000003aa'],
  ['padding of nothing', 'a00000010000000200000003aa00'],
  ['padding longer than the packet', 'a00000010000000200000003aaff'],
] as const) {
  test(`${what} is no RTP packet`, () => {
    assert.equal(parseRtp(Buffer.from(hex, 'hex')), null);
  });
}

test('no bytes make the parser throw or read beyond the datagram', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const packet = parseRtp(bytes);
      assert.ok(packet === null || packet.payload.length <= bytes.length - 12);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test('RTCP is told from RTP with a marker by its type', () => {
  assert.equal(isRtcp(Buffer.from('80c8000100000001', 'hex')), true);
  assert.equal(isRtcp(buildRtp(PACKET)), false);
  assert.equal(isRtcp(Buffer.from('80c8', 'hex')), false);
});

test('sequence and timestamp arithmetic survives the wrap', () => {
  assert.equal(sequenceAhead(65_535, 0), 1);
  assert.equal(sequenceAhead(0, 65_535), -1);
  assert.equal(timestampAhead(0xffff_ff00, 0x100), 0x200);
});
