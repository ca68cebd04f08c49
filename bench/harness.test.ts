import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compare, median, percentile } from './harness.ts';

test('a result without reference or goal says so with null', () => {
  const result = compare({ name: 'a', value: 3, unit: 'ms' });
  assert.deepEqual(result, {
    name: 'a',
    value: 3,
    unit: 'ms',
    reference: null,
    ratio: null,
    goal: null,
    met: null,
  });
});

test('a ratio is ours over the reference', () => {
  const result = compare({
    name: 'a',
    value: 80,
    unit: '/s',
    reference: { name: 'bare', value: 100 },
    goal: { ratioAtLeast: 0.8 },
  });
  assert.equal(result.ratio, 0.8);
  assert.equal(result.goal, 'ratio >= 0.8');
  assert.equal(result.met, true);
});

test('a goal of a ratio is missed when there is nothing to compare with', () => {
  const goal = { ratioAtMost: 2 };
  assert.equal(compare({ name: 'a', value: 1, unit: 'ms', goal }).met, false);
});

test('absolute goals carry the unit', () => {
  const late = compare({ name: 'a', value: 11, unit: 'ms', goal: { atMost: 10 } });
  assert.deepEqual([late.goal, late.met], ['<= 10 ms', false]);
  const fast = compare({ name: 'a', value: 11, unit: '/s', goal: { atLeast: 10 } });
  assert.deepEqual([fast.goal, fast.met], ['>= 10 /s', true]);
});

test('percentiles do not depend on the order of the samples', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(percentile([5, 1, 4, 2, 3], 0.99), 5);
  assert.ok(Number.isNaN(median([])));
});
