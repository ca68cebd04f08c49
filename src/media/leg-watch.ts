import type { MediaEvent, MediaLeg, SilenceCause } from './media.ts';

/**
 * Notices a leg that falls silent: one `silent` when nothing came for `silentAfterMs`, one
 * `heard` when it comes again. It begins to count when it is started, or at the last packet. What
 * came and could not be used is noted, because it tells why nothing is heard. A leg from which
 * packets come, but never yet a sound, is `silent` as well: it is muted, or its microphone is dead.
 */
export class LegWatch {
  readonly #leg: MediaLeg;
  readonly #silentAfterMs: number;
  #since: number | undefined;
  readonly #mutedAfterMs: number;
  #startedAt = 0;
  #silent = false;
  #muted = false;
  #everSounded = false;
  #everHeard = false;
  #useless: SilenceCause | null = null;

  constructor(leg: MediaLeg, silentAfterMs: number) {
    this.#leg = leg;
    this.#silentAfterMs = silentAfterMs;
    // The customer listens first: a quiet one says nothing while the agent greets.
    this.#mutedAfterMs = leg === 'whatsapp' ? 3 * silentAfterMs : silentAfterMs;
  }

  start(now: number): void {
    this.#since = now;
    this.#startedAt = now;
  }

  /** No sound is expected: a leg on hold that said it will not send. That ends a silence too. */
  stop(): MediaEvent | null {
    this.#since = undefined;
    return this.#heardAgain();
  }

  /** A packet came that is not silence. */
  noteSound(): void {
    this.#everSounded = true;
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
    return this.#muted ? null : this.#heardAgain();
  }

  tick(now: number): MediaEvent | null {
    if (this.#since === undefined) return null;
    if (this.#muted && this.#everSounded) return this.#heardAgain();
    if (this.#silent) return null;
    const silentMs = now - this.#since;
    if (silentMs >= this.#silentAfterMs) {
      return this.#tell(silentMs, this.#useless ?? (this.#everHeard ? 'stopped' : 'never_sent'));
    }
    const soundlessMs = now - this.#startedAt;
    if (this.#everSounded || soundlessMs < this.#mutedAfterMs) return null;
    this.#muted = true;
    return this.#tell(soundlessMs, 'muted');
  }

  #tell(silentMs: number, cause: SilenceCause): MediaEvent {
    this.#silent = true;
    return { kind: 'silent', leg: this.#leg, silentMs: Math.round(silentMs), cause };
  }

  #heardAgain(): MediaEvent | null {
    this.#muted = false;
    if (!this.#silent) return null;
    this.#silent = false;
    return { kind: 'heard', leg: this.#leg };
  }
}
