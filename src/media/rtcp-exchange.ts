import type { Clock } from '../platform/clock.ts';
import { ntpMiddle, parseReports, type ReportBlock } from './rtcp.ts';
import type { Reception } from './rtp-reception.ts';

/** What the far side of a leg says about the stream that we send it. */
export type FarReport = {
  packetsLost: number;
  jitterMs: number;
  /** The share lost of late: up with the first bad report, and down again over some good ones. */
  lossShare: number;
};

/** What is kept of the loss of before by a report without any: gone below 1 % after some five. */
const LOSS_KEPT = 0.6;

/** A longer one is a forged or broken report, not a network that somebody talks over. */
const ROUND_TRIP_MAX_MS = 10_000;

/**
 * Reports both ways on one leg (RFC 3550 section 6.4): keeps what the far side last said, echoes
 * its sender reports so that it can measure the round trip, and measures ours from its echo.
 */
export class RtcpExchange {
  #heard: { sentAt: number; arrivedAt: number } | undefined;
  #before = { expected: 0, packets: 0 };
  #roundTripMs: number | null = null;
  #far: FarReport | null = null;

  /** The latest round trip; null until the far side has echoed a report of ours. */
  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  get far(): FarReport | null {
    return this.#far;
  }

  /** A compound packet came. `sending` is the stream that we send on this leg. */
  accept(
    bytes: Uint8Array,
    sending: { ssrc: number; clockRate: number } | undefined,
    clock: Clock,
  ): void {
    for (const { sentAt, blocks } of parseReports(bytes)) {
      if (sentAt !== null) this.#heard = { sentAt, arrivedAt: clock.monotonic() };
      const about = blocks.find(({ ssrc }) => ssrc === sending?.ssrc);
      if (about !== undefined && sending !== undefined) {
        this.#note(about, sending.clockRate, clock.now());
      }
    }
  }

  /** What our next report says about the stream heard on this leg. */
  blockFor(
    heard: { ssrc: number; clockRate: number; reception: Reception },
    clock: Clock,
  ): ReportBlock {
    const { ssrc, clockRate, reception } = heard;
    const { packets, lost } = reception;
    const expected = packets + lost;
    const expectedNow = expected - this.#before.expected;
    const lostNow = expectedNow - (packets - this.#before.packets);
    this.#before = { expected, packets };
    const since = this.#heard === undefined ? 0 : clock.monotonic() - this.#heard.arrivedAt;
    return {
      ssrc,
      // Appendix A.3: of the interval since our last report, never below zero.
      lossShare: expectedNow <= 0 ? 0 : Math.max(0, lostNow) / expectedNow,
      lost,
      highestSequence: reception.highestSequence,
      jitterTicks: (reception.jitterMs * clockRate) / 1000,
      lastReport: this.#heard?.sentAt ?? 0,
      sinceLastReport: Math.round((since * 65_536) / 1000),
    };
  }

  #note(about: ReportBlock, clockRate: number, now: number): void {
    const lossBefore = (this.#far?.lossShare ?? 0) * LOSS_KEPT;
    this.#far = {
      packetsLost: Math.max(0, about.lost),
      lossShare: Math.max(about.lossShare, lossBefore),
      jitterMs: Math.round((about.jitterTicks * 1000 * 100) / clockRate) / 100,
    };
    if (about.lastReport === 0) return;
    // Section 6.4.1: A - LSR - DLSR, all in units of 1/65536 s; a negative one wraps and is huge.
    const units = (ntpMiddle(now) - about.lastReport - about.sinceLastReport) >>> 0;
    const roundTripMs = Math.round((units * 1000 * 10) / 65_536) / 10;
    if (roundTripMs <= ROUND_TRIP_MAX_MS) this.#roundTripMs = roundTripMs;
  }
}
