import assert from 'node:assert/strict';
import { test } from 'node:test';
import { intervalWords, percent } from './interval-words.ts';

test('shares are percent and differences are points with their sign', () => {
  assert.deepEqual([percent(0.625), percent(null)], ['62.5 %', '–']);
  assert.equal(intervalWords({ low: -0.012, high: 0.0876 }), '−1.2 to +8.8 points');
  assert.equal(intervalWords({ low: null, high: null }), '–');
});
