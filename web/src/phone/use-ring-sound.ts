import { useEffect, useState } from 'react';
import { startRinging } from './ring-tone.ts';

const STORAGE_NAME = 'askfirst.ringSound';

/** Rings while `ringing`, unless the person at the screen has switched the sound off. */
export function useRingSound(ringing: boolean): { on: boolean; setOn(on: boolean): void } {
  const [on, setOnState] = useState(() => localStorage.getItem(STORAGE_NAME) !== 'off');
  useEffect(() => (ringing && on ? startRinging() : undefined), [ringing, on]);
  return {
    on,
    setOn(next) {
      localStorage.setItem(STORAGE_NAME, next ? 'on' : 'off');
      setOnState(next);
    },
  };
}
