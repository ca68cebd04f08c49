import { timestampAhead } from './rtp.ts';

/** RFC 4733 section 3.2: event codes 0 to 15 in this order. */
export const DTMF_DIGITS = '0123456789*#ABCD';

export type TelephoneEvent = { code: number; end: boolean; volume: number; duration: number };
export type DigitHeard = { digit: string; durationMs: number };

/** Reads the four bytes of RFC 4733 section 2.3; `null` where they are not a DTMF event. */
export function parseTelephoneEvent(payload: Uint8Array): TelephoneEvent | null {
  if (payload.length < 4) return null;
  const [code = 255, flags = 0, high = 0, low = 0] = payload;
  if (code >= DTMF_DIGITS.length) return null;
  return { code, end: (flags & 0x80) !== 0, volume: flags & 0x3f, duration: (high << 8) | low };
}

export function buildTelephoneEvent(event: TelephoneEvent): Uint8Array {
  const flags = (event.end ? 0x80 : 0) | (event.volume & 0x3f);
  return Uint8Array.of(event.code, flags, event.duration >> 8, event.duration & 0xff);
}

/** An event that stops without an end packet is over after this long: all three were lost. */
const LOST_END_MS = 120;

type Sounding = { timestamp: number; code: number; duration: number; heardAt: number };

/**
 * Turns received telephone events into digits, each exactly once: all packets of one event,
 * its retransmitted ends included, share one timestamp (RFC 4733 section 2.5.1.3).
 */
export class DtmfReceiver {
  #sounding: Sounding | undefined;
  #finished: number | undefined;

  /** `clockRate` is that of the event's payload type, 8000 or 48000. */
  handle(
    packet: { timestamp: number; payload: Uint8Array; clockRate: number },
    now: number,
  ): DigitHeard[] {
    const event = parseTelephoneEvent(packet.payload);
    if (event === null) return [];
    // Older than the last finished event: a late or repeated packet, never a new digit.
    if (this.#finished !== undefined && timestampAhead(this.#finished, packet.timestamp) <= 0) {
      return [];
    }
    const heard: DigitHeard[] = [];
    if (this.#sounding !== undefined && this.#sounding.timestamp !== packet.timestamp) {
      if (timestampAhead(this.#sounding.timestamp, packet.timestamp) < 0) return [];
      heard.push(this.#finish(this.#sounding));
    }
    const durationMs = (event.duration * 1000) / packet.clockRate;
    const longest = Math.max(durationMs, this.#sounding?.duration ?? 0);
    this.#sounding = {
      timestamp: packet.timestamp,
      code: event.code,
      duration: longest,
      heardAt: now,
    };
    if (event.end) heard.push(this.#finish(this.#sounding));
    return heard;
  }

  /** Ends an event whose end packets were all lost; call it every frame. */
  tick(now: number): DigitHeard[] {
    const sounding = this.#sounding;
    if (sounding === undefined || now - sounding.heardAt < LOST_END_MS) return [];
    return [this.#finish(sounding)];
  }

  #finish(sounding: Sounding): DigitHeard {
    this.#sounding = undefined;
    this.#finished = sounding.timestamp;
    return { digit: DTMF_DIGITS.charAt(sounding.code), durationMs: Math.round(sounding.duration) };
  }
}

export type EventToSend = { payload: Uint8Array; starts: boolean };

const FRAME_MS = 20;
const END_PACKETS = 3;
/** Long enough for every detector, short enough to type with (Q.24 asks for at least 40 ms). */
const DEFAULT_TONE_MS = 100;
const LONGEST_TONE_MS = 5_000;
const PAUSE_FRAMES = 3;
const QUEUE_MAX = 64;

type Sending = { code: number; frames: number; frame: number; endsSent: number };

/**
 * Plays queued digits as telephone events, one packet per 20 ms: updates with growing duration,
 * then the end three times (RFC 4733 section 2.5.1.4), then a short pause.
 */
export class DtmfSender {
  #queue: { code: number; frames: number }[] = [];
  #sending: Sending | undefined;
  #pause = 0;

  /** Queues one digit; anything that is no DTMF digit, or too many of them, is ignored. */
  queue(digit: string, durationMs: number = DEFAULT_TONE_MS): void {
    const code = DTMF_DIGITS.indexOf(digit.toUpperCase());
    if (code < 0 || digit.length !== 1 || this.#queue.length >= QUEUE_MAX) return;
    const tone = Math.min(Math.max(durationMs, 2 * FRAME_MS), LONGEST_TONE_MS);
    this.#queue.push({ code, frames: Math.round(tone / FRAME_MS) });
  }

  /** Forgets what is being sent and what waits. */
  clear(): void {
    this.#queue = [];
    this.#sending = undefined;
    this.#pause = 0;
  }

  get busy(): boolean {
    return this.#sending !== undefined || (this.#pause === 0 && this.#queue.length > 0);
  }

  /** The packet for this 20 ms frame, or `null` when audio may be sent. */
  next(clockRate: number): EventToSend | null {
    if (this.#sending === undefined) {
      if (this.#pause > 0) {
        this.#pause -= 1;
        return null;
      }
      const digit = this.#queue.shift();
      if (digit === undefined) return null;
      this.#sending = { ...digit, frame: 0, endsSent: 0 };
    }
    const sending = this.#sending;
    sending.frame = Math.min(sending.frame + 1, sending.frames);
    const end = sending.frame === sending.frames;
    const duration = Math.min((sending.frame * FRAME_MS * clockRate) / 1000, 0xffff);
    const starts = sending.frame === 1 && sending.endsSent === 0;
    if (end) sending.endsSent += 1;
    if (sending.endsSent === END_PACKETS) {
      this.#sending = undefined;
      this.#pause = PAUSE_FRAMES;
    }
    return {
      payload: buildTelephoneEvent({ code: sending.code, end, volume: 10, duration }),
      starts,
    };
  }
}
