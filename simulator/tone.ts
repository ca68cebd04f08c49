/**
 * Pure tones and the ear that finds them, for the people and the PBX of the simulator. A tone
 * that was played at one end and heard at the other is the proof that audio went through.
 */
export const TONES_HZ = [425, 440, 523, 659, 784, 880, 1000, 1200] as const;

const AMPLITUDE = 8000;
/** A quieter window is silence, whatever its spectrum: mean square of about -50 dBFS. */
const SILENCE_POWER = (32_768 * 10 ** (-50 / 20)) ** 2;
/** The part of a window's energy that must lie in one tone; speech spreads over many. */
const SHARE_MIN = 0.2;

/** `count` samples of a sine, so that consecutive calls with rising `startSample` join up. */
export function toneSamples(
  hz: number,
  rate: number,
  count: number,
  startSample: number,
): Int16Array {
  const step = (2 * Math.PI * hz) / rate;
  return Int16Array.from({ length: count }, (_, i) =>
    Math.round(AMPLITUDE * Math.sin(step * (startSample + i))),
  );
}

/** Which of `TONES_HZ` carry a good part of the energy; give it 100 ms or more of mono samples. */
export function heardTones(samples: Int16Array, rate: number): number[] {
  let power = 0;
  for (const sample of samples) power += sample * sample;
  power /= Math.max(1, samples.length);
  if (power < SILENCE_POWER) return [];
  return TONES_HZ.filter((hz) => tonePower(samples, rate, hz) / power >= SHARE_MIN);
}

/** The mean square of the component at `hz` (Goertzel's algorithm, under a Hann window). */
function tonePower(samples: Int16Array, rate: number, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rate);
  const turn = (2 * Math.PI) / samples.length;
  let previous = 0;
  let beforeThat = 0;
  for (let i = 0; i < samples.length; i += 1) {
    // The window keeps neighbouring tones apart: without it a cut-off sine leaks everywhere.
    const weighted = (samples[i] ?? 0) * (0.5 - 0.5 * Math.cos(turn * i));
    const current = weighted + coefficient * previous - beforeThat;
    beforeThat = previous;
    previous = current;
  }
  const energy = previous ** 2 + beforeThat ** 2 - coefficient * previous * beforeThat;
  // A Hann window halves the amplitude; a full-scale sine then comes out as its own mean square.
  return (energy * 8) / samples.length ** 2;
}
