import { createDecoder, createEncoder } from 'libopus-wasm';
import { decodeG711, encodeG711 } from './g711.ts';
import type { PbxCodec } from './pbx-sdp.ts';

/** Coding between the wire and 8 kHz mono samples; 160 of them are one packet of 20 ms. */
export type FrameCodec = {
  /** RTP timestamp units per packet of 20 ms. */
  timestampStep: number;
  encode(samples: Int16Array): Uint8Array;
  /** Gives nothing for a payload that cannot be decoded. */
  decode(payload: Uint8Array): Int16Array | undefined;
  free(): void;
};

export const FRAME_SAMPLES = 160;
export const RATE_HZ = 8000;

export async function openCodec(codec: PbxCodec): Promise<FrameCodec> {
  if (codec !== 'opus') {
    return {
      timestampStep: FRAME_SAMPLES,
      encode: (samples) => encodeG711(samples, codec),
      decode: (payload) => decodeG711(payload, codec),
      free: () => undefined,
    };
  }
  // Opus at 8 kHz: the RTP clock is 48 kHz whatever the coder's rate (RFC 7587 section 4.1).
  const encoder = await createEncoder({
    sampleRate: RATE_HZ,
    channels: 1,
    frameSize: FRAME_SAMPLES,
  });
  const decoder = await createDecoder({ sampleRate: RATE_HZ, channels: 1 });
  return {
    timestampStep: 960,
    encode: (samples) => encoder.encode(samples),
    decode(payload) {
      try {
        return decoder.decode(payload);
      } catch {
        // A broken packet is a lost packet.
        return undefined;
      }
    },
    free() {
      encoder.free();
      decoder.free();
    },
  };
}
