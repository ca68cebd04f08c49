import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, setStage } from '../../test/sip-peer.ts';
import { parseEndpointSdp } from '../media/endpoint-sdp.ts';
import { isRefused } from '../platform/refusal.ts';
import { topVia } from './header-fields.ts';
import { parseMessage, type SipRequest } from './message.ts';
import { makeReply } from './reply.ts';
import { screenRequest } from './screening.ts';
import { parseSipUri } from './uri.ts';

/**
 * The cases of RFC 5118 (torture messages for IPv6), in words of our own: an address with colons
 * stands in brackets where a port could follow, and bare where none can.
 */
function message(uri: string, vias: readonly string[], more: readonly string[] = []): SipRequest {
  const lines = [
    `REGISTER ${uri} SIP/2.0`,
    ...vias.map((via) => `Via: ${via}`),
    'Max-Forwards: 70',
    'From: <sip:ada@example.com>;tag=81x2',
    'To: <sip:ada@example.com>',
    'Call-ID: one@2001:db8::10',
    'CSeq: 98176 REGISTER',
    ...more,
    'Content-Length: 0',
    '',
    '',
  ];
  const parsed = parseMessage(Buffer.from(lines.join('\r\n')));
  assert.ok('message' in parsed && parsed.message.kind === 'request');
  return parsed.message;
}

const VIA = 'SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111';
const CONTACT = 'Contact: "Ada" <sip:ada@[2001:db8::1]>';

test('4.1 and 4.2: an address in the Request-URI needs its brackets', () => {
  assert.equal(screenRequest(message('sip:[2001:db8::10]', [VIA], [CONTACT])), undefined);
  assert.equal(screenRequest(message('sip:2001:db8::10', [VIA], [CONTACT]))?.status, 400);
});

test('4.3 and 4.4: what follows inside the brackets is address, what follows them is port', () => {
  const ambiguous = parseSipUri('sip:[2001:db8::10:5070]');
  assert.deepEqual([ambiguous?.host, ambiguous?.port], ['[2001:db8::10:5070]', undefined]);
  const clear = parseSipUri('sip:[2001:db8::10]:5070');
  assert.deepEqual([clear?.host, clear?.port], ['[2001:db8::10]', 5070]);
});

test('4.5: received= is taken with brackets and without', () => {
  for (const received of ['[2001:db8::9:255]', '2001:db8::9:255']) {
    const via = `SIP/2.0/UDP [2001:db8::9:1];received=${received};branch=z9hG4bKas3`;
    const request = message('sip:[2001:db8::10]', [via]);
    assert.equal(screenRequest(request), undefined);
    assert.equal(topVia(request)?.parameters.get('received'), received);
  }
});

test('4.5: a response comes home when its Via bears our own address in brackets', async () => {
  const stage = setStage({ names: { addresses: () => Promise.resolve(['2001:db8::20']) } });
  const asked = stage.core.options({ uri: 'sip:[2001:db8::20]:5070' });
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  const sent = stage.last('OPTIONS');
  assert.equal(sent.uri, 'sip:[2001:db8::20]:5070');
  stage.deliver(answer(sent, 200));
  assert.equal((await asked).status, 200);
});

test('4.7: addresses of both kinds stand in one message', () => {
  const vias = [VIA, 'SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1', 'SIP/2.0/TCP host:5060'];
  const request = message('sip:[2001:db8::10]', vias, ['Route: <sip:[2001:db8::5]:5070;lr>']);
  assert.equal(screenRequest(request), undefined);
  const reply = makeReply(request, 200, 'OK');
  const back = reply.headers.filter(([name]) => name === 'Via').map(([, value]) => value);
  assert.deepEqual(back, vias);
});

test('4.9: an IPv4 address may come in the clothes of IPv6', () => {
  const via = 'SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19';
  assert.equal(screenRequest(message('sip:[::ffff:192.0.2.10]', [via])), undefined);
});

test('4.10: three colons, which an old grammar made, lead nowhere', async () => {
  assert.equal(screenRequest(message('sip:[2001:db8:::192.0.2.1]', [VIA])), undefined);
  const noName = { addresses: () => Promise.reject(new Error('no address')) };
  const stage = setStage({ names: noName });
  const { status } = await stage.core.options({ uri: 'sip:[2001:db8:::192.0.2.1]' });
  assert.equal(status, 503);
  assert.equal(stage.sent.length, 0);
});

const sdp = (...lines: string[]): string => ['v=0', ...lines, ''].join('\r\n');

test('4.6, 4.8 and 4.9: SDP with IPv6, with both kinds, and with IPv4 inside IPv6', () => {
  const session = ['o=- 1 1 IN IP6 2001:db8::20', 's=-', 't=0 0'];
  const audio = ['m=audio 42174 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000'];
  const cases: Array<[text: string, address: string]> = [
    [sdp(...session, 'c=IN IP6 2001:db8::20', ...audio), '2001:db8::20'],
    [
      sdp(
        ...session,
        'm=video 6000 RTP/AVP 31',
        'c=IN IP6 2001:db8::1',
        ...audio,
        'c=IN IP4 192.0.2.1',
      ),
      '192.0.2.1',
    ],
    [sdp(...session, 'c=IN IP6 ::ffff:192.0.2.1', ...audio), '::ffff:192.0.2.1'],
  ];
  for (const [text, address] of cases) {
    const read = parseEndpointSdp(text);
    assert.ok(!isRefused(read), JSON.stringify(read));
    assert.equal(read.address, address);
  }
});
