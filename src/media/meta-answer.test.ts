import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { isRefused } from '../platform/refusal.ts';
import { checkMetaAnswer } from './meta-answer.ts';
import type { WebRtcAnswer } from './webrtc-answer.ts';

const SHA256 = Array.from({ length: 32 }, (_, at) => (at + 100).toString(16)).join(':');
const FINGERPRINT = `a=fingerprint:sha-256 ${SHA256}`;

/** The shape Meta documents, with made-up values. */
const ANSWER = [
  'v=0',
  'o=- 1764000000000 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=msid-semantic: WMS 0d6f0c4e',
  'a=ice-lite',
  'm=audio 3480 UDP/TLS/RTP/SAVPF 111 126',
  'c=IN IP4 192.0.2.50',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=candidate:3414 1 udp 2122260223 192.0.2.50 3480 typ host generation 0 network-cost 50',
  'a=candidate:2987 1 udp 2122262783 2001:db8::c0de 3480 typ host generation 0 network-cost 50',
  'a=ice-ufrag:p4TjKe8CRrcnPy6G',
  'a=ice-pwd:cP3vH0S4u1bN5cJ7dQ8xZw==',
  FINGERPRINT,
  'a=setup:active',
  'a=mid:0',
  'a=sendrecv',
  'a=msid:0d6f0c4e WhatsAppTrack1',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=fmtp:111 maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;useinbandfec=1',
  'a=rtpmap:126 telephone-event/8000',
  'a=maxptime:20',
  'a=ptime:20',
  'a=ssrc:3735928559 cname:WhatsAppAudioStream1',
  '',
].join('\r\n');

test("Meta's shape is accepted and read", () => {
  const answer = accepted(ANSWER);
  assert.equal(answer.opusPayloadType, 111);
  assert.equal(answer.eventPayloadType, 126);
  assert.deepEqual(answer.ssrcs, [3_735_928_559]);
  assert.equal(answer.rewritten, 'nothing');
  assert.match(answer.sdp, /2001:db8::c0de/);
  assert.match(answer.sdp, /\r\na=ice-lite\r\n/);
});

for (const [what, setup] of [
  ['actpass', 'a=setup:actpass\r\n'],
  ['no setup line', ''],
] as const) {
  test(`${what} is rewritten to active and counted`, () => {
    const answer = accepted(ANSWER.replace('a=setup:active\r\n', setup));
    assert.equal(answer.rewritten, 'setup');
    assert.deepEqual(answer.sdp.match(/a=setup:.*/g), ['a=setup:active']);
  });
}

for (const hash of ['SHA-256', 'sha-384', 'sha-512']) {
  test(`a fingerprint by ${hash} is accepted`, () => {
    const bytes = { 'SHA-256': 32, 'sha-384': 48, 'sha-512': 64 }[hash] ?? 0;
    const pairs = Array.from({ length: bytes }, () => 'Ab').join(':');
    accepted(ANSWER.replace(FINGERPRINT, `a=fingerprint:${hash} ${pairs}`));
  });
}

test('a fingerprint at session level counts as well', () => {
  const moved = ANSWER.replace(`${FINGERPRINT}\r\n`, '');
  accepted(moved.replace('a=ice-lite', `${FINGERPRINT}\r\na=ice-lite`));
});

const REFUSALS: readonly (readonly [what: string, code: string, sdp: string])[] = [
  ['no fingerprint', 'sdp_fingerprint', ANSWER.replace(`${FINGERPRINT}\r\n`, '')],
  ['an empty one', 'sdp_fingerprint', ANSWER.replace(FINGERPRINT, 'a=fingerprint:')],
  ['sha-1', 'sdp_fingerprint', withFingerprint(`sha-1 ${pairsOf(20)}`)],
  ['md5', 'sdp_fingerprint', withFingerprint(`md5 ${pairsOf(16)}`)],
  ['a hash named like an object member', 'sdp_fingerprint', withFingerprint('constructor AA')],
  ['one byte too few', 'sdp_fingerprint', withFingerprint(`sha-256 ${pairsOf(31)}`)],
  ['one byte too many', 'sdp_fingerprint', withFingerprint(`sha-256 ${pairsOf(33)}`)],
  ['no hexadecimal', 'sdp_fingerprint', withFingerprint(`sha-256 ${SHA256.replace('64', 'zz')}`)],
  [
    'two different ones',
    'sdp_fingerprint',
    ANSWER.replace(FINGERPRINT, `${FINGERPRINT}\r\na=fingerprint:sha-256 ${pairsOf(32)}`),
  ],
  [
    'one per level that differ',
    'sdp_fingerprint',
    ANSWER.replace('a=ice-lite', `a=fingerprint:sha-256 ${pairsOf(32)}`),
  ],
  [
    'sha-1 beside',
    'sdp_fingerprint',
    ANSWER.replace('a=mid:0', `a=fingerprint:sha-1 ${pairsOf(20)}`),
  ],
  ['setup:passive', 'sdp_setup', ANSWER.replace('setup:active', 'setup:passive')],
  ['setup:holdconn', 'sdp_setup', ANSWER.replace('setup:active', 'setup:holdconn')],
  ['two roles', 'sdp_setup', ANSWER.replace('a=mid:0', 'a=setup:actpass')],
  ['a second m-line', 'sdp_media_lines', `${ANSWER}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n`],
  ['no m-line', 'sdp_media_lines', 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n'],
  ['only video', 'sdp_media_lines', ANSWER.replace('m=audio', 'm=video')],
  ['port 0', 'sdp_rejected', ANSWER.replace('m=audio 3480', 'm=audio 0')],
  ['plain RTP', 'sdp_protocol', ANSWER.replace('UDP/TLS/RTP/SAVPF', 'RTP/AVP')],
  ['no Opus', 'sdp_codec', ANSWER.replace('opus/48000/2', 'isac/16000')],
  ['no candidate', 'sdp_ice', ANSWER.replace(/a=candidate.*\r\n/g, '')],
  ['only TCP', 'sdp_ice', ANSWER.replace(/ 1 udp /g, ' 1 tcp ')],
  ['only reflexive candidates', 'sdp_ice', ANSWER.replace(/typ host/g, 'typ srflx')],
  [
    'only names as candidates',
    'sdp_ice',
    ANSWER.replace(/ [\da-f.:]+ 3480 typ/g, ' x.local 9 typ'),
  ],
  ['a short ICE password', 'sdp_ice', ANSWER.replace(/a=ice-pwd:.*/, 'a=ice-pwd:short')],
  ['no ICE user name', 'sdp_ice', ANSWER.replace(/a=ice-ufrag:.*\r\n/, '')],
  ['more than 16 kB', 'sdp_too_large', ANSWER + 'a=x\r\n'.repeat(4000)],
  ['too many lines', 'sdp_too_large', ANSWER + 'a=x\r\n'.repeat(400)],
  ['a control character', 'sdp_malformed', ANSWER.replace('s=-', 's=\u0000')],
  ['nothing', 'sdp_malformed', ''],
  ['HTML', 'sdp_malformed', '<html><body>502</body></html>'],
];

for (const [what, code, sdp] of REFUSALS) {
  test(`an answer with ${what} is refused (${code})`, () => {
    const answer = checkMetaAnswer(sdp);
    assert.ok(isRefused(answer), 'it was accepted');
    assert.equal(answer.refused.code, code);
  });
}

test('of several candidates only usable ones go to the engine', () => {
  const more =
    'a=candidate:1 1 tcp 1 192.0.2.50 9 typ host\r\na=candidate:1 2 udp 1 192.0.2.50 9 typ host';
  const answer = accepted(ANSWER.replace('a=ice-ufrag', `${more}\r\na=ice-ufrag`));
  assert.equal(answer.sdp.match(/a=candidate/g)?.length, 2);
});

test('2,000 mutated answers are each accepted or refused, never thrown at', () => {
  const mutation = fc.record({
    at: fc.nat({ max: ANSWER.length }),
    cut: fc.nat({ max: 40 }),
    text: fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.constantFrom('\r\n', 'm=audio 1 RTP/AVP 0\r\n', 'a=setup:passive\r\n', 'a=', ' ', ':'),
    ),
  });
  let refused = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      let text = ANSWER;
      for (const { at, cut, text: insert } of mutations) {
        text = text.slice(0, at) + insert + text.slice(at + cut);
      }
      const answer = checkMetaAnswer(text);
      if (isRefused(answer)) refused += 1;
      else {
        assert.equal(answer.sdp.match(/^a=setup:/gm)?.length, 1);
        assert.equal(answer.sdp.match(/^m=/gm)?.length, 1);
      }
    }),
    { seed: 6, numRuns: 2000 },
  );
  assert.ok(refused > 500 && refused < 2000, `${refused} refused`);
});

function accepted(sdp: string): WebRtcAnswer {
  const answer = checkMetaAnswer(sdp);
  assert.ok(!isRefused(answer), JSON.stringify(answer));
  return answer;
}

function withFingerprint(value: string): string {
  return ANSWER.replace(FINGERPRINT, `a=fingerprint:${value}`);
}

function pairsOf(bytes: number): string {
  return Array.from({ length: bytes }, () => 'AB').join(':');
}
