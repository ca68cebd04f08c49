import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Failure } from './failure.ts';
import { seededRandom } from './random.ts';
import { OPEN_KEYS_MAX, openVault } from './vault.ts';

const random = seededRandom(11);
const dataKey = random.bytes(32);
const vault = openVault(dataKey, random);

test('what is sealed for one subject opens with the stored key, also in another process', () => {
  const { key, sealed } = vault.makeKey('cont_one');
  const box = key.seal({ name: 'Ada', count: 3, none: null });
  const later = openVault(dataKey, random).openKey('cont_one', sealed);
  assert.deepEqual(later.open(box), { name: 'Ada', count: 3, none: null });
  const opened = vault.openKey('cont_one', sealed);
  assert.equal(vault.openKey('cont_one', sealed), opened, 'the opened key is kept at hand');
});

test('without the subject key nothing opens, not even with the data key', () => {
  const box = vault.makeKey('cont_two').key.seal('secret');
  const other = vault.makeKey('cont_two').key;
  assert.throws(() => other.open(box), Failure);
  assert.throws(() => vault.sealer.open(box), Failure);
});

test('a stored key that was put into the row of another subject is no key there', () => {
  const { sealed } = vault.makeKey('cont_three');
  assert.throws(() => vault.openKey('cont_four', sealed), TypeError);
});

test('a key that was made anew is not mistaken for the one at hand', () => {
  const first = vault.makeKey('cont_five');
  const second = vault.makeKey('cont_five');
  assert.throws(() => vault.openKey('cont_five', first.sealed).open(second.key.seal(1)), Failure);
  assert.equal(vault.openKey('cont_five', second.sealed).open(second.key.seal(1)), 1);
});

test('the key of one thing opens that thing alone', () => {
  const { key } = vault.makeKey('cont_six');
  const sealed = key.sealThing('evt_1', { text: 'hello' });
  assert.deepEqual(key.openThing('evt_1', sealed), { text: 'hello' });
  assert.throws(() => key.openThing('evt_2', sealed), Failure);
  assert.equal(key.keyFor('evt_1').length, 32);
  assert.throws(() => key.open(sealed), Failure);
});

test('pseudonyms are the same for the same text and key, and for nothing else', () => {
  assert.deepEqual(vault.pseudonym('tel:+1'), openVault(dataKey, random).pseudonym('tel:+1'));
  assert.notDeepEqual(vault.pseudonym('tel:+1'), vault.pseudonym('tel:+2'));
  const stranger = openVault(random.bytes(32), random);
  assert.notDeepEqual(vault.pseudonym('tel:+1'), stranger.pseudonym('tel:+1'));
});

test('opened keys are kept for a bounded number of subjects', () => {
  const made = vault.makeKey('cont_first');
  const first = vault.openKey('cont_first', made.sealed);
  for (let i = 0; i < OPEN_KEYS_MAX; i += 1) {
    vault.openKey(`cont_${i}`, vault.makeKey(`cont_${i}`).sealed);
  }
  const again = vault.openKey('cont_first', made.sealed);
  assert.notEqual(again, first);
  assert.equal(again.open(made.key.seal('still')), 'still');
});

test('a kept key holds its own bytes, and no memory that others shared', () => {
  const own = openVault(dataKey, random);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): number => {
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  const keys = 1_000;
  for (let subject = 0; subject < keys; subject += 1) {
    const { sealed } = own.makeKey(`cont_${subject}`);
    own.openKey(`cont_${subject}`, sealed);
    // What else a server does between two keys, from the pool of small buffers.
    for (let count = 0; count < 16; count += 1) Buffer.from('x'.repeat(4000));
  }
  // A key in the shared pool holds 64 kB; what other tests of this process let go is far less.
  const perKey = (held() - before) / keys;
  assert.ok(perKey < 25_000, `${perKey} bytes for each key`);
});
