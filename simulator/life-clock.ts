import type { Clock, TimerHandle } from '../src/platform/clock.ts';

/** A clock whose timers all die with the simulator that used it. */
export function lifeClock(clock: Clock): Clock & { stop(): void } {
  const timers = new Set<TimerHandle>();
  let stopped = false;
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after(delayMs, task) {
      if (stopped) return { cancel: () => undefined };
      const timer = clock.after(delayMs, () => {
        timers.delete(timer);
        task();
      });
      timers.add(timer);
      return {
        cancel: () => {
          timers.delete(timer);
          timer.cancel();
        },
      };
    },
    stop() {
      stopped = true;
      for (const timer of timers) timer.cancel();
      timers.clear();
    },
  };
}
