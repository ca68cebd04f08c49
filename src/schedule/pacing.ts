import type { AccountId } from '../platform/ids.ts';
import type { PacingScope } from './schedule.ts';

/**
 * How many calls a limit lets through now. Pure; all instants are the database's, so that gateways
 * whose clocks differ share one pace.
 */
export type PacedThing = {
  accountId: AccountId;
  scope: PacingScope;
  id: string;
  callsPerSecond: number | null;
  concurrentCalls: number | null;
  /** Up to when the pace is used up, in ms from now; not positive where it has rested. */
  pacedForMs: number;
  /** Live calls, and those that a claim under way will make live. */
  inUse: number;
};

export type Room = { calls: number; waitMs: number };

/** A pace may run ahead by so much of a second, and is even over any longer while. */
const AHEAD = 0.1;
/** Nobody knows when a call ends; so often it is looked at. */
const FULL_WAIT_MS = 250;

/**
 * The pace is a "generic cell rate" one (ITU-T I.371): each call moves an instant on by the time
 * between two calls, and calls pass while that instant is not further ahead than a burst is.
 */
export function roomOf(thing: PacedThing): Room {
  const { callsPerSecond, concurrentCalls, inUse } = thing;
  const byCap = concurrentCalls === null ? Infinity : Math.max(0, concurrentCalls - inUse);
  if (callsPerSecond === null) return { calls: byCap, waitMs: byCap > 0 ? 0 : FULL_WAIT_MS };
  const gapMs = 1_000 / callsPerSecond;
  const aheadMs = (burstOf(callsPerSecond) - 1) * gapMs;
  const usedMs = Math.max(0, thing.pacedForMs);
  const byPace = usedMs > aheadMs ? 0 : Math.floor((aheadMs - usedMs) / gapMs + 1e-9) + 1;
  if (byCap <= 0) return { calls: 0, waitMs: FULL_WAIT_MS };
  return { calls: Math.min(byCap, byPace), waitMs: byPace > 0 ? 0 : usedMs - aheadMs };
}

/** Up to when the pace is used up after `calls` more, in ms from now. */
export function pacedAfter(
  { callsPerSecond, pacedForMs }: Pick<PacedThing, 'callsPerSecond' | 'pacedForMs'>,
  calls: number,
): number {
  if (callsPerSecond === null) return pacedForMs;
  return Math.max(0, pacedForMs) + (calls * 1_000) / callsPerSecond;
}

function burstOf(callsPerSecond: number): number {
  return Math.max(1, Math.floor(callsPerSecond * AHEAD));
}
