import assert from 'node:assert/strict';
import { delay, systemClock } from '../src/platform/clock.ts';

/** What tests with real sockets do with real time. */

/** Far longer than anything takes on a slow machine: nothing that waits here tests speed. */
const WAIT_MAX_MS = 60_000;
const LOOK_EVERY_MS = 20;
const FRAME_MS = 20;

/** Looks again and again until it is so. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + WAIT_MAX_MS;
  while (!(await condition())) {
    if (systemClock.monotonic() > end) assert.fail(`waited in vain for ${condition.toString()}`);
    await delay(systemClock, LOOK_EVERY_MS);
  }
}

/** Sends in the rhythm of speech; what was late is made up for. */
export async function everyFrame(frames: number, send: () => void): Promise<void> {
  const start = systemClock.monotonic();
  for (let frame = 1; frame <= frames; frame += 1) {
    send();
    await delay(systemClock, Math.max(0, start + frame * FRAME_MS - systemClock.monotonic()));
  }
}
