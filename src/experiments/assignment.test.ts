import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type ContactId } from '../platform/ids.ts';
import { seededRandom } from '../platform/random.ts';
import { armOf, freeSlots, LAYER_SLOTS, takeSlots, type Assigning } from './assignment.ts';

const random = seededRandom(29);
const ids = makeIds(new ManualClock(1_790_000_000_000), random);
const people = Array.from({ length: 5_000 }, () => ids.next('contact'));

const running: Assigning = {
  state: 'running',
  key: random.bytes(32),
  layerKey: random.bytes(32),
  slots: [[0, LAYER_SLOTS]],
  arms: [
    { name: 'A', weight: 1, overrides: {} },
    { name: 'B', weight: 1, overrides: { template: 'short_request' } },
  ],
  stoppedArms: [],
  winner: null,
};

function countOf(experiment: Assigning, arm: string): number {
  return people.filter((person) => armOf(experiment, person).arm === arm).length;
}

test('a person gets the same arm, however often and in whatever order it is asked for', () => {
  const first = new Map(people.map((person) => [person, armOf(running, person)]));
  for (const person of people.toReversed()) {
    assert.deepEqual(armOf(structuredClone(running), person), first.get(person));
  }
});

test('arms are as large as their weights say', () => {
  const share = countOf(running, 'B') / people.length;
  assert.ok(Math.abs(share - 0.5) < 0.025, `half is ${share}`);
  const [a, b] = running.arms;
  assert.ok(a !== undefined && b !== undefined);
  const third = { ...running, arms: [{ ...a, weight: 2 }, b] };
  const smaller = countOf(third, 'B') / people.length;
  assert.ok(Math.abs(smaller - 1 / 3) < 0.025, `a third is ${smaller}`);
});

test('the arms of two experiments of different layers are independent', () => {
  const other = { ...running, key: random.bytes(32), layerKey: random.bytes(32) };
  const ofB = people.filter((person) => armOf(running, person).arm === 'B');
  const share = ofB.filter((person) => armOf(other, person).arm === 'B').length / ofB.length;
  assert.ok(Math.abs(share - 0.5) < 0.04, `half of B is ${share}`);
});

test('experiments of one layer never share a person', () => {
  const first: Assigning = { ...running, slots: [[0, 4_000]] };
  const taken = takeSlots(first.slots, 6_000);
  assert.deepEqual(taken, [[4_000, 10_000]]);
  const second: Assigning = { ...running, key: random.bytes(32), slots: taken ?? [] };
  const inFirst = people.filter((person) => armOf(first, person).counted);
  const inSecond = people.filter((person) => armOf(second, person).counted);
  assert.equal(inFirst.length + inSecond.length, people.length);
  assert.ok(inFirst.every((person) => !armOf(second, person).counted));
});

test('who is outside the share, or comes before the start, gets the control uncounted', () => {
  const person = people[0] as ContactId;
  for (const experiment of [
    { ...running, slots: [] },
    { ...running, state: 'draft' as const },
    { ...running, state: 'stopped' as const },
  ]) {
    assert.deepEqual(armOf(experiment, person), { arm: 'A', overrides: {}, counted: false });
  }
});

test('people of a stopped arm get the control, and the others stay where they are', () => {
  const stopped = { ...running, stoppedArms: ['B'] };
  for (const person of people.slice(0, 500)) {
    const before = armOf(running, person);
    const now = armOf(stopped, person);
    assert.equal(now.arm, 'A');
    assert.equal(now.counted, before.arm === 'A');
  }
});

test('once decided, everybody gets the winner', () => {
  const decided: Assigning = { ...running, state: 'decided', winner: 'B' };
  assert.equal(countOf(decided, 'B'), people.length);
  assert.deepEqual(armOf(decided, people[0] as ContactId).overrides, {
    template: 'short_request',
  });
});

test('slots are taken where they are free, in pieces if need be, or not at all', () => {
  assert.deepEqual(takeSlots([], 100), [[0, 100]]);
  const taken = [
    [5_000, 9_000],
    [0, 1_000],
  ] as const;
  assert.equal(freeSlots(taken), 5_000);
  assert.deepEqual(takeSlots(taken, 4_500), [
    [1_000, 5_000],
    [9_000, 9_500],
  ]);
  assert.equal(takeSlots(taken, 5_001), null);
});
