import { HOUR_MS, METRICS, noMeasures, MEASURES, wilson, type Measures } from '../kpis/kpis.ts';
import {
  BAD_SIDE,
  BRAKE_NAMES,
  type BrakeName,
  type BrakeSettings,
  type Finding,
  type HourOfLine,
  type LineBrake,
  type LineState,
  type SlowPace,
} from './brakes.ts';

/**
 * When a line brakes. A rate is worse than its limit only if Wilson's interval lies wholly on the
 * bad side, so a few unlucky calls never brake a line. Rates are looked at often, so the interval
 * is a wide one: 99.5 % on each side.
 */
const Z = 2.575829;

/** Slower than one a minute would be a pause by another name. */
const PACE_MIN = 1 / 60;

/** What every rate that brakes says of these sums; some requests had a template rated RED. */
export function findingsOf(
  measures: Measures,
  settings: BrakeSettings,
  redRequests = 0,
): Finding[] {
  return BRAKE_NAMES.flatMap((brake) => {
    const limits = settings[brake];
    if (limits === null) return [];
    const counts = countsOf(brake, measures, redRequests);
    return [findingOf(brake, counts, limits, settings.minSample)];
  });
}

type Counts = Pick<Finding, 'numerator' | 'denominator'>;

function countsOf(brake: BrakeName, measures: Measures, redRequests: number): Counts {
  if (brake === 'red_templates') {
    return { numerator: redRequests, denominator: measures.requests_sent };
  }
  const { numerator, denominator } = METRICS[brake];
  return { numerator: measures[numerator], denominator: measures[denominator] };
}

function findingOf(
  brake: BrakeName,
  { numerator, denominator }: Counts,
  { slow, pause }: { slow: number; pause: number },
  minSample: number,
): Finding {
  const counted = { brake, numerator, denominator, slow, pause };
  if (denominator === 0) return { ...counted, value: null, interval: null, verdict: 'too_few' };
  const value = numerator / denominator;
  const interval = wilson(numerator, denominator, Z);
  const isAbove = BAD_SIDE[brake] === 'above';
  const isBeyond = (limit: number): boolean =>
    isAbove ? interval.low > limit : interval.high < limit;
  const seen = { ...counted, value, interval };
  if (denominator < minSample) return { ...seen, verdict: 'too_few' };
  if (isBeyond(pause)) return { ...seen, verdict: 'pause' };
  if (isBeyond(slow)) return { ...seen, verdict: 'slow' };
  const isGood = isAbove ? value <= slow : value >= slow;
  return { ...seen, verdict: isGood ? 'good' : 'unclear' };
}

/** Where a line goes, and the findings that send it there. */
export type Move = { to: LineState; because: Finding[] };

/**
 * What becomes of a line; null where it stays as it is.
 *
 *   free ──slow──▶ slowed ──pause──▶ paused      paused goes on by hand alone, and then slowly
 *     ▲              │
 *     └── all good ──┘   every rate that braked it has its sample again and is good
 */
export function decideBrake(
  before: Pick<LineBrake, 'state' | 'because'>,
  findings: readonly Finding[],
  settings: BrakeSettings,
): Move | null {
  const { state } = before;
  if (state === 'paused') return null;
  if (!settings.enabled) return state === 'slowed' ? { to: 'free', because: [] } : null;
  const pausing = findings.filter(({ verdict }) => verdict === 'pause');
  if (pausing.length > 0) return { to: 'paused', because: pausing };
  const slowing = findings.filter(({ verdict }) => verdict === 'slow');
  if (slowing.length > 0) return state === 'slowed' ? null : { to: 'slowed', because: slowing };
  if (state === 'free') return null;
  // A rate that does not brake any more, by the settings, holds nobody back.
  const waits = before.because.some(({ brake }) => {
    const now = findings.find((finding) => finding.brake === brake);
    return now !== undefined && now.verdict !== 'good';
  });
  return waits ? null : { to: 'free', because: [] };
}

/** How fast a slowed line goes: a share of what it did in its busiest hour of the window. */
export function slowPaceOf(hours: readonly HourOfLine[], slowFactor: number): SlowPace {
  const busiest = (measure: 'calls_dialled' | 'requests_sent'): number =>
    Math.max(0, ...hours.map(({ measures }) => measures[measure])) / (HOUR_MS / 1_000);
  const paceOf = (perSecond: number): number => Math.max(PACE_MIN, perSecond * slowFactor);
  return {
    callsPerSecond: paceOf(busiest('calls_dialled')),
    requestsPerSecond: paceOf(busiest('requests_sent')),
  };
}

/** The sums of several hours. */
export function sumOf(hours: readonly HourOfLine[]): Measures {
  const sum = noMeasures();
  for (const { measures } of hours) for (const name of MEASURES) sum[name] += measures[name];
  return sum;
}

/** The hours that are judged: the window, or less after a resume by hand. */
export function judgedFrom(
  { windowHours }: BrakeSettings,
  { countFrom }: Pick<LineBrake, 'countFrom'>,
  now: number,
): number {
  return Math.max(now - windowHours * HOUR_MS, countFrom ?? 0);
}

/** A resume at any minute counts anew from the next whole hour, for sums are kept by the hour. */
export function countAgainFrom(now: number): number {
  return Math.ceil(now / HOUR_MS) * HOUR_MS;
}
