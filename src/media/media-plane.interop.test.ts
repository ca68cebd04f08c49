import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import test, { after, before, type TestContext } from 'node:test';
import { createDecoder, createEncoder } from 'libopus-wasm';
import { openMetaPeer, type MetaPeer } from '../../test/meta-peer.ts';
import { everyFrame, until } from '../../test/real-time.ts';
import { audioPort, openRtpPeer, type RtpPeer } from '../../test/rtp-peer.ts';
import { clearestShare, joinSamples, makeTone, toneShare } from '../../test/tones.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { buildTelephoneEvent } from './dtmf.ts';
import { decodeG711, encodeG711 } from './g711.ts';
import type { EndpointCodec, MediaCall, MediaEvent } from './media.ts';
import { canBind } from './port-allocator.ts';
import { openMediaPlane, type EmbeddedMediaPlane } from './media-plane.ts';

const PORTS = { first: 24_000, last: 24_079 };
let plane: EmbeddedMediaPlane;
before(async () => {
  plane = await openMediaPlane({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    portRange: PORTS,
    workers: 1,
    callsPerWorker: 50,
    silentAfterMs: 400,
  });
});
after(() => plane.close());

test('a tone passes each way between Opus and PCMU', async (t) => {
  const { call, customer, endpoint } = await bridgedCall(t, ['PCMU']);
  const low = makeTone(440);
  const high = makeTone(1000);
  const encoder = await createEncoder({ sampleRate: 8000, channels: 1, frameSize: 160 });
  const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
  await everyFrame(75, () => {
    customer.sendAudio(encoder.encode(low(160)));
    endpoint.sendAudio(0, encodeG711('PCMU', high(160)), 160);
  });

  const heard = endpoint.received.map(({ payload }) => decodeG711('PCMU', payload));
  const decoded = customer.received.map(({ payload }) => Int16Array.from(decoder.decode(payload)));
  assert.ok(clearestShare(heard, 440) > 0.6, `440 Hz: ${clearestShare(heard, 440)}`);
  assert.ok(toneShare(joinSamples(heard), 1000) < 0.05);
  assert.ok(clearestShare(decoded, 1000) > 0.6, `1000 Hz: ${clearestShare(decoded, 1000)}`);
  assert.ok(toneShare(joinSamples(decoded), 440) < 0.05);

  const stats = await call.stats();
  assert.equal(stats.codec, 'PCMU');
  assert.equal(stats.transcoded, true);
  assert.ok(stats.whatsapp.packetsIn >= 70 && stats.endpoint.packetsIn >= 70);
});

test('a codec that changes in the call, by re-INVITE or in silence, is heard (T-06)', async (t) => {
  const { call, customer, endpoint } = await bridgedCall(t, ['PCMU', 'PCMA']);
  const encoder = await createEncoder({ sampleRate: 8000, channels: 1, frameSize: 160 });
  const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
  const low = makeTone(440);
  const bothHear = async (law: 'PCMU' | 'PCMA', hz: number): Promise<void> => {
    const tone = makeTone(hz);
    const payloadType = law === 'PCMU' ? 0 : 8;
    const from = [customer.received.length, endpoint.received.length] as const;
    await until(async () => {
      await everyFrame(15, () => {
        customer.sendAudio(encoder.encode(low(160)));
        endpoint.sendAudio(payloadType, encodeG711(law, tone(160)), 160);
      });
      const toCustomer = customer.received.slice(from[0]);
      const decoded = toCustomer.map(({ payload }) => Int16Array.from(decoder.decode(payload)));
      const answered = endpoint.received.slice(from[1]).filter((packet) => {
        return packet.payloadType === payloadType;
      });
      const heard = answered.map(({ payload }) => decodeG711(law, payload));
      return clearestShare(decoded, hz) > 0.6 && clearestShare(heard, 440) > 0.6;
    });
    assert.equal((await call.stats()).codec, law);
  };
  await bothHear('PCMU', 1000);
  await call.answerEndpointOffer(endpoint.sdp('8', []));
  await bothHear('PCMA', 1300);
  await call.answerEndpointOffer(endpoint.sdp('8 0', []));
  await bothHear('PCMU', 1600);
  encoder.free();
  decoder.free();
});

test('toward the customer goes one unbroken stream, from silence to speech', async (t) => {
  const { customer, endpoint } = await bridgedCall(t, ['PCMU']);
  const tone = makeTone(440);
  await everyFrame(20, () => endpoint.sendAudio(0, encodeG711('PCMU', tone(160)), 160));
  assertUnbroken(customer, 960);
  assertUnbroken(endpoint, 160);
});

test('Opus passes untouched when the endpoint takes it', async (t) => {
  const { call, customer, endpoint } = await bridgedCall(t, ['opus', 'PCMU']);
  const spoken = (index: number): Uint8Array => Uint8Array.of(0xf8, 0xff, 0xfe, index);
  let index = 0;
  await everyFrame(30, () => {
    index += 1;
    customer.sendAudio(spoken(index));
    endpoint.sendAudio(96, spoken(100 + index), 960);
  });
  const marks = (packets: MetaPeer['received']): number[] =>
    packets.flatMap(({ payload }) => (payload.length === 4 ? [payload[3] ?? 0] : []));
  await until(() => marks(endpoint.received).at(-1) === 30);
  await until(() => marks(customer.received).at(-1) === 130);
  assert.deepEqual(
    marks(endpoint.received).slice(-20),
    Array.from({ length: 20 }, (_, at) => 11 + at),
  );
  assert.deepEqual(
    marks(customer.received).slice(-20),
    Array.from({ length: 20 }, (_, at) => 111 + at),
  );
  assert.equal((await call.stats()).transcoded, false);
  assertUnbroken(customer, 960);
});

test('digits are heard on each leg once and played on the other', async (t) => {
  const { customer, endpoint, events } = await bridgedCall(t, ['PCMU']);
  const press = (code: number, send: (payload: Uint8Array, at: number) => void): Promise<void> => {
    let at = 0;
    return everyFrame(8, () => {
      at += 1;
      const end = at > 5;
      const duration = Math.min(at, 5) * 160;
      send(buildTelephoneEvent({ code, end, volume: 10, duration }), at);
    });
  };
  await press(5, (payload, at) => customer.sendEvent(payload, at === 1, at === 8));
  await press(11, (payload, at) => endpoint.sendEvent(101, payload, at === 1, at === 8 ? 800 : 0));
  const played = (packets: MetaPeer['received'], payloadType: number): number[] => [
    ...new Set(
      packets
        .filter((packet) => packet.payloadType === payloadType)
        .map(({ payload }) => payload[0] ?? 255),
    ),
  ];
  await until(() => played(endpoint.received, 101).length > 0);
  await until(() => played(customer.received, 126).length > 0);
  assert.deepEqual(played(endpoint.received, 101), [5]);
  assert.deepEqual(played(customer.received, 126), [11]);
  const digits = events.filter((event) => event.kind === 'dtmf');
  assert.deepEqual(digits, [
    { kind: 'dtmf', leg: 'whatsapp', digit: '5', durationMs: 100 },
    { kind: 'dtmf', leg: 'endpoint', digit: '#', durationMs: 100 },
  ]);
});

test('a holding endpoint is not heard, and is again after the resume', async (t) => {
  const { call, customer, endpoint } = await bridgedCall(t, ['opus']);
  const opus = ['a=rtpmap:96 opus/48000/2'];
  const held = await call.answerEndpointOffer(endpoint.sdp('96', [...opus, 'a=sendonly']));
  assert.match(held, /a=recvonly\r\n/);
  const spoken = Uint8Array.of(0xf8, 0xff, 0xfe, 7);
  customer.received.length = 0;
  await everyFrame(20, () => endpoint.sendAudio(96, spoken, 960));
  await until(() => customer.received.length > 5);
  assert.equal(customer.received.filter(({ payload }) => payload.length === 4).length, 0);
  const resumed = await call.answerEndpointOffer(endpoint.sdp('96', [...opus, 'a=sendrecv']));
  assert.match(resumed, /a=sendrecv\r\n/);
  await everyFrame(20, () => endpoint.sendAudio(96, spoken, 960));
  await until(() => customer.received.some(({ payload }) => payload.length === 4));
});

test('the watchdog tells that a bridged leg fell silent, and that it is heard again', async (t) => {
  const { customer, events } = await bridgedCall(t, ['PCMU']);
  const kinds = (): string[] =>
    events.flatMap((event) =>
      'leg' in event && event.leg === 'whatsapp' && event.kind !== 'dtmf' ? [event.kind] : [],
    );
  // The peer's RTCP counts as a sign of life, so both words may come more than once.
  await until(() => kinds().includes('silent'));
  customer.sendAudio(Uint8Array.of(0xf8, 0xff, 0xfe));
  await until(() => kinds().includes('heard'));
  assert.ok(kinds().includes('firstAudio'));
});

test('nobody but the endpoint itself is heard on its port', async (t) => {
  const { call, customer, port } = await bridgedCall(t, ['opus']);
  const stranger = createSocket('udp4');
  const speak = Uint8Array.of(0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0xf8, 0xff, 0xfe, 9);
  await everyFrame(15, () => stranger.send(speak, port, '127.0.0.1'));
  assert.equal((await call.stats()).endpoint.packetsIn, 0);
  assert.equal(customer.received.filter(({ payload }) => payload.length === 4).length, 0);
  stranger.close();
});

test('junk from strangers on both ports does not reach the call', async (t) => {
  const { call, customer, endpoint, port } = await bridgedCall(t, ['PCMU']);
  // The offer hides our own port; whoever scans the range finds it all the same.
  const targets: number[] = [];
  for (let at = PORTS.first; at <= PORTS.last; at += 1) {
    if (!(await canBind('127.0.0.1', at))) targets.push(at);
  }
  assert.ok(targets.length >= 2 && targets.includes(port));
  const stranger = createSocket('udp4');
  let replies = 0;
  stranger.on('message', () => {
    replies += 1;
  });
  const low = makeTone(440);
  await everyFrame(50, () => {
    endpoint.sendAudio(0, encodeG711('PCMU', low(160)), 160);
    for (let kind = 0; kind < 20; kind += 1) {
      const junk = Buffer.from(systemRandom.bytes(kind * 14));
      // Every first byte decides which protocol it is taken for (RFC 7983).
      if (junk.length > 0) junk[0] = systemRandom.below(256);
      for (const target of targets) stranger.send(junk, target, '127.0.0.1');
    }
  });
  const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
  const heard = customer.received.map(({ payload }) => Int16Array.from(decoder.decode(payload)));
  assert.ok(clearestShare(heard, 440) > 0.6, `440 Hz: ${clearestShare(heard, 440)}`);
  assert.equal((await call.stats()).whatsapp.packetsIn, 0);
  assert.equal(replies, 0);
  stranger.close();
});

test('an answer with setup:actpass connects as well', async () => {
  const call = await plane.openCall({ callId: 'actpass', onEvent: () => {} });
  const customer = await openMetaPeer(call.offer, 'actpass');
  await call.applyAnswer(customer.answer);
  await customer.connected;
  await call.applyAnswer(customer.answer);
  await call.close();
  await customer.close();
});

test('a refused answer is a Failure, and the call can still be closed', async () => {
  const call = await plane.openCall({ callId: 'bad', onEvent: () => {} });
  await assert.rejects(call.applyAnswer('v=0\r\n'), { code: 'meta_sdp_refused' });
  await assert.rejects(call.applyEndpointAnswer('v=0\r\n'), { code: 'endpoint_sdp_refused' });
  const stats = await call.close();
  assert.equal(stats.connectedAt, null);
  assert.equal(await call.close(), stats);
});

type BridgedCall = {
  call: MediaCall;
  customer: MetaPeer;
  endpoint: RtpPeer;
  events: MediaEvent[];
  port: number;
};

async function bridgedCall(t: TestContext, codecs: readonly EndpointCodec[]): Promise<BridgedCall> {
  const events: MediaEvent[] = [];
  const call = await plane.openCall({ callId: 'call', onEvent: (event) => events.push(event) });
  const customer = await openMetaPeer(call.offer);
  const endpoint = await openRtpPeer();
  // Also when an assertion fails: an open peer would keep the test process alive.
  t.after(async () => {
    await call.close();
    await customer.close();
    endpoint.close();
  });
  await call.applyAnswer(customer.answer);
  await customer.connected;
  await until(() => customer.received.length > 2);
  const offer = await call.openEndpoint({ codecs, advertisedAddress: '127.0.0.1', srtp: false });
  const port = audioPort(offer);
  endpoint.sendTo(port);
  const answer = codecs.includes('opus')
    ? endpoint.sdp('96 101', ['a=rtpmap:96 opus/48000/2', 'a=rtpmap:101 telephone-event/8000'])
    : endpoint.sdp('0 101', ['a=rtpmap:101 telephone-event/8000']);
  const media = await call.applyEndpointAnswer(answer);
  assert.deepEqual(media, {
    codec: codecs[0],
    dtmf: true,
    srtp: false,
    remoteAddress: '127.0.0.1',
    remotePort: endpoint.port,
  });
  await until(() => endpoint.received.length > 2);
  call.bridge();
  return { call, customer, endpoint, events, port };
}

function assertUnbroken({ received }: Pick<MetaPeer, 'received'>, frameTicks: number): void {
  assert.equal(new Set(received.map(({ ssrc }) => ssrc)).size, 1);
  for (const [at, packet] of received.slice(1).entries()) {
    const before = received[at];
    assert.equal((packet.sequence - (before?.sequence ?? 0)) & 0xffff, 1);
    const step = (packet.timestamp - (before?.timestamp ?? 0)) >>> 0;
    assert.ok(step >= frameTicks && step <= 10 * frameTicks, `step of ${step} ticks at ${at}`);
  }
}
