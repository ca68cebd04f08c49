import type { Queryable } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { readPaced } from './pacing-hold-store.ts';
import { pacingLimitsOf } from './pacing-store.ts';
import type { PacingLimit } from './schedule.ts';
import { limitsFor, paceKey, roomOf, type PacedCall, type PacedThing } from './pacing.ts';

/** A limit with what it holds at this moment. */
export type LimitInUse = PacingLimit & {
  /** Calls that are dialled and not over; null where only a pace is set. */
  liveCalls: number | null;
  /** Whether a call that is due may go at this moment. */
  hasRoom: boolean;
};

/** How full limits are. */
export async function limitsInUse(
  db: Queryable,
  limits: readonly PacingLimit[],
): Promise<LimitInUse[]> {
  const used = limits.length === 0 ? [] : await readPaced(db, limits);
  const things = new Map(used.map((thing) => [paceKey(thing), thing]));
  return limits.map((limit) => {
    const thing = things.get(paceKey(limit));
    return {
      ...limit,
      liveCalls: thing === undefined || thing.concurrentCalls === null ? null : thing.inUse,
      hasRoom: thing === undefined || !isFull(thing),
    };
  });
}

/**
 * Which of an account's calls no limit lets through at this moment. Nothing is written for a call
 * that is held back, however long it waits; whoever asks is told from the limits themselves.
 */
export async function heldByPace(
  db: Queryable,
  accountId: AccountId,
  calls: readonly PacedCall[],
): Promise<(call: PacedCall) => boolean> {
  const limits = await pacingLimitsOf(db, [accountId]);
  const named = limits.filter((limit) => calls.some((call) => limitsFor([limit], call).length > 0));
  if (named.length === 0) return () => false;
  const full = (await readPaced(db, named)).filter(isFull);
  return (call) => limitsFor(full, call).length > 0;
}

function isFull(thing: PacedThing): boolean {
  return roomOf(thing).calls <= 0;
}
