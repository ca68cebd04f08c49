import type { Pace, PacedId } from './schedule.ts';
import type { AccountId } from '../platform/ids.ts';

/**
 * How many calls a limit lets through now. Pure; all instants are the database's, so that gateways
 * whose clocks differ share one pace.
 */
export type PacedThing = Pace &
  PacedId & {
    accountId: AccountId;
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
export function roomOf(thing: Omit<PacedThing, keyof PacedId | 'accountId'>): Room {
  const { callsPerSecond, concurrentCalls, inUse } = thing;
  const byCap = concurrentCalls === null ? Infinity : Math.max(0, concurrentCalls - inUse);
  if (byCap <= 0) return { calls: 0, waitMs: FULL_WAIT_MS };
  if (callsPerSecond === null) return { calls: byCap, waitMs: 0 };
  const gapMs = 1_000 / callsPerSecond;
  const aheadMs = (burstOf(callsPerSecond) - 1) * gapMs;
  const usedMs = Math.max(0, thing.pacedForMs);
  const byPace = usedMs > aheadMs ? 0 : Math.floor((aheadMs - usedMs) / gapMs + 1e-9) + 1;
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

/** Whose limits hold for a call. */
export type PacedCall = {
  accountId: AccountId;
  lineId: string;
  endpointId: string;
  campaignId: string | null;
};

/** Everything that a limit may be set for and that this call counts towards. */
export function scopesOf({ accountId, lineId, endpointId, campaignId }: PacedCall): PacedId[] {
  return [
    { scope: 'account', id: accountId },
    { scope: 'line', id: lineId },
    { scope: 'endpoint', id: endpointId },
    ...(campaignId === null ? [] : [{ scope: 'campaign', id: campaignId } as const]),
  ];
}

/** The limits that hold for a call, of those of its account. */
export function limitsFor<Limit extends PacedId & { accountId: AccountId }>(
  limits: readonly Limit[],
  call: PacedCall,
): Limit[] {
  const scopes = scopesOf(call);
  return limits.filter(
    (limit) =>
      limit.accountId === call.accountId &&
      scopes.some(({ scope, id }) => scope === limit.scope && id === limit.id),
  );
}

/** What counts where an operator and a brake have both set a limit: of each the stricter. */
export function strictest<Limit extends Pace>(a: Limit, b: Limit): Limit {
  return {
    ...a,
    callsPerSecond: lower(a.callsPerSecond, b.callsPerSecond),
    concurrentCalls: lower(a.concurrentCalls, b.concurrentCalls),
  };
}

function lower(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** By what a limit is known among those of all accounts. */
export function paceKey({ accountId, scope, id }: PacedId & { accountId: string }) {
  return `${accountId} ${scope} ${id}`;
}
