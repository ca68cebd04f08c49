import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ManualClock } from '../platform/clock.ts';
import type { Claim } from './dialer.ts';
import { openDueWatch } from './due-watch.ts';

/** A watch over a dialer that answers with what the test says, and the times of its claims. */
function watchOver(answer: (count: number) => Partial<Claim> | Error, room = 10) {
  const clock = new ManualClock(0);
  const claims: number[] = [];
  const errors: unknown[] = [];
  const watch = openDueWatch({
    clock,
    room: () => room,
    adopt: () => {},
    onError: (error) => errors.push(error),
    dialer: {
      async claim() {
        claims.push(clock.now());
        const given = answer(claims.length);
        if (given instanceof Error) throw given;
        return { dialed: [], lookAgainAt: null, errors: [], ...given };
      },
    },
  });
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  const pass = async (ms: number): Promise<void> => {
    await turns();
    clock.advance(ms);
    await turns();
  };
  return { clock, watch, claims, errors, pass };
}

test('it looks at the very moment the next call falls due', async () => {
  const { watch, claims, pass } = watchOver((count) => ({ lookAgainAt: count === 1 ? 70 : null }));
  await pass(69);
  assert.deepEqual(claims, [0]);
  await pass(1);
  assert.deepEqual(claims, [0, 70]);
  await watch.close();
});

test('it looks again at once while there is more to dial, then it polls', async () => {
  const { watch, claims, pass } = watchOver((count) => ({ lookAgainAt: count < 3 ? 0 : null }));
  await pass(249);
  assert.deepEqual(claims, [0, 0, 0]);
  await pass(1);
  assert.deepEqual(claims, [0, 0, 0, 250]);
  await watch.close();
});

test('a far due time does not stop the poll: another process may queue', async () => {
  const { watch, claims, pass } = watchOver(() => ({ lookAgainAt: 3_600_000 }));
  await pass(250);
  await pass(250);
  assert.deepEqual(claims, [0, 250, 500]);
  await watch.close();
});

test('wakes during a claim cause exactly one more', async () => {
  const { watch, claims, pass } = watchOver(() => ({}));
  watch.wake();
  watch.wake();
  await pass(0);
  assert.equal(claims.length, 2);
  await watch.close();
});

test('a claim that fails is told, and tried again at the next poll', async () => {
  const { watch, claims, errors, pass } = watchOver((count) =>
    count === 1 ? new Error('database gone') : {},
  );
  await pass(250);
  assert.equal(errors.length, 1);
  assert.deepEqual(claims, [0, 250]);
  await watch.close();
});

test('it claims nothing without room, and nothing after it was closed', async () => {
  const full = watchOver(() => ({}), 0);
  await full.pass(1_000);
  assert.deepEqual(full.claims, []);
  await full.watch.close();
  const closed = watchOver(() => ({}));
  await closed.pass(0);
  await closed.watch.close();
  closed.watch.wake();
  await closed.pass(1_000);
  assert.deepEqual(closed.claims, [0]);
  assert.equal(closed.clock.pendingTimers, 0);
});
