import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { systemClock } from '../platform/clock.ts';
import { seededRandom } from '../platform/random.ts';
import { isSecret, makeSecret, sign, TOLERANCE_SECONDS, verify } from './signing.ts';

const random = seededRandom(5);
/** The official library reads the real clock, so its side of the test lives in the present. */
const NOW = systemClock.now();

test('1,000 random bodies: the official library accepts ours and we accept its own', () => {
  const secret = makeSecret(random);
  const oracle = new Webhook(secret);
  fc.assert(
    fc.property(fc.uuid(), fc.string({ unit: 'binary', maxLength: 2_000 }), (id, body) => {
      const headers = sign([secret], { id, at: NOW, body });
      oracle.verify(body, headers, { jsonParse: false });
      const theirs = { ...headers, 'webhook-signature': oracle.sign(id, new Date(NOW), body) };
      assert.deepEqual(verify([secret], { headers: theirs, body, now: NOW }), { ok: true });
      assert.equal(theirs['webhook-signature'], headers['webhook-signature']);
    }),
    { numRuns: 1_000, seed: 42 },
  );
});

test('during rotation both the old and the new secret verify', () => {
  const [before, after] = [makeSecret(random), makeSecret(random)];
  const body = '{"a":1}';
  const headers = sign([after, before], { id: 'evt_1', at: NOW, body });
  for (const secret of [before, after]) {
    new Webhook(secret).verify(body, headers);
    assert.equal(verify([secret], { headers, body, now: NOW }).ok, true);
  }
  assert.equal(verify([makeSecret(random)], { headers, body, now: NOW }).ok, false);
});

test("the specification's example signature comes out", () => {
  const headers = sign(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: 1_614_265_330_000,
    body: '{"test": 2432232314}',
  });
  assert.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('a changed id, time, body or signature does not verify', () => {
  const secret = makeSecret(random);
  const body = '{"a":1}';
  const headers = sign([secret], { id: 'evt_1', at: NOW, body });
  const check = (changed: object, text = body) =>
    verify([secret], { headers: { ...headers, ...changed }, body: text, now: NOW });
  assert.equal(check({}).ok, true);
  const bad = [
    check({ 'webhook-id': 'evt_2' }),
    check({ 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 1) }),
    check({}, '{"a":2}'),
    check({ 'webhook-signature': 'v1,AAAA' }),
    check({ 'webhook-signature': headers['webhook-signature'].replace('v1,', 'v2,') }),
    check({ 'webhook-signature': '' }),
  ];
  assert.ok(bad.every((result) => !result.ok && result.reason === 'no_match'));
  for (const malformed of [
    { 'webhook-id': undefined },
    { 'webhook-timestamp': 'now' },
    { 'webhook-signature': undefined },
  ]) {
    assert.deepEqual(check(malformed), { ok: false, reason: 'malformed' });
  }
});

test('the tolerance is exact to the second, both ways', () => {
  const secret = makeSecret(random);
  const at = 1_800_000_000_000;
  const headers = sign([secret], { id: 'evt_1', at, body: '' });
  const checkAt = (offsetSeconds: number) =>
    verify([secret], { headers, body: '', now: at + offsetSeconds * 1_000 });
  assert.equal(checkAt(TOLERANCE_SECONDS).ok, true);
  assert.equal(checkAt(-TOLERANCE_SECONDS).ok, true);
  assert.deepEqual(checkAt(TOLERANCE_SECONDS + 1), { ok: false, reason: 'too_old' });
  assert.deepEqual(checkAt(-TOLERANCE_SECONDS - 1), { ok: false, reason: 'too_new' });
});

test('secrets have 24 to 64 bytes behind whsec_', () => {
  const of = (bytes: number) => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;
  assert.equal(isSecret(makeSecret(random)), true);
  assert.deepEqual(
    [23, 24, 64, 65].map((n) => isSecret(of(n))),
    [false, true, true, false],
  );
  assert.equal(isSecret('whsec_***'), false);
  assert.throws(() => sign(['nothing'], { id: 'a', at: 0, body: '' }), TypeError);
});
