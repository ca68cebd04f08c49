import { FRAME_SAMPLES, type FrameCodec } from './frame-codec.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { PlayoutPace } from './playout-pace.ts';
import type { RtpPacket } from './rtp.ts';
import { lengthen, shorten } from './time-stretch.ts';

/** Frames of concealment before an empty buffer turns into plain silence. */
const CONCEALED_FRAMES_MAX = 3;
/** A hostile run of 120 ms packets must not pile up as sound of the past. */
const WAITING_SAMPLES_MAX = FRAME_SAMPLES * 12;

/**
 * Received packets in, exactly 20 ms of sound per call of `next` out, whatever the packets' own
 * length: through the jitter buffer, the decoder and loss concealment. The sound is made a period
 * of the voice shorter or longer now and then, so that the delay stays at what the network needs:
 * that meets a sender's faster or slower clock too.
 */
export class Playout {
  readonly #codec: FrameCodec;
  readonly #jitter: JitterBuffer;
  readonly #pace = new PlayoutPace();
  #frame = 0;
  #waiting: Int16Array[] = [];
  #waitingSamples = 0;
  #emptyFrames = CONCEALED_FRAMES_MAX;
  #lastPlayed: Int16Array = new Int16Array(FRAME_SAMPLES);
  #concealed = 0;

  constructor(codec: FrameCodec) {
    this.#codec = codec;
    this.#jitter = new JitterBuffer(codec.frameTicks);
  }

  /** Packets that came too late to be played. */
  get late(): number {
    return this.#jitter.late;
  }

  /** Frames made up for missing packets. */
  get concealed(): number {
    return this.#concealed;
  }

  /** How much sound waits, in milliseconds: what this side adds to the delay. */
  get delayMs(): number {
    return 20 * this.#level();
  }

  push(packet: RtpPacket): void {
    this.#jitter.push(packet, this.#frame);
  }

  /** 160 samples, or `null` when there is nothing to hear. */
  next(): Int16Array | null {
    this.#frame += 1;
    const wish = this.#pace.next(this.#level(), this.#jitter.targetDepth);
    let stretched = wish === 'even';
    while (this.#waitingSamples < FRAME_SAMPLES) {
      const popped = this.#jitter.pop();
      if (popped.kind === 'empty') return this.#conceal();
      this.#emptyFrames = 0;
      if (popped.kind === 'lost') {
        this.#concealed += 1;
        this.#append(this.#codec.conceal(this.#jitter.peek()?.payload));
        continue;
      }
      const samples = this.#codec.decode(popped.packet.payload);
      this.#append(stretched ? samples : this.#stretch(samples, wish));
      stretched = true;
    }
    return this.#take();
  }

  #level(): number {
    return this.#jitter.depthFrames + this.#waitingSamples / FRAME_SAMPLES;
  }

  #stretch(samples: Int16Array, wish: 'faster' | 'slower' | 'even'): Int16Array {
    if (wish === 'faster') return shorten(samples);
    // With sound still waiting, the frame played last is not what comes right before this one.
    return lengthen(this.#waiting.at(-1) ?? this.#lastPlayed, samples);
  }

  #conceal(): Int16Array | null {
    this.#pace.restart();
    this.#emptyFrames += 1;
    if (this.#waitingSamples > 0) {
      this.#append(new Int16Array(FRAME_SAMPLES - this.#waitingSamples));
      return this.#take();
    }
    if (this.#emptyFrames > CONCEALED_FRAMES_MAX) return null;
    this.#concealed += 1;
    return this.#codec.conceal();
  }

  #append(samples: Int16Array): void {
    // An empty payload would never fill the frame: it counts as a lost one.
    const heard = samples.length === 0 ? new Int16Array(FRAME_SAMPLES) : samples;
    if (this.#waitingSamples + heard.length > WAITING_SAMPLES_MAX) return;
    this.#waiting.push(heard);
    this.#waitingSamples += heard.length;
  }

  #take(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES);
    let filled = 0;
    while (filled < FRAME_SAMPLES) {
      const piece = this.#waiting.shift();
      if (piece === undefined) break;
      const part = piece.subarray(0, FRAME_SAMPLES - filled);
      frame.set(part, filled);
      filled += part.length;
      if (part.length < piece.length) this.#waiting.unshift(piece.subarray(part.length));
    }
    this.#waitingSamples -= filled;
    this.#lastPlayed = frame;
    return frame;
  }
}
