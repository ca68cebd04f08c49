import type { Verdict } from './policy.ts';

/**
 * Searches in time, by asking the rules again: when will all allow it, and until when at the
 * latest. Facts are taken as they are known now; what people will do is not foretold.
 */

/** Each step passes one refusal that ends; more than these do not stand one behind another. */
const STEPS_MAX = 64;

/**
 * The next instant at which nothing refuses, or null when time alone will not do. Every refusal
 * names the first instant at which it would end, so the latest of them is never too late.
 */
export function allowedFrom(
  verdicts: readonly Verdict[],
  now: number,
  at: (instant: number) => readonly Verdict[],
): number | null {
  let current = verdicts;
  let instant = now;
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const refused = current.filter(({ verdict }) => verdict === 'refuse');
    if (refused.length === 0) return instant;
    let next = instant;
    for (const { allowedAt } of refused) {
      if (allowedAt === null) return null;
      next = Math.max(next, allowedAt);
    }
    if (next <= instant) return null;
    instant = next;
    current = at(instant);
  }
  return null;
}

/** Hours begin and end on quarters of an hour everywhere, in every zone. */
const GRAIN_MS = 15 * 60_000;
/** A week of quarters; permissions without an end have no latest time anyway. */
const GRAINS_MAX = 7 * 96;

/**
 * The last instant before `until` at which `isAllowed`, not before `from`; null when there is
 * none. Looks back in steps and then closes in, so it costs hundreds of questions at most.
 */
export function latestAllowed(
  from: number,
  until: number,
  isAllowed: (instant: number) => boolean,
): number | null {
  let late = until - 1;
  if (late < from) return null;
  if (isAllowed(late)) return late;
  for (let step = 0; step < GRAINS_MAX && late > from; step += 1) {
    const early = Math.max(from, late - GRAIN_MS);
    if (isAllowed(early)) return lastBetween(early, late, isAllowed);
    late = early;
  }
  return null;
}

/** `early` is allowed and `late` is not; between them it changes once. */
function lastBetween(early: number, late: number, isAllowed: (instant: number) => boolean): number {
  let [yes, no] = [early, late];
  while (no - yes > 1) {
    const middle = Math.floor((yes + no) / 2);
    if (isAllowed(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}
