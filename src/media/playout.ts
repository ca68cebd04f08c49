import { FRAME_SAMPLES, type FrameCodec } from './frame-codec.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import type { RtpPacket } from './rtp.ts';

/** Frames of concealment before an empty buffer turns into plain silence. */
const CONCEALED_FRAMES_MAX = 3;
/** A hostile run of 120 ms packets must not pile up as sound of the past. */
const WAITING_SAMPLES_MAX = FRAME_SAMPLES * 12;

/**
 * Received packets in, exactly 20 ms of sound per call of `next` out, whatever the packets' own
 * length: through the jitter buffer, the decoder and loss concealment.
 */
export class Playout {
  readonly #codec: FrameCodec;
  readonly #jitter = new JitterBuffer();
  #waiting: Int16Array[] = [];
  #waitingSamples = 0;
  #emptyFrames = CONCEALED_FRAMES_MAX;

  constructor(codec: FrameCodec) {
    this.#codec = codec;
  }

  push(packet: RtpPacket): void {
    this.#jitter.push(packet);
  }

  /** 160 samples, or `null` when there is nothing to hear. */
  next(): Int16Array | null {
    while (this.#waitingSamples < FRAME_SAMPLES) {
      const popped = this.#jitter.pop();
      if (popped.kind === 'empty') return this.#conceal();
      this.#emptyFrames = 0;
      this.#append(
        popped.kind === 'packet'
          ? this.#codec.decode(popped.packet.payload)
          : this.#codec.conceal(this.#jitter.peek()?.payload),
      );
    }
    return this.#take();
  }

  #conceal(): Int16Array | null {
    this.#emptyFrames += 1;
    if (this.#waitingSamples > 0) {
      this.#append(new Int16Array(FRAME_SAMPLES - this.#waitingSamples));
      return this.#take();
    }
    return this.#emptyFrames > CONCEALED_FRAMES_MAX ? null : this.#codec.conceal();
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
    return frame;
  }
}
