import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as assertAll, nat, property, record, string } from 'fast-check';
import { isRefused } from '../platform/refusal.ts';
import { formatCrypto, type OfferedKey } from './endpoint-security.ts';
import { checkMetaAnswer } from './meta-answer.ts';
import { checkSdesAnswer, META_SUITE, sdesOffer } from './sdes-answer.ts';

const OURS: OfferedKey = { tag: 1, suite: META_SUITE, key: Buffer.alloc(30, 7) };
const THEIRS: OfferedKey = { tag: 1, suite: META_SUITE, key: Buffer.alloc(30, 9) };
const KEY_LINE = formatCrypto(THEIRS);
const OWN = { key: OURS, bindAddress: '0.0.0.0' };

/** As Meta's SIP page shows it, with the payload types of our offer. */
const ANSWER = [
  'v=0',
  'o=- 1764000000000 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 40012 RTP/SAVP 111 126',
  'c=IN IP4 157.240.19.130',
  KEY_LINE,
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:126 telephone-event/8000',
  'a=ptime:20',
  'a=ssrc:4711 cname:WhatsAppAudioStream1',
  '',
].join('\r\n');

function codeOf(answer: string, own = OWN): string {
  const read = checkSdesAnswer(answer, own);
  return isRefused(read) ? read.refused.code : 'taken';
}

test("the offer is SRTP with one key of Meta's suite, at our address, and nothing of ICE", () => {
  const own = { sessionId: 5, address: '192.0.2.7', port: 20_000, ssrc: 8, cname: 'c', key: OURS };
  const offer = sdesOffer(own);
  assert.match(offer, /^m=audio 20000 RTP\/SAVP 111 126\r$/m);
  assert.match(offer, /^c=IN IP4 192\.0\.2\.7\r$/m);
  assert.equal(offer.match(/a=crypto:/g)?.length, 1);
  assert.match(offer, /^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{40}\r$/m);
  assert.doesNotMatch(offer, /ice-|fingerprint|setup|candidate/);
  assert.match(sdesOffer({ ...own, address: '2001:db8::7' }), /^c=IN IP6 2001:db8::7\r$/m);
});

test("Meta's answer says where the sound goes, by which key, and as what", () => {
  const read = checkSdesAnswer(ANSWER, OWN);
  assert.ok(!isRefused(read));
  assert.deepEqual(
    { ...read, key: Buffer.from(read.key.key).toString('hex') },
    {
      address: '157.240.19.130',
      port: 40_012,
      key: '09'.repeat(30),
      rtcpMux: true,
      opusPayloadType: 111,
      eventPayloadType: 126,
      ssrcs: [4711],
    },
  );
});

/** What an answer can be besides right, and the rule that says no. */
const WRONG: readonly [what: string, change: (answer: string) => string, code: string][] = [
  ['no key', (sdp) => sdp.replace(`${KEY_LINE}\r\n`, ''), 'sdp_crypto'],
  ['two keys', (sdp) => sdp.replace(KEY_LINE, `${KEY_LINE}\r\n${KEY_LINE}`), 'sdp_crypto'],
  ['another suite', (sdp) => sdp.replace('SHA1_80', 'SHA1_32'), 'sdp_crypto'],
  ['a suite of GCM', (sdp) => sdp.replace(META_SUITE, 'AEAD_AES_128_GCM'), 'sdp_crypto'],
  ['a short key', (sdp) => sdp.replace(/inline:.{24}[^\r]*/, 'inline:AAAA'), 'sdp_crypto'],
  ['a long key', (sdp) => sdp.replace('inline:', 'inline:AAAA'), 'sdp_crypto'],
  ['a tag that was not offered', (sdp) => sdp.replace('crypto:1', 'crypto:2'), 'sdp_crypto'],
  ['our own key', (sdp) => sdp.replace(KEY_LINE, formatCrypto(OURS)), 'sdp_crypto'],
  ['a master key index', (sdp) => sdp.replace(KEY_LINE, `${KEY_LINE}|1:4`), 'sdp_crypto'],
  [
    'sound that is not signed',
    (sdp) => sdp.replace(KEY_LINE, `${KEY_LINE} UNAUTHENTICATED_SRTP`),
    'sdp_crypto',
  ],
  ['DTLS', (sdp) => sdp.replace('RTP/SAVP', 'UDP/TLS/RTP/SAVPF'), 'sdp_key_exchange'],
  ['plain RTP', (sdp) => sdp.replace('RTP/SAVP', 'RTP/AVP'), 'sdp_protocol'],
  ['a port of zero', (sdp) => sdp.replace('audio 40012', 'audio 0'), 'sdp_rejected'],
  ['a second line', (sdp) => `${sdp}m=video 9 RTP/SAVP 97\r\n`, 'sdp_media_lines'],
  ['a name for an address', (sdp) => sdp.replace('157.240.19.130', 'meta.example'), 'sdp_address'],
  ['no address', (sdp) => sdp.replace('c=IN IP4 157.240.19.130\r\n', ''), 'sdp_address'],
  ['nowhere as address', (sdp) => sdp.replace('157.240.19.130', '0.0.0.0'), 'sdp_address'],
  ['a multicast address', (sdp) => sdp.replace('157.240.19.130', '239.1.1.1'), 'sdp_address'],
  ['IPv6', (sdp) => sdp.replace('IP4 157.240.19.130', 'IP6 2001:db8::1'), 'sdp_address'],
  ['no Opus', (sdp) => sdp.replace('111 126', '0').replace('opus', 'nothing'), 'sdp_codec'],
  ['no SDP', () => '\u0000nothing', 'sdp_malformed'],
];

for (const [what, change, code] of WRONG) {
  test(`an answer with ${what} is refused as ${code}`, () => {
    const answer = change(ANSWER);
    assert.notEqual(answer, ANSWER);
    assert.equal(codeOf(answer), code);
  });
}

test('an answer for SDES to an offer for DTLS is named as what it is', () => {
  const read = checkMetaAnswer(ANSWER);
  assert.ok(isRefused(read));
  assert.equal(read.refused.code, 'sdp_key_exchange');
});

test('whatever is changed in an answer: no error, no key in a message, never our own key', () => {
  const change = record({ at: nat(ANSWER.length), cut: nat(60), text: string() });
  assertAll(
    property(array(change, { maxLength: 4 }), (changes) => {
      let answer = ANSWER;
      for (const { at, cut, text } of changes) {
        answer = answer.slice(0, at) + text + answer.slice(at + cut);
      }
      const read = checkSdesAnswer(answer, OWN);
      if (isRefused(read)) assert.doesNotMatch(read.refused.message, /inline|CQkJ|BwcH/);
      else assert.ok(read.key.key.length === 30 && !Buffer.from(read.key.key).equals(OURS.key));
    }),
    { seed: 45, numRuns: 2_000 },
  );
});
