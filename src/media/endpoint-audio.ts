import { Failure } from '../platform/failure.ts';
import type { Random } from '../platform/random.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import type { Bridge } from './bridge.ts';
import type { BridgeLeg } from './bridge-leg.ts';
import { EndpointLeg } from './endpoint-leg.ts';
import {
  answeringDirection,
  buildEndpointSdp,
  parseEndpointSdp,
  type EndpointDescription,
  type MediaDirection,
  type OfferedCodec,
  type OfferedEvents,
} from './endpoint-sdp.ts';
import { EndpointSecurity, type OfferedKey } from './endpoint-security.ts';
import type { EndpointVoice } from './endpoint-voice.ts';
import type { EndpointCodec, EndpointMedia, EndpointMediaOptions, MediaSecurity } from './media.ts';
import { isRtcp, parseRtp } from './rtp.ts';

export type EndpointAudioOptions = {
  random: Random;
  bindAddress: string;
  bridge: Bridge;
  legId: string;
};

const OFFERED_CODECS: Readonly<Record<EndpointCodec, number>> = { opus: 96, PCMU: 0, PCMA: 8 };
const EVENTS_8K: OfferedEvents = { payloadType: 101, clockRate: 8000 };
const EVENTS_48K: OfferedEvents = { payloadType: 102, clockRate: 48_000 };

/**
 * The audio of one endpoint leg: its socket, its SRTP, and what offers and answers settled. Each
 * leg of a call has its own; only the bridge knows how they hear each other.
 */
export class EndpointAudio implements EndpointVoice {
  readonly leg: BridgeLeg;
  readonly #options: EndpointAudioOptions;
  #socket: EndpointLeg | undefined;
  #own: { options: EndpointMediaOptions; sessionId: number; version: number } | undefined;
  #agreed: EndpointDescription | undefined;
  #media: EndpointMedia | undefined;
  #security: EndpointSecurity;
  #closed = false;

  constructor(options: EndpointAudioOptions) {
    this.#options = options;
    this.#security = new EndpointSecurity(options.random);
    this.leg = options.bridge.openLeg(options.legId, (packet) => this.#send(packet));
  }

  /** What was agreed, and the codec that it has come to. */
  get media(): EndpointMedia | undefined {
    if (this.#media === undefined) return undefined;
    return { ...this.#media, codec: this.leg.plan?.codec ?? this.#media.codec };
  }

  get security(): MediaSecurity | null {
    return this.#security.suite;
  }

  async open(port: number, options: EndpointMediaOptions): Promise<string> {
    if (this.#agreed !== undefined) throw endpointFailure('its audio is already agreed');
    const sessionId = this.#own?.sessionId ?? this.#options.random.below(2 ** 31);
    this.#own = { options, sessionId, version: (this.#own?.version ?? 0) + 1 };
    this.leg.holdSound = options.holdSound ?? null;
    this.#socket ??= await this.#openPort(port);
    this.#security = new EndpointSecurity(this.#options.random);
    const keys = options.srtp ? this.#security.offer() : [];
    const codecs = options.codecs.map((codec) => ({ codec, payloadType: OFFERED_CODECS[codec] }));
    const events = options.codecs.includes('opus') ? [EVENTS_8K, EVENTS_48K] : [EVENTS_8K];
    return this.#describe({ codecs, events, direction: 'sendrecv', keys });
  }

  async applyAnswer(sdp: string): Promise<EndpointMedia> {
    const answer = parseEndpointSdp(sdp);
    if (isRefused(answer)) throw endpointRefused(answer);
    const wrong = this.#security.applyAnswer(answer.keys);
    if (wrong !== null) throw endpointFailure(wrong);
    const offered = this.#offeredCodecs();
    const media = await this.#agree(answer, offered);
    this.#options.bridge.setDirection(this.leg, answer.direction);
    return media;
  }

  /** RFC 3264 section 8: we mirror the lines, keep the codec if it is still offered. */
  async answerOffer(sdp: string): Promise<string> {
    const offer = parseEndpointSdp(sdp);
    if (isRefused(offer)) throw endpointRefused(offer);
    const key = this.#security.answer(offer.keys);
    if (typeof key === 'string') throw endpointFailure(key);
    await this.#agree(offer, []);
    this.#options.bridge.setDirection(this.leg, offer.direction);
    const codec = offer.codecs.find(({ codec }) => codec === this.media?.codec);
    const events = this.#eventsFor(offer);
    return this.#describe({
      codecs: codec === undefined ? [] : [codec],
      events: events === null ? [] : [events],
      direction: answeringDirection(offer.direction),
      keys: key === null ? [] : [key],
      answering: offer,
    });
  }

  /** Sends a report where it reaches the endpoint: with rtcp-mux only, on the one port we have. */
  report(cname: string): void {
    if (this.#agreed?.rtcpMux !== true) return;
    const report = this.leg.report(cname);
    if (report !== null) this.#send(report);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  async #agree(theirs: EndpointDescription, ours: readonly OfferedCodec[]): Promise<EndpointMedia> {
    const socket = this.#socket;
    if (socket === undefined) throw endpointFailure('its port is not open yet');
    const { bridge } = this.#options;
    const chosen = this.#choose(theirs);
    if (chosen.codec !== 'opus') await bridge.whatsapp.prepareOpus();
    this.#agreed = theirs;
    socket.setRemote(
      theirs.direction === 'inactive' ? undefined : { address: theirs.address, port: theirs.port },
    );
    const events = this.#eventsFor(theirs);
    this.#media = {
      codec: chosen.codec,
      dtmf: events !== null,
      srtp: this.#security.suite !== null,
      remoteAddress: theirs.address,
      remotePort: theirs.port,
    };
    bridge.connect(this.leg, {
      codec: chosen.codec,
      sendPayloadType: chosen.payloadType,
      receivePayloadTypes: [...theirs.codecs, ...ours],
      sendEvents: events,
      receiveEvents: ours.length === 0 ? theirs.events : [...theirs.events, EVENTS_8K, EVENTS_48K],
    });
    return this.#media;
  }

  /** The codec in use if they still take it, else the first of theirs that we offered. */
  #choose(theirs: EndpointDescription): OfferedCodec {
    const usable = theirs.codecs.filter(({ codec }) => this.#own?.options.codecs.includes(codec));
    const kept = usable.find(({ codec }) => codec === this.media?.codec);
    const chosen = kept ?? usable[0];
    if (chosen === undefined) throw endpointFailure('it takes none of the codecs we offered');
    return chosen;
  }

  /** One clock rate per stream: events run on the audio's clock where they can (RFC 4733 2.1). */
  #eventsFor(theirs: EndpointDescription): OfferedEvents | null {
    const wanted = this.#choose(theirs).codec === 'opus' ? 48_000 : 8000;
    const { events } = theirs;
    return events.find(({ clockRate }) => clockRate === wanted) ?? events[0] ?? null;
  }

  #offeredCodecs(): OfferedCodec[] {
    const codecs = this.#own?.options.codecs ?? [];
    return codecs.map((codec) => ({ codec, payloadType: OFFERED_CODECS[codec] }));
  }

  async #openPort(port: number): Promise<EndpointLeg> {
    const { bindAddress, bridge } = this.#options;
    const socket = await EndpointLeg.open({
      bindAddress,
      port,
      onDatagram: (bytes) => this.#receive(bytes),
      onStray: () => bridge.useless(this.leg, 'wrong_address'),
    });
    if (this.#closed) socket.close();
    return socket;
  }

  #describe(said: {
    codecs: readonly OfferedCodec[];
    events: readonly OfferedEvents[];
    direction: MediaDirection;
    keys: readonly OfferedKey[];
    answering?: EndpointDescription;
  }): string {
    const own = this.#own;
    if (own === undefined || this.#socket === undefined) {
      throw endpointFailure('its port is not open yet');
    }
    const version = own.version;
    own.version += 1;
    return buildEndpointSdp({
      sessionId: own.sessionId,
      version,
      address: own.options.advertisedAddress,
      port: this.#socket.port,
      ...said,
      rtcpMux: said.answering?.rtcpMux ?? true,
    });
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    const { bridge } = this.#options;
    const plain = this.#security.unprotect(bytes);
    if (plain === null) return bridge.useless(this.leg, 'srtp_failed');
    if (isRtcp(plain)) return bridge.heardRtcp(this.leg, plain);
    const packet = parseRtp(plain);
    if (packet !== null) bridge.hear(this.leg, packet);
  }

  #send(packet: Buffer): boolean {
    return this.#socket?.send(this.#security.protect(packet)) ?? false;
  }
}

function endpointRefused(refused: Refused): Failure {
  return endpointFailure(refused.refused.message);
}

/** The endpoint's audio cannot be had, for a reason that ends with no full stop of its own. */
export function endpointFailure(reason: string): Failure {
  return new Failure({
    code: 'endpoint_sdp_refused',
    message: `The endpoint's audio cannot be connected: ${reason.replace(/\.$/, '')}.`,
    fix:
      'Have the endpoint offer Opus, PCMU or PCMA at a literal IP address, in plain RTP, or in ' +
      'SRTP where the endpoint has it switched on here.',
    verdict: 'terminal',
    side: 'upstream',
  });
}
