import type { Clock, TimerHandle } from '../../src/platform/clock.ts';

/**
 * The one clock of a simulated world. It stands still until the world moves it, and it knows two
 * kinds of timers: those that something depends on, and the product's polls, which mostly find
 * nothing. While nothing can happen the world leaps from one real timer to the next, and quick
 * polls sleep meanwhile, as on a machine that was suspended.
 */
export class WorldClock {
  #now: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs: number) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** For Meta, phones and endpoints: whatever they set fires at its very moment. */
  readonly outside: Clock = this.#clock(() => false);

  /** For the product: what it sets at a poll's rhythm may be leapt over. */
  readonly product: Clock = this.#clock((delayMs) => POLLS_MS.has(delayMs));

  /** When the next timer fires, in ms; polls count only when asked for. */
  next(withPolls: boolean): number {
    let next = Infinity;
    for (const { dueAt, isPoll } of this.#timers) {
      if ((withPolls || !isPoll) && dueAt < next) next = dueAt;
    }
    return next;
  }

  /** Moves to that instant and fires what is due, in order; true when more than polls fired. */
  moveTo(atMs: number, pollsSleep: boolean): boolean {
    const leapMs = Math.max(0, atMs - this.#now);
    this.#now += leapMs;
    if (pollsSleep) for (const timer of this.#timers) if (timer.isQuick) timer.dueAt += leapMs;
    const due = [...this.#timers]
      .filter(({ dueAt }) => dueAt <= this.#now)
      .sort((a, b) => a.dueAt - b.dueAt || a.order - b.order);
    for (const timer of due) {
      // One that fires may cancel another.
      if (this.#timers.delete(timer)) timer.task();
    }
    return due.some(({ isPoll }) => !isPoll);
  }

  #clock(isPoll: (delayMs: number) => boolean): Clock {
    return {
      now: () => this.#now,
      monotonic: () => this.#now,
      after: (delayMs, task) => this.#set(delayMs, task, isPoll(delayMs)),
    };
  }

  #set(delayMs: number, task: () => void, isPoll: boolean): TimerHandle {
    const dueAt = this.#now + Math.max(0, delayMs);
    const isQuick = isPoll && delayMs <= QUICK_MS;
    const timer = { dueAt, order: this.#order++, task, isPoll, isQuick };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }
}

type Timer = {
  dueAt: number;
  order: number;
  task: () => void;
  isPoll: boolean;
  isQuick: boolean;
};

/** The rhythms of the product's polls, sweeps and lease keeping. */
const POLLS_MS = new Set([250, 500, 1_000, 3_000, 5_000, 10_000, 30_000, 60_000, 3_600_000]);

/** Slower ones do not sleep: they fire once, late, when a leap has passed them. */
const QUICK_MS = 5_000;
