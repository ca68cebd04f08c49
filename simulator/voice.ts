import { Application, createDecoder, createEncoder, type OpusDecoderHandle } from 'libopus-wasm';
import type { Clock, TimerHandle } from '../src/platform/clock.ts';
import { heardTones, toneSamples } from './tone.ts';
import type { OutgoingRtp } from './webrtc-peer.ts';

/** 20 ms of Opus at its 48000 Hz RTP clock. */
const FRAME_MS = 20;
const FRAME_SAMPLES = 960;

/**
 * What a person says: a tone, and now and then keypad digits. One stream, one packet every 20 ms,
 * paced by the clock without drift.
 */
export class Voice {
  readonly #clock: Clock;
  readonly #send: (packet: OutgoingRtp) => void;
  readonly #payloadTypes: { opus: number; dtmf: number };
  readonly #frames: readonly Uint8Array[];
  #timer: TimerHandle | undefined;
  #startedAt = 0;
  #ticks = 0;
  #timestamp: number;
  #passed = 0;
  #talking = true;
  /** Packets of the digits still to be sent; each takes the place of a frame. */
  readonly #events: Array<{ payload: Uint8Array; startsDigit: boolean; pause: boolean }> = [];
  #eventTimestamp = 0;
  #marker = true;

  constructor(options: {
    clock: Clock;
    frames: readonly Uint8Array[];
    payloadTypes: { opus: number; dtmf: number };
    firstTimestamp: number;
    send: (packet: OutgoingRtp) => void;
  }) {
    this.#clock = options.clock;
    this.#frames = options.frames;
    this.#payloadTypes = options.payloadTypes;
    this.#timestamp = options.firstTimestamp;
    this.#send = options.send;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#startedAt = this.#clock.monotonic();
    this.#ticks = 0;
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** While somebody else's voice passes through, only digits are sent. */
  setTalking(talking: boolean): void {
    this.#talking = talking;
    this.#marker = true;
  }

  /** RFC 4733: 100 ms each, three end packets, 60 ms of ordinary audio in between. */
  press(digits: string): void {
    for (const digit of digits) {
      const code = '0123456789*#'.indexOf(digit);
      for (let step = 1; step <= 5; step += 1) {
        const payload = eventPayload(code, step * 160, false);
        this.#events.push({ payload, startsDigit: step === 1, pause: false });
      }
      for (let repeat = 0; repeat < 3; repeat += 1) {
        const payload = eventPayload(code, 800, true);
        this.#events.push({ payload, startsDigit: false, pause: false });
      }
      for (let gap = 0; gap < 3; gap += 1) {
        this.#events.push({ payload: new Uint8Array(0), startsDigit: false, pause: true });
      }
    }
  }

  /** Sends somebody else's Opus frame in place of the tone. */
  pass(payload: Uint8Array): void {
    // The microphone keeps its own pace: never go back, and catch up after a pause.
    this.#passed = Math.max(this.#passed + FRAME_SAMPLES, this.#timestamp);
    const payloadType = this.#payloadTypes.opus;
    this.#send({ payloadType, timestamp: this.#passed, marker: this.#marker, payload });
    this.#marker = false;
  }

  #arm(): void {
    this.#ticks += 1;
    const dueAt = this.#startedAt + this.#ticks * FRAME_MS;
    this.#timer = this.#clock.after(Math.max(0, dueAt - this.#clock.monotonic()), () => {
      this.#tick();
      this.#arm();
    });
  }

  #tick(): void {
    this.#timestamp += FRAME_SAMPLES;
    const event = this.#events.shift();
    if (event !== undefined && !event.pause) {
      if (event.startsDigit) this.#eventTimestamp = this.#timestamp;
      this.#send({
        payloadType: this.#payloadTypes.dtmf,
        timestamp: this.#eventTimestamp,
        marker: event.startsDigit,
        payload: event.payload,
      });
      return;
    }
    const frame = this.#frames[this.#ticks % this.#frames.length];
    if (!this.#talking || frame === undefined) return;
    this.#send({
      payloadType: this.#payloadTypes.opus,
      timestamp: this.#timestamp,
      marker: this.#marker,
      payload: frame,
    });
    this.#marker = false;
  }
}

/** RFC 4733 section 2.3: event, end bit, volume, duration in 8000 Hz units. */
function eventPayload(code: number, duration: number, end: boolean): Uint8Array {
  return Uint8Array.of(code, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff);
}

/**
 * One second of a tone as 50 Opus packets, to be repeated. Encoded once, shared by all calls:
 * a whole number of periods fits, so the seam cannot be heard.
 */
export async function toneFrames(hz: number): Promise<Uint8Array[]> {
  using encoder = await createEncoder({
    sampleRate: 48_000,
    channels: 1,
    application: Application.Voip,
    bitrate: 20_000,
    frameSize: FRAME_SAMPLES,
  });
  const frames: Uint8Array[] = [];
  // The first second lets the encoder settle; the second one is kept.
  for (let index = 0; index < 100; index += 1) {
    const pcm = toneSamples(hz, 48_000, FRAME_SAMPLES, index * FRAME_SAMPLES);
    const packet = encoder.encode(pcm);
    if (index >= 50) frames.push(Uint8Array.from(packet));
  }
  return frames;
}

const EAR_RATE = 8000;
const WINDOW_SAMPLES = EAR_RATE / 5;

/** What a person hears: decodes Opus and says which tones are in it, five times a second. */
export class Ear {
  readonly #decoder: OpusDecoderHandle;
  readonly #onHeard: (hz: number[]) => void;
  readonly #window = new Int16Array(WINDOW_SAMPLES);
  #filled = 0;

  static async open(onHeard: (hz: number[]) => void): Promise<Ear> {
    return new Ear(await createDecoder({ sampleRate: EAR_RATE, channels: 1 }), onHeard);
  }

  constructor(decoder: OpusDecoderHandle, onHeard: (hz: number[]) => void) {
    this.#decoder = decoder;
    this.#onHeard = onHeard;
  }

  hear(payload: Uint8Array): void {
    let pcm: Int16Array;
    try {
      pcm = this.#decoder.decode(payload);
    } catch {
      // A damaged packet is silence to a listener, and no reason to hang up.
      return;
    }
    for (const sample of pcm) {
      this.#window[this.#filled] = sample;
      this.#filled += 1;
      if (this.#filled < WINDOW_SAMPLES) continue;
      this.#filled = 0;
      this.#onHeard(heardTones(this.#window, EAR_RATE));
    }
  }

  close(): void {
    this.#decoder.free();
  }
}
