import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundsOf, evenSpending, lateSpending } from './boundaries.ts';
import { chiSquareTail, upperQuantile, upperTail } from './normal.ts';

const FIFTHS = [0.2, 0.4, 0.6, 0.8, 1];

function near(found: readonly number[], published: readonly number[], by: number): void {
  assert.equal(found.length, published.length);
  for (const [index, value] of published.entries()) {
    const difference = Math.abs((found[index] ?? NaN) - value);
    assert.ok(difference <= by, `look ${index + 1}: ${found[index]} is not ${value}`);
  }
}

test('the bounds of O’Brien and Fleming’s spending are the published ones', () => {
  const wish = { alpha: 0.05, spending: lateSpending, sides: 2 } as const;
  // Reboussin, DeMets, Kim and Lan (Controlled Clinical Trials 21, 2000) and R's ldbounds.
  near(boundsOf(FIFTHS, wish), [4.8769, 3.3569, 2.6803, 2.2898, 2.031], 0.0005);
});

test('the bounds of Pocock’s spending are the published ones', () => {
  const wish = { alpha: 0.05, spending: evenSpending, sides: 2 } as const;
  near(boundsOf(FIFTHS, wish), [2.438, 2.4268, 2.4101, 2.3966, 2.3859], 0.0005);
});

test('one look at the end is the ordinary test', () => {
  for (const spending of [lateSpending, evenSpending]) {
    near(boundsOf([1], { alpha: 0.05, spending, sides: 2 }), [1.959964], 0.00001);
    near(boundsOf([1], { alpha: 0.05, spending, sides: 1 }), [1.644854], 0.00001);
  }
});

test('nothing is spent on a look that comes before there is anything to see', () => {
  const [first, last] = boundsOf([0.002, 1], { alpha: 0.05, spending: lateSpending, sides: 2 });
  assert.equal(first, Infinity);
  near([last ?? NaN], [1.959964], 0.0005);
});

test('quantiles and tails are those of the tables', () => {
  near([upperQuantile(0.025), upperQuantile(0.2)], [1.959964, 0.841621], 0.000002);
  near([upperTail(1), upperTail(-1), upperTail(5)], [0.158655, 0.841345, 2.8665e-7], 0.000001);
  // Critical values of chi-square at 0.05, 0.01 and 0.001 from the tables.
  near([chiSquareTail(3.841, 1), chiSquareTail(6.635, 1)], [0.05, 0.01], 0.00002);
  near([chiSquareTail(10.828, 1), chiSquareTail(13.816, 2)], [0.001, 0.001], 0.000002);
  near([chiSquareTail(7.815, 3), chiSquareTail(11.07, 5)], [0.05, 0.05], 0.00002);
  near([chiSquareTail(9.488, 4)], [0.05], 0.00002);
});
