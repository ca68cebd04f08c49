import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds, tellFault } from './run-seeds.ts';
import type { SeedResult } from './run-seed.ts';

/**
 * the whole core under a seeded world, 500 days of it. `npm run prove -- simulation` plays
 * as many as it is told to; docs/explanation/simulation.md tells how it works.
 */
const SEEDS = Number(process.env['ASKFIRST_PROOF_COUNT'] ?? 500);
const PROCESSES = 2;
/** Of the seeds, how many two more processes play, in opposite orders. */
const REPLAYS = 10;
/** A quiet machine needs less; a busy one plays fewer days and says so, and fails nobody's run. */
const BUDGET_MS = 120_000;
const TIMEOUT_MS = 15 * 60_000;
const SEEDS_MIN = 20;

let results: SeedResult[] = [];

test(`what must hold, holds at every step of ${SEEDS} days`, { timeout: TIMEOUT_MS }, async (t) => {
  const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1);
  results = await runSeeds({ seeds, processes: PROCESSES, budgetMs: BUDGET_MS });
  t.diagnostic(`${results.length} of ${SEEDS} days were played`);
  assert.ok(results.length >= Math.min(SEEDS, SEEDS_MIN), `only ${results.length} days`);
  const faulty = results.filter(({ violations }) => violations.length > 0);
  const told = faulty.slice(0, 3).map(tellFault).join('\n\n');
  assert.equal(
    faulty.length,
    0,
    `${faulty.length} of ${results.length} days have a fault\n\n${told}`,
  );
});

test('the days are full: people are asked, say yes and stop, phones ring, processes die', () => {
  const sum = (name: keyof SeedResult['counts']): number =>
    results.reduce((total, { counts }) => total + counts[name], 0);
  for (const name of ['asked', 'grants', 'stops', 'dials', 'rings', 'refused'] as const) {
    assert.ok(sum(name) > results.length / 2, `${sum(name)} × ${name} in ${results.length} days`);
  }
  assert.ok(sum('crashes') > results.length / 4, `${sum('crashes')} crashes`);
});

test('a seed gives the same trace, whatever was played before it', async () => {
  const seeds = results.slice(0, REPLAYS).map(({ seed }) => seed);
  const [forward, backward] = await Promise.all([
    runSeeds({ seeds, processes: 1 }),
    runSeeds({ seeds: seeds.toReversed(), processes: 1 }),
  ]);
  const hashOf = (of: readonly SeedResult[]): string[] =>
    of.map(({ seed, traceHash }) => `${seed} ${traceHash}`);
  assert.deepEqual(hashOf(backward), hashOf(forward));
});
