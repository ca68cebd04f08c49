import type { Clock, TimerHandle } from '../platform/clock.ts';
import type { DialedCall, Dialer } from './dialer.ts';

/**
 * Decides when to look for due calls: at once after a wake, at the very moment the next call
 * falls due, right again while there is more to dial, and every quarter of a second whatever
 * happens, because another process may have queued a call.
 */
export type DueWatch = {
  wake(): void;
  /** Looks no more, and waits for the claim that is under way. */
  close(): Promise<void>;
};

export type DueWatchPorts = {
  clock: Clock;
  dialer: Dialer;
  /** How many more calls there is room for. */
  room: () => number;
  adopt: (dialed: DialedCall) => void;
  onError: (error: unknown) => void;
};

const POLL_MS = 250;

export function openDueWatch(ports: DueWatchPorts): DueWatch {
  const { clock, dialer } = ports;
  let closed = false;
  const isOpen = (): boolean => !closed;
  let woken = false;
  let timer: TimerHandle | undefined;
  let running: Promise<void> | null = null;

  /** One claim; returns when the next one is worth while, in ms since 1970. */
  const claim = async (): Promise<number> => {
    const room = ports.room();
    if (room <= 0) return Infinity;
    try {
      const { dialed, lookAgainAt, errors } = await dialer.claim(room);
      for (const call of dialed) ports.adopt(call);
      for (const error of errors) ports.onError(error);
      // What failed will most likely fail again: the poll is soon enough.
      return errors.length > 0 ? Infinity : (lookAgainAt ?? Infinity);
    } catch (error) {
      ports.onError(error);
      return Infinity;
    }
  };

  // One claim at a time; a wake during a claim causes exactly one more.
  const look = async (): Promise<void> => {
    timer?.cancel();
    let nextAt = 0;
    while (isOpen() && (woken || nextAt <= clock.now())) {
      woken = false;
      nextAt = await claim();
    }
    running = null;
    if (isOpen()) timer = clock.after(Math.min(POLL_MS, nextAt - clock.now()), start);
  };
  const start = (): void => {
    woken = true;
    running ??= look();
  };
  start();

  return {
    wake: start,
    async close() {
      closed = true;
      timer?.cancel();
      await running;
    },
  };
}
