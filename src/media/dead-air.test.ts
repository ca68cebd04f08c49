import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEAD_AIR_AFTER_MS, DeadAirWatch } from './dead-air.ts';

test('ten seconds without a sound are told once, and anew after the next sound', () => {
  const watch = new DeadAirWatch();
  const told = (from: number, until: number, soundAt: number | null): number => {
    let count = 0;
    for (let now = from; now < until; now += 20) {
      if (watch.tick(now, true, soundAt) !== null) count += 1;
    }
    return count;
  };
  assert.equal(told(0, DEAD_AIR_AFTER_MS, null), 0);
  assert.equal(told(DEAD_AIR_AFTER_MS, 60_000, null), 1);
  assert.equal(told(60_000, 65_000, 59_990), 0);
  assert.equal(told(65_000, 90_000, 59_990), 1);
});

test('what was heard before the two were connected, or on hold, is no dead air', () => {
  const watch = new DeadAirWatch();
  assert.equal(watch.tick(0, true, null), null);
  assert.equal(watch.tick(9000, false, null), null);
  assert.equal(watch.tick(20_000, true, 100), null);
  assert.equal(watch.tick(29_000, true, 100), null);
  const told = watch.tick(30_000, true, 100);
  assert.deepEqual(told, { kind: 'deadAir', silentMs: 10_000 });
});
