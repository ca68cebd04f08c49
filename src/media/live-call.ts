import type { Clock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import type { Random } from '../platform/random.ts';
import { Bridge, type EndpointPlan } from './bridge.ts';
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
import type { FrameCodec } from './frame-codec.ts';
import type {
  EndpointCodec,
  EndpointMedia,
  EndpointMediaOptions,
  FrameTap,
  MediaEvent,
  MediaStats,
} from './media.ts';
import { openOpusCodec } from './opus-codec.ts';
import { buildReport } from './rtcp.ts';
import { isRtcp, parseRtp } from './rtp.ts';
import { WhatsAppLeg } from './whatsapp-leg.ts';
import type { CallOrder } from './worker-protocol.ts';

export type LiveCallOptions = {
  clock: Clock;
  random: Random;
  bindAddress: string;
  connectTimeoutMs: number;
  silentAfterMs: number;
  /** One period of the ringing tone, in Opus frames. */
  ringing: readonly Uint8Array[];
  port: number;
  /** What a recording is made of. */
  onFrame?: FrameTap;
  onEvent: (event: MediaEvent) => void;
};

const OFFERED_CODECS: Readonly<Record<EndpointCodec, number>> = { opus: 96, PCMU: 0, PCMA: 8 };
const EVENTS_8K: OfferedEvents = { payloadType: 101, clockRate: 8000 };
const EVENTS_48K: OfferedEvents = { payloadType: 102, clockRate: 48_000 };
/** RFC 3550 section 6.2: every 5 s, which also keeps a silent leg alive for Meta. */
const FRAMES_PER_REPORT = 250;

/** One call inside a worker: both legs, the bridge between them, and the codec they need. */
export class LiveCall {
  readonly #options: LiveCallOptions;
  readonly #bridge: Bridge;
  readonly #whatsapp: WhatsAppLeg;
  readonly #cname: string;
  #endpoint: EndpointLeg | undefined;
  #own: { options: EndpointMediaOptions; sessionId: number; version: number } | undefined;
  #agreed: EndpointDescription | undefined;
  #media: EndpointMedia | undefined;
  #security: EndpointSecurity;
  #opus: FrameCodec | null = null;
  #connectedAt: number | null = null;
  #frames = 0;
  #closed = false;

  constructor(options: LiveCallOptions) {
    this.#options = options;
    this.#security = new EndpointSecurity(options.random);
    this.#cname = Buffer.from(options.random.bytes(9)).toString('base64url');
    this.#bridge = new Bridge({
      ...options,
      sendToWhatsApp: (packet) => this.#whatsapp.send(packet),
      sendToEndpoint: (packet) => this.#sendToEndpoint(packet),
      onEvent: (event) => this.#emit(event),
    });
    this.#whatsapp = new WhatsAppLeg({
      ...options,
      ssrc: this.#bridge.whatsAppStream.ssrc,
      cname: this.#cname,
      onConnected: () => this.#connected(),
      onLost: (cause) => this.#emit({ kind: 'lost', cause }),
      onPacket: (packet) => this.#bridge.fromWhatsApp(packet),
      onRtcp: (bytes) => this.#bridge.heardRtcp('whatsapp', bytes),
    });
  }

  get offer(): string {
    return this.#whatsapp.offer;
  }

  applyAnswer(sdp: string): void {
    this.#whatsapp.applyAnswer(sdp);
  }

  async openEndpoint(_legId: string, port: number, options: EndpointMediaOptions): Promise<string> {
    if (this.#agreed !== undefined) throw endpointFailure('its audio is already agreed');
    const sessionId = this.#own?.sessionId ?? this.#options.random.below(2 ** 31);
    this.#own = { options, sessionId, version: (this.#own?.version ?? 0) + 1 };
    this.#endpoint ??= await this.#openPort(port);
    this.#security = new EndpointSecurity(this.#options.random);
    const keys = options.srtp ? this.#security.offer() : [];
    const codecs = options.codecs.map((codec) => ({ codec, payloadType: OFFERED_CODECS[codec] }));
    const events = options.codecs.includes('opus') ? [EVENTS_8K, EVENTS_48K] : [EVENTS_8K];
    return this.#describe({ codecs, events, direction: 'sendrecv', keys });
  }

  async applyEndpointAnswer(_legId: string, sdp: string): Promise<EndpointMedia> {
    const answer = parseEndpointSdp(sdp);
    if (isRefused(answer)) throw endpointRefused(answer);
    const wrong = this.#security.applyAnswer(answer.keys);
    if (wrong !== null) throw endpointFailure(wrong);
    const offered = this.#offeredCodecs();
    const media = await this.#agree(answer, offered);
    this.#bridge.setEndpointDirection(answer.direction);
    return media;
  }

  /** RFC 3264 section 8: we mirror the lines, keep the codec if it is still offered. */
  async answerEndpointOffer(_legId: string, sdp: string): Promise<string> {
    const offer = parseEndpointSdp(sdp);
    if (isRefused(offer)) throw endpointRefused(offer);
    const key = this.#security.answer(offer.keys);
    if (typeof key === 'string') throw endpointFailure(key);
    await this.#agree(offer, []);
    this.#bridge.setEndpointDirection(offer.direction);
    const codec = offer.codecs.find(({ codec }) => codec === this.#media?.codec);
    const events = this.#eventsFor(offer);
    return this.#describe({
      codecs: codec === undefined ? [] : [codec],
      events: events === null ? [] : [events],
      direction: answeringDirection(offer.direction),
      keys: key === null ? [] : [key],
      answering: offer,
    });
  }

  closeEndpoint(_legId: string): void {
    this.#endpoint?.setRemote(undefined);
  }

  obey(order: CallOrder): void {
    if (order.do === 'bridge') this.#bridge.bridge();
    else if (order.do === 'ringMeanwhile') this.#bridge.ringMeanwhile(this.#options.ringing);
    else if (order.do === 'sendDtmf') {
      for (const digit of order.digits) this.#bridge.sendDigit(order.leg, digit);
    } else if (order.do === 'play') {
      const { leg, playId } = order;
      this.#emit({ kind: 'played', leg, playId, completed: false });
    }
  }

  /** Runs every 20 ms. */
  tick(): void {
    this.#bridge.tick();
    this.#frames += 1;
    if (this.#frames % FRAMES_PER_REPORT === 0) this.#report();
  }

  stats(): MediaStats {
    const codec = this.#media?.codec ?? null;
    return {
      codec,
      transcoded: codec !== null && codec !== 'opus',
      srtp: this.#security.suite,
      iceConnectedAt: this.#whatsapp.iceConnectedAt,
      connectedAt: this.#connectedAt,
      whatsapp: this.#bridge.legStats('whatsapp'),
      endpoint: this.#bridge.legStats('endpoint'),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#whatsapp.close();
    this.#endpoint?.close();
    this.#opus?.free();
  }

  /** From the first moment that packets can leave, silence does. */
  #connected(): void {
    const answer = this.#whatsapp.answer;
    if (answer === undefined) return;
    const { opusPayloadType: opus, eventPayloadType: event } = answer;
    this.#connectedAt = this.#options.clock.now();
    this.#bridge.connectWhatsApp({ opus, event });
    this.#emit({ kind: 'connected' });
  }

  async #agree(theirs: EndpointDescription, ours: readonly OfferedCodec[]): Promise<EndpointMedia> {
    if (this.#endpoint === undefined) throw endpointFailure('its port is not open yet');
    const chosen = this.#choose(theirs);
    if (chosen.codec !== 'opus' && this.#opus === null) {
      const opus = await openOpusCodec();
      // The call may have been closed while the codec loaded.
      if (this.#closed) opus.free();
      else this.#opus = opus;
    }
    this.#agreed = theirs;
    this.#endpoint.setRemote(
      theirs.direction === 'inactive' ? undefined : { address: theirs.address, port: theirs.port },
    );
    const events = this.#eventsFor(theirs);
    this.#bridge.connectEndpoint({
      codec: chosen.codec,
      sendPayloadType: chosen.payloadType,
      receivePayloadTypes: [...theirs.codecs, ...ours],
      sendEvents: events,
      receiveEvents: ours.length === 0 ? theirs.events : [...theirs.events, EVENTS_8K, EVENTS_48K],
      opus: this.#opus,
    } satisfies EndpointPlan);
    this.#media = {
      codec: chosen.codec,
      dtmf: events !== null,
      srtp: this.#security.suite !== null,
      remoteAddress: theirs.address,
      remotePort: theirs.port,
    };
    return this.#media;
  }

  /** The codec in use if they still take it, else the first of theirs that we offered. */
  #choose(theirs: EndpointDescription): OfferedCodec {
    const usable = theirs.codecs.filter(({ codec }) => this.#own?.options.codecs.includes(codec));
    const kept = usable.find(({ codec }) => codec === this.#media?.codec);
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
    const endpoint = await EndpointLeg.open({
      bindAddress: this.#options.bindAddress,
      port,
      onDatagram: (bytes) => this.#fromEndpoint(bytes),
      onStray: () => this.#bridge.uselessFromEndpoint('wrong_address'),
    });
    if (this.#closed) endpoint.close();
    return endpoint;
  }

  #describe(said: {
    codecs: readonly OfferedCodec[];
    events: readonly OfferedEvents[];
    direction: MediaDirection;
    keys: readonly OfferedKey[];
    answering?: EndpointDescription;
  }): string {
    const own = this.#own;
    if (own === undefined || this.#endpoint === undefined) {
      throw endpointFailure('its port is not open yet');
    }
    const version = own.version;
    own.version += 1;
    return buildEndpointSdp({
      sessionId: own.sessionId,
      version,
      address: own.options.advertisedAddress,
      port: this.#endpoint.port,
      ...said,
      rtcpMux: said.answering?.rtcpMux ?? true,
    });
  }

  #fromEndpoint(bytes: Uint8Array): void {
    if (this.#closed) return;
    const plain = this.#security.unprotect(bytes);
    if (plain === null) return this.#bridge.uselessFromEndpoint('srtp_failed');
    if (isRtcp(plain)) {
      this.#bridge.heardRtcp('endpoint', plain);
      return;
    }
    const packet = parseRtp(plain);
    if (packet !== null) this.#bridge.fromEndpoint(packet);
  }

  #sendToEndpoint(packet: Buffer): boolean {
    return this.#endpoint?.send(this.#security.protect(packet)) ?? false;
  }

  #report(): void {
    const { clock } = this.#options;
    this.#whatsapp.send(
      buildReport({
        ...reportOf(this.#bridge.whatsAppStream, clock.now(), this.#cname),
        block: this.#bridge.reportBlock('whatsapp'),
      }),
    );
    const stream = this.#bridge.endpointStream;
    // Without rtcp-mux it would go to a second port that we do not keep open.
    if (stream === undefined || this.#agreed?.rtcpMux !== true) return;
    this.#sendToEndpoint(
      buildReport({
        ...reportOf(stream, clock.now(), this.#cname),
        block: this.#bridge.reportBlock('endpoint'),
      }),
    );
  }

  #emit(event: MediaEvent): void {
    if (!this.#closed) this.#options.onEvent(event);
  }
}

function reportOf(
  stream: { ssrc: number; nextTimestamp: number; packets: number; octets: number },
  now: number,
  cname: string,
): Parameters<typeof buildReport>[0] {
  const { ssrc, nextTimestamp: rtpTimestamp, packets, octets } = stream;
  return { ssrc, now, rtpTimestamp, packets, octets, cname };
}

function endpointRefused(refused: Refused): Failure {
  return endpointFailure(refused.refused.message);
}

function endpointFailure(reason: string): Failure {
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
