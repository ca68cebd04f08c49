import type { Clock } from '../platform/clock.ts';
import { DtmfReceiver, type DigitHeard } from './dtmf.ts';
import { LegWatch } from './leg-watch.ts';
import type { LegStats, MediaLeg } from './media.ts';
import { RtpReception, type Reception } from './rtp-reception.ts';
import type { RtpPacket } from './rtp.ts';

/** What came and went on one leg: figures, digits, and whether it is silent. */
export class LegTraffic {
  readonly leg: MediaLeg;
  readonly dtmf = new DtmfReceiver();
  readonly watch: LegWatch;
  #reception: RtpReception;
  #clockRate: number;
  #ssrc: number | undefined;
  #heardAudio = false;
  #packetsOut = 0;
  #firstInAt: number | null = null;
  #firstOutAt: number | null = null;

  constructor(leg: MediaLeg, clockRate: number, silentAfterMs: number) {
    this.leg = leg;
    this.watch = new LegWatch(leg, silentAfterMs);
    this.#clockRate = clockRate;
    this.#reception = new RtpReception(clockRate);
  }

  /** A new codec means a new RTP clock; the counters go on. */
  setClockRate(clockRate: number): void {
    if (clockRate === this.#clockRate) return;
    this.#clockRate = clockRate;
    this.#reception = this.#reception.withClockRate(clockRate);
  }

  /** True for the first audio packet of the leg. */
  noteReceived(packet: RtpPacket, isAudio: boolean, clock: Clock): boolean {
    this.#reception.note(packet, clock.monotonic(), isAudio);
    this.#firstInAt ??= clock.now();
    this.#ssrc = packet.ssrc;
    const first = isAudio && !this.#heardAudio;
    this.#heardAudio ||= isAudio;
    return first;
  }

  noteSent(now: number): void {
    this.#packetsOut += 1;
    this.#firstOutAt ??= now;
  }

  event(packet: RtpPacket, clockRate: number, now: number): DigitHeard[] {
    return this.dtmf.handle({ ...packet, clockRate }, now);
  }

  heardSource(): { ssrc: number; clockRate: number; reception: Reception } | undefined {
    if (this.#ssrc === undefined) return undefined;
    return { ssrc: this.#ssrc, clockRate: this.#clockRate, reception: this.#reception.read() };
  }

  stats(): LegStats {
    const { packets, lost, jitterMs } = this.#reception.read();
    return {
      packetsIn: packets,
      packetsOut: this.#packetsOut,
      packetsLost: lost,
      jitterMs,
      firstPacketInAt: this.#firstInAt,
      firstPacketOutAt: this.#firstOutAt,
    };
  }
}
