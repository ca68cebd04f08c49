import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filledTrend, intervalText, trendPieces, valueText } from './kpi-words.ts';

test('each unit is written as people read it', () => {
  assert.equal(valueText('share', 0.625), '62.5 %');
  assert.equal(valueText('points', 4.2), '4.20');
  assert.equal(valueText('ms', 640), '640 ms');
  assert.equal(valueText('ms', 3_240), '3.2 s');
  assert.equal(valueText('ms', 180_000), '3.0 min');
  assert.equal(valueText('ratio', null), '–');
});

test('an interval is told in percent', () => {
  const figure = { value: 0.5, numerator: 1, denominator: 2, met: null };
  assert.equal(intervalText({ ...figure, interval: { low: 0.095, high: 0.905 } }), '9.5 to 90.5 %');
  assert.equal(intervalText({ ...figure, interval: null }), null);
});

test('a day without calls is a gap in the line, not a zero', () => {
  assert.deepEqual(trendPieces([1, 0.5, null, 0], 1), ['0.00,0.00 33.33,50.00', '100.00,100.00']);
  assert.deepEqual(trendPieces([0.5], 1), ['0.00,50.00']);
});

test('every day of the span has its place', () => {
  const day = 86_400_000;
  const iso = (index: number): string => new Date(index * day).toISOString();
  const span = { from: iso(1), until: iso(4), period: 'day', trend: [] } as const;
  const points = filledTrend({ ...span, trend: [] }, 'grant_rate');
  assert.deepEqual(
    points.map(({ at, figure }) => [at / day, figure]),
    [
      [1, null],
      [2, null],
      [3, null],
    ],
  );
});
