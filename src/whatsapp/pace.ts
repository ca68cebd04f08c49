import { delay, type Clock } from '../platform/clock.ts';

/** How many may wait for a turn; beyond that, asking later is the better answer. */
const WAITING_MAX = 50;
const KEYS_MAX = 10_000;

export type Pace = {
  /** Resolves true when it is this caller's turn, or false at once when too many wait. */
  wait(key: string): Promise<boolean>;
};

/** Spaces requests of one key evenly, in the order in which they came. */
export function openPace(clock: Clock, perSecond: number): Pace {
  const spacingMs = 1000 / perSecond;
  const freeAtByKey = new Map<string, number>();
  return {
    async wait(key) {
      const now = clock.monotonic();
      const turnAt = Math.max(now, freeAtByKey.get(key) ?? now);
      if (turnAt - now > WAITING_MAX * spacingMs) return false;
      if (freeAtByKey.size >= KEYS_MAX) forgetFree(freeAtByKey, now);
      freeAtByKey.set(key, turnAt + spacingMs);
      if (turnAt > now) await delay(clock, turnAt - now);
      return true;
    },
  };
}

function forgetFree(freeAtByKey: Map<string, number>, now: number): void {
  for (const [key, freeAt] of freeAtByKey) {
    if (freeAt <= now) freeAtByKey.delete(key);
  }
}
