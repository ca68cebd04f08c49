import type { Clock, TimerHandle } from '../platform/clock.ts';

const FRAME_MS = 20;
/** After a longer stall the lost frames are given up; playing them late helps nobody. */
const CATCH_UP_FRAMES = 5;
/** Fewer wake-ups than this say little: the first frame of a fresh worker waits for its codecs. */
const WAKE_UPS_TELLING = 10;

/**
 * The heartbeat of all calls of a worker: one `onFrame` per 20 ms on the average, without
 * drift. It rests while it is stopped, and measures how late it runs, which is the
 * figure that tells an overloaded worker.
 */
export class FrameTicker {
  readonly #clock: Clock;
  readonly #onFrame: () => void;
  #timer: TimerHandle | undefined;
  #dueAt = 0;
  #lateness = 0;
  #wakeUps = 0;

  constructor(clock: Clock, onFrame: () => void) {
    this.#clock = clock;
    this.#onFrame = onFrame;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#dueAt = this.#clock.monotonic() + FRAME_MS;
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Mean lateness since the last reading, in milliseconds; one late frame alone is no load. */
  takeLateness(): number {
    const mean = this.#lateness / Math.max(this.#wakeUps, WAKE_UPS_TELLING);
    this.#lateness = 0;
    this.#wakeUps = 0;
    return Math.round(mean * 10) / 10;
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#dueAt - this.#clock.monotonic(), () => this.#wake());
  }

  #wake(): void {
    const late = Math.max(0, this.#clock.monotonic() - this.#dueAt);
    this.#lateness += late;
    this.#wakeUps += 1;
    const due = 1 + Math.floor(late / FRAME_MS);
    for (let frame = 0; frame < Math.min(due, CATCH_UP_FRAMES); frame += 1) this.#onFrame();
    this.#dueAt += due * FRAME_MS;
    // A frame may have ended the last call and stopped us.
    if (this.#timer !== undefined) this.#arm();
  }
}
