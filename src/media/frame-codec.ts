import { decodeG711, encodeG711, type G711Law } from './g711.ts';

/** Samples of 20 ms at 8 kHz, the one linear form that two codecs meet in. */
export const FRAME_SAMPLES = 160;

/** One direction's coder: 16-bit mono PCM at 8 kHz on one side, RTP payloads on the other. */
export type FrameCodec = {
  /** 160 samples in, one 20 ms payload out. */
  encode(samples: Int16Array): Uint8Array;
  /** One payload in, its samples out; `null` conceals one lost 20 ms frame. Never throws. */
  decode(payload: Uint8Array | null): Int16Array;
  free(): void;
};

export function g711Codec(law: G711Law): FrameCodec {
  return {
    encode: (samples) => encodeG711(law, samples),
    decode: (payload) =>
      payload === null ? new Int16Array(FRAME_SAMPLES) : decodeG711(law, payload),
    free: () => {},
  };
}
