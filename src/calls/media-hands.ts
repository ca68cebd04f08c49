import type {
  MediaCall,
  MediaEvent,
  MediaLeg,
  MediaStats,
  SilenceCause,
  Sound,
} from '../media/media.ts';
import { Failure, errorText } from '../platform/failure.ts';
import type { HoldBy } from './call-control.ts';
import type { PlayEnd } from './call-hands.ts';
import type { HandPorts, SessionTarget } from './call-session.ts';

/** A media plane that has not closed a call by then is given up; the call must end all the same. */
const MEDIA_CLOSE_MS = 8_000;
const KEY_RETRY_MS = 500;
/** The first repetition may cross an ACK that is on its way. */
const LOST_ACKS_MIN = 2;
const CUT_OFF: PlayEnd = { completed: false, trouble: null };

/**
 * The media of one session: opened once, closed once, its events turned into facts. Others may
 * listen as well, such as a script that waits for digits; they hear what happens, never less.
 */
export class MediaHands {
  readonly #ports: HandPorts;
  readonly #target: SessionTarget;
  readonly #listeners = new Set<(event: MediaEvent) => void>();
  readonly #plays = new Map<number, (end: PlayEnd) => void>();
  #media: MediaCall | null = null;
  #stats: MediaStats | null = null;
  #opening = false;
  #answerApplied = false;
  #lostAcks = 0;

  constructor(ports: HandPorts, target: SessionTarget) {
    this.#ports = ports;
    this.#target = target;
  }

  /** The open media of the call; null before it is open and once it is closed. */
  get call(): MediaCall | null {
    return this.#media;
  }

  /** Who has the customer on hold by our hand; the PBX's own hold is not ours. */
  heldBy: 'business' | 'script' | null = null;
  /** The endpoint holds by itself (re-INVITE). */
  heldByEndpoint = false;

  /** The endpoint repeated its answer: an ACK of ours was late or lost. */
  noteLostAck(): void {
    this.#lostAcks += 1;
  }

  /** Figures of the closed media; null before. */
  get stats(): MediaStats | null {
    return this.#stats;
  }

  /** Whoever comes on the line holds nobody yet: the holds that end with the one before. */
  endHolds(): HoldBy[] {
    const ended: HoldBy[] = this.heldByEndpoint ? ['endpoint'] : [];
    if (this.heldBy !== null) ended.push(this.heldBy);
    this.heldBy = null;
    this.heldByEndpoint = false;
    return ended;
  }

  /** Returns the way to stop listening. */
  listen(listener: (event: MediaEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  open(): void {
    if (this.#opening) return;
    this.#opening = true;
    const { media, callId, isDone, poke, hangUp, advertisedAddress } = this.#ports;
    const isSdes = this.#target.line.keyExchange === 'sdes';
    const onEvent = (event: MediaEvent): void => this.#onEvent(event);
    media.openCall({ callId, onEvent, ...(isSdes ? { sdes: { advertisedAddress } } : {}) }).then(
      (opened) => {
        this.#media = opened;
        // The call may have gone down meanwhile; then nobody else would close it.
        if (isDone()) void this.close();
        else poke();
      },
      (error: unknown) => hangUp('platform', this.#trouble(error)),
    );
  }

  /** Resolves when the sound has ended, or cannot be heard any more. */
  play(leg: MediaLeg, sound: Sound, options: { loop: boolean; interrupt: boolean }) {
    const media = this.#media;
    const { promise, resolve } = Promise.withResolvers<PlayEnd>();
    if (media === null) return Promise.resolve(CUT_OFF);
    this.#plays.set(media.play(leg, sound, options), resolve);
    return promise;
  }

  applyAnswer(media: MediaCall, sdp: string): void {
    if (this.#answerApplied) return;
    this.#answerApplied = true;
    media
      .applyAnswer(sdp)
      .catch((error: unknown) => this.#ports.hangUp('platform', this.#trouble(error)));
  }

  async close(): Promise<void> {
    const media = this.#media;
    if (media === null) return;
    this.#media = null;
    for (const end of this.#plays.values()) end(CUT_OFF);
    this.#plays.clear();
    const late = Promise.withResolvers<null>();
    const timer = this.#ports.clock.after(MEDIA_CLOSE_MS, () => late.resolve(null));
    const closed = media.close().catch((error: unknown) => {
      this.#trouble(error);
      return null;
    });
    this.#stats = await Promise.race([closed, late.promise]);
    timer.cancel();
  }

  #trouble(error: unknown): string {
    const { log, callId } = this.#ports;
    const reason = error instanceof Failure ? error.code : 'media_failed';
    log.warn({ callId, reason }, 'the media of this call failed');
    return reason;
  }

  #onEvent(event: MediaEvent): void {
    const { clock, log, callId, report, hangUp } = this.#ports;
    if (event.kind === 'connected') {
      const { kind: _kind, ...how } = event;
      report({ type: 'CallMediaConnected', at: clock.now(), ...how });
    } else if (event.kind === 'lost') hangUp('platform', event.cause);
    else if (event.kind === 'dtmf') this.#onKey(event.leg, event.digit, clock.monotonic());
    else if (event.kind === 'silent') {
      const { leg, silentMs } = event;
      const cause = this.#causeOf(event);
      log.warn({ callId, leg, cause, silentMs }, 'nothing heard');
      report({ type: 'CallAudioLost', at: clock.now(), leg, cause });
    } else if (event.kind === 'heard') {
      report({ type: 'CallAudioFound', at: clock.now(), leg: event.leg });
    } else if (event.kind === 'deadAir') {
      report({ type: 'CallDeadAir', at: clock.now(), silentMs: event.silentMs });
    } else if (event.kind === 'played') {
      this.#plays.get(event.playId)?.(endOf(event));
      this.#plays.delete(event.playId);
    }
    for (const listener of this.#listeners) listener(event);
  }

  /**
   * An endpoint that has repeated its answer twice waits for an ACK that does not arrive, and many
   * send no sound before it: that is why nothing ever came.
   */
  #causeOf({ leg, cause }: Extract<MediaEvent, { kind: 'silent' }>): SilenceCause {
    const waitsForAck = leg === 'endpoint' && this.#lostAcks >= LOST_ACKS_MIN;
    return waitsForAck && cause === 'never_sent' ? 'ack_lost' : cause;
  }

  /** A stop is tried until it is recorded, also when the call has ended meanwhile. */
  #onKey(leg: MediaLeg, digit: string, pressedAt: number): void {
    if (leg !== 'whatsapp' || digit !== this.#target.line.optOutKey) return;
    // A script knows the key too, and that inside a number it is only a digit.
    if ((this.#ports.state().plan.script ?? null) !== null) return;
    const { stopByKey, clock, log, callId, poke } = this.#ports;
    stopByKey(callId, clock.monotonic() - pressedAt).then(
      () => poke(),
      (error: unknown) => {
        log.error({ callId, error: errorText(error) }, 'key press was not recorded');
        clock.after(KEY_RETRY_MS, () => this.#onKey(leg, digit, pressedAt));
      },
    );
  }
}

function endOf(event: Extract<MediaEvent, { kind: 'played' }>): PlayEnd {
  return { completed: event.completed, trouble: event.trouble ?? null };
}
