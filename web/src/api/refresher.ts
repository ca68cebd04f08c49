import type { Clock, TimerHandle } from '../../../src/platform/clock.ts';

/** A burst of changes is one look at the server; the first of a burst is looked at at once. */
const APART_MS = 300;

export type Refresher = { changed: () => void; stop: () => void };

/** Runs `refresh` when something changed, at most once per 300 ms and never missing the last. */
export function makeRefresher(clock: Clock, refresh: () => void): Refresher {
  let timer: TimerHandle | undefined;
  let again = false;
  const rest = (): void => {
    timer = clock.after(APART_MS, () => {
      timer = undefined;
      if (!again) return;
      again = false;
      refresh();
      rest();
    });
  };
  return {
    changed() {
      if (timer !== undefined) {
        again = true;
        return;
      }
      refresh();
      rest();
    },
    stop() {
      timer?.cancel();
    },
  };
}
