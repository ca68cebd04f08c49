import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { AccountId } from '../platform/ids.ts';
import { pacedAfter, roomOf, type PacedThing } from './pacing.ts';

const paced = (more: Partial<PacedThing>): PacedThing => ({
  accountId: 'acct_1' as AccountId,
  scope: 'account',
  id: 'acct_1',
  callsPerSecond: null,
  concurrentCalls: null,
  pacedForMs: 0,
  inUse: 0,
  ...more,
});

test('without limits there is room without end', () => {
  assert.deepEqual(roomOf(paced({})), { calls: Infinity, waitMs: 0 });
});

test('a cap leaves what is not in use, and a full one is looked at again soon', () => {
  assert.equal(roomOf(paced({ concurrentCalls: 10, inUse: 4 })).calls, 6);
  const full = roomOf(paced({ concurrentCalls: 10, inUse: 12 }));
  assert.equal(full.calls, 0);
  assert.ok(full.waitMs > 0);
});

test('one call in five seconds passes alone, and says when the next one may', () => {
  const slow = paced({ callsPerSecond: 0.2 });
  assert.equal(roomOf(slow).calls, 1);
  const after = { ...slow, pacedForMs: pacedAfter(slow, 1) };
  assert.deepEqual(roomOf(after), { calls: 0, waitMs: 5_000 });
});

test('over any while no more calls pass than the pace and one burst', () => {
  const run = fc.record({
    rate: fc.constantFrom(0.5, 1, 7, 50, 1_000),
    steps: fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 60 }),
  });
  fc.assert(
    fc.property(run, ({ rate, steps }) => {
      let pacedForMs = 0;
      let passed = 0;
      let elapsed = 0;
      for (const step of steps) {
        const thing = paced({ callsPerSecond: rate, pacedForMs });
        const { calls } = roomOf(thing);
        passed += calls;
        pacedForMs = pacedAfter(thing, calls) - step;
        const burst = Math.max(1, Math.floor(rate / 10));
        assert.ok(passed <= (elapsed * rate) / 1_000 + burst + 1e-6);
        elapsed += step;
      }
    }),
    { seed: 31 },
  );
});
