import { SOUND_RATE, type Pcm } from './prompts.ts';

/** Taps on each side: enough that no mirror of speech is heard, few enough to cost nothing. */
const REACH = 16;
const PHASES_MAX = 512;

/**
 * To 48 kHz, by a windowed sinc (Hann). Only ever upwards, so the filter keeps all that is there.
 * The weights repeat, so they are worked out once per phase.
 */
export function toSoundRate({ samples, rate }: Pcm): Int16Array {
  if (rate === SOUND_RATE) return samples;
  const step = rate / SOUND_RATE;
  const length = Math.floor(samples.length / step);
  const divisor = gcd(rate, SOUND_RATE);
  const phases = SOUND_RATE / divisor;
  const weights = new Map<number, Float64Array>();
  const out = new Int16Array(length);
  for (let index = 0; index < length; index += 1) {
    const at = index * step;
    const middle = Math.floor(at);
    // Rates without a common measure would need a table per sample: rounded to a fine grid.
    const phase = phases <= PHASES_MAX ? index % phases : Math.floor((at - middle) * PHASES_MAX);
    let row = weights.get(phase);
    if (row === undefined) {
      row = weightsAt(at - middle);
      weights.set(phase, row);
    }
    let sum = 0;
    for (let tap = 0; tap < row.length; tap += 1) {
      sum += (samples[middle - REACH + 1 + tap] ?? 0) * (row[tap] ?? 0);
    }
    out[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
  return out;
}

function weightsAt(fraction: number): Float64Array {
  return Float64Array.from({ length: 2 * REACH }, (_, tap) => {
    const x = tap - REACH + 1 - fraction;
    if (Math.abs(x) >= REACH) return 0;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / REACH);
    return x === 0 ? 1 : (Math.sin(Math.PI * x) / (Math.PI * x)) * window;
  });
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
