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
