import type { EndpointCodec } from './media.ts';

/**
 * How good a call sounded, by the E-model of ITU-T G.107 in its short form: all of its many
 * parameters at their default values, so that only delay, codec and loss are left (R. Cole and
 * J. Rosenbluth, "Voice over IP performance monitoring", ACM CCR 31(2), 2001). It is a planning
 * figure, not a listening test: good for comparing calls, trunks and days.
 */
export type QualityInput = {
  codec: EndpointCodec;
  /** Packets that were not played: lost on the way or too late; 0 to 1. */
  lossShare: number;
  /** From mouth to ear, one way, as far as we know it. */
  delayMs: number;
};

/** R of a perfect narrowband path, all defaults of G.107 (2015). */
const BEST_RATING = 93.2;

/**
 * `impairment` is Ie, what the codec costs without loss; `robustness` is Bpl, how well it bears
 * loss.
 *
 * - G.711: 0 and 25.1, from ITU-T G.113 Appendix I (with loss concealment, random loss).
 * - Opus: G.113 has no row for it. 0 (at 20 kbit/s it is no worse than narrowband G.711, which is
 *   the best on this scale), and 20 as our own cautious estimate, below G.711's because one
 *   lost packet disturbs the prediction of those after it. Treat it as ours, not as ITU's.
 */
const CODECS: Readonly<Record<EndpointCodec, { impairment: number; robustness: number }>> = {
  PCMU: { impairment: 0, robustness: 25.1 },
  PCMA: { impairment: 0, robustness: 25.1 },
  opus: { impairment: 0, robustness: 20 },
};

/** The rating R, 0 to 93.2. */
export function ratingOf({ codec, lossShare, delayMs }: QualityInput): number {
  const { impairment, robustness } = CODECS[codec];
  const lossPercent = Math.min(1, Math.max(0, lossShare)) * 100;
  // G.107 (7-29) with BurstR = 1: loss at random.
  const equipment = impairment + ((95 - impairment) * lossPercent) / (lossPercent + robustness);
  const beyond = Math.max(0, delayMs - 177.3);
  const delay = 0.024 * Math.max(0, delayMs) + 0.11 * beyond;
  return Math.max(0, BEST_RATING - delay - equipment);
}

/** The mean opinion score of a rating (G.107 Annex B): 1 (bad) to 4.41, two decimals. */
export function scoreOf(input: QualityInput): number {
  const rating = ratingOf(input);
  const score = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
  // The cubic dips below 1 near zero; the scale does not.
  return Math.round(Math.max(1, score) * 100) / 100;
}

/** Coding, one packet and the far side's own buffer: what every path has before any network. */
const TERMINAL_DELAY_MS = 60;

/**
 * Mouth-to-ear delay, as far as one leg tells: half its round trip (RTCP), what its jitter makes
 * a buffer hold, and the delay of two terminals. Without a round trip the network counts as 0.
 */
export function estimatedDelayMs(roundTripMs: number | null, jitterMs: number): number {
  return TERMINAL_DELAY_MS + (roundTripMs ?? 0) / 2 + 2 * jitterMs;
}
