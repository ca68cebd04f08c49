import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { AudioPath } from './audio-path.ts';
import type { MediaDirection, OfferedCodec, OfferedEvents } from './endpoint-sdp.ts';
import { g711Codec, type FrameCodec } from './frame-codec.ts';
import { G711_SILENCE } from './g711.ts';
import { LegTraffic } from './leg-traffic.ts';
import { MAIN_LEG } from './media.ts';
import type {
  EndpointCodec,
  LegStats,
  ListenerMode,
  MediaEvent,
  MediaLeg,
  Sound,
} from './media.ts';
import { OPUS_SILENCE } from './opus-codec.ts';
import { OutgoingStream } from './outgoing-stream.ts';
import { buildReport } from './rtcp.ts';
import type { SoundLibrary } from './sound-library.ts';
import { Voice } from './voice.ts';
import type { Party } from './who-hears-whom.ts';

/** What the SDP of a leg settled. */
export type LegPlan = {
  codec: EndpointCodec;
  sendPayloadType: number;
  receivePayloadTypes: readonly OfferedCodec[];
  sendEvents: OfferedEvents | null;
  receiveEvents: readonly OfferedEvents[];
};

/** What a payload type of a leg stands for. */
export type LegFormat = { codec: EndpointCodec } | { clockRate: number };

export type BridgeLegOptions = {
  clock: Clock;
  random: Random;
  sounds: SoundLibrary;
  silentAfterMs: number;
  leg: MediaLeg;
  /** Of an endpoint leg. */
  legId?: string;
  send: (packet: Buffer) => boolean;
  onEvent: (event: MediaEvent) => void;
  /** Opens what this leg needs to decode and encode Opus. */
  openOpus: () => Promise<FrameCodec>;
};

/** 60 ms of sound in another codec: the sender means it. */
const TURNS_AFTER_PACKETS = 3;

/** One leg as the bridge sees it: what comes in, what goes out, and what it may hear. */
export class BridgeLeg {
  readonly leg: MediaLeg;
  readonly legId: string;
  readonly traffic: LegTraffic;
  readonly voice = new Voice();
  readonly path: AudioPath;
  /** Paths that take this leg's packets as they are; kept by the bridge. */
  takers: readonly AudioPath[] = [];
  plan: LegPlan | undefined;
  stream: OutgoingStream | undefined;
  /** As the far side sees it (RFC 3264 section 5.1). */
  direction: MediaDirection = 'sendrecv';
  muted = false;
  listener: ListenerMode | null = null;
  holdSound: Sound | null = null;
  watched = false;
  readonly #options: BridgeLegOptions;
  /** Looked up for every packet. */
  readonly #formats = new Map<number, LegFormat>();
  #g711: { law: EndpointCodec; codec: FrameCodec } | undefined;
  #opus: FrameCodec | null = null;
  #opening: Promise<void> | undefined;
  #closed = false;
  /** Packets in a row in another codec than ours that was agreed as well. */
  #otherInARow = 0;

  constructor(options: BridgeLegOptions) {
    this.#options = options;
    const { leg, legId = MAIN_LEG, silentAfterMs, sounds, clock } = options;
    this.leg = leg;
    this.legId = legId;
    const codec = leg === 'whatsapp' ? 'opus' : 'PCMU';
    this.traffic = new LegTraffic(leg, codec, silentAfterMs);
    if (leg === 'whatsapp') this.prepareOpusStream();
    this.path = new AudioPath({
      sounds,
      send: (packet) => {
        if (options.send(packet)) this.traffic.noteSent(clock.now());
      },
      onPlayed: (end) => this.tell({ kind: 'played', leg, ...end }),
    });
  }

  /** Its stream is there before anything is agreed, because the offer names its SSRC. */
  prepareOpusStream(): void {
    this.traffic.setCodec('opus');
    this.stream = this.#newStream('opus');
  }

  /** Its audio is agreed, for the first time or anew. */
  connect(plan: LegPlan): void {
    const isNew = this.stream === undefined || this.traffic.codec !== plan.codec;
    this.plan = plan;
    this.#otherInARow = 0;
    this.#formats.clear();
    for (const format of plan.receivePayloadTypes) this.#formats.set(format.payloadType, format);
    for (const format of plan.receiveEvents) this.#formats.set(format.payloadType, format);
    if (isNew) this.traffic.setCodec(plan.codec);
    const stream = isNew || this.stream === undefined ? this.#newStream(plan.codec) : this.stream;
    this.stream = stream;
    const { codec, sendPayloadType: audioPayloadType, sendEvents: events } = plan;
    this.path.connect({ codec, audioPayloadType, silence: silenceOf(codec), events }, stream);
    this.voice.setCodec(this.linear);
  }

  /** Telephone events have a clock rate, sound has a codec. */
  formatOf(payloadType: number): LegFormat | undefined {
    return this.#formats.get(payloadType);
  }

  /**
   * RFC 3264 section 5.1: whoever agreed to several codecs may change from one to another without
   * a word. Told for each packet of sound; the plan to go on by, once it is no stray packet.
   */
  turnedTo(codec: EndpointCodec): LegPlan | null {
    const { plan } = this;
    if (plan === undefined || codec === plan.codec) {
      this.#otherInARow = 0;
      return null;
    }
    this.#otherInARow += 1;
    // We answer in kind, under the number that their SDP has for it: those come first.
    const theirs = plan.receivePayloadTypes.find((format) => format.codec === codec);
    if (this.#otherInARow < TURNS_AFTER_PACKETS || theirs === undefined) return null;
    return { ...plan, codec, sendPayloadType: theirs.payloadType };
  }

  /** Between this leg's codec and linear sound; `null` while Opus has not been opened for it. */
  get linear(): FrameCodec | null {
    const law = this.plan?.codec ?? 'opus';
    if (law === 'opus') return this.#opus;
    if (this.#g711?.law !== law) this.#g711 = { law, codec: g711Codec(law) };
    return this.#g711.codec;
  }

  /** Opens Opus for this leg, once. */
  prepareOpus(): Promise<void> {
    this.#opening ??= this.#options.openOpus().then((codec) => {
      // The call may have been closed while the codec loaded.
      if (this.#closed) codec.free();
      else this.#opus = codec;
      this.voice.setCodec(this.linear);
    });
    return this.#opening;
  }

  get listens(): boolean {
    return this.direction === 'sendrecv' || this.direction === 'recvonly';
  }

  /** It is not on hold by its own will. */
  get talks(): boolean {
    return this.plan !== undefined && this.direction === 'sendrecv';
  }

  partyAs(role: 'customer' | 'agent' | 'idle'): Party {
    const speaks = this.talks && !this.muted;
    const isListener = role === 'idle' && this.listener !== null;
    return { role: isListener ? (this.listener ?? role) : role, speaks, listens: this.listens };
  }

  /** An event of this leg, under its name. */
  tell(event: MediaEvent | null): void {
    if (event === null) return;
    const isNamed = 'leg' in event && event.leg === 'endpoint' && this.legId !== MAIN_LEG;
    this.#options.onEvent(isNamed ? { ...event, legId: this.legId } : event);
  }

  watch(wanted: boolean, now: number): void {
    if (wanted === this.watched) return;
    this.watched = wanted;
    if (wanted) this.traffic.watch.start(now);
    else this.tell(this.traffic.watch.stop());
  }

  /** A sender report of our stream on this leg, where there is one. */
  report(cname: string): Buffer | null {
    if (this.stream === undefined) return null;
    const { clock } = this.#options;
    const { ssrc, nextTimestamp: rtpTimestamp, packets, octets } = this.stream;
    const block = this.traffic.reportBlock(clock);
    return buildReport({ ssrc, now: clock.now(), rtpTimestamp, packets, octets, cname, block });
  }

  /** RTCP came; what it says of our packets tells how much the encoder should guard them. */
  heardReports(bytes: Uint8Array): void {
    this.traffic.noteReports(bytes, this.stream?.ssrc, this.#options.clock);
    const share = this.traffic.farLossShare;
    if (share !== null) this.#opus?.expectLoss(share);
  }

  stats(): LegStats {
    return this.traffic.stats(this.voice.late);
  }

  close(): void {
    this.#closed = true;
    this.path.close();
    this.voice.setCodec(null);
    this.#opus?.free();
    this.#opus = null;
  }

  #newStream(codec: EndpointCodec): OutgoingStream {
    const { random } = this.#options;
    const clockRate = codec === 'opus' ? 48_000 : 8_000;
    return new OutgoingStream({ ssrc: 1 + random.below(0xffff_fffe), clockRate, random });
  }
}

function silenceOf(codec: EndpointCodec): Uint8Array {
  return codec === 'opus' ? OPUS_SILENCE : new Uint8Array(160).fill(G711_SILENCE[codec]);
}
