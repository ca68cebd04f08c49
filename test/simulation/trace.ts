import { createHash } from 'node:crypto';
import { isoTime } from '../../src/platform/clock.ts';

/** All that happened in a world, in order: as a hash always, as text where somebody reads it. */
export type Trace = {
  add(atMs: number, what: string): void;
  /** Lower-case hex; equal traces, equal hashes. */
  hash(): string;
  /** The last lines, oldest first. */
  tail(): readonly string[];
};

const TAIL_MAX = 60;

export function makeTrace(onLine: ((line: string) => void) | null): Trace {
  const digest = createHash('sha256');
  const tail: string[] = [];
  return {
    add(atMs, what) {
      digest.update(`${atMs} ${what}\n`);
      const line = `${isoTime(atMs).slice(5, 23)} ${what}`;
      onLine?.(line);
      tail.push(line);
      if (tail.length > TAIL_MAX) tail.shift();
    },
    hash: () => digest.copy().digest('hex'),
    tail: () => tail,
  };
}
