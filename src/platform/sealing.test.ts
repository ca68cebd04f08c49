import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from './failure.ts';
import { seededRandom } from './random.ts';
import { makeSealer } from './sealing.ts';

const random = seededRandom(11);
const sealer = makeSealer(random.bytes(32), random);

test('what was sealed opens again, and the same text never looks the same', () => {
  for (const text of ['', 'whsec_abc', 'ä🛑'.repeat(500)]) {
    const sealed = sealer.seal(text);
    assert.equal(sealer.open(sealed), text);
    assert.notDeepEqual(sealer.seal(text), sealed);
    assert.equal(sealed[0], 1);
  }
});

test('any flipped bit, a cut or another key is a failure, not a wrong text', () => {
  const sealed = sealer.seal('secret');
  for (let i = 0; i < sealed.length; i += 1) {
    const altered = Buffer.from(sealed);
    altered[i] = (altered[i] ?? 0) ^ 1;
    assert.throws(() => sealer.open(altered), Failure, `byte ${i}`);
  }
  assert.throws(() => sealer.open(sealed.subarray(0, 20)), Failure);
  assert.throws(() => makeSealer(random.bytes(32), random).open(sealed), Failure);
});
