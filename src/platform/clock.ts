import { DueQueue } from './due-queue.ts';

/**
 * Time comes from outside. Everything that needs the time of day, a monotonic reading or a
 * timer takes a `Clock`; only this folder touches `Date.now` and `setTimeout`. Tests pass a
 * `ManualClock` and move it by hand, so no test ever waits.
 */
export type TimerHandle = { cancel(): void };

export type Clock = {
  /** Wall-clock time in milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Monotonic milliseconds, only for differences. */
  monotonic(): number;
  /** Runs `task` once, `delayMs` from now. */
  after(delayMs: number, task: () => void): TimerHandle;
};

/** Node caps a timer at 2^31-1 ms; longer waits are cut and the caller looks again. */
const TIMER_MAX_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), TIMER_MAX_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Waits on the given clock. A manual clock resolves it when the test moves time. */
export function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}

/** Runs `task` again and again, `everyMs` apart, never overlapping; returns a stopper. */
export function repeat(
  clock: Clock,
  everyMs: number,
  task: () => Promise<void>,
): () => Promise<void> {
  let stopped = false;
  let timer: TimerHandle | undefined;
  let running: Promise<void> = Promise.resolve();
  const arm = (): void => {
    if (stopped) return;
    timer = clock.after(everyMs, () => {
      running = task().finally(arm);
    });
  };
  arm();
  return async () => {
    stopped = true;
    timer?.cancel();
    await running;
  };
}

/** RFC 3339 UTC text of an instant, the only form that leaves the process. */
export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** As `isoTime`; what has not happened stays null. */
export function isoTimeOrNull(atMs: number | null | undefined): string | null {
  return atMs === null || atMs === undefined ? null : isoTime(atMs);
}

/** A clock that stands still until a test moves it; timers fire in due order, then as made. */
export class ManualClock implements Clock {
  #now: number;
  readonly #timers = new DueQueue<() => void>();

  constructor(startMs: number = Date.UTC(2026, 0, 5, 12)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): TimerHandle {
    return { cancel: this.#timers.add(this.#now + Math.max(0, delayMs), task) };
  }

  /** Moves time forward and fires every timer that falls due on the way. */
  advance(byMs: number): void {
    const end = this.#now + byMs;
    for (;;) {
      const due = this.#timers.take(end);
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.dueAt);
      due.item();
    }
    this.#now = end;
  }

  /** Timers still waiting: a test that ends with any has leaked one. */
  get pendingTimers(): number {
    return this.#timers.size;
  }
}
