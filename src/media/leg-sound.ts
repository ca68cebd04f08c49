import { decodeG711 } from './g711.ts';
import type { EndpointCodec } from './media.ts';

/** About -42 dBFS on the average: above line noise and comfort noise, below any voice. */
const LEVEL_MIN = 250;
/**
 * Opus codes silence and background in a few bytes (its DTX in 1 to 3), and 20 ms of a voice in
 * 15 and more at every bitrate that calls use.
 */
const OPUS_BYTES_MIN = 13;

/**
 * Whether a packet carries sound, as cheaply as can be: G.711 by its level, Opus by its size,
 * because decoding what only passes through would cost more than all the rest. So it tells "not
 * silence", not "speech": a sender that codes silence at a constant bitrate looks like sound.
 */
export function isSound(codec: EndpointCodec, payload: Uint8Array): boolean {
  if (codec === 'opus') return payload.length >= OPUS_BYTES_MIN;
  if (payload.length === 0) return false;
  let sum = 0;
  for (const sample of decodeG711(codec, payload)) sum += Math.abs(sample);
  return sum / payload.length >= LEVEL_MIN;
}
