import type { RtpPacket } from 'werift';
import type { Clock } from '../src/platform/clock.ts';
import type { Log } from '../src/platform/log.ts';
import type { Random } from '../src/platform/random.ts';
import type {
  BrowserPhone,
  CallMedia,
  CallMediaOptions,
  MediaEngine,
  PhoneOptions,
} from './media-port.ts';
import { openSdesPeer } from './sdes-peer.ts';
import { metaSdesSdp, metaSdp } from './sdp-answer.ts';
import { openUdpFront, type UdpFront } from './udp-front.ts';
import { Ear, toneFrames, Voice } from './voice.ts';
import { openPeer, type PeerOptions, type WebRtcPeer } from './webrtc-peer.ts';

/**
 * Real media: a werift peer per call, ICE-lite and DTLS client like Meta, behind one UDP port.
 * werift is loaded by this file alone; a simulator without media never pays for it.
 */
export async function openMediaEngine(options: EngineOptions): Promise<MediaEngine> {
  const front = await openUdpFront(options.host);
  const calls = new Set<CallMedia>();
  const phones = new Set<BrowserPhone>();
  const voices = new Map<number, Promise<Uint8Array[]>>();
  const voiceOf = (hz: number): Promise<Uint8Array[]> => {
    const known = voices.get(hz) ?? toneFrames(hz);
    voices.set(hz, known);
    return known;
  };
  return {
    async openCall(callOptions) {
      const frames = await voiceOf(callOptions.voiceHz);
      const call = await openCallMedia(options, front, frames, callOptions, () =>
        calls.delete(call),
      );
      calls.add(call);
      return call;
    },
    async openPhone(phoneOptions) {
      const phone = await openBrowserPhone(options, phoneOptions, () => phones.delete(phone));
      phones.add(phone);
      return phone;
    },
    async close() {
      for (const call of calls) await call.close();
      for (const phone of phones) await phone.close();
      await front.close();
    },
  };
}

export type EngineOptions = {
  clock: Clock;
  random: Random;
  log: Log;
  host: string;
  phoneSilentMs: number;
};

async function openCallMedia(
  engine: EngineOptions,
  front: UdpFront,
  frames: readonly Uint8Array[],
  options: CallMediaOptions,
  onClosed: () => void,
): Promise<CallMedia> {
  const { clock, random } = engine;
  const { facts } = options;
  const ear = await Ear.open(options.onHeard);
  const listener = new Listener(clock, facts.dtmfPayloadType, ear, options);
  let phone: BrowserPhone | null = null;
  let packetsIn = 0;
  let packetsOut = 0;
  let accepted = false;
  let sending = true;
  let closed = false;

  const peer = await openRelayPeer(engine, front, options, {
    onLost: () => {
      if (!closed) options.onLost();
    },
    onRtcp: () => listener.noticed(),
    onRtp: (packet) => {
      if (closed) return;
      packetsIn += 1;
      listener.rtp(packet, accepted);
      const isVoice = packet.header.payloadType === facts.opusPayloadType;
      if (accepted && isVoice) phone?.send(packet.payload);
    },
  });
  const voice = new Voice({
    clock,
    frames,
    payloadTypes: { opus: facts.opusPayloadType, dtmf: facts.dtmfPayloadType },
    firstTimestamp: random.below(0x7fff_ffff),
    send: (packet) => {
      if (!sending) return;
      packetsOut += 1;
      peer.send(packet);
    },
  });
  return {
    answer: peer.answer,
    accept() {
      accepted = true;
      voice.start();
    },
    setSending(on) {
      sending = on;
    },
    sendDigits: (digits) => voice.press(digits),
    attach(next) {
      if (phone !== null) phone.onPayload = null;
      phone = next;
      voice.setTalking(next === null);
      if (next === null) return;
      next.onPayload = (payload) => {
        if (accepted) voice.pass(payload);
      };
    },
    counts: () => ({ packetsIn, packetsOut }),
    async close() {
      if (closed) return;
      closed = true;
      voice.stop();
      listener.stop();
      if (phone !== null) phone.onPayload = null;
      await peer.close();
      ear.close();
      onClosed();
    },
  };
}

/** Meta's side of one call on the wire, whichever way its keys were agreed. */
type RelayPeer = Pick<WebRtcPeer, 'answer' | 'send' | 'close'>;
type RelayEvents = Pick<PeerOptions, 'onLost' | 'onRtcp' | 'onRtp'>;

async function openRelayPeer(
  engine: EngineOptions,
  front: UdpFront,
  options: CallMediaOptions,
  events: RelayEvents,
): Promise<RelayPeer> {
  const { random, host } = engine;
  const { facts, offer, deaf, onConnected } = options;
  if (facts.sdes !== null) {
    const { key: businessKey } = facts.sdes;
    const peer = await openSdesPeer({ host, random, businessKey, deaf, onConnected, ...events });
    const answer = metaSdesSdp(facts, { ...peer, address: addressOf(engine) }, random);
    return { ...peer, answer };
  }
  const { opusPayloadType, dtmfPayloadType } = facts;
  const peer = await openPeer({
    offer,
    opusPayloadType,
    dtmfPayloadType,
    iceLite: true,
    random,
    onConnected,
    ...events,
  });
  const unroute = routeTo(front, peer, deaf);
  return {
    answer: answerOf(engine, front, peer, facts),
    send: (packet) => peer.send(packet),
    close: () => {
      unroute();
      return peer.close();
    },
  };
}

/** Notices that the business sends, which tones it sends, and which keys it presses. */
class Listener {
  readonly #clock: Clock;
  readonly #dtmfPayloadType: number;
  readonly #ear: Ear;
  readonly #options: CallMediaOptions;
  #noticedAt = Number.NEGATIVE_INFINITY;
  #lastEvent: number | undefined;
  #stopped = false;

  constructor(clock: Clock, dtmfPayloadType: number, ear: Ear, options: CallMediaOptions) {
    this.#clock = clock;
    this.#dtmfPayloadType = dtmfPayloadType;
    this.#ear = ear;
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** RTCP counts as media too (calling troubleshooting page). */
  noticed(): void {
    const now = this.#clock.monotonic();
    if (this.#stopped || now - this.#noticedAt < NOTICE_EVERY_MS) return;
    this.#noticedAt = now;
    this.#options.onMedia();
  }

  rtp(packet: RtpPacket, accepted: boolean): void {
    if (this.#stopped) return;
    this.noticed();
    // Nobody has the phone at the ear before the pick-up.
    if (!accepted) return;
    const { payloadType, timestamp } = packet.header;
    if (payloadType !== this.#dtmfPayloadType) {
      this.#ear.hear(packet.payload);
      return;
    }
    // All packets of one digit carry the time stamp of its beginning (RFC 4733 section 2.2).
    if (timestamp === this.#lastEvent) return;
    this.#lastEvent = timestamp;
    const digit = '0123456789*#'[packet.payload[0] ?? 255];
    if (digit !== undefined) this.#options.onDigit(digit);
  }
}

const NOTICE_EVERY_MS = 250;

function routeTo(front: UdpFront, peer: WebRtcPeer, deaf: boolean): () => void {
  const [port] = peer.localPorts;
  if (port === undefined) throw new Error('the media peer has no port on 127.0.0.1');
  if (deaf) return () => undefined;
  return front.route(attribute(peer.answer, 'ice-ufrag'), port);
}

function answerOf(
  engine: EngineOptions,
  front: UdpFront,
  peer: WebRtcPeer,
  facts: Parameters<typeof metaSdp>[0],
): string {
  return metaSdp(
    facts,
    {
      ufrag: attribute(peer.answer, 'ice-ufrag'),
      pwd: attribute(peer.answer, 'ice-pwd'),
      fingerprint: attribute(peer.answer, 'fingerprint').replace(/^sha-256 /, ''),
      address: addressOf(engine),
      port: front.port,
      ssrc: peer.ssrc,
    },
    engine.random,
  );
}

/** Where the media of this machine is found, for an address in SDP must be literal. */
function addressOf({ host }: EngineOptions): string {
  return ['0.0.0.0', '::', 'localhost'].includes(host) ? '127.0.0.1' : host;
}

/** The browser's microphone and speaker, reached over 127.0.0.1. */
async function openBrowserPhone(
  engine: EngineOptions,
  options: PhoneOptions,
  onClosed: () => void,
): Promise<BrowserPhone> {
  const opus = /^a=rtpmap:(\d+) opus\/48000\/2\r?$/im.exec(options.offer)?.[1];
  if (opus === undefined) throw new Error('the offer has no Opus');
  let timestamp = engine.random.below(0x7fff_ffff);
  let closed = false;
  let heardAt = engine.clock.monotonic();
  // A closed tab says nothing, and ICE would need half a minute to notice.
  const watch = (): void => {
    const left = heardAt + engine.phoneSilentMs - engine.clock.monotonic();
    if (closed) return;
    if (left <= 0) void close();
    else engine.clock.after(left, watch);
  };
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await peer.close();
    onClosed();
    options.onClosed();
  };
  const phone: BrowserPhone = {
    answer: '',
    onPayload: null,
    send(payload) {
      timestamp += 960;
      peer.send({ payloadType: Number(opus), timestamp, marker: false, payload });
    },
    close,
  };
  const peer: WebRtcPeer = await openPeer({
    offer: options.offer,
    opusPayloadType: Number(opus),
    dtmfPayloadType: 126,
    iceLite: false,
    random: engine.random,
    onConnected: () => undefined,
    onRtcp: () => {
      heardAt = engine.clock.monotonic();
    },
    onLost: () => void close(),
    onRtp: (packet) => {
      heardAt = engine.clock.monotonic();
      if (packet.header.payloadType === Number(opus)) phone.onPayload?.(packet.payload);
    },
  });
  engine.clock.after(engine.phoneSilentMs, watch);
  return Object.assign(phone, { answer: loopbackOnly(peer.answer) });
}

/** A browser on this machine needs no other address of it, and other addresses slow it down. */
function loopbackOnly(sdp: string): string {
  return sdp
    .split('\r\n')
    .filter((line) => !line.startsWith('a=candidate:') || line.includes(' 127.0.0.1 '))
    .join('\r\n');
}

function attribute(sdp: string, name: string): string {
  const value = new RegExp(`^a=${name}:(.*?)\\r?$`, 'm').exec(sdp)?.[1];
  if (value === undefined) throw new Error(`the media peer's SDP has no ${name}`);
  return value;
}
