import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from './clock.ts';
import { openRowTimer } from './row-timer.ts';

function opened(atMostMs = 1_000) {
  const clock = new ManualClock(0);
  const state = { looks: 0, next: Infinity, errors: 0, fails: false, gate: Promise.resolve() };
  const timer = openRowTimer({
    clock,
    atMostMs,
    sweep: async () => {
      state.looks += 1;
      await state.gate;
      if (state.fails) throw new Error('no database');
      return state.next;
    },
    onError: () => (state.errors += 1),
  });
  return { clock, state, timer };
}

test('looks at the start, when a row falls due, and after the longest wait', async () => {
  const { clock, state, timer } = opened();
  await turn();
  assert.equal(state.looks, 1);
  clock.advance(999);
  assert.equal(state.looks, 1);
  state.next = 1_300;
  clock.advance(1);
  await turn();
  assert.equal(state.looks, 2);
  clock.advance(300);
  await turn();
  assert.equal(state.looks, 3);
  await timer.close();
  assert.equal(clock.pendingTimers, 0);
});

test('wakes during a look cause exactly one more', async () => {
  const { state, timer } = opened();
  await turn();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.gate = promise;
  timer.wake();
  timer.wake();
  timer.wake();
  assert.equal(state.looks, 2);
  resolve();
  await turn();
  assert.equal(state.looks, 3);
  await timer.close();
});

test('a look that failed is told, and is made again', async () => {
  const { clock, state, timer } = opened();
  state.fails = true;
  await turn();
  assert.equal(state.errors, 1);
  state.fails = false;
  clock.advance(1_000);
  await turn();
  assert.deepEqual([state.looks, state.errors], [2, 1]);
  await timer.close();
});

test('close waits for the look under way, and nothing wakes it after', async () => {
  const { clock, state, timer } = opened();
  const { promise, resolve } = Promise.withResolvers<void>();
  await turn();
  state.gate = promise;
  timer.wake();
  let closed = false;
  const closing = timer.close().then(() => (closed = true));
  await turn();
  assert.equal(closed, false);
  resolve();
  await closing;
  timer.wake();
  clock.advance(10_000);
  await turn();
  assert.equal(state.looks, 2);
});
