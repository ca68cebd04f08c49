import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { AudioPath, type Conversion } from './audio-path.ts';
import type { MediaDirection, OfferedCodec, OfferedEvents } from './endpoint-sdp.ts';
import { g711Codec, type FrameCodec } from './frame-codec.ts';
import { G711_SILENCE } from './g711.ts';
import { LegTraffic } from './leg-traffic.ts';
import type { EndpointCodec, LegStats, MediaEvent, MediaLeg, SilenceCause } from './media.ts';
import { OPUS_SILENCE } from './opus-codec.ts';
import { OutgoingStream } from './outgoing-stream.ts';
import type { DigitHeard } from './dtmf.ts';
import type { RtpPacket } from './rtp.ts';

export type BridgeOptions = {
  clock: Clock;
  random: Random;
  silentAfterMs: number;
  sendToWhatsApp: (packet: Buffer) => boolean;
  sendToEndpoint: (packet: Buffer) => boolean;
  onEvent: (event: MediaEvent) => void;
};

/** What the SDP of the endpoint leg settled. */
export type EndpointPlan = {
  codec: EndpointCodec;
  sendPayloadType: number;
  receivePayloadTypes: readonly OfferedCodec[];
  sendEvents: OfferedEvents | null;
  receiveEvents: readonly OfferedEvents[];
  /** Opus toward G.711; not needed where the endpoint speaks Opus. */
  opus: FrameCodec | null;
};

const OPUS_CLOCK = 48_000;
const G711_CLOCK = 8_000;

/**
 * Joins the two legs, packet in, packet out; sockets and engines are elsewhere. Both legs always
 * get a stream: silence until `bridge()`, the other leg's audio afterwards, silence again on
 * hold. Opus passes untouched when both speak it, else it is transcoded frame by frame. Digits
 * are heard on either leg, reported, and played again on the other one.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #whatsapp: LegTraffic;
  readonly #endpoint: LegTraffic;
  readonly whatsAppStream: OutgoingStream;
  readonly #toWhatsApp: AudioPath;
  #toEndpoint: AudioPath | undefined;
  endpointStream: OutgoingStream | undefined;
  #whatsAppTypes: { opus: number; event: number | null } | undefined;
  #plan: EndpointPlan | undefined;
  #direction: MediaDirection = 'sendrecv';
  #bridged = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    const { silentAfterMs } = options;
    this.#whatsapp = new LegTraffic('whatsapp', 'opus', silentAfterMs);
    this.#endpoint = new LegTraffic('endpoint', 'PCMU', silentAfterMs);
    this.whatsAppStream = this.#newStream(OPUS_CLOCK);
    this.#toWhatsApp = new AudioPath(this.whatsAppStream, (packet) => {
      if (options.sendToWhatsApp(packet)) this.#whatsapp.noteSent(options.clock.now());
    });
  }

  /** Meta's answer is known: silence starts to flow. */
  connectWhatsApp(types: { opus: number; event: number | null }): void {
    this.#whatsAppTypes = types;
    this.#join();
  }

  /** The endpoint's SDP is known, for the first time or after a new offer. */
  connectEndpoint(plan: EndpointPlan): void {
    const before = this.#plan;
    this.#plan = plan;
    if (before?.codec !== plan.codec || this.#toEndpoint === undefined) {
      const clockRate = plan.codec === 'opus' ? OPUS_CLOCK : G711_CLOCK;
      this.#endpoint.setCodec(plan.codec);
      const stream = this.#newStream(clockRate);
      this.endpointStream = stream;
      this.#toEndpoint = new AudioPath(stream, (packet) => {
        if (this.#options.sendToEndpoint(packet)) {
          this.#endpoint.noteSent(this.#options.clock.now());
        }
      });
    }
    this.#join();
  }

  /** Direction as the endpoint sees it; anything but `sendrecv` is a hold for the customer. */
  setEndpointDirection(direction: MediaDirection): void {
    this.#direction = direction;
    this.#openPaths();
  }

  /** The customer hears these frames over and over until `bridge()`. */
  ringMeanwhile(frames: readonly Uint8Array[]): void {
    if (!this.#bridged) this.#toWhatsApp.setWaiting(frames);
  }

  /** From now on audio passes. May be called twice. */
  bridge(): void {
    if (this.#bridged) return;
    this.#bridged = true;
    this.#toWhatsApp.setWaiting([]);
    this.#openPaths();
    this.#whatsapp.watch.start(this.#options.clock.monotonic());
  }

  sendDigit(leg: MediaLeg, digit: string, durationMs?: number): void {
    const path = leg === 'whatsapp' ? this.#toWhatsApp : this.#toEndpoint;
    path?.sendDigit(digit, durationMs);
  }

  fromWhatsApp(packet: RtpPacket): void {
    const types = this.#whatsAppTypes;
    if (types === undefined) return;
    const isEvent = packet.payloadType === types.event;
    if (!isEvent && packet.payloadType !== types.opus) {
      return this.#whatsapp.watch.noteUseless('wrong_codec');
    }
    this.#heard(this.#whatsapp, packet, !isEvent);
    if (isEvent) this.#digits('whatsapp', this.#whatsapp.event(packet, 8000, this.#now()));
    else this.#toEndpoint?.accept(packet);
  }

  fromEndpoint(packet: RtpPacket): void {
    const plan = this.#plan;
    if (plan === undefined) return;
    const isPacketOf = (format: { payloadType: number }): boolean =>
      format.payloadType === packet.payloadType;
    const event = plan.receiveEvents.find(isPacketOf);
    const codec = plan.receivePayloadTypes.find(isPacketOf)?.codec;
    if (event === undefined && codec !== plan.codec) {
      return this.#endpoint.watch.noteUseless('wrong_codec');
    }
    this.#heard(this.#endpoint, packet, event === undefined);
    if (event === undefined) this.#toWhatsApp.accept(packet);
    else {
      this.#digits('endpoint', this.#endpoint.event(packet, event.clockRate, this.#now()));
    }
  }

  /** A datagram came from or for the endpoint that never became a packet. */
  uselessFromEndpoint(cause: SilenceCause): void {
    this.#endpoint.watch.noteUseless(cause);
  }

  /** RTCP counts as a sign of life too. */
  heardRtcp(leg: MediaLeg, bytes: Uint8Array): void {
    const traffic = leg === 'whatsapp' ? this.#whatsapp : this.#endpoint;
    const stream = leg === 'whatsapp' ? this.whatsAppStream : this.endpointStream;
    traffic.noteReports(bytes, stream?.ssrc, this.#options.clock);
    this.#emit(traffic.watch.heard(this.#now()));
  }

  /** Runs every 20 ms. */
  tick(): void {
    this.#toWhatsApp.tick();
    // RFC 3264 section 5.1: nothing is sent to one that offered sendonly or inactive.
    if (this.#direction === 'sendrecv' || this.#direction === 'recvonly') this.#toEndpoint?.tick();
    else this.endpointStream?.tick();
    const now = this.#now();
    for (const traffic of [this.#whatsapp, this.#endpoint]) {
      this.#digits(traffic.leg, traffic.dtmf.tick(now));
      this.#emit(traffic.watch.tick(now));
    }
  }

  legStats(leg: MediaLeg): LegStats {
    return (leg === 'whatsapp' ? this.#whatsapp : this.#endpoint).stats();
  }

  /** What our next report on a leg says about the source heard there. */
  reportBlock(leg: MediaLeg): ReturnType<LegTraffic['reportBlock']> {
    const traffic = leg === 'whatsapp' ? this.#whatsapp : this.#endpoint;
    return traffic.reportBlock(this.#options.clock);
  }

  #join(): void {
    const types = this.#whatsAppTypes;
    if (types === undefined) return;
    this.#toWhatsApp.connect(
      {
        audioPayloadType: types.opus,
        silence: OPUS_SILENCE,
        events: types.event === null ? null : { payloadType: types.event, clockRate: 8000 },
      },
      conversion(this.#plan, 'toWhatsApp'),
    );
    const plan = this.#plan;
    if (plan === undefined) return;
    this.#toEndpoint?.connect(
      {
        audioPayloadType: plan.sendPayloadType,
        silence: silenceOf(plan.codec),
        events: plan.sendEvents,
      },
      conversion(plan, 'toEndpoint'),
    );
    this.#openPaths();
  }

  #openPaths(): void {
    const joined = this.#bridged && this.#plan !== undefined;
    const talks = this.#direction === 'sendrecv';
    const listens = talks || this.#direction === 'recvonly';
    this.#toWhatsApp.setOpen(joined && talks);
    this.#toEndpoint?.setOpen(joined && listens);
    if (joined && talks) this.#endpoint.watch.start(this.#now());
    else this.#emit(this.#endpoint.watch.stop());
  }

  #digits(leg: MediaLeg, digits: readonly DigitHeard[]): void {
    for (const { digit, durationMs } of digits) {
      this.#options.onEvent({ kind: 'dtmf', leg, digit, durationMs });
      if (!this.#bridged || this.#direction !== 'sendrecv') continue;
      this.sendDigit(leg === 'whatsapp' ? 'endpoint' : 'whatsapp', digit, durationMs);
    }
  }

  #heard(traffic: LegTraffic, packet: RtpPacket, isAudio: boolean): void {
    const { clock } = this.#options;
    this.#emit(traffic.watch.heard(clock.monotonic()));
    if (traffic.noteReceived(packet, isAudio, clock)) {
      this.#options.onEvent({ kind: 'firstAudio', leg: traffic.leg });
    }
  }

  #emit(event: MediaEvent | null): void {
    if (event !== null) this.#options.onEvent(event);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #newStream(clockRate: number): OutgoingStream {
    const { random } = this.#options;
    return new OutgoingStream({ ssrc: 1 + random.below(0xffff_fffe), clockRate, random });
  }
}

function conversion(plan: EndpointPlan | undefined, way: 'toWhatsApp' | 'toEndpoint'): Conversion {
  if (plan === undefined || plan.codec === 'opus' || plan.opus === null) {
    return { kind: 'passthrough' };
  }
  const g711 = g711Codec(plan.codec);
  const [from, to] = way === 'toWhatsApp' ? [g711, plan.opus] : [plan.opus, g711];
  return { kind: 'transcode', from, to };
}

function silenceOf(codec: EndpointCodec): Uint8Array {
  return codec === 'opus' ? OPUS_SILENCE : new Uint8Array(160).fill(G711_SILENCE[codec]);
}
