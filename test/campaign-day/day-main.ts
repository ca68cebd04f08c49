import { systemClock } from '../../src/platform/clock.ts';
import { playDay, tellProgress } from './day.ts';

const TELL_MS = 15_000;

/**
 * Plays a day outside of the test runner, whose hooks cost a promise as much as the promise. Tells
 * how far it is on stderr, and one line of JSON on stdout; returns the exit code, which is 1 where
 * a rule is broken. A figure that differs throws.
 */
export async function proveDay(people: number, seed: number): Promise<number> {
  let toldAt = systemClock.monotonic();
  const { counts, violations, ...result } = await playDay({
    ...{ people, seed },
    onProgress(progress) {
      if (systemClock.monotonic() - toldAt < TELL_MS) return;
      toldAt = systemClock.monotonic();
      process.stderr.write(`${tellProgress(progress)}\n`);
    },
  });
  const told = {
    ...{ proof: 'day', ...result, violations: violations.length },
    ...{ first: violations.slice(0, 10), counts: Object.fromEntries(counts) },
  };
  process.stdout.write(`${JSON.stringify(told)}\n`);
  return violations.length === 0 ? 0 : 1;
}
