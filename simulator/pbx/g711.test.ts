import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeG711, encodeG711 } from './g711.ts';

const CODES = Uint8Array.from({ length: 256 }, (_, code) => code);

test('every code survives decoding and encoding', () => {
  for (const law of ['PCMU', 'PCMA'] as const) {
    const again = encodeG711(decodeG711(CODES, law), law);
    for (const code of CODES) {
      // Mu-law has two codes for zero; both come back as the positive one.
      const expected = law === 'PCMU' && code === 0x7f ? 0xff : code;
      assert.equal(again[code], expected, `${law} ${code}`);
    }
  }
});

test('known values of ITU-T G.711 come out', () => {
  assert.deepEqual([...decodeG711(Uint8Array.of(0xff, 0x80, 0x00), 'PCMU')], [0, 32_124, -32_124]);
  assert.deepEqual([...decodeG711(Uint8Array.of(0xd5, 0xaa, 0x2a), 'PCMA')], [8, 32_256, -32_256]);
});

test('coding is within half a step everywhere', () => {
  const samples = Int16Array.from({ length: 65_536 / 8 }, (_, i) => i * 8 - 32_768);
  for (const law of ['PCMU', 'PCMA'] as const) {
    const back = decodeG711(encodeG711(samples, law), law);
    samples.forEach((sample, i) => {
      const allowed = Math.max(16, Math.abs(sample) / 16) + (Math.abs(sample) > 32_000 ? 1000 : 0);
      assert.ok(Math.abs(sample - (back[i] ?? 0)) <= allowed, `${law} ${sample} ${back[i]}`);
    });
  }
});
