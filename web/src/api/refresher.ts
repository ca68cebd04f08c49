import type { Clock, TimerHandle } from '../../../src/platform/clock.ts';

/**
 * A burst of changes is one look at the server; the first of a burst is looked at at once. While
 * changes go on the looks get rarer, for each costs a dozen requests of the key.
 */
const APART_MS = 300;
const APART_MAX_MS = 2_400;

export type Refresher = { changed: () => void; stop: () => void };

/** Runs `refresh` when something changed, 300 ms to 2.4 s apart and never missing the last. */
export function makeRefresher(clock: Clock, refresh: () => void): Refresher {
  let timer: TimerHandle | undefined;
  let again = false;
  const rest = (apartMs: number): void => {
    timer = clock.after(apartMs, () => {
      timer = undefined;
      if (!again) return;
      again = false;
      refresh();
      rest(Math.min(2 * apartMs, APART_MAX_MS));
    });
  };
  return {
    changed() {
      if (timer !== undefined) {
        again = true;
        return;
      }
      refresh();
      rest(APART_MS);
    },
    stop() {
      timer?.cancel();
    },
  };
}
