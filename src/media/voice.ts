import { FRAME_SAMPLES, type FrameCodec } from './frame-codec.ts';
import { Playout } from './playout.ts';
import type { RtpPacket } from './rtp.ts';

/**
 * What is said on a leg, as linear sound: 20 ms per `advance`, decoded once however many others
 * hear it. It costs nothing while nobody wants it, which is so wherever packets pass untouched.
 */
export class Voice {
  #codec: FrameCodec | null = null;
  #playout: Playout | undefined;
  #wanted = false;
  #frame: Int16Array | null = null;
  #lateBefore = 0;
  #concealedBefore = 0;

  /** Packets that came too late to be played, over the whole call. */
  get late(): number {
    return this.#lateBefore + (this.#playout?.late ?? 0);
  }

  /** Frames made up for missing packets, over the whole call. */
  get concealed(): number {
    return this.#concealedBefore + (this.#playout?.concealed ?? 0);
  }

  /** How long sound waits here before it is heard, in milliseconds; 0 where it passes untouched. */
  get delayMs(): number {
    return this.#playout?.delayMs ?? 0;
  }

  /** How it is decoded; a new codec starts with an empty buffer. */
  setCodec(codec: FrameCodec | null): void {
    if (codec === this.#codec) return;
    this.#codec = codec;
    this.#restart();
  }

  /** Sound from before a pause, a hold for instance, must not be heard after it. */
  setWanted(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#restart();
  }

  push(packet: RtpPacket): void {
    this.#playout?.push(packet);
  }

  /** Once per 20 ms, before anybody takes `frame`; nobody taking it must not make it lag. */
  advance(): void {
    if (this.#playout !== undefined) this.#frame = this.#playout.next();
  }

  /** The 160 samples of this frame, or `null` when nothing is heard. */
  get frame(): Int16Array | null {
    return this.#frame;
  }

  #restart(): void {
    this.#frame = null;
    this.#lateBefore = this.late;
    this.#concealedBefore = this.concealed;
    const isOn = this.#wanted && this.#codec !== null;
    this.#playout = isOn && this.#codec !== null ? new Playout(this.#codec) : undefined;
  }
}

const SAMPLE_MAX = 32_767;
const SAMPLE_MIN = -32_768;

/** All voices at once; what is too loud together is cut off, as telephone mixers do. */
export function mixVoices(voices: readonly Pick<Voice, 'frame'>[]): Int16Array | null {
  let first: Int16Array | null = null;
  let sum: Int16Array | null = null;
  for (const { frame } of voices) {
    if (frame === null) continue;
    if (first === null) {
      first = frame;
      continue;
    }
    // The frames belong to their voices, which others hear too.
    sum ??= Int16Array.from(first);
    for (let at = 0; at < FRAME_SAMPLES; at += 1) {
      const both = (sum[at] ?? 0) + (frame[at] ?? 0);
      sum[at] = both > SAMPLE_MAX ? SAMPLE_MAX : both < SAMPLE_MIN ? SAMPLE_MIN : both;
    }
  }
  return sum ?? first;
}
