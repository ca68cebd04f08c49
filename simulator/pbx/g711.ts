/**
 * G.711 for the demo PBX, from the ITU segment rules. The gateway's own codec is not used on
 * purpose: two equal mistakes would cancel each other out and no test would hear them.
 */
export type Law = 'PCMU' | 'PCMA';

const MU_BIAS = 0x84;
const MU_CLIP = 32_635;

const DECODED: Readonly<Record<Law, Int16Array>> = {
  PCMU: Int16Array.from({ length: 256 }, (_, code) => expandMu(code)),
  PCMA: Int16Array.from({ length: 256 }, (_, code) => expandA(code)),
};

export function decodeG711(payload: Uint8Array, law: Law): Int16Array {
  const table = DECODED[law];
  return Int16Array.from(payload, (code) => table[code] ?? 0);
}

export function encodeG711(samples: Int16Array, law: Law): Uint8Array {
  return Uint8Array.from(samples, law === 'PCMU' ? compressMu : compressA);
}

function expandMu(code: number): number {
  const value = ~code & 0xff;
  const magnitude = (((value & 0x0f) << 3) + MU_BIAS) << ((value >> 4) & 7);
  return value & 0x80 ? MU_BIAS - magnitude : magnitude - MU_BIAS;
}

function compressMu(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const biased = Math.min(Math.abs(sample), MU_CLIP) + MU_BIAS;
  // The segment is the place of the highest bit, counted from bit 7.
  const segment = 24 - Math.clz32(biased);
  return ~(sign | (segment << 4) | ((biased >> (segment + 3)) & 0x0f)) & 0xff;
}

function expandA(code: number): number {
  const value = code ^ 0x55;
  const segment = (value >> 4) & 7;
  const base = ((value & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? base : (base + 0x100) << (segment - 1);
  return value & 0x80 ? magnitude : -magnitude;
}

function compressA(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  // In A-law a negative sample is one's complement, so that -1 and 0 mirror each other.
  const magnitude = Math.min(sample >= 0 ? sample : ~sample, 32_767);
  const segment = magnitude < 0x100 ? 0 : 24 - Math.clz32(magnitude);
  const shift = segment === 0 ? 4 : segment + 3;
  return (sign | (segment << 4) | ((magnitude >> shift) & 0x0f)) ^ 0x55;
}
