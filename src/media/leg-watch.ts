import type { MediaEvent, MediaLeg, SilenceCause } from './media.ts';

/**
 * Notices a leg that falls silent: one `silent` when nothing came for `silentAfterMs`, one
 * `heard` when it comes again. It begins to count when it is started, or at the last packet. What
 * came and could not be used is noted, because it tells why nothing is heard.
 */
export class LegWatch {
  readonly #leg: MediaLeg;
  readonly #silentAfterMs: number;
  #since: number | undefined;
  #silent = false;
  #everHeard = false;
  #useless: SilenceCause | null = null;

  constructor(leg: MediaLeg, silentAfterMs: number) {
    this.#leg = leg;
    this.#silentAfterMs = silentAfterMs;
  }

  start(now: number): void {
    this.#since = now;
  }

  /** No sound is expected: a leg on hold that said it will not send. That ends a silence too. */
  stop(): MediaEvent | null {
    this.#since = undefined;
    if (!this.#silent) return null;
    this.#silent = false;
    return { kind: 'heard', leg: this.#leg };
  }

  /** A packet came that cannot be used. */
  noteUseless(cause: SilenceCause): void {
    this.#useless = cause;
  }

  /** RTP or RTCP came in. */
  heard(now: number): MediaEvent | null {
    this.#everHeard = true;
    this.#useless = null;
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
    const cause = this.#useless ?? (this.#everHeard ? 'stopped' : 'never_sent');
    return { kind: 'silent', leg: this.#leg, silentMs: Math.round(silentMs), cause };
  }
}
