import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noMeasures, wilson, type Measures } from '../kpis/kpis.ts';
import { seededRandom } from '../platform/random.ts';
import {
  countAgainFrom,
  decideBrake,
  findingsOf,
  judgedFrom,
  slowPaceOf,
  sumOf,
} from './brake-rules.ts';
import { brakeSettingsOf, type LineBrake } from './brakes.ts';

const SETTINGS = brakeSettingsOf(null);
const HOUR = 3_600_000;
const FREE = { state: 'free', because: [] } as const;

const sums = (some: Partial<Measures>): Measures => ({ ...noMeasures(), ...some });
const calls = (answered: number, reached: number): Measures =>
  sums({ calls_answered: answered, calls_reached: reached });
const asked = (granted: number, decided: number): Measures =>
  sums({ requests_granted: granted, requests_decided: decided });

function move(measures: Measures, before: Pick<LineBrake, 'state' | 'because'> = FREE) {
  return decideBrake(before, findingsOf(measures, SETTINGS), SETTINGS)?.to ?? null;
}

test("Wilson's interval is that of the published examples", () => {
  // R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3, at 95 %.
  for (const [hits, all, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    const interval = wilson(hits, all);
    assert.equal(interval.low.toFixed(4), low.toFixed(4));
    assert.equal(interval.high.toFixed(4), high.toFixed(4));
  }
  assert.equal(wilson(0, 20).low, 0);
  assert.equal(wilson(20, 20).high, 1);
});

test('a few unlucky calls brake nobody', () => {
  for (let reached = 0; reached < SETTINGS.minSample; reached += 1) {
    assert.equal(move(calls(0, reached)), null);
  }
});

test('a rate that is surely below its floor slows, and far below it pauses', () => {
  assert.equal(move(calls(30, 100)), 'slowed');
  assert.equal(move(calls(10, 100)), 'paused');
  assert.equal(move(asked(20, 100)), 'slowed');
  assert.equal(move(asked(5, 100)), 'paused');
});

test('a rate just below its floor may be bad luck, and brakes only when it lasts', () => {
  assert.equal(move(calls(45, 100)), null);
  assert.equal(move(calls(450, 1_000)), 'slowed');
});

test('what should be seldom brakes from above', () => {
  assert.equal(move(sums({ requests_sent: 200, opt_outs: 10 })), null);
  assert.equal(move(sums({ requests_sent: 200, opt_outs: 25 })), 'slowed');
  assert.equal(move(sums({ requests_sent: 200, opt_outs: 50 })), 'paused');
  assert.equal(move(sums({ calls_reached: 100, calls_answered: 60, streak_calls: 35 })), 'slowed');
});

test('templates that Meta rates RED slow a line, and never pause it', () => {
  const of = (red: number) => findingsOf(sums({ requests_sent: 100 }), SETTINGS, red);
  assert.equal(decideBrake(FREE, of(0), SETTINGS), null);
  assert.equal(decideBrake(FREE, of(20), SETTINGS)?.to, 'slowed');
  assert.equal(decideBrake(FREE, of(100), SETTINGS)?.to, 'slowed');
  const slowed = { state: 'slowed', because: of(20).filter(({ verdict }) => verdict === 'slow') };
  assert.equal(decideBrake({ ...slowed, state: 'slowed' }, of(1), SETTINGS), null);
  assert.equal(decideBrake({ ...slowed, state: 'slowed' }, of(0), SETTINGS)?.to, 'free');
});

test('a paused line never goes on by itself, however good its rates are', () => {
  const paused = { state: 'paused', because: [] } as const;
  assert.equal(move(calls(100, 100), paused), null);
  const off = { ...SETTINGS, enabled: false };
  assert.equal(decideBrake(paused, [], off), null);
});

test('a slowed line goes on when every rate that braked it has its sample and is good', () => {
  const [because] = findingsOf(calls(30, 100), SETTINGS).filter(
    ({ verdict }) => verdict === 'slow',
  );
  assert.ok(because !== undefined);
  const slowed = { state: 'slowed', because: [because] } as const;
  assert.equal(move(calls(20, 20), slowed), null, 'too few to know');
  assert.equal(move(calls(48, 100), slowed), null, 'still below');
  assert.equal(move(calls(80, 100), slowed), 'free');
  assert.equal(move(calls(30, 100), slowed), null, 'it is slowed already');
  assert.equal(move(calls(1, 100), slowed), 'paused');
});

test('brakes that are switched off let a slowed line go, and brake none', () => {
  const off = { ...SETTINGS, enabled: false };
  const bad = findingsOf(calls(0, 500), off);
  assert.equal(decideBrake({ state: 'slowed', because: [] }, bad, off)?.to, 'free');
  assert.equal(decideBrake(FREE, bad, off), null);
  const without = { ...SETTINGS, answer_rate: null };
  assert.deepEqual(
    findingsOf(calls(0, 500), without).filter(({ brake }) => brake === 'answer_rate'),
    [],
  );
});

test('settings that nobody can read are the defaults, never no brake at all', () => {
  assert.deepEqual(brakeSettingsOf({ enabled: 'maybe' }), SETTINGS);
  assert.equal(SETTINGS.enabled, true);
});

/** One line whose calls are picked up with this chance, looked at after every tenth of 2,000. */
function daysOfLine(share: number, seed: number): { state: string; after: number } {
  const random = seededRandom(seed);
  let answered = 0;
  let state = 'free';
  for (let reached = 1; reached <= 2_000; reached += 1) {
    if (random.below(1_000) < share * 1_000) answered += 1;
    if (reached % 10 !== 0) continue;
    const to = move(calls(answered, reached), { state: 'free', because: [] });
    if (to !== null) state = to;
    if (to === 'paused') return { state, after: reached };
  }
  return { state, after: 2_000 };
}

test('of lines at the target none brakes, and of hopeless ones all do, soon', () => {
  const good = Array.from({ length: 100 }, (_, seed) => daysOfLine(0.75, seed));
  assert.equal(good.filter(({ state }) => state !== 'free').length, 0);
  // On the very floor of the pause itself: looked at 200 times, few are paused by bad luck.
  const edge = Array.from({ length: 100 }, (_, seed) => daysOfLine(0.3, seed));
  const unlucky = edge.filter(({ state }) => state === 'paused').length;
  assert.ok(unlucky <= 5, `${unlucky} of 100`);
  const bad = Array.from({ length: 50 }, (_, seed) => daysOfLine(0.1, seed));
  assert.ok(bad.every(({ state, after }) => state === 'paused' && after <= 300));
});

test('a slowed line runs at a share of its busiest hour, but never at nothing', () => {
  const hours = [10, 3_600, 720].map((dialled, index) => ({
    at: index * HOUR,
    measures: sums({ calls_dialled: dialled, requests_sent: dialled * 2 }),
  }));
  assert.deepEqual(slowPaceOf(hours, 0.25), { callsPerSecond: 0.25, requestsPerSecond: 0.5 });
  assert.deepEqual(slowPaceOf([], 0.25), { callsPerSecond: 1 / 60, requestsPerSecond: 1 / 60 });
  assert.equal(sumOf(hours).calls_dialled, 4_330);
});

test('after a resume only whole hours that follow it are judged', () => {
  const now = 100 * HOUR;
  assert.equal(judgedFrom(SETTINGS, { countFrom: null }, now), 76 * HOUR);
  assert.equal(judgedFrom(SETTINGS, { countFrom: 99 * HOUR }, now), 99 * HOUR);
  assert.equal(countAgainFrom(now - 1), now);
  assert.equal(countAgainFrom(now), now);
});
