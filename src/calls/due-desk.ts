import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { CallId } from '../platform/ids.ts';
import { newTurns, takeFairly } from '../schedule/fair-share.ts';
import { openPacingDesk, type Room } from '../schedule/pacing-desk.ts';
import {
  dueCalls,
  FIRST_LANE,
  lapsedCalls,
  laneHeads,
  type DueCall,
  type LaneHead,
  type LanePlace,
} from './due-store.ts';

/**
 * Which of the due calls are dialled next: accounts take turns, then the campaigns of an account,
 * the urgent ones first; nobody goes before a limit of pace lets them. It only chooses. Whether a
 * call is allowed is decided under its contact's lock, at the dial.
 */
export type DueDesk = {
  /** Up to `limit` calls; those of `hinted` are taken for due. */
  pick(limit: number, hinted: Iterable<DueCall>): Promise<DuePick>;
};

export type DuePick = Pick<Room<DueCall>, 'holder' | 'release'> & {
  due: DueCall[];
  /**
   * Those of `due` whose latest time is over, with why: they are ended or let be, for they have
   * taken no room.
   */
  lapsed: ReadonlyMap<CallId, LapseReason>;
  /** When to pick again if `due` is empty, in ms since 1970; null when no call waits at all. */
  lookAgainAt: number | null;
};

export type LapseReason = 'too_late' | 'held_by_pacing';

type DueDeskPorts = { database: Database; clock: Clock; owner: string };

/** Of more lanes than this, each pick sees the next so many. */
const LANES_MAX = 512;
/** Read of each lane beyond its even share, for lanes that are shorter or held up. */
const SPARE = 2;
/** Calls that wait too long are looked for this often, and so many at once. */
const LAPSE_LOOK_MS = 500;
const LAPSED_MAX = 64;

export function openDueDesk({ database, clock, owner }: DueDeskPorts): DueDesk {
  const turns = newTurns();
  const pacing = openPacingDesk({ database, clock, owner });
  let behind: LanePlace = FIRST_LANE;
  let roundAt = Infinity;
  let lapseLookAt = -Infinity;

  const nextHeads = async (): Promise<LaneHead[]> => {
    const heads = await laneHeads(database, behind, LANES_MAX);
    const last = heads.at(-1);
    behind = heads.length < LANES_MAX || last === undefined ? FIRST_LANE : last;
    return heads;
  };

  /** When to look again where nothing could be picked: at once, until all lanes were seen. */
  const againAt = (now: number, times: readonly number[]): number | null => {
    roundAt = Math.min(roundAt, ...times);
    if (behind !== FIRST_LANE) return now;
    const at = roundAt;
    roundAt = Infinity;
    return at === Infinity ? null : at;
  };

  const lapsed = async (now: number): Promise<DueCall[]> => {
    if (Math.abs(now - lapseLookAt) < LAPSE_LOOK_MS) return [];
    lapseLookAt = now;
    const calls = await lapsedCalls(database, now, LAPSED_MAX);
    // A full look has not seen them all.
    if (calls.length === LAPSED_MAX) lapseLookAt = -Infinity;
    return calls;
  };

  return {
    async pick(limit, hinted) {
      const now = clock.now();
      const [heads, late] = await Promise.all([nextHeads(), lapsed(now)]);
      const dueHeads = heads.filter(({ dueAt }) => dueAt <= now);
      const each = Math.ceil((SPARE * limit) / Math.max(SPARE, dueHeads.length));
      const found = await dueCalls(database, dueHeads, now, each);
      const waiting = new Map([...found, ...hinted, ...late].map((call) => [call.id, call]));
      const over = [...waiting.values()].filter(({ isLapsed }) => isLapsed).slice(0, limit);
      const calls = [...waiting.values()].filter(({ isLapsed }) => !isLapsed).map(withLane);
      const room = await pacing.take(calls, (hasRoom) =>
        takeFairly(calls, limit - over.length, turns, hasRoom),
      );
      const { chosen, holder, waitMs, release } = room;
      const laterAt = heads.flatMap(({ dueAt }) => (dueAt > now ? [dueAt] : []));
      const heldAt = waitMs === null ? [] : [now + waitMs];
      const isTaken = dueHeads.length > 0 && calls.length === 0;
      const lookAgainAt = againAt(now, [...laterAt, ...heldAt, ...(isTaken ? [now] : [])]);
      const isLimited = over.length === 0 ? () => false : await pacing.limited(over);
      const reasons = over.map(
        (call) => [call.id, isLimited(call) ? 'held_by_pacing' : 'too_late'] as const,
      );
      const due = [...over, ...chosen];
      return { due, lapsed: new Map(reasons), holder, release, lookAgainAt };
    },
  };
}

/** A campaign's calls share one turn, however many lines it dials from. */
function withLane(call: DueCall): DueCall & { lane: string } {
  return { ...call, lane: `${call.accountId} ${call.campaignId ?? ''}` };
}
