import assert from 'node:assert/strict';
import type { Socket } from 'node:dgram';
import { after, before, test, type TestContext } from 'node:test';
import { createDecoder, createEncoder } from 'libopus-wasm';
import { openSdesMeta, type SdesMeta } from '../../test/sdes-meta.ts';
import { everyFrame, until } from '../../test/real-time.ts';
import { audioPort, openRtpPeer, type RtpPeer } from '../../test/rtp-peer.ts';
import { flipped, openStranger } from '../../test/stranger.ts';
import { clearestShare, makeTone } from '../../test/tones.ts';
import { delay, systemClock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { decodeG711, encodeG711 } from './g711.ts';
import type { MediaCall, MediaEvent } from './media.ts';
import { openMediaPlane, type EmbeddedMediaPlane } from './media-plane.ts';

/**
 * A number on SDES against werift's SRTP: tones both ways through to a SIP endpoint, who speaks
 * first, and what strangers, replays and bad answers come to (T-02 and T-05 on this leg).
 */
const CUSTOMER = 440;
const AGENT = 1000;
const SPOKEN = Uint8Array.of(0xf8, 0xff, 0xfe, 7);
const LOCAL = { advertisedAddress: '127.0.0.1' };

let plane: EmbeddedMediaPlane;
before(async () => {
  plane = await openMediaPlane({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    portRange: { first: 24_500, last: 24_539 },
    workers: 1,
    callsPerWorker: 10,
    silentAfterMs: 400,
  });
});
after(() => plane.close());

test('tones, digits and reports pass both ways between SDES and a SIP endpoint', async (t) => {
  const { call, meta, events } = await answered(t);
  const endpoint = await withEndpoint(t, call);
  call.bridge();
  const encoder = await createEncoder({ sampleRate: 8000, channels: 1, frameSize: 160 });
  const [customer, agent] = [makeTone(CUSTOMER), makeTone(AGENT)];
  await everyFrame(60, () => {
    meta.sendAudio(encoder.encode(customer(160)));
    endpoint.sendAudio(0, encodeG711('PCMU', agent(160)), 160);
  });
  const atAgent = endpoint.received.map(({ payload }) => decodeG711('PCMU', payload));
  assert.ok(clearestShare(atAgent, CUSTOMER) > 0.6);
  const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
  const atCustomer = meta.received.map(({ payload }) => Int16Array.from(decoder.decode(payload)));
  decoder.free();
  encoder.free();
  assert.ok(clearestShare(atCustomer, AGENT) > 0.6);
  for (const last of [false, false, true]) {
    meta.sendEvent(Uint8Array.of(5, last ? 0x8a : 10, 3, 32), !last, last);
  }
  await until(() => events.some((event) => event.kind === 'dtmf' && event.digit === '5'));
  call.sendDtmf('whatsapp', '7');
  await until(() => meta.received.some(({ payloadType }) => payloadType === 126));
  await until(() => meta.reports() > 0);
  const stats = await call.close();
  assert.equal(stats.whatsappSrtp, 'AES_CM_128_HMAC_SHA1_80');
  assert.equal(stats.iceConnectedAt, null);
  assert.ok(stats.connectedAt !== null && stats.whatsapp.firstSoundInAt !== null);
  assert.ok(stats.connectedAt <= (stats.whatsapp.firstPacketOutAt ?? 0));
  assert.ok((stats.whatsapp.mos ?? 0) > 3);
});

test('with the answer we are connected, and speak before Meta does', async (t) => {
  const { meta, events } = await answered(t);
  await until(() => meta.received.length >= 5);
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'connected'),
    [{ kind: 'connected', keyExchange: 'sdes' }],
  );
  assert.deepEqual(new Set(meta.received.map(({ payload }) => payload.length)), new Set([3]));
});

test('hold, mute and another endpoint leave this leg untouched', async (t) => {
  const { call, meta } = await answered(t);
  await withEndpoint(t, call);
  const other = await withEndpoint(t, call, 'other');
  call.bridge();
  call.hold();
  await until(() => meta.received.some(({ payload }) => payload.length > 13));
  call.resume();
  call.useEndpoint('other');
  await call.closeEndpoint('main');
  let heard = 0;
  const before = meta.received.length;
  await everyFrame(20, () => other.sendAudio(0, new Uint8Array(160).fill(0x20), 160));
  await until(() => (heard = meta.received.length - before) > 15);
  for (const [at, packet] of meta.received.slice(1).entries()) {
    assert.equal(packet.ssrc, meta.received[at]?.ssrc);
    assert.equal((packet.sequence - (meta.received[at]?.sequence ?? 0)) & 0xffff, 1);
  }
  assert.ok(heard > 15);
});

test('an answer that cannot be used ends the call by name, and tells no key', async (t) => {
  const rows: readonly [change: (sdp: string) => string, code: string][] = [
    [(sdp) => sdp.replace(/a=crypto[^\r]*\r\n/, ''), 'meta_sdp_refused'],
    [(sdp) => sdp.replace('SHA1_80', 'SHA1_32'), 'meta_sdp_refused'],
    [(sdp) => sdp.replace(/(inline:.{20})[^\r]*/, '$1'), 'meta_sdp_refused'],
    [(sdp) => sdp.replace('RTP/SAVP', 'UDP/TLS/RTP/SAVPF'), 'meta_key_exchange_mismatch'],
  ];
  for (const [change, code] of rows) {
    const call = await plane.openCall({ callId: 'bad', onEvent: () => {}, sdes: LOCAL });
    t.after(() => call.close());
    const meta = await openSdesMeta(call.offer);
    t.after(() => meta.close());
    const failure = await call.applyAnswer(change(meta.answer)).catch((error: unknown) => error);
    assert.ok(failure instanceof Failure);
    assert.equal(failure.code, code);
    assert.doesNotMatch(failure.message, /inline/);
    // What was refused must not send a packet anywhere.
    assert.equal((await call.stats()).whatsapp.packetsOut, 0);
    assert.equal(meta.received.length, 0);
  }
});

test('an answer for SDES to an offer for DTLS is a mismatch too', async (t) => {
  const call = await plane.openCall({ callId: 'dtls', onEvent: () => {} });
  t.after(() => call.close());
  const meta = await openSdesMeta(null);
  t.after(() => meta.close());
  await assert.rejects(call.applyAnswer(meta.answer), { code: 'meta_key_exchange_mismatch' });
});

test('a second answer with another key and address is refused and changes nothing', async (t) => {
  const { call, meta } = await answered(t);
  const other = await openSdesMeta(call.offer);
  t.after(() => other.close());
  await call.applyAnswer(meta.answer);
  await assert.rejects(call.applyAnswer(other.answer), { code: 'meta_sdp_refused' });
  const before = meta.received.length;
  meta.sendAudio(SPOKEN);
  await until(() => meta.received.length > before + 3);
  assert.equal((await call.stats()).whatsapp.packetsIn, 1);
  assert.equal(other.received.length, 0);
});

test('replayed, changed and foreign packets are not heard; strangers hear nothing', async (t) => {
  const { call, meta, port } = await answered(t);
  const stranger = await openStranger(t);
  const taken: Buffer[] = [];
  meta.onSent = (datagram) => void taken.push(datagram);
  // Before Meta has spoken is when learning an address would go wrong (RTP bleed).
  for (let at = 0; at < 20; at += 1) stranger.socket.send(plainRtp(at), port, '127.0.0.1');
  for (let at = 0; at < 20; at += 1) meta.sendAudio(SPOKEN);
  await until(async () => (await call.stats()).whatsapp.packetsIn === 20);
  meta.onSent = null;
  for (const datagram of taken) {
    await meta.sendRaw(datagram);
    await meta.sendRaw(flipped(datagram, datagram.length - 1));
    await meta.sendRaw(flipped(datagram, 14));
    await meta.sendRaw(datagram.subarray(0, 12));
    stranger.socket.send(datagram, port, '127.0.0.1');
  }
  // Right in everything but where they come from: Meta's own key, never sent before.
  for (const datagram of meta.sealed(SPOKEN, 20)) stranger.socket.send(datagram, port, '127.0.0.1');
  await delay(systemClock, 100);
  assert.equal((await call.stats()).whatsapp.packetsIn, 20);
  meta.sendAudio(SPOKEN);
  await until(async () => (await call.stats()).whatsapp.packetsIn === 21);
  const before = meta.received.length;
  await until(() => meta.received.length > before + 3);
  assert.equal(stranger.heard(), 0);
});

test('silence on this leg has its cause: nothing, a foreign address, a wrong key', async (t) => {
  const causeWhen = async (disturb: (meta: SdesMeta, port: number, socket: Socket) => void) => {
    const { call, meta, port, events } = await answered(t);
    const { socket } = await openStranger(t);
    await withEndpoint(t, call);
    call.bridge();
    disturb(meta, port, socket);
    const isSilent = (event: MediaEvent) => event.kind === 'silent' && event.leg === 'whatsapp';
    await until(() => events.some(isSilent));
    const found = events.find(isSilent);
    await call.close();
    return found?.kind === 'silent' ? found.cause : null;
  };
  assert.equal(await causeWhen(() => {}), 'never_sent');
  const strayed = await causeWhen((meta, port, socket) => {
    for (const datagram of meta.sealed(SPOKEN, 3)) socket.send(datagram, port, '127.0.0.1');
  });
  assert.equal(strayed, 'wrong_address');
  const wrongKey = await causeWhen((meta) => void meta.sendRaw(plainRtp(1)));
  assert.equal(wrongKey, 'srtp_failed');
});

test('a call on SDES leaves no port behind', async () => {
  await until(() => plane.portsInUse() === 0);
  const calls = await Promise.all(
    [1, 2, 3].map((at) => plane.openCall({ callId: `p${at}`, onEvent: () => {}, sdes: LOCAL })),
  );
  assert.equal(plane.portsInUse(), 3);
  await Promise.all(calls.map((call) => call.close()));
  await until(() => plane.portsInUse() === 0);
});

type Answered = { call: MediaCall; meta: SdesMeta; events: MediaEvent[]; port: number };

async function answered(t: TestContext): Promise<Answered> {
  const events: MediaEvent[] = [];
  const onEvent = (event: MediaEvent): void => void events.push(event);
  const call = await plane.openCall({ callId: t.name, onEvent, sdes: LOCAL });
  t.after(() => call.close());
  const meta = await openSdesMeta(call.offer);
  t.after(() => meta.close());
  await call.applyAnswer(meta.answer);
  return { call, meta, events, port: audioPort(call.offer) };
}

async function withEndpoint(t: TestContext, call: MediaCall, legId?: string): Promise<RtpPeer> {
  const endpoint = await openRtpPeer();
  t.after(() => endpoint.close());
  const offer = await call.openEndpoint({ codecs: ['PCMU'], ...LOCAL, srtp: false }, legId);
  endpoint.sendTo(audioPort(offer));
  await call.applyEndpointAnswer(endpoint.sdp('0', []), legId);
  return endpoint;
}

function plainRtp(at: number): Buffer {
  return Buffer.from([0x80, 111, 0, at, 0, 0, 0, 1, 0, 0, 0, 9, 0xf8, 0xff, 0xfe, 9]);
}
