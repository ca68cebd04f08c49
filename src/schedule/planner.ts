/**
 * Picks the minute of a call. Every question about what is allowed goes to the gate, so a plan can
 * never be more lenient than the dial; the planner only knows how to look for a time without
 * asking about every minute of a week. Pure.
 */
export type GateAnswer = {
  allowed: boolean;
  /** Where refused: from when on every rule would allow it; null where time alone will not do. */
  allowedAt: number | null;
};
export type AskGate = (at: number) => GateAnswer;

/** From an instant, until just before another; both in ms since 1970. */
export type Window = { from: number; until: number };

export const MINUTE_MS = 60_000;
/** Hours begin and end on quarters of an hour nearly everywhere. */
const QUARTER_MS = 15 * MINUTE_MS;
/** Questions to the gate that one plan may cost; each takes some ten microseconds. */
const QUESTIONS_MAX = 4_000;

export function nextMinute(at: number): number {
  return Math.ceil(at / MINUTE_MS) * MINUTE_MS;
}

/**
 * Up to `max` instants of the window at which the gate says yes, `stepMs` apart from minute to
 * minute: its very beginning, then whole minutes. Where the gate says from when on it allows a
 * call, all before that is passed over; so none are returned only where no whole minute is allowed.
 */
export function legalTimes(
  ask: AskGate,
  { from, until }: Window,
  { max, stepMs = MINUTE_MS }: { max: number; stepMs?: number },
): number[] {
  const times: number[] = [];
  let at = from;
  for (let asked = 0; asked < QUESTIONS_MAX && at < until && times.length < max; asked += 1) {
    const { allowed, allowedAt } = ask(at);
    if (allowed) {
      times.push(at);
      at = nextMinute(at + stepMs - MINUTE_MS + 1);
    } else if (allowedAt === null) break;
    else at = nextMinute(Math.max(allowedAt, at + 1));
  }
  return times;
}

/** How far around a window the nearest other time is looked for: no permission waits longer. */
const NEAR_MS = 7 * 24 * 60 * MINUTE_MS;

/**
 * The nearest legal times around a window that has none: the last one before it, not before `now`,
 * and the first one after it.
 */
export function nearestTimes(
  ask: AskGate,
  { from, until }: Window,
  now: number,
): { before: number | null; after: number | null } {
  const after = legalTimes(ask, { from: until, until: until + NEAR_MS }, { max: 1 })[0] ?? null;
  return { before: lastLegal(ask, Math.max(now, from - NEAR_MS), from), after };
}

/** Looks back by quarters of an hour, then forward by minutes in the first that has a yes. */
function lastLegal(ask: AskGate, from: number, until: number): number | null {
  for (let end = until; end > from; end -= QUARTER_MS) {
    const quarter = { from: Math.max(from, end - QUARTER_MS), until: end };
    const last = legalTimes(ask, quarter, { max: 16 }).at(-1);
    if (last !== undefined) return last;
  }
  return null;
}

/** How many calls are planned into a minute already, and how many it can take. */
export type Load = { booked: number; capacity: number };

/**
 * The best of some legal times, given in order: the first whose minute has room, else the least
 * full one, for its turn still comes before the window ends.
 */
export function bestTime(times: readonly number[], loadAt: (at: number) => Load): number | null {
  let best: number | null = null;
  let least = Infinity;
  for (const at of times) {
    const { booked, capacity } = loadAt(at);
    if (booked < capacity) return at;
    const fullness = booked / Math.max(capacity, 1);
    if (fullness < least) [best, least] = [at, fullness];
  }
  return best;
}

/** How long a call keeps its line and its agent, to plan by; the dial counts the real ones. */
export const PLANNED_CALL_MS = 3 * MINUTE_MS;

/** Calls that a minute can take under limits of pace and of calls at a time; Infinity without. */
export function capacityOfMinute(
  limits: ReadonlyArray<{ callsPerSecond: number | null; concurrentCalls: number | null }>,
): number {
  const minutesPerCall = PLANNED_CALL_MS / MINUTE_MS;
  return limits.reduce((least, { callsPerSecond, concurrentCalls }) => {
    const byPace = callsPerSecond === null ? Infinity : callsPerSecond * 60;
    const byRoom = concurrentCalls === null ? Infinity : concurrentCalls / minutesPerCall;
    return Math.min(least, Math.max(1, Math.floor(Math.min(byPace, byRoom))));
  }, Infinity);
}
