import type { Clock } from '../platform/clock.ts';
import { estimatedDelayMs, scoreOf } from './call-quality.ts';
import { DtmfReceiver, type DigitHeard } from './dtmf.ts';
import { isSound } from './leg-sound.ts';
import { LegWatch } from './leg-watch.ts';
import type { EndpointCodec, FarStats, LegStats, MediaLeg } from './media.ts';
import { RtcpExchange } from './rtcp-exchange.ts';
import type { ReportBlock } from './rtcp.ts';
import { RtpReception } from './rtp-reception.ts';
import type { RtpPacket } from './rtp.ts';

/** Once it was heard, looking at each packet would cost more than it tells. */
const SOUND_SAMPLED_EVERY = 5;
const clockRateOf = (codec: EndpointCodec): number => (codec === 'opus' ? 48_000 : 8000);

/** What came and went on one leg: figures, digits, and whether it is silent. */
export class LegTraffic {
  readonly leg: MediaLeg;
  readonly dtmf = new DtmfReceiver();
  readonly watch: LegWatch;
  readonly #reports = new RtcpExchange();
  #reception: RtpReception;
  #codec: EndpointCodec;
  #ssrc: number | undefined;
  #heardAudio = false;
  #packetsOut = 0;
  #dtmfIn = 0;
  #firstInAt: number | null = null;
  #firstOutAt: number | null = null;
  #firstSoundAt: number | null = null;
  #soundAt: number | null = null;

  constructor(leg: MediaLeg, codec: EndpointCodec, silentAfterMs: number) {
    this.leg = leg;
    this.watch = new LegWatch(leg, silentAfterMs);
    this.#codec = codec;
    this.#reception = new RtpReception(clockRateOf(codec));
  }

  get codec(): EndpointCodec {
    return this.#codec;
  }

  /** A new codec means a new RTP clock; the counters go on. */
  setCodec(codec: EndpointCodec): void {
    const sameClock = clockRateOf(codec) === clockRateOf(this.#codec);
    this.#codec = codec;
    if (!sameClock) this.#reception = this.#reception.withClockRate(clockRateOf(codec));
  }

  /** True for the first audio packet of the leg. */
  noteReceived(packet: RtpPacket, isAudio: boolean, clock: Clock): boolean {
    this.#reception.note(packet, clock.monotonic(), isAudio);
    this.#firstInAt ??= clock.now();
    this.#ssrc = packet.ssrc;
    if (isAudio) this.#listen(packet, clock);
    const first = isAudio && !this.#heardAudio;
    this.#heardAudio ||= isAudio;
    return first;
  }

  /** When a sound was heard last, by the monotonic clock; one packet in five is looked at. */
  get soundAt(): number | null {
    return this.#soundAt;
  }

  noteSent(now: number): void {
    this.#packetsOut += 1;
    this.#firstOutAt ??= now;
  }

  /** RTCP came on this leg; `sendingSsrc` names the stream of ours that it may speak of. */
  noteReports(bytes: Uint8Array, sendingSsrc: number | undefined, clock: Clock): void {
    const clockRate = clockRateOf(this.#codec);
    const sending = sendingSsrc === undefined ? undefined : { ssrc: sendingSsrc, clockRate };
    this.#reports.accept(bytes, sending, clock);
  }

  /** The share of our packets that the far side misses of late; null before it has said so. */
  get farLossShare(): number | null {
    return this.#reports.far?.lossShare ?? null;
  }

  /** What our next report says about the stream heard here; nothing before one was heard. */
  reportBlock(clock: Clock): ReportBlock | undefined {
    if (this.#ssrc === undefined) return undefined;
    const clockRate = clockRateOf(this.#codec);
    const reception = this.#reception.read();
    return this.#reports.blockFor({ ssrc: this.#ssrc, clockRate, reception }, clock);
  }

  event(packet: RtpPacket, clockRate: number, now: number): DigitHeard[] {
    const heard = this.dtmf.handle({ ...packet, clockRate }, now);
    this.#dtmfIn += heard.length;
    return heard;
  }

  /** `late`: packets that came, but after their turn, so that nobody heard them. */
  stats(late = 0): LegStats {
    const { packets, lost, jitterMs } = this.#reception.read();
    const rttMs = this.#reports.roundTripMs;
    const delayMs = estimatedDelayMs(rttMs, jitterMs);
    const lossShare = (lost + late) / Math.max(1, packets + lost);
    return {
      packetsIn: packets,
      packetsOut: this.#packetsOut,
      packetsLost: lost,
      packetsLate: late,
      jitterMs,
      rttMs,
      mos: packets === 0 ? null : scoreOf({ codec: this.#codec, lossShare, delayMs }),
      far: this.#farStats(rttMs),
      firstPacketInAt: this.#firstInAt,
      firstPacketOutAt: this.#firstOutAt,
      firstSoundInAt: this.#firstSoundAt,
      dtmfIn: this.#dtmfIn,
    };
  }

  #listen(packet: RtpPacket, clock: Clock): void {
    const isDue = this.#firstSoundAt === null || packet.sequence % SOUND_SAMPLED_EVERY === 0;
    if (!isDue || !isSound(this.#codec, packet.payload)) return;
    this.#firstSoundAt ??= clock.now();
    this.#soundAt = clock.monotonic();
    this.watch.noteSound();
  }

  #farStats(rttMs: number | null): FarStats | null {
    const { far } = this.#reports;
    if (far === null) return null;
    const { packetsLost, jitterMs } = far;
    const lossShare = packetsLost / Math.max(1, this.#packetsOut);
    const delayMs = estimatedDelayMs(rttMs, jitterMs);
    return { packetsLost, jitterMs, mos: scoreOf({ codec: this.#codec, lossShare, delayMs }) };
  }
}
