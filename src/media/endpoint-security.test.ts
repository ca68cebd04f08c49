import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../platform/random.ts';
import { EndpointSecurity, formatCrypto, parseCrypto } from './endpoint-security.ts';
import { buildRtp } from './rtp.ts';

const KEY_30 = Buffer.alloc(30, 7).toString('base64');
const KEY_28 = Buffer.alloc(28, 7).toString('base64');

function packet(sequence: number): Buffer {
  const payload = Buffer.from('hello');
  return buildRtp({ payloadType: 0, marker: false, sequence, timestamp: 1, ssrc: 5, payload });
}

/** Two ends that have agreed: ours, and one that plays the endpoint. */
function agreed(): { ours: EndpointSecurity; theirs: EndpointSecurity } {
  const ours = new EndpointSecurity(seededRandom(1));
  const theirs = new EndpointSecurity(seededRandom(2));
  const [first] = ours.offer();
  assert.ok(first !== undefined);
  const [reply] = theirs.offer();
  assert.ok(reply !== undefined);
  assert.equal(theirs.applyAnswer([first]), null);
  assert.equal(ours.applyAnswer([reply]), null);
  return { ours, theirs };
}

test('crypto lines that we can use, with and without lifetime and hints', () => {
  for (const value of [
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_30}`,
    `7 AES_CM_128_HMAC_SHA1_80 inline:${KEY_30}|2^31`,
    `2 AEAD_AES_128_GCM inline:${KEY_28} -UNKNOWN`,
  ]) {
    const parsed = parseCrypto(value);
    assert.ok(parsed !== null, value);
    assert.deepEqual(parseCrypto(formatCrypto(parsed).slice('a=crypto:'.length)), parsed);
  }
});

test('crypto lines that we cannot use', () => {
  for (const value of [
    '',
    `1 AES_CM_128_HMAC_SHA1_32 inline:${KEY_30}`,
    `1 toString inline:${KEY_30}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_28}`,
    `1 AEAD_AES_128_GCM inline:${KEY_30}`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_30}|2^20|1:4`,
    `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY_30} UNENCRYPTED_SRTP`,
    `1 AES_CM_128_HMAC_SHA1_80 ${KEY_30}`,
    `x AES_CM_128_HMAC_SHA1_80 inline:${KEY_30}`,
  ]) {
    assert.equal(parseCrypto(value), null, value);
  }
});

test('a leg that offered nothing is plain, and takes no SRTP unasked', () => {
  const plain = new EndpointSecurity(seededRandom(1));
  assert.equal(plain.applyAnswer([]), null);
  assert.deepEqual(plain.protect(packet(1)), packet(1));
  assert.deepEqual(plain.unprotect(packet(1)), packet(1));
  const line = parseCrypto(`1 AEAD_AES_128_GCM inline:${KEY_28}`);
  assert.ok(line !== null);
  assert.equal(typeof plain.applyAnswer([line]), 'string');
  assert.equal(typeof plain.answer([line]), 'string');
});

test('an answer must take one of our keys, by its tag and suite', () => {
  const ours = new EndpointSecurity(seededRandom(1));
  const [gcm, cm] = ours.offer();
  assert.ok(gcm !== undefined && cm !== undefined);
  assert.match(ours.applyAnswer([]) ?? '', /does not take SRTP/);
  assert.match(ours.applyAnswer([{ ...gcm, tag: 9 }]) ?? '', /not asked for/);
  assert.match(ours.applyAnswer([{ ...gcm, tag: cm.tag }]) ?? '', /not asked for/);
  assert.equal(ours.suite, null);
  assert.equal(ours.applyAnswer([cm]), null);
  assert.equal(ours.suite, 'AES_CM_128_HMAC_SHA1_80');
});

test('before the answer nothing is believed, after it only what is sealed', () => {
  const early = new EndpointSecurity(seededRandom(1));
  early.offer();
  assert.equal(early.unprotect(packet(1)), null);
  const { ours, theirs } = agreed();
  assert.deepEqual(ours.unprotect(theirs.protect(packet(2))), packet(2));
  assert.deepEqual(theirs.unprotect(ours.protect(packet(3))), packet(3));
  assert.equal(ours.unprotect(packet(4)), null);
});

test('a re-INVITE with the same key keeps what was taken; with a new key it starts anew', () => {
  const { ours, theirs } = agreed();
  const [theirKey] = theirs.offer();
  assert.ok(theirKey !== undefined);
  const sealed = theirs.protect(packet(1));
  assert.notEqual(ours.unprotect(sealed), null);
  const fresh = ours.answer([theirKey]);
  assert.ok(fresh !== null && typeof fresh !== 'string');
  assert.equal(fresh.tag, theirKey.tag);
  assert.equal(ours.unprotect(theirs.protect(packet(2))), null, 'the old key is gone');
  const again = ours.answer([theirKey]);
  assert.deepEqual(again, fresh, 'our own key stays');
});

test('there is no way back to plain RTP within the call', () => {
  const { ours } = agreed();
  assert.equal(ours.answer([]), 'it wants to go back to plain RTP');
  assert.notEqual(ours.suite, null);
});
