import type { Clock, TimerHandle } from '../../src/platform/clock.ts';
import type { Random } from '../../src/platform/random.ts';
import { heardTones, toneSamples } from '../tone.ts';
import type { Behaviour } from './behaviour.ts';
import { FRAME_SAMPLES, openCodec, RATE_HZ, type FrameCodec } from './pbx-codec.ts';
import type { PbxSession } from './pbx-sdp.ts';
import { openRtpPort, type RtpPacket, type RtpPort } from './rtp-port.ts';

/** The sound of one call: what is played every 20 ms, and what is heard. */
export type PbxMediaParts = {
  clock: Clock;
  random: Random;
  host: string;
  session: PbxSession;
  plays: Behaviour['plays'];
  greeting: Int16Array;
  /** A tone or a digit was heard for the first time. */
  onHeard: () => void;
  /** Nothing has come from the caller for `SILENT_MS`; told once. */
  onSilent: () => void;
};

const FRAME_MS = 20;
/** A caller that sends nothing for so long is gone, whether or not it said BYE. */
const SILENT_MS = 25_000;
/** Frames kept before the echo starts, against jitter, and at most. */
const ECHO_START = 3;
const ECHO_MAX = 50;
/** Tones are looked for in windows of 200 ms; one must be in two in a row to count. */
const WINDOW_FRAMES = 10;
const HOLD_HZ = 440;
const DIGITS = '0123456789*#ABCD';

export class PbxMedia {
  readonly #parts: PbxMediaParts;
  readonly #codec: FrameCodec;
  #port!: RtpPort;
  #timer: TimerHandle | undefined;
  #startedAt = 0;
  #lastHeardAt = 0;
  #silenceTold = false;
  #frames = 0;
  #sentAudio = false;
  #onHold = false;
  #echo: Int16Array[] = [];
  #echoing = false;
  #window: Int16Array[] = [];
  #heardBefore: number[] = [];
  #digitTimestamp: number | undefined;
  #timestampBase: number;
  packetsIn = 0;
  packetsOut = 0;
  readonly heardHz: number[] = [];
  digits = '';

  private constructor(parts: PbxMediaParts, codec: FrameCodec) {
    this.#parts = parts;
    this.#codec = codec;
    this.#timestampBase = parts.random.below(2 ** 31);
  }

  static async open(parts: PbxMediaParts): Promise<PbxMedia> {
    const media = new PbxMedia(parts, await openCodec(parts.session.codec));
    media.#port = await openRtpPort(
      {
        host: parts.host,
        ssrc: parts.random.below(2 ** 32),
        firstSequence: parts.random.below(2 ** 15),
      },
      (packet) => media.#receive(packet),
    );
    return media;
  }

  get port(): number {
    return this.#port.port;
  }

  /** Starts playing toward the caller's address. */
  start(): void {
    this.#port.aim(this.#parts.session.address, this.#parts.session.port);
    this.#startedAt = this.#parts.clock.monotonic();
    this.#lastHeardAt = this.#startedAt;
    this.#arm();
  }

  /** On hold the caller hears a tone instead of itself. */
  hold(onHold: boolean): void {
    this.#onHold = onHold;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#port.close();
    this.#codec.free();
  }

  /** Each tick is set against the start, not against the last one, so lateness never adds up. */
  #arm(): void {
    const dueAt = this.#startedAt + this.#frames * FRAME_MS;
    this.#timer = this.#parts.clock.after(dueAt - this.#parts.clock.monotonic(), () => {
      this.#tick();
      this.#arm();
      this.#watchSilence();
    });
  }

  #watchSilence(): void {
    const silentMs = this.#parts.clock.monotonic() - this.#lastHeardAt;
    if (silentMs < SILENT_MS || this.#silenceTold) return;
    this.#silenceTold = true;
    this.#parts.onSilent();
  }

  #tick(): void {
    const step = this.#codec.timestampStep;
    const timestamp = this.#timestampBase + this.#frames * step;
    const payload = this.#codec.encode(this.#nextFrame());
    const { payloadType } = this.#parts.session;
    if (this.#port.send(payloadType, timestamp, payload, !this.#sentAudio)) this.packetsOut += 1;
    this.#sentAudio = true;
    this.#frames += 1;
  }

  #nextFrame(): Int16Array {
    const start = this.#frames * FRAME_SAMPLES;
    const { plays, greeting } = this.#parts;
    if (this.#onHold) return toneSamples(HOLD_HZ, RATE_HZ, FRAME_SAMPLES, start);
    if (plays.kind === 'tone') return toneSamples(plays.hz, RATE_HZ, FRAME_SAMPLES, start);
    if (plays.greeting && start < greeting.length) {
      // What was said during the greeting would come back late: forget it.
      this.#echo = [];
      const frame = new Int16Array(FRAME_SAMPLES);
      frame.set(greeting.subarray(start, start + FRAME_SAMPLES));
      return frame;
    }
    if (!this.#echoing && this.#echo.length >= ECHO_START) this.#echoing = true;
    const frame = this.#echoing ? this.#echo.shift() : undefined;
    if (frame === undefined) this.#echoing = false;
    return frame ?? new Int16Array(FRAME_SAMPLES);
  }

  #receive(packet: RtpPacket): void {
    this.packetsIn += 1;
    this.#lastHeardAt = this.#parts.clock.monotonic();
    const { session } = this.#parts;
    if (packet.payloadType === session.digitsPayloadType) return this.#receiveDigit(packet);
    if (packet.payloadType !== session.payloadType) return;
    const samples = this.#codec.decode(packet.payload);
    if (samples === undefined || samples.length === 0) return;
    if (this.#echo.length < ECHO_MAX) this.#echo.push(samples.slice(0, FRAME_SAMPLES));
    this.#listen(samples);
  }

  /** RFC 4733 section 2.5.1.2: all packets of one event carry the timestamp of its start. */
  #receiveDigit(packet: RtpPacket): void {
    if (packet.payload.length < 4 || packet.timestamp === this.#digitTimestamp) return;
    this.#digitTimestamp = packet.timestamp;
    const digit = DIGITS[packet.payload[0] ?? 255];
    if (digit === undefined || this.digits.length >= 256) return;
    this.digits += digit;
    this.#parts.onHeard();
  }

  #listen(samples: Int16Array): void {
    this.#window.push(samples);
    if (this.#window.length < WINDOW_FRAMES) return;
    const joined = new Int16Array(this.#window.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#window) {
      joined.set(part, at);
      at += part.length;
    }
    this.#window = [];
    const heard = heardTones(joined, RATE_HZ);
    const fresh = heard.filter(
      (hz) => this.#heardBefore.includes(hz) && !this.heardHz.includes(hz),
    );
    this.#heardBefore = heard;
    if (fresh.length === 0) return;
    this.heardHz.push(...fresh);
    this.#parts.onHeard();
  }
}
