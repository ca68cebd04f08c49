import { decodeG711, encodeG711, type G711Law } from './g711.ts';

/** Samples of 20 ms at 8 kHz, the one linear form that two codecs meet in. */
export const FRAME_SAMPLES = 160;

/** One direction's coder: 16-bit mono PCM at 8 kHz on one side, RTP payloads on the other. */
export type FrameCodec = {
  /** 20 ms in the clock of its RTP packets. */
  readonly frameTicks: number;
  /** 160 samples in, one 20 ms payload out. */
  encode(samples: Int16Array): Uint8Array;
  /** One payload in, its samples out. Never throws: what cannot be decoded is concealed. */
  decode(payload: Uint8Array): Int16Array;
  /** 20 ms in place of a lost packet; `following` is the one after it, where it is here. */
  conceal(following?: Uint8Array): Int16Array;
  /** The far side says that this share (0 to 1) of what was encoded is lost on the way. */
  expectLoss(share: number): void;
  free(): void;
};

export function g711Codec(law: G711Law): FrameCodec {
  let last: Int16Array = new Int16Array(FRAME_SAMPLES);
  return {
    frameTicks: 160,
    encode: (samples) => encodeG711(law, samples),
    decode(payload) {
      last = decodeG711(law, payload);
      return last;
    },
    // The last frame again, fading: a lone lost packet is then hardly heard (G.711 appendix I).
    conceal() {
      last = Int16Array.from({ length: FRAME_SAMPLES }, (_, at) => (last[at] ?? 0) >> 1);
      return last;
    },
    expectLoss: () => {},
    free: () => {},
  };
}
