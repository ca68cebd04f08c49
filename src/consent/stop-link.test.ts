import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ManualClock } from '../platform/clock.ts';
import { makeIds } from '../platform/ids.ts';
import { seededRandom } from '../platform/random.ts';
import { makeSealer } from '../platform/sealing.ts';
import { makeStopLink, makeToken, readToken } from './stop-link.ts';

const random = seededRandom(3);
const clock = new ManualClock();
const ids = makeIds(clock, random);
const sealer = makeSealer(random.bytes(32), random);
const link = { accountId: ids.next('account'), contactId: ids.next('contact') };
const NOW = clock.now();

test('a token leads to its person until its last moment', () => {
  const token = makeToken(sealer, link, NOW + 1);
  assert.deepEqual(readToken(sealer, token, NOW), link);
  assert.equal(readToken(sealer, token, NOW + 1), null);
});

test('a link fits into a template variable, names nobody and is never the same twice', () => {
  const at = { base: 'https://askfirst.example.com/', now: NOW, validDays: 90 };
  const one = makeStopLink({ sealer, settings: {} }, link, at).url;
  const two = makeStopLink({ sealer, settings: {} }, link, at).url;
  assert.ok(one.startsWith('https://askfirst.example.com/o/') && one.length <= 200, one);
  assert.notEqual(one, two);
  assert.ok(!one.includes(link.contactId.slice(5, 18)));
  const settings = { ASKFIRST_PUBLIC_URL: 'https://calls.example.org' };
  assert.ok(
    makeStopLink({ sealer, settings }, link, at).url.startsWith('https://calls.example.org/o/'),
  );
});

test('what another key, another use of the key or anybody else made leads nowhere', () => {
  const token = makeToken(sealer, link, NOW + 1_000);
  const other = makeSealer(random.bytes(32), random);
  assert.equal(readToken(other, token, NOW), null);
  const secret = sealer.seal(`${link.accountId} ${link.contactId} ${NOW + 1_000}`);
  assert.equal(readToken(sealer, secret.toString('base64url'), NOW), null);
  fc.assert(
    fc.property(
      fc.nat(token.length - 1),
      fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_'),
      (place, letter) => {
        const altered = token.slice(0, place) + letter + token.slice(place + 1);
        const bytes = (text: string): string => Buffer.from(text, 'base64url').toString('hex');
        if (bytes(altered) !== bytes(token)) assert.equal(readToken(sealer, altered, NOW), null);
      },
    ),
    { seed: 5, numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      assert.equal(readToken(sealer, text, NOW), null);
    }),
    { seed: 6, numRuns: 1_000 },
  );
});
