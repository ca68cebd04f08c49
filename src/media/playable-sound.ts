import { createDecoder, type OpusDecoderHandle } from 'libopus-wasm';
import { FRAME_SAMPLES } from './frame-codec.ts';
import { encodeG711, type G711Law } from './g711.ts';
import type { EndpointCodec } from './media.ts';

/**
 * A sound in the worker's memory. Toward Opus its frames go out as they are; toward G.711 each is
 * decoded and encoded once, for the first leg that needs it, and kept for all others.
 */
export class PlayableSound {
  readonly frames: readonly Uint8Array[];
  readonly #narrow = new Map<G711Law, NarrowSound>();
  #users = 0;
  #retired = false;

  constructor(frames: readonly Uint8Array[]) {
    this.frames = frames;
  }

  /** One 20 ms payload; `null` while the decoder for it is still being opened. */
  payload(index: number, codec: EndpointCodec): Uint8Array | null {
    if (codec === 'opus') return this.frames[index] ?? null;
    const known = this.#narrow.get(codec);
    if (known !== undefined) return known.payload(index);
    this.#narrow.set(codec, new NarrowSound(codec, this.frames));
    return null;
  }

  /** Bytes it holds, decoded ones included. */
  get bytes(): number {
    let bytes = this.frames.length * 160 * this.#narrow.size;
    for (const frame of this.frames) bytes += frame.length;
    return bytes;
  }

  /** A player has it from now on, and gives it back with `release`. */
  acquire(): void {
    this.#users += 1;
  }

  release(): void {
    this.#users -= 1;
    this.#freeIfOver();
  }

  /** The library lets go of it; its decoders go with the last player. */
  retire(): void {
    this.#retired = true;
    this.#freeIfOver();
  }

  /** The memory of decoders is one that no garbage collector sees. */
  #freeIfOver(): void {
    if (!this.#retired || this.#users > 0) return;
    for (const narrow of this.#narrow.values()) narrow.free();
    this.#narrow.clear();
  }
}

/** A leg that changes its codec in the middle of a sound waits a moment, the other calls do not. */
const FRAMES_AT_ONCE = 10;

/** The frames of a sound in one G.711 law, made in their order as far as they were asked for. */
class NarrowSound {
  readonly #law: G711Law;
  readonly #frames: readonly Uint8Array[];
  readonly #made: Uint8Array[] = [];
  #decoder: OpusDecoderHandle | null = null;
  #freed = false;

  constructor(law: G711Law, frames: readonly Uint8Array[]) {
    this.#law = law;
    this.#frames = frames;
    void createDecoder({ sampleRate: 8000, channels: 1, maxFrameSize: FRAME_SAMPLES }).then(
      (decoder) => {
        if (this.#freed) decoder.free();
        else this.#decoder = decoder;
      },
    );
  }

  payload(index: number): Uint8Array | null {
    const decoder = this.#decoder;
    if (decoder !== null) {
      const missing = this.#frames.slice(this.#made.length, index + 1).slice(0, FRAMES_AT_ONCE);
      for (const frame of missing) this.#made.push(this.#make(decoder, frame));
      if (this.#made.length === this.#frames.length) this.free();
    }
    return this.#made[index] ?? null;
  }

  free(): void {
    this.#freed = true;
    this.#decoder?.free();
    this.#decoder = null;
  }

  #make(decoder: OpusDecoderHandle, frame: Uint8Array): Uint8Array {
    try {
      return encodeG711(this.#law, decoder.decode(frame).subarray(0, FRAME_SAMPLES));
    } catch {
      // The file said that it is Opus; where it is not, it sounds like a lost packet.
      return encodeG711(this.#law, decoder.decodePacketLoss(FRAME_SAMPLES));
    }
  }
}
