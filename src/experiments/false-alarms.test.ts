import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { makeIds } from '../platform/ids.ts';
import { seededRandom } from '../platform/random.ts';
import { armOf, LAYER_SLOTS, type Assigning } from './assignment.ts';
import { boundsOf, type BoundsWish } from './boundaries.ts';
import { judge, type ArmCount, type JudgedPlan, type Look } from './judgement.ts';
import { peoplePerArm } from './plan-size.ts';

/**
 * K-01, K-02, K-04: experiments in which nothing differs, thousands of them. A sample runs here;
 * `npm run prove -- experiments` runs the whole count.
 */
const experiments = Number(process.env['ASKFIRST_EXPERIMENTS'] ?? 250);
/** Other worlds than those that the program was written with: any number from 1 on. */
const firstSeed = Number(process.env['ASKFIRST_EXPERIMENT_SEED'] ?? 1);
const isWhole = experiments >= 10_000;
const DAYS = 14;

/** Bounds depend on the looks alone, which all these experiments have in common. */
const known = new Map<string, number[]>();
function rememberedBounds(fractions: readonly number[], wish: BoundsWish): number[] {
  const key = `${fractions.join()} ${wish.alpha} ${wish.sides} ${wish.spending.name}`;
  const bounds = known.get(key) ?? boundsOf(fractions, wish);
  known.set(key, bounds);
  return bounds;
}

type World = { baseline: number; effect: number; leave: number };

/** One experiment of two arms, day by day, until the planned size. */
function play(plan: JudgedPlan, world: World, seed: number): Look[] {
  const random = seededRandom(seed);
  const chance = (share: number): boolean => random.below(1_000_000) < share * 1_000_000;
  const counts = ['A', 'B'].map((arm) => ({ arm, exposed: 0, counted: 0, hits: 0, optedOut: 0 }));
  const looks: Look[] = [];
  for (let person = 1; person <= plan.plannedPeople; person += 1) {
    const isB = random.below(2) === 1;
    const count = counts[isB ? 1 : 0] as ArmCount;
    count.exposed += 1;
    count.counted += 1;
    if (chance(world.baseline + (isB ? world.effect : 0))) count.hits += 1;
    if (chance(world.leave)) count.optedOut += 1;
    if (person === Math.round((plan.plannedPeople * (looks.length + 1)) / DAYS)) {
      looks.push({ at: looks.length, arms: structuredClone(counts) });
    }
  }
  return looks;
}

function planFor(baseline: number, smallestEffect: number): JudgedPlan {
  const size = peoplePerArm({ baseline, smallestEffect, power: 0.8, arms: 2 });
  const arms = ['A', 'B'].map((name) => ({ name, weight: 1 }));
  return { arms, plannedPeople: 2 * size, better: 'more', stopped: [] };
}

type Tally = { once: number; peeking: number; sampleRatio: number; harmful: number };

function tally(plan: JudgedPlan, world: World): Tally {
  const sums = { once: 0, peeking: 0, sampleRatio: 0, harmful: 0 };
  for (let seed = firstSeed; seed < firstSeed + experiments; seed += 1) {
    const looks = play(plan, world, seed * 7_919);
    const daily = judge(plan, looks, rememberedBounds);
    const once = judge(plan, looks.slice(-1), rememberedBounds);
    if (['better', 'worse'].includes(daily.results[0]?.verdict ?? '')) sums.peeking += 1;
    if (['better', 'worse'].includes(once.results[0]?.verdict ?? '')) sums.once += 1;
    if (daily.sampleRatio?.alarm === true) sums.sampleRatio += 1;
    if (daily.harmful.length > 0) sums.harmful += 1;
  }
  return {
    once: sums.once / experiments,
    peeking: sums.peeking / experiments,
    sampleRatio: sums.sampleRatio / experiments,
    harmful: sums.harmful / experiments,
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
/** Three standard deviations of what the sample can tell; nothing for the whole proof. */
const slack = (share: number): number => (isWhole ? 0 : chanceOf(share));
const chanceOf = (share: number): number => 3 * Math.sqrt((share * (1 - share)) / experiments);

for (const [baseline, effect] of [
  [0.6, 0.05],
  [0.05, 0.02],
] as const) {
  test(`K-01, K-02: where nothing differs (${percent(baseline)}), few are fooled`, (t) => {
    const found = tally(planFor(baseline, effect), { baseline, effect: 0, leave: 0.03 });
    const { once, peeking, sampleRatio, harmful } = found;
    t.diagnostic(
      `${experiments} experiments: one look ${percent(once)}, daily looks ${percent(peeking)}, ` +
        `sample ratio ${percent(sampleRatio)}, guard ${percent(harmful)}`,
    );
    assert.ok(once <= 0.057 + slack(0.05), `one look: ${percent(once)}`);
    // Where few say yes the correction for continuity errs less often than it may.
    assert.ok(once >= 0.043 - chanceOf(0.05), `one look: ${percent(once)}`);
    assert.ok(peeking <= 0.05 + slack(0.05), `daily looks: ${percent(peeking)}`);
    // One in a thousand is what it is made for, so half of all seeds find a little more.
    assert.ok(sampleRatio <= 0.001 + chanceOf(0.001), `sample ratio: ${percent(sampleRatio)}`);
    assert.ok(harmful <= 0.01 + slack(0.01), `guard: ${percent(harmful)}`);
  });
}

test('a difference of the planned size is found as often as planned, with a daily look', (t) => {
  const { peeking } = tally(planFor(0.6, 0.05), { baseline: 0.6, effect: 0.05, leave: 0.03 });
  t.diagnostic(`${experiments} experiments: found ${percent(peeking)}, planned 80 %`);
  assert.ok(peeking >= 0.8 - slack(0.8), `found ${percent(peeking)}`);
});

test('K-04: the same person is in the same arm every time, and the arms are balanced', (t) => {
  const people = isWhole ? 100_000 : 4_000;
  const random = seededRandom(4);
  const ids = makeIds(new ManualClock(1_790_000_000_000), random);
  const experiment: Assigning = {
    state: 'running',
    key: random.bytes(32),
    layerKey: random.bytes(32),
    slots: [[0, LAYER_SLOTS]],
    arms: ['A', 'B'].map((name) => ({ name, weight: 1, overrides: {} })),
    stoppedArms: [],
    winner: null,
  };
  let inB = 0;
  for (let person = 0; person < people; person += 1) {
    const id = ids.next('contact');
    const { arm } = armOf(experiment, id);
    assert.equal(armOf({ ...experiment }, id).arm, arm);
    if (arm === 'B') inB += 1;
  }
  const share = inB / people;
  t.diagnostic(`${people} people: ${percent(share)} in B`);
  assert.ok(Math.abs(share - 0.5) <= (isWhole ? 0.01 : 0.03), percent(share));
});
