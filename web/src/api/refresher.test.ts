import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../src/platform/clock.ts';
import { makeRefresher } from './refresher.ts';

test('a burst of changes is looked at once at its start and once at its end', () => {
  const clock = new ManualClock();
  let looks = 0;
  const refresher = makeRefresher(clock, () => {
    looks += 1;
  });
  for (let change = 0; change < 50; change += 1) refresher.changed();
  assert.equal(looks, 1);
  clock.advance(300);
  assert.equal(looks, 2);
  clock.advance(10_000);
  assert.equal(looks, 2);
  assert.equal(clock.pendingTimers, 0);
});

test('while changes go on the looks get rarer, and quick again after a rest', () => {
  const clock = new ManualClock();
  const from = clock.now();
  const looks: number[] = [];
  const refresher = makeRefresher(clock, () => void looks.push(clock.now() - from));
  for (let ms = 0; ms < 12_000; ms += 100) {
    refresher.changed();
    clock.advance(100);
  }
  assert.deepEqual(looks, [0, 300, 900, 2_100, 4_500, 6_900, 9_300, 11_700]);
  clock.advance(10_000);
  refresher.changed();
  clock.advance(100);
  refresher.changed();
  clock.advance(200);
  assert.equal(looks.length, 11);
});
