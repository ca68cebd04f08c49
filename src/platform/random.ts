import { randomFillSync, randomInt } from 'node:crypto';

/** Chance comes from outside, like time: production passes `systemRandom`, tests `seededRandom`. */
export type Random = {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array;
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
};

/** A nonce at a time the system is asked 40 times slower than for many at once. */
const POOL_BYTES = 8_192;
const pool = new Uint8Array(POOL_BYTES);
let poolUsed = POOL_BYTES;

export const systemRandom: Random = {
  bytes(length) {
    if (length > POOL_BYTES / 8) return randomFillSync(new Uint8Array(length));
    if (poolUsed + length > POOL_BYTES) {
      randomFillSync(pool);
      poolUsed = 0;
    }
    const end = poolUsed + length;
    const bytes = pool.slice(poolUsed, end);
    // What was given out must not lie about in memory as well.
    pool.fill(0, poolUsed, end);
    poolUsed = end;
    return bytes;
  },
  below: (limit) => randomInt(limit),
};

/** The same numbers for the same seed (mulberry32). Never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
    below: (limit) => Math.floor((next() / 2 ** 32) * limit),
  };
}
