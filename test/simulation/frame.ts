import type { Random } from '../../src/platform/random.ts';

/**
 * How much a seed plays. Faults live in what comes close together, so most seeds are a short hour
 * of few people; every twentieth is a whole day, for what needs time: expiry, limits, hours,
 * sweeps.
 */
export type Frame = {
  /** When the world begins, in ms. */
  startsAt: number;
  /** When the weather calms down; some minutes later the day is over. */
  endsAt: number;
  /** When the first and the last thing may be wanted. */
  busyFrom: number;
  busyMs: number;
  /** How many of the people there are. */
  people: number;
  /** How long a business may wait with a call after a yes, at most. */
  patienceMs: (chance: Random) => number;
  /** The later a crash point comes, the fewer days reach it. */
  crashesWithin: number;
  isLong: boolean;
  /** Nothing breaks and everybody answers: calls are long, and what is told of them is exact. */
  isFair: boolean;
  /** Of four wishes to call, how many the shop has, which must keep the hours. */
  shopOfFour: number;
};

const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const DAY_STARTS = Date.UTC(2026, 5, 3, 6);
/** When it is day everywhere: a rush meets nobody's quiet hours. */
const RUSH_AFTER_MS = 3 * HOUR_MS;
const LONG_EVERY = 20;

/** `callsAtOnce`: how many calls the gateway may have; where it is one, everybody comes at once. */
export function drawFrame(seed: number, chance: Random, callsAtOnce: number): Frame {
  return seed % LONG_EVERY === 0 ? drawDay(chance, callsAtOnce) : drawShort(chance, callsAtOnce);
}

/** One or two people within minutes; one in four at an hour that the seed draws. */
function drawShort(chance: Random, callsAtOnce: number): Frame {
  const isAnyHour = chance.below(4) === 0;
  const afterMs = isAnyHour ? chance.below(20 * HOUR_MS) : RUSH_AFTER_MS;
  const startsAt = DAY_STARTS + afterMs;
  // Where only one call may be up, there must be two that want one.
  const isRush = callsAtOnce === 1;
  const busyMs = isRush ? MINUTE_MS : (1 + chance.below(3)) * MINUTE_MS;
  return {
    startsAt,
    endsAt: startsAt + busyMs + 3 * MINUTE_MS,
    busyFrom: startsAt,
    busyMs,
    people: isRush ? 2 : 1 + chance.below(2),
    patienceMs: () => MINUTE_MS,
    crashesWithin: 60,
    isLong: false,
    isFair: chance.below(3) === 0,
    shopOfFour: isAnyHour ? 3 : 1,
  };
}

/** Five people from morning to morning; on some days they all come at once. */
function drawDay(chance: Random, callsAtOnce: number): Frame {
  const isRush = callsAtOnce === 1 || chance.below(4) === 0;
  const patienceMs = (of: Random): number => (of.below(5) === 0 ? 6 * HOUR_MS : 50 * MINUTE_MS);
  return {
    startsAt: DAY_STARTS,
    endsAt: DAY_STARTS + DAY_MS,
    busyFrom: DAY_STARTS + (isRush ? RUSH_AFTER_MS : 0),
    busyMs: isRush ? 2 * MINUTE_MS : 22 * HOUR_MS,
    people: 5,
    patienceMs: isRush ? () => MINUTE_MS : patienceMs,
    crashesWithin: 150,
    isLong: true,
    isFair: false,
    shopOfFour: 1,
  };
}
