import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { isRefused } from '../platform/refusal.ts';
import {
  answeringDirection,
  buildEndpointSdp,
  parseEndpointSdp,
  type EndpointDescription,
} from './endpoint-sdp.ts';

const PBX = [
  'v=0',
  'o=pbx 1 1 IN IP4 192.0.2.9',
  's=call',
  'c=IN IP4 192.0.2.9',
  't=0 0',
  'm=audio 16384 RTP/AVP 8 0 97 101 102',
  'a=rtpmap:97 OPUS/48000/2',
  'a=rtpmap:101 telephone-event/8000',
  'a=rtpmap:102 telephone-event/48000',
  'a=sendrecv',
  '',
].join('\r\n');

test('codecs are read in the order of the endpoint, static types without rtpmap too', () => {
  const described = read(PBX);
  assert.deepEqual(described.codecs, [
    { codec: 'PCMA', payloadType: 8 },
    { codec: 'PCMU', payloadType: 0 },
    { codec: 'opus', payloadType: 97 },
  ]);
  assert.deepEqual(described.events, [
    { payloadType: 101, clockRate: 8000 },
    { payloadType: 102, clockRate: 48_000 },
  ]);
  assert.equal(described.address, '192.0.2.9');
  assert.equal(described.port, 16_384);
});

test('an address at the media line goes before the one of the session', () => {
  const own = PBX.replace('a=sendrecv', 'c=IN IP4 192.0.2.10\r\na=sendrecv');
  assert.equal(read(own).address, '192.0.2.10');
});

test('hold is read in its new and its old form', () => {
  for (const direction of ['sendonly', 'recvonly', 'inactive'] as const) {
    assert.equal(read(PBX.replace('sendrecv', direction)).direction, direction);
  }
  assert.equal(read(PBX.replace('c=IN IP4 192.0.2.9', 'c=IN IP4 0.0.0.0')).direction, 'inactive');
  const atSession = PBX.replace('a=sendrecv\r\n', '').replace('t=0 0', 't=0 0\r\na=sendonly');
  assert.equal(read(atSession).direction, 'sendonly');
});

test('the answering direction is the mirror of the offered one', () => {
  assert.deepEqual(
    (['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const).map(answeringDirection),
    ['sendrecv', 'recvonly', 'sendonly', 'inactive'],
  );
});

const REFUSALS: readonly (readonly [what: string, sdp: string])[] = [
  ['SRTP', PBX.replace('RTP/AVP', 'RTP/SAVP')],
  ['a rejected stream', PBX.replace('m=audio 16384', 'm=audio 0')],
  ['a host name', PBX.replace('c=IN IP4 192.0.2.9', 'c=IN IP4 pbx.example.com')],
  ['a multicast address', PBX.replace('c=IN IP4 192.0.2.9', 'c=IN IP4 239.1.1.1')],
  ['the broadcast address', PBX.replace('c=IN IP4 192.0.2.9', 'c=IN IP4 255.255.255.255')],
  ['no address', PBX.replace('c=IN IP4 192.0.2.9\r\n', '')],
  ['unknown codecs only', PBX.replace('8 0 97 101 102', '18 3')],
  ['garbage', 'not sdp at all'],
];
for (const [what, sdp] of REFUSALS) {
  test(`an endpoint with ${what} is refused`, () => {
    assert.ok(isRefused(parseEndpointSdp(sdp)));
  });
}

test('what we write we can read, with every codec', () => {
  const sdp = buildEndpointSdp({
    sessionId: 7,
    version: 1,
    address: '198.51.100.1',
    port: 20_000,
    codecs: [
      { codec: 'opus', payloadType: 96 },
      { codec: 'PCMU', payloadType: 0 },
    ],
    events: [{ payloadType: 101, clockRate: 8000 }],
    direction: 'sendrecv',
    rtcpMux: true,
    keys: [],
  });
  const described = read(sdp);
  assert.deepEqual(
    described.codecs.map(({ codec }) => codec),
    ['opus', 'PCMU'],
  );
  assert.equal(described.rtcpMux, true);
  assert.ok(sdp.endsWith('\r\n') && !/[^\r]\n/.test(sdp));
});

test('an answer mirrors every media line of the offer and rejects what is not audio', () => {
  const offer = read(`${PBX}m=video 9000 RTP/AVP 31\r\nm=image 9 udptl t38\r\n`);
  const sdp = buildEndpointSdp({
    sessionId: 7,
    version: 2,
    address: '198.51.100.1',
    port: 20_000,
    codecs: [{ codec: 'PCMA', payloadType: 8 }],
    events: [],
    direction: 'sendrecv',
    rtcpMux: false,
    keys: [],
    answering: offer,
  });
  assert.deepEqual(sdp.match(/^m=.*$/gm), [
    'm=audio 20000 RTP/AVP 8',
    'm=video 0 RTP/AVP 31',
    'm=image 0 udptl t38',
  ]);
});

test('no text makes the reader throw', () => {
  fc.assert(
    fc.property(fc.nat({ max: PBX.length }), fc.string({ maxLength: 30 }), (at, text) => {
      parseEndpointSdp(PBX.slice(0, at) + text + PBX.slice(at + text.length));
    }),
    { seed: 7, numRuns: 2000 },
  );
});

function read(sdp: string): EndpointDescription {
  const described = parseEndpointSdp(sdp);
  assert.ok(!isRefused(described), JSON.stringify(described));
  return described;
}
