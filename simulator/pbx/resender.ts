import type { Clock, TimerHandle } from '../../src/platform/clock.ts';

/** Sends a message again and again, at growing distance, until it is told to stop. */
export class Resender {
  readonly #clock: Clock;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sends now, then after 0.5 s, 1 s, 2 s, 4 s, 4 s …; gives up after 32 s. */
  start(send: () => void, onGivenUp: () => void): void {
    this.stop();
    const again = (waitMs: number, spentMs: number): void => {
      this.#timer = this.#clock.after(waitMs, () => {
        if (spentMs + waitMs >= 32_000) return onGivenUp();
        send();
        again(Math.min(waitMs * 2, 4000), spentMs + waitMs);
      });
    };
    again(500, 0);
    send();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
