/**
 * G.711 (ITU-T G.711, RFC 3551 section 4.5.14) by tables: 16-bit linear PCM at 8 kHz to and
 * from 8-bit companded bytes. The tables are computed once, from the segment formula.
 */
export type G711Law = 'PCMU' | 'PCMA';

const BIAS = 0x84;
const CLIP_14_BITS = 8158;

const ULAW_DECODE = Int16Array.from({ length: 256 }, (_, code) => expandUlaw(code));
const ALAW_DECODE = Int16Array.from({ length: 256 }, (_, code) => expandAlaw(code));
// Indexed by the sample's unsigned 16 bits: one look-up per sample instead of a search.
const ULAW_ENCODE = Uint8Array.from({ length: 65_536 }, (_, index) => compressUlaw(signed(index)));
const ALAW_ENCODE = Uint8Array.from({ length: 65_536 }, (_, index) => compressAlaw(signed(index)));

/** The byte that decodes to (almost) nothing: 0xFF for PCMU, 0xD5 for PCMA. */
export const G711_SILENCE: Readonly<Record<G711Law, number>> = { PCMU: 0xff, PCMA: 0xd5 };

export function encodeG711(law: G711Law, samples: Int16Array): Uint8Array {
  const table = law === 'PCMU' ? ULAW_ENCODE : ALAW_ENCODE;
  const bytes = new Uint8Array(samples.length);
  for (let at = 0; at < samples.length; at += 1) {
    bytes[at] = table[(samples[at] ?? 0) & 0xffff] ?? 0;
  }
  return bytes;
}

export function decodeG711(law: G711Law, bytes: Uint8Array): Int16Array {
  const table = law === 'PCMU' ? ULAW_DECODE : ALAW_DECODE;
  const samples = new Int16Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) samples[at] = table[bytes[at] ?? 0] ?? 0;
  return samples;
}

function signed(index: number): number {
  return (index << 16) >> 16;
}

/** The segment number: position of the highest set bit above bit 7. */
function segmentOf(magnitude: number): number {
  return Math.max(0, 24 - Math.clz32(magnitude | 0x80));
}

function compressUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  // The law is defined on 14 bits; its bias of 33 becomes 0x84 on 16.
  const magnitude = (Math.min(Math.abs(sample >> 2), CLIP_14_BITS) << 2) + BIAS;
  const segment = segmentOf(magnitude);
  return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}

function expandUlaw(code: number): number {
  const bits = ~code & 0xff;
  const segment = (bits >> 4) & 0x07;
  const magnitude = (((bits & 0x0f) << 3) + BIAS) << segment;
  return (bits & 0x80) === 0 ? magnitude - BIAS : BIAS - magnitude;
}

function compressAlaw(sample: number): number {
  // A-law works on 13 bits, and its even bits are sent inverted (0x55).
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = sample >= 0 ? sample >> 4 : ~sample >> 4;
  const linear = Math.min(magnitude, 0x7ff);
  const segment = linear < 32 ? (linear < 16 ? 0 : 1) : 28 - Math.clz32(linear);
  const mantissa = segment < 2 ? linear & 0x0f : (linear >> (segment - 1)) & 0x0f;
  return (sign | (segment << 4) | mantissa) ^ 0x55;
}

function expandAlaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 0x07;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? mantissa : (mantissa + 0x100) << (segment - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}
