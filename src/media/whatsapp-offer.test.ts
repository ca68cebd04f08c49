import assert from 'node:assert/strict';
import test from 'node:test';
import { Bug } from '../platform/invariant.ts';
import { whatsAppOffer } from './whatsapp-offer.ts';

/** What the engine writes, in its own order, with our candidates. */
const ENGINE = [
  'v=0',
  'o=rtc 3377360816 0 IN IP4 127.0.0.1',
  'a=ice-options:ice2,trickle',
  'a=fingerprint:sha-256 76:BC:1E',
  'm=audio 45123 UDP/TLS/RTP/SAVPF 111',
  'a=ice-ufrag:0XrL',
  'a=ice-pwd:gKI1wEEnMz7+07a6Yb+6Da',
  'a=candidate:1 1 UDP 2114977791 10.0.0.7 45123 typ host',
  '',
].join('\r\n');
const OWN = { ssrc: 123_456, cname: 'abc' };

test("the offer has the engine's keys and the shape of Meta's samples", () => {
  const offer = whatsAppOffer(ENGINE, OWN);
  for (const line of [
    'o=- 3377360816 2 IN IP4 127.0.0.1',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 126',
    'a=ice-ufrag:0XrL',
    'a=ice-pwd:gKI1wEEnMz7+07a6Yb+6Da',
    'a=fingerprint:sha-256 76:BC:1E',
    'a=setup:actpass',
    'a=rtpmap:126 telephone-event/8000',
    'a=ssrc:123456 cname:abc',
  ]) {
    assert.ok(offer.includes(`\r\n${line}\r\n`), line);
  }
});

test('neither our addresses nor a bare line feed leave the house', () => {
  const offer = whatsAppOffer(ENGINE, OWN);
  assert.doesNotMatch(offer, /candidate|10\.0\.0\.7|45123/);
  assert.doesNotMatch(offer, /[^\r]\n/);
  assert.ok(offer.endsWith('\r\n'));
});

test('an engine that offers another hash is a bug, not an offer', () => {
  assert.throws(() => whatsAppOffer(ENGINE.replace('sha-256', 'sha-1'), OWN), Bug);
});
