import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock, type Clock } from '../platform/clock.ts';
import { FrameTicker } from './frame-ticker.ts';

test('there are fifty frames in a second, and none after the stop', () => {
  const clock = new ManualClock();
  let frames = 0;
  const ticker = new FrameTicker(clock, () => {
    frames += 1;
  });
  ticker.start();
  ticker.start();
  clock.advance(1000);
  assert.equal(frames, 50);
  assert.equal(ticker.takeLateness(), 0);
  ticker.stop();
  clock.advance(1000);
  assert.equal(frames, 50);
  assert.equal(clock.pendingTimers, 0);
});

test('timers that are late do not slow the frames down', () => {
  const manual = new ManualClock();
  // Every timer of this clock fires 7 ms late.
  const clock: Clock = {
    now: () => manual.now(),
    monotonic: () => manual.monotonic(),
    after: (delayMs, task) => manual.after(Math.max(0, delayMs) + 7, task),
  };
  let frames = 0;
  const ticker = new FrameTicker(clock, () => {
    frames += 1;
  });
  ticker.start();
  manual.advance(2000);
  assert.ok(frames >= 98 && frames <= 100, `${frames}`);
  assert.equal(ticker.takeLateness(), 7);
  ticker.stop();
});

test('after a long stall the lost frames are given up', () => {
  let now = 0;
  let wake = (): void => {};
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(_delayMs, task) {
      wake = task;
      return { cancel: () => {} };
    },
  };
  let frames = 0;
  const ticker = new FrameTicker(clock, () => {
    frames += 1;
  });
  ticker.start();
  now = 2000;
  wake();
  assert.equal(frames, 5);
  now = 2020;
  wake();
  assert.equal(frames, 6);
});

test('a frame may stop the ticker', () => {
  const clock = new ManualClock();
  const ticker = new FrameTicker(clock, () => ticker.stop());
  ticker.start();
  clock.advance(100);
  assert.equal(clock.pendingTimers, 0);
});

test('one late frame after the start does not read as an overloaded worker', () => {
  const manual = new ManualClock();
  let lateMs = 200;
  const clock: Clock = {
    now: () => manual.now(),
    monotonic: () => manual.monotonic(),
    after(delayMs, task) {
      const handle = manual.after(Math.max(0, delayMs) + lateMs, task);
      lateMs = 0;
      return handle;
    },
  };
  const ticker = new FrameTicker(clock, () => {});
  ticker.start();
  manual.advance(260);
  ticker.stop();
  assert.ok(ticker.takeLateness() <= 20);
});
