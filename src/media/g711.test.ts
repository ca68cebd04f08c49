import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { decodeG711, encodeG711, G711_SILENCE, type G711Law } from './g711.ts';

const EVERY_SAMPLE = Int16Array.from({ length: 65_536 }, (_, index) => (index << 16) >> 16);
const EVERY_CODE = Uint8Array.from({ length: 256 }, (_, code) => code);

test('known samples have their known codes', () => {
  const samples = Int16Array.of(0, 1000, -1000, 32_767, -32_768, 100, -100);
  assert.deepEqual([...encodeG711('PCMU', samples)], [0xff, 0xce, 0x4e, 0x80, 0x00, 0xf2, 0x72]);
  assert.deepEqual([...encodeG711('PCMA', samples)], [0xd5, 0xfa, 0x7a, 0xaa, 0x2a, 0xd3, 0x53]);
});

test('all samples and codes map as in the widely used reference tables', () => {
  // SHA-256 over the output of CPython's audioop (Sun's g711.c) for every input.
  const expected: Record<G711Law, [encoded: string, decoded: string]> = {
    PCMU: [
      '617fa4850d68d3906597e949f7625fb2fc46db479e29707f33159b3d131721cb',
      '3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827',
    ],
    PCMA: [
      'f77c76aa923ee25617453f87514828a12896227f82ff383bf3bb53d6ac7c2a0f',
      'e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174',
    ],
  };
  for (const law of ['PCMU', 'PCMA'] as const) {
    const decoded = Buffer.alloc(512);
    decodeG711(law, EVERY_CODE).forEach((sample, at) => decoded.writeInt16LE(sample, at * 2));
    assert.deepEqual([sha256(encodeG711(law, EVERY_SAMPLE)), sha256(decoded)], expected[law]);
  }
});

test('a code that is decoded and encoded again is itself', () => {
  assert.deepEqual(encodeG711('PCMA', decodeG711('PCMA', EVERY_CODE)), EVERY_CODE);
  // The µ-law has two zeros; the negative one becomes the positive one.
  const zeros = EVERY_CODE.map((code) => (code === 0x7f ? 0xff : code));
  assert.deepEqual(encodeG711('PCMU', decodeG711('PCMU', EVERY_CODE)), zeros);
});

test('the silent code is silent', () => {
  for (const law of ['PCMU', 'PCMA'] as const) {
    const [sample = 99] = decodeG711(law, Uint8Array.of(G711_SILENCE[law]));
    assert.ok(Math.abs(sample) <= 8);
  }
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
