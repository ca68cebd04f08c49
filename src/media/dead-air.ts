import type { MediaEvent } from './media.ts';

/** Long enough for a look into the records, short enough that somebody is still on the line. */
export const DEAD_AIR_AFTER_MS = 10_000;

/**
 * Notices a call in which two are connected and neither makes a sound: told once, and again only
 * after somebody was heard. Packets of silence do not count as sound; see `leg-sound.ts`.
 */
export class DeadAirWatch {
  #since: number | undefined;
  #told = false;

  /**
   * Runs every 20 ms. `connected`: both should be hearing each other now. `soundAt` is when
   * either of them was heard last.
   */
  tick(now: number, connected: boolean, soundAt: number | null): MediaEvent | null {
    if (!connected) {
      this.#since = undefined;
      return null;
    }
    this.#since ??= now;
    if (soundAt !== null && soundAt > this.#since) {
      this.#since = soundAt;
      this.#told = false;
    }
    const silentMs = now - this.#since;
    if (this.#told || silentMs < DEAD_AIR_AFTER_MS) return null;
    this.#told = true;
    return { kind: 'deadAir', silentMs: Math.round(silentMs) };
  }
}
