import type { MediaEvent, MediaLeg } from './media.ts';

/**
 * Notices a leg that falls silent: one `silent` when nothing came for `silentAfterMs`, one
 * `heard` when it comes again. It begins to count when it is started, or at the last packet.
 */
export class LegWatch {
  readonly #leg: MediaLeg;
  readonly #silentAfterMs: number;
  #since: number | undefined;
  #silent = false;

  constructor(leg: MediaLeg, silentAfterMs: number) {
    this.#leg = leg;
    this.#silentAfterMs = silentAfterMs;
  }

  start(now: number): void {
    this.#since = now;
  }

  /** No sound is expected: a leg on hold that said it will not send. */
  stop(): void {
    this.#since = undefined;
    this.#silent = false;
  }

  /** RTP or RTCP came in. */
  heard(now: number): MediaEvent | null {
    if (this.#since !== undefined) this.#since = now;
    if (!this.#silent) return null;
    this.#silent = false;
    return { kind: 'heard', leg: this.#leg };
  }

  tick(now: number): MediaEvent | null {
    if (this.#since === undefined || this.#silent) return null;
    const silentMs = now - this.#since;
    if (silentMs < this.#silentAfterMs) return null;
    this.#silent = true;
    return { kind: 'silent', leg: this.#leg, silentMs: Math.round(silentMs) };
  }
}
