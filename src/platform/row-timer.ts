import type { Clock, TimerHandle } from './clock.ts';

/**
 * Rows are the timers of what must survive a crash; this looks at them when the earliest falls
 * due, at once after a wake, and now and then whatever happens, because another process may have
 * written rows too. One look at a time; a wake during a look causes exactly one more.
 */
export type RowTimer = {
  wake(): void;
  /** Looks no more, and waits for the look that is under way. */
  close(): Promise<void>;
};

export type RowTimerOptions = {
  clock: Clock;
  /** The longest time between two looks, and the wait after one that failed. */
  atMostMs: number;
  /**
   * Does what is due, and returns when the next row falls due, in ms since 1970; `Infinity` for
   * none. Stops early where `isOpen` says no.
   */
  sweep: (isOpen: () => boolean) => Promise<number>;
  onError: (error: unknown) => void;
};

/** Begins with a look. */
export function openRowTimer({ clock, atMostMs, sweep, onError }: RowTimerOptions): RowTimer {
  let timer: TimerHandle | undefined;
  let running: Promise<void> | null = null;
  let woken = false;
  let closed = false;
  const isOpen = (): boolean => !closed;

  const look = async (): Promise<void> => {
    timer?.cancel();
    let nextAt = Infinity;
    while (woken && isOpen()) {
      woken = false;
      try {
        nextAt = await sweep(isOpen);
      } catch (error) {
        onError(error);
        nextAt = Infinity;
      }
    }
    running = null;
    const waitMs = Math.min(atMostMs, Math.max(0, nextAt - clock.now()));
    if (isOpen()) timer = clock.after(waitMs, wake);
  };
  const wake = (): void => {
    woken = true;
    if (isOpen()) running ??= look();
  };
  wake();
  return {
    wake,
    async close() {
      closed = true;
      timer?.cancel();
      await running;
    },
  };
}
