import { useEffect, useState } from 'react';
import { systemClock, type TimerHandle } from '../../../src/platform/clock.ts';

/** The time of day, renewed on every full second while `running`; for countdowns and timers. */
export function useNow(running = true): number {
  const [now, setNow] = useState(() => systemClock.now());
  useEffect(() => {
    if (!running) return undefined;
    let timer: TimerHandle;
    const tick = (): void => {
      const at = systemClock.now();
      setNow(at);
      timer = systemClock.after(1000 - (at % 1000), tick);
    };
    tick();
    return () => timer.cancel();
  }, [running]);
  return now;
}
