import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds, tellFault } from './run-seeds.ts';
import type { SeedResult } from './run-seed.ts';

/**
 * the whole core under 500 seeded worlds, most of them a busy quarter of an hour, some a
 * whole day. `npm run prove -- simulation` plays as many as it is told to;
 * docs/explanation/simulation.md tells how it works.
 */
const SEEDS = Number(process.env['ASKFIRST_PROOF_COUNT'] ?? 500);
const PROCESSES = 2;
const TELL_EVERY = 50;
/** Played once more, by two more processes in opposite orders; the last one is a whole day. */
const REPLAYED = [1, 2, 3, 4, 5, 6, 7, 8, 9, 20];
const TIMEOUT_MS = 20 * 60_000;
/** More in one world means that it walks from poll to poll; see `POLLS_MS` in world-clock.ts. */
const STEPS_MAX = 10_000;

let results: SeedResult[] = [];

test(
  `what must hold, holds at every step of ${SEEDS} seeds`,
  { timeout: TIMEOUT_MS },
  async (t) => {
    const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1);
    const onResult = (result: SeedResult, done: number): void => {
      if (result.violations.length > 0) process.stderr.write(`\n${tellFault(result)}\n`);
      if (done % TELL_EVERY === 0)
        process.stderr.write(`  ${done} of ${SEEDS} seeds were played\n`);
    };
    results = await runSeeds({ seeds, processes: PROCESSES, onResult });
    const faulty = results.filter(({ violations }) => violations.length > 0);
    const told = faulty.slice(0, 3).map(tellFault).join('\n\n');
    const steps = results.reduce((all, result) => all + result.steps, 0);
    const days = results.filter(({ isLong }) => isLong).length;
    t.diagnostic(`${results.length} seeds, ${days} of them whole days, ${steps} steps`);
    assert.equal(results.length, SEEDS);
    assert.ok(
      Math.max(...results.map((result) => result.steps)) < STEPS_MAX,
      'a rhythm is unknown',
    );
    assert.equal(faulty.length, 0, `${faulty.length} of ${SEEDS} seeds have a fault\n\n${told}`);
  },
);

test('much happens: people are asked, say yes and stop, phones ring, processes die', (t) => {
  const names = ['asked', 'grants', 'stops', 'dials', 'rings', 'talks', 'refused'] as const;
  const crashes = total('crashes');
  t.diagnostic([...names, 'crashes' as const].map((name) => `${total(name)} × ${name}`).join(', '));
  for (const name of names) {
    assert.ok(total(name) > results.length / 5, `${total(name)} × ${name}`);
  }
  assert.ok(crashes > results.length / 5, `${crashes} crashes`);
  // Few, for only a call that waits can be moved; a handful of seeds may have none.
  if (results.length >= 500) assert.ok(total('moved') > 0 && total('unmoved') > 0);
});

test('a seed gives the same trace, whatever was played before it', async () => {
  const seeds = REPLAYED.filter((seed) => seed <= SEEDS);
  const [forward, backward] = await Promise.all([
    runSeeds({ seeds, processes: 1 }),
    runSeeds({ seeds: seeds.toReversed(), processes: 1 }),
  ]);
  const hashesOf = (of: readonly SeedResult[]): string[] =>
    of
      .filter(({ seed }) => seeds.includes(seed))
      .map(({ seed, traceHash }) => `${seed} ${traceHash}`);
  assert.deepEqual(hashesOf(backward), hashesOf(forward));
  assert.deepEqual(hashesOf(results), hashesOf(forward));
});

function total(name: keyof SeedResult['counts']): number {
  return results.reduce((all, { counts }) => all + counts[name], 0);
}
