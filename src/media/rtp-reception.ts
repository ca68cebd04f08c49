import { sequenceAhead, timestampAhead, type RtpPacket } from './rtp.ts';

/** What a receiver report says about one source (RFC 3550 section 6.4.1). */
export type Reception = {
  packets: number;
  /** Expected minus received since the start; duplicates make it smaller, never below zero. */
  lost: number;
  jitterMs: number;
  /** Extended highest sequence number: cycles in the upper 16 bits. */
  highestSequence: number;
};

/** A jump beyond this is a restarted source, not loss (MAX_DROPOUT of RFC 3550 appendix A.1). */
const RESTART_JUMP = 3000;

/** Counts loss and jitter of one incoming stream as RFC 3550 appendices A.3 and A.8 say. */
export class RtpReception {
  readonly #clockRate: number;
  #packets = 0;
  #lostBefore = 0;
  #base = 0;
  #highest = 0;
  #sinceRestart = 0;
  #ssrc: number | undefined;
  #transit: number | undefined;
  #jitter = 0;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /**
   * Notes one packet; `arrivedAt` in monotonic milliseconds. Telephone events share the
   * sequence but keep one timestamp while they last, so they say nothing about jitter.
   */
  note(packet: RtpPacket, arrivedAt: number, isAudio: boolean): void {
    this.#packets += 1;
    const ahead = sequenceAhead(this.#highest & 0xffff, packet.sequence);
    if (packet.ssrc !== this.#ssrc || Math.abs(ahead) > RESTART_JUMP) this.#restart(packet);
    else if (ahead > 0) this.#highest += ahead;
    this.#sinceRestart += 1;
    if (isAudio) this.#noteTransit(packet.timestamp, arrivedAt);
  }

  /** The same counters under another RTP clock, with a new start of sequence and jitter. */
  withClockRate(clockRate: number): RtpReception {
    const next = new RtpReception(clockRate);
    next.#packets = this.#packets;
    next.#lostBefore = this.#lostBefore + this.#lostNow();
    return next;
  }

  read(): Reception {
    return {
      packets: this.#packets,
      lost: this.#lostBefore + this.#lostNow(),
      jitterMs: Math.round((this.#jitter * 1000 * 100) / this.#clockRate) / 100,
      highestSequence: this.#highest >>> 0,
    };
  }

  #lostNow(): number {
    if (this.#sinceRestart === 0) return 0;
    return Math.max(0, this.#highest - this.#base + 1 - this.#sinceRestart);
  }

  #restart(packet: RtpPacket): void {
    this.#lostBefore += this.#lostNow();
    this.#ssrc = packet.ssrc;
    this.#base = packet.sequence;
    this.#highest = packet.sequence;
    this.#sinceRestart = 0;
    this.#transit = undefined;
  }

  #noteTransit(timestamp: number, arrivedAt: number): void {
    const arrival = Math.round((arrivedAt * this.#clockRate) / 1000) >>> 0;
    const transit = (arrival - timestamp) >>> 0;
    if (this.#transit !== undefined) {
      const difference = Math.abs(timestampAhead(this.#transit, transit));
      // More than a second off is a new time base of the sender, which says nothing of the network.
      if (difference < this.#clockRate) this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#transit = transit;
  }
}
