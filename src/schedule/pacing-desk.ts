import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { limitsFor, paceKey, roomOf, scopesOf, type PacedCall, type PacedThing } from './pacing.ts';
import { forgetOldHolds, lockPaced, releaseHolds, takePaced } from './pacing-hold-store.ts';
import { pacingLimitsOf } from './pacing-store.ts';
import type { PacingLimit } from './schedule.ts';

/**
 * Takes room for calls from the limits that hold for them, in one short transaction before the
 * dials. What is taken is held under the claim's name for some seconds of the database's clock: a
 * gateway that dies or freezes in between gives it back by that, and a claim that comes too late
 * finds that it holds nothing any more.
 */
export type PacingDesk = {
  /**
   * Lets `choose` pick calls: it asks for each that is next whether there is room, and that takes
   * it. Costs no statement where none of the calls has a limit.
   */
  take<Call extends PacedCall>(
    calls: readonly Call[],
    choose: (hasRoom: (call: Call) => boolean) => Call[],
  ): Promise<Room<Call>>;
  /** Tells which of these calls some limit holds for. */
  limited(calls: readonly PacedCall[]): Promise<(call: PacedCall) => boolean>;
};

export type Room<Call> = {
  chosen: Call[];
  /** In how many ms some of those without room may have some; null where all had room. */
  waitMs: number | null;
  /** Under which name room is held; null where nothing had to be. */
  holder: string | null;
  /** Call it when the dials are done: what was not dialled gives its pace back. */
  release: (dialed: readonly PacedCall[]) => Promise<void>;
};

type PacingDeskPorts = { database: Database; clock: Clock; owner: string };

/** A limit that was set elsewhere is seen within this time. */
const LIMITS_FRESH_MS = 2_000;
/** What dead gateways left is swept this often; it counts for nothing long before. */
const SWEEP_MS = 60_000;

export function openPacingDesk({ database, clock, owner }: PacingDeskPorts): PacingDesk {
  const known = new Map<AccountId, { readAt: number; limits: Promise<PacingLimit[]> }>();
  let claims = 0;
  let sweptAt = clock.monotonic();

  /** The limits of these calls' accounts, each account's at most two seconds old. */
  const limitsOf = async (calls: readonly PacedCall[]): Promise<PacingLimit[]> => {
    const now = clock.monotonic();
    const accountIds = [...new Set(calls.map(({ accountId }) => accountId))];
    const stale = accountIds.filter(
      (id) => (known.get(id)?.readAt ?? -Infinity) <= now - LIMITS_FRESH_MS,
    );
    if (stale.length > 0) {
      const read = pacingLimitsOf(database, stale);
      for (const id of stale) {
        const limits = read.then((all) => all.filter(({ accountId }) => accountId === id));
        limits.catch(() => known.delete(id));
        known.set(id, { readAt: now, limits });
      }
    }
    return (
      await Promise.all(accountIds.map((id) => known.get(id)?.limits ?? Promise.resolve([])))
    ).flat();
  };

  return {
    async limited(calls) {
      const limits = await limitsOf(calls);
      return (call) => limitsFor(limits, call).length > 0;
    },
    async take(calls, choose) {
      const limits = await limitsOf(calls);
      const named = limits.filter((limit) =>
        calls.some((call) => limitsFor([limit], call).length > 0),
      );
      if (named.length === 0) return unlimited(choose(() => true));
      claims += 1;
      const holder = `${owner}#${claims}`;
      const till = await database.transaction(async (tx) => {
        const things = await lockPaced(tx, onePerKey(named));
        const open = makeTill(things);
        const chosen = choose(open.hasRoom);
        const taken = open.taken();
        if (taken.length > 0) await takePaced(tx, holder, taken);
        return { ...open, chosen, isEmpty: taken.length === 0 };
      });
      return {
        chosen: till.chosen,
        waitMs: till.waitMs(),
        holder: till.isEmpty ? null : holder,
        async release(dialed) {
          const now = clock.monotonic();
          if (now - sweptAt > SWEEP_MS) {
            sweptAt = now;
            await forgetOldHolds(database);
          }
          if (!till.isEmpty) await releaseHolds(database, holder, till.unused(dialed));
        },
      };
    },
  };
}

function unlimited<Call>(chosen: Call[]): Room<Call> {
  return { chosen, waitMs: null, holder: null, release: async () => {} };
}

/** An operator and a brake may both have set a limit for one thing. */
function onePerKey(limits: readonly PacingLimit[]): PacingLimit[] {
  return [...new Map(limits.map((limit) => [paceKey(limit), limit])).values()];
}

type Entry = { thing: PacedThing; left: number; taken: number; waitMs: number };

/** Counts what is taken of each limit, while calls are chosen. */
function makeTill(things: readonly PacedThing[]) {
  const entries = new Map<string, Entry>(
    things.map((thing) => {
      const { calls, waitMs } = roomOf(thing);
      return [paceKey(thing), { thing, left: calls, taken: 0, waitMs }];
    }),
  );
  let waitMs: number | null = null;
  const entriesOf = (call: PacedCall): Entry[] =>
    scopesOf(call).flatMap(
      (each) => entries.get(paceKey({ ...each, accountId: call.accountId })) ?? [],
    );
  return {
    hasRoom: (call: PacedCall): boolean => {
      const mine = entriesOf(call);
      const full = mine.filter(({ left }) => left <= 0);
      if (full.length > 0) {
        waitMs = Math.min(waitMs ?? Infinity, Math.max(...full.map((entry) => entry.waitMs)));
        return false;
      }
      for (const entry of mine) {
        entry.left -= 1;
        entry.taken += 1;
      }
      return true;
    },
    waitMs: () => waitMs,
    taken: () =>
      [...entries.values()]
        .filter(({ taken }) => taken > 0)
        .map(({ thing, taken }) => ({ thing, calls: taken })),
    /** Of what was taken, what these calls did not use. */
    unused(dialed: readonly PacedCall[]) {
      const used = new Map<Entry, number>();
      for (const entry of dialed.flatMap(entriesOf)) used.set(entry, (used.get(entry) ?? 0) + 1);
      return [...entries.values()].flatMap((entry) => {
        const calls = entry.taken - (used.get(entry) ?? 0);
        return calls > 0 ? [{ thing: entry.thing, calls }] : [];
      });
    },
  };
}
