import { Application, Signal, createDecoder, createEncoder } from 'libopus-wasm';
import type { FrameCodec } from './frame-codec.ts';

/**
 * 20 ms of full silence as one Opus packet (RFC 6716 section 3.1: CELT, fullband, mono, one
 * frame). Any decoder takes it, whatever came before.
 */
export const OPUS_SILENCE: Uint8Array = Uint8Array.of(0xf8, 0xff, 0xfe);

/** The longest packet Opus allows: 120 ms. */
const LONGEST_PACKET_SAMPLES = 960;
const FRAME_SAMPLES = 160;
/** What Meta's SDP asks of us (`maxaveragebitrate`); narrowband speech needs no more. */
const BITRATE = 20_000;
/**
 * Encoding is most of what a transcoded call costs, and 2 takes half the time of 5. At 8 kHz and
 * this rate speech comes back as near to the original. Below 2 libopus writes no FEC, which takes
 * a third off: enough where the far side reports that its packets come.
 */
const COMPLEXITY = { withFec: 2, withoutFec: 1 } as const;
/** What is expected before the far side has said anything, and where error correction pays. */
const LOSS_PERCENT_FIRST = 5;
const LOSSY_SHARE = 0.01;

/**
 * Opus toward G.711, both at 8 kHz: libopus resamples inside, for less than a resampler of our
 * own would cost. The RTP clock of Opus stays 48 kHz all the same (RFC 7587 section 4.1).
 * Holds memory outside the JavaScript heap until `free()`.
 */
export async function openOpusCodec(): Promise<FrameCodec> {
  const encoder = await createEncoder({
    sampleRate: 8000,
    channels: 1,
    application: Application.Voip,
    signal: Signal.Voice,
    bitrate: BITRATE,
    complexity: COMPLEXITY.withFec,
    fec: true,
    packetLossPercent: LOSS_PERCENT_FIRST,
    frameSize: FRAME_SAMPLES,
  });
  const decoder = await createDecoder({
    sampleRate: 8000,
    channels: 1,
    maxFrameSize: LONGEST_PACKET_SAMPLES,
  });
  let freed = false;
  let expected: number = LOSS_PERCENT_FIRST;
  return {
    frameTicks: 960,
    encode: (samples) => encoder.encode(samples),
    decode(payload) {
      try {
        return decoder.decode(payload);
      } catch {
        // A packet that is not Opus sounds like a lost one.
        return decoder.decodePacketLoss(FRAME_SAMPLES);
      }
    },
    conceal(following) {
      try {
        // In-band FEC: Meta's packets may carry a coarse copy of the one before (RFC 6716 2.1.7).
        if (following !== undefined) {
          return decoder.decode(following, { decodeFec: true, frameSize: FRAME_SAMPLES });
        }
      } catch {
        // Then without its help.
      }
      return decoder.decodePacketLoss(FRAME_SAMPLES);
    },
    expectLoss(share) {
      const percent = share < LOSSY_SHARE ? 0 : Math.min(100, Math.ceil(share * 100));
      if (freed || percent === expected) return;
      expected = percent;
      encoder.setComplexity(percent > 0 ? COMPLEXITY.withFec : COMPLEXITY.withoutFec);
      encoder.setFec(percent > 0);
      encoder.setPacketLossPercent(percent);
    },
    free() {
      if (freed) return;
      freed = true;
      encoder.free();
      decoder.free();
    },
  };
}
