import type { Clock } from '../platform/clock.ts';
import { openRowTimer, type RowTimer } from '../platform/row-timer.ts';
import type { DialedCall, Dialer } from './dialer.ts';

export type DueWatchPorts = {
  clock: Clock;
  dialer: Dialer;
  /** How many more calls there is room for. */
  room: () => number;
  adopt: (dialed: DialedCall) => void;
  onError: (error: unknown) => void;
};

const POLL_MS = 250;

/**
 * Decides when to look for due calls: at once after a wake, at the very moment the next call
 * falls due, right again while there is more to dial, and every quarter of a second whatever
 * happens, because another process may have queued a call.
 */
export function openDueWatch(ports: DueWatchPorts): RowTimer {
  const { clock, dialer } = ports;
  /** One claim; returns when the next one is worth while, in ms since 1970. */
  const claim = async (): Promise<number> => {
    const room = ports.room();
    if (room <= 0) return Infinity;
    const { dialed, lookAgainAt, errors } = await dialer.claim(room);
    for (const call of dialed) ports.adopt(call);
    for (const error of errors) ports.onError(error);
    // What failed will most likely fail again: the poll is soon enough.
    return errors.length > 0 ? Infinity : (lookAgainAt ?? Infinity);
  };
  return openRowTimer({
    clock,
    atMostMs: POLL_MS,
    sweep: async (isOpen) => {
      let nextAt = await claim();
      while (isOpen() && nextAt <= clock.now()) nextAt = await claim();
      return nextAt;
    },
    onError: ports.onError,
  });
}
