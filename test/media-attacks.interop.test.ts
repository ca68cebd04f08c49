import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { openUdpFront } from '../simulator/udp-front.ts';
import { canBind } from '../src/media/port-allocator.ts';
import type { MediaCall, MediaEvent } from '../src/media/media.ts';
import { openMediaPlane, type EmbeddedMediaPlane } from '../src/media/media-plane.ts';
import { delay, systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { JUNK } from './junk.ts';
import { openMetaPeer, type MetaPeer } from './meta-peer.ts';
import { until } from './real-time.ts';
import { atPort, openRelay, relayPortOf, type Relay } from './relay.ts';
import { audioPort, openRtpPeer, type RtpPeer } from './rtp-peer.ts';
import { flipped, openStranger } from './stranger.ts';

/**
 * T-02, T-04 and T-05 against the real engine: somebody on the way who changes SRTP, strangers who
 * send junk, and strangers who try to listen in or to speak on the SIP leg. `npm run prove` has
 * the large sizes.
 */
const PACKETS = Number(process.env['ASKFIRST_SRTP_PACKETS'] ?? 40);
const JUNK_EACH = Number(process.env['ASKFIRST_JUNK_PACKETS'] ?? 200);
const BLEED_CALLS = Number(process.env['ASKFIRST_BLEED_CALLS'] ?? 10);
const PORTS = { first: 24_100, last: 24_199 };
const SPOKEN = Uint8Array.of(0xf8, 0xff, 0xfe, 7);

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
  });
});
after(() => plane.close());

type Change = (datagram: Buffer, count: number) => readonly Buffer[];

/** What somebody on the way does to each SRTP packet, and how many of them may be heard. */
const CHANGES: readonly [string, 'all' | 'none', Change][] = [
  ['sent three times', 'all', (packet) => [packet, packet, packet]],
  [
    'its tag changed',
    'none',
    (packet, count) => [flipped(packet, packet.length - 1 - (count % 10))],
  ],
  [
    'after a copy with a false tag',
    'all',
    (packet) => [flipped(packet, packet.length - 1), packet],
  ],
  ['its sound changed', 'none', (packet) => [flipped(packet, 13)]],
  ['its marker changed', 'none', (packet) => [flipped(packet, 1, 0x80)]],
  ['cut short', 'none', (packet) => [packet.subarray(0, -3)]],
  ['under another SSRC', 'none', (packet) => [flipped(packet, 8)]],
  ['one sequence number further', 'none', (packet) => [moved(packet, 1)]],
  ['500 sequence numbers back', 'none', (packet) => [moved(packet, -500)]],
  ['after a copy far ahead', 'all', (packet) => [moved(packet, 20_000), packet]],
  ['beside plain RTP', 'all', (packet) => [plainRtp(packet), packet]],
  ['cut to its header', 'none', (packet) => [packet.subarray(0, 12)]],
];

test('SRTP that was changed, replayed or forged on the way is not heard (T-02)', async (t) => {
  const { call, customer, relay } = await throughRelay(t);
  for (const [what, allowed, change] of CHANGES) {
    let count = 0;
    relay.alter = (datagram) => {
      if (!isMedia(datagram)) return [datagram];
      count += 1;
      return change(datagram, count);
    };
    const before = await heardBy(call);
    for (let sent = 0; sent < PACKETS; sent += 1) {
      customer.sendAudio(SPOKEN);
      if (sent % 20 === 19) await delay(systemClock, 5);
    }
    await until(() => count === PACKETS);
    relay.alter = (datagram) => [datagram];
    const expected = before + (allowed === 'all' ? PACKETS : 0);
    assert.equal(await heardAfter(call, customer, expected), expected, what);
  }
});

test('recorded SRTP that comes again later is not heard (T-02)', async (t) => {
  const { call, customer, relay } = await throughRelay(t);
  const recorded: Buffer[] = [];
  relay.alter = (datagram) => {
    if (isMedia(datagram)) recorded.push(Buffer.from(datagram));
    return [datagram];
  };
  for (let sent = 0; sent < 100; sent += 1) {
    customer.sendAudio(SPOKEN);
    if (sent % 20 === 19) await delay(systemClock, 5);
  }
  await until(() => recorded.length === 100);
  await until(async () => (await heardBy(call)) >= 100);
  const before = await heardBy(call);
  for (const datagram of recorded) relay.inject(datagram);
  assert.equal(await heardAfter(call, customer, before), before);
});

test('SRTP from before a roll-over of its number is not heard after it (T-02)', async (t) => {
  const { call, customer, relay } = await throughRelay(t);
  const recorded: Buffer[] = [];
  relay.alter = (datagram) => {
    if (isMedia(datagram)) recorded.push(Buffer.from(datagram));
    return [datagram];
  };
  let sent = 0;
  const say = async (packets: number): Promise<void> => {
    for (let packet = 0; packet < packets; packet += 1) customer.sendAudio(SPOKEN);
    sent += packets;
    await until(async () => (await heardBy(call)) >= sent);
  };
  // From 1,000 on, in steps that leave no doubt which way round it goes (RFC 3711, 3.3.1).
  await say(20);
  for (const step of [20_000, 20_000, 20_000, 4_480]) {
    customer.leaveOut(step);
    await say(1);
  }
  await say(40);
  // From 8 to 1,000: the same numbers as the first twenty, one roll-over later.
  customer.leaveOut(1_000 - 8);
  await say(40);
  assert.equal(await heardBy(call), sent);
  assert.equal(recorded.length, sent);
  for (const datagram of recorded.slice()) relay.inject(datagram);
  assert.equal(await heardAfter(call, customer, sent), sent);
});

test('authentic SRTP of a source that the SDP does not name is not heard (T-02, G8)', async (t) => {
  const { call, customer } = await throughRelay(t);
  customer.sendAudio(SPOKEN);
  await until(async () => (await heardBy(call)) > 0);
  const before = await heardBy(call);
  for (let sent = 0; sent < 20; sent += 1) customer.sendAsStranger(SPOKEN);
  assert.equal(await heardAfter(call, customer, before), before);
});

test('fifteen kinds of junk before and during set-up do not stop a call (T-04)', async (t) => {
  const stranger = await openStranger(t);
  for (const [name, datagram] of JUNK) {
    const call = await plane.openCall({ callId: name, onEvent: () => {} });
    const customer = await openMetaPeer(call.offer);
    const ports = await portsInUse();
    const spray = (): void => {
      for (const port of ports) stranger.socket.send(datagram, port, '127.0.0.1');
    };
    spray();
    await call.applyAnswer(customer.answer);
    spray();
    await customer.connected;
    await until(() => customer.received.length > 2);
    await call.close();
    await customer.close();
  }
  assert.equal(stranger.heard(), 0);
});

test('a flood of junk from strangers does not touch a live call (T-04)', async (t) => {
  const { call, customer, endpoint, events } = await bridged(t);
  const ports = await portsInUse();
  assert.ok(ports.length >= 2);
  const stranger = await openStranger(t);
  let spoken = 0;
  for (let round = 0; round < JUNK_EACH; round += 1) {
    for (const [, datagram] of JUNK) {
      for (const port of ports) stranger.socket.send(datagram, port, '127.0.0.1');
    }
    customer.sendAudio(SPOKEN);
    endpoint.sendAudio(96, SPOKEN, 960);
    spoken += 1;
    await delay(systemClock, 2);
  }
  // A full socket buffer drops what is real along with the junk; it must still come through.
  await until(async () => {
    const { whatsapp, endpoint: desk } = await call.stats();
    return Math.min(whatsapp.packetsIn, desk.packetsIn) > spoken / 2;
  });
  const stats = await call.stats();
  assert.ok(stats.whatsapp.packetsIn <= spoken && stats.endpoint.packetsIn <= spoken);
  assert.equal(stranger.heard(), 0);
  assert.ok(events.every(({ kind }) => kind !== 'lost'));
});

test('a third sender on the SIP leg hears nothing and is not heard (T-05)', async (t) => {
  const stranger = await openStranger(t);
  const speak = Uint8Array.of(0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0xf8, 0xff, 0xfe, 9);
  for (let turn = 0; turn < BLEED_CALLS; turn += 1) {
    const call = await plane.openCall({ callId: `bleed${turn}`, onEvent: () => {} });
    const endpoint = await openRtpPeer();
    const offer = await call.openEndpoint(OPUS);
    const port = audioPort(offer);
    const inject = (): void => {
      for (let packet = 0; packet < 20; packet += 1) {
        stranger.socket.send(speak, port, '127.0.0.1');
      }
    };
    // Before the answer nobody is known yet: then the first to speak must not be taken for it.
    inject();
    endpoint.sendTo(port);
    await call.applyEndpointAnswer(opusAnswer(endpoint));
    call.bridge();
    inject();
    endpoint.sendAudio(96, SPOKEN, 960);
    await until(() => endpoint.received.length > 2);
    inject();
    await delay(systemClock, 20);
    const stats = await call.close();
    assert.ok(stats.endpoint.packetsIn <= 1, `${stats.endpoint.packetsIn} packets were taken`);
    endpoint.close();
  }
  assert.equal(stranger.heard(), 0);
});

test('three calls at once to one relay port all connect (G1)', async (t) => {
  const front = await openUdpFront('127.0.0.1');
  const calls = await Promise.all(
    [1, 2, 3].map(async (number) => {
      const call = await plane.openCall({ callId: `relay${number}`, onEvent: () => {} });
      const customer = await openMetaPeer(call.offer);
      t.after(() => customer.close());
      const ufrag = /a=ice-ufrag:(\S+)/.exec(customer.answer)?.[1] ?? '';
      front.route(ufrag, relayPortOf(customer.answer));
      return { call, customer };
    }),
  );
  await Promise.all(
    calls.map(async ({ call, customer }) => {
      await call.applyAnswer(atPort(customer.answer, front.port));
      await customer.connected;
      await until(() => customer.received.length > 2);
    }),
  );
  await Promise.all(calls.map(({ call }) => call.close()));
  await front.close();
});

async function heardBy(call: MediaCall): Promise<number> {
  return (await call.stats()).whatsapp.packetsIn;
}

/**
 * How many packets were heard before one more that is all right. That one goes the same way and
 * comes last, so whatever should be heard has been; what should not is given a moment more.
 */
async function heardAfter(call: MediaCall, customer: MetaPeer, expected: number): Promise<number> {
  customer.sendAudio(SPOKEN);
  await until(async () => (await heardBy(call)) > expected);
  await delay(systemClock, 50);
  return (await heardBy(call)) - 1;
}

const OPUS = { codecs: ['opus'], advertisedAddress: '127.0.0.1', srtp: false } as const;

function opusAnswer(endpoint: RtpPeer): string {
  return endpoint.sdp('96', ['a=rtpmap:96 opus/48000/2']);
}

async function throughRelay(
  t: TestContext,
): Promise<{ call: MediaCall; customer: MetaPeer; relay: Relay }> {
  const call = await plane.openCall({ callId: 'relayed', onEvent: () => {} });
  const customer = await openMetaPeer(call.offer);
  const relay = await openRelay(relayPortOf(customer.answer));
  t.after(async () => {
    await call.close();
    await customer.close();
    relay.close();
  });
  await call.applyAnswer(atPort(customer.answer, relay.port));
  await customer.connected;
  await until(() => customer.received.length > 2);
  return { call, customer, relay };
}

async function bridged(t: TestContext): Promise<{
  call: MediaCall;
  customer: MetaPeer;
  endpoint: RtpPeer;
  events: MediaEvent[];
}> {
  const events: MediaEvent[] = [];
  const call = await plane.openCall({ callId: 'live', onEvent: (event) => events.push(event) });
  const customer = await openMetaPeer(call.offer);
  const endpoint = await openRtpPeer();
  t.after(async () => {
    await call.close();
    await customer.close();
    endpoint.close();
  });
  await call.applyAnswer(customer.answer);
  await customer.connected;
  endpoint.sendTo(audioPort(await call.openEndpoint(OPUS)));
  await call.applyEndpointAnswer(opusAnswer(endpoint));
  await until(() => customer.received.length > 2);
  call.bridge();
  return { call, customer, endpoint, events };
}

/** Whoever scans the range finds our ports, although no SDP tells them. */
async function portsInUse(): Promise<number[]> {
  const used: number[] = [];
  for (let port = PORTS.first; port <= PORTS.last; port += 1) {
    if (!(await canBind('127.0.0.1', port))) used.push(port);
  }
  return used;
}

/** RTP, protected or not: its second byte is no RTCP type (RFC 5761 section 4). */
function isMedia(datagram: Buffer): boolean {
  const second = (datagram[1] ?? 0) & 0x7f;
  return (datagram[0] ?? 0) >> 6 === 2 && (second < 64 || second > 95);
}

function moved(packet: Buffer, by: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE((copy.readUInt16BE(2) + by) & 0xffff, 2);
  return copy;
}

function plainRtp(packet: Buffer): Buffer {
  return Buffer.concat([moved(packet, 7).subarray(0, 12), SPOKEN]);
}
