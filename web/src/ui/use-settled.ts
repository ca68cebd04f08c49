import { useEffect, useState } from 'react';
import { systemClock } from '../../../src/platform/clock.ts';

/** The value once it has stood still for a while: a question per word typed, not per letter. */
export function useSettled<T>(value: T, stillMs = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = systemClock.after(stillMs, () => setSettled(value));
    return () => timer.cancel();
  }, [value, stillMs]);
  return settled;
}
