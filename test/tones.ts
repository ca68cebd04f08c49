/** Sine tones and their detection at 8 kHz: how the media tests prove that audio arrived. */
export const TONE_RATE = 8000;

/** `milliseconds` of a sine at `frequency` Hz, starting where the last frame ended. */
export function makeTone(frequency: number): (samples: number) => Int16Array {
  let phase = 0;
  const step = (2 * Math.PI * frequency) / TONE_RATE;
  return (samples) =>
    Int16Array.from({ length: samples }, () => {
      phase += step;
      return Math.round(8000 * Math.sin(phase));
    });
}

/**
 * The share of the sound's energy at `frequency`, 0 to 1 (Goertzel). Above about 0.6 it is that
 * tone; below 0.05 it is not there.
 */
export function toneShare(samples: Int16Array, frequency: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / TONE_RATE);
  let [older, old, energy] = [0, 0, 0];
  for (const sample of samples) {
    const next = sample + coefficient * old - older;
    older = old;
    old = next;
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  const power = older * older + old * old - coefficient * older * old;
  return (2 * power) / (samples.length * energy);
}

/**
 * The best share of a tone in any ten neighbouring frames: proof that it came through, also on a
 * machine so busy that frames come in bursts and some are concealed.
 */
export function clearestShare(frames: readonly Int16Array[], frequency: number): number {
  let best = 0;
  for (let at = 0; at + 10 <= frames.length; at += 5) {
    best = Math.max(best, toneShare(joinSamples(frames.slice(at, at + 10)), frequency));
  }
  return best;
}

/** All frames in one array. */
export function joinSamples(frames: readonly Int16Array[]): Int16Array {
  const joined = new Int16Array(frames.reduce((total, frame) => total + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}

/**
 * As `toneShare`, but frame by frame and weighed by energy: what a codec makes up for a lost frame
 * has the right pitch and any phase, and must not cancel out what is before and after it.
 */
export function framedToneShare(frames: readonly Int16Array[], frequency: number): number {
  let [atTone, all] = [0, 0];
  for (const frame of frames) {
    const energy = frame.reduce((sum, sample) => sum + sample * sample, 0);
    atTone += toneShare(frame, frequency) * energy;
    all += energy;
  }
  return all === 0 ? 0 : atTone / all;
}

/** Syllables of a gliding voice with its harmonics: what a speech codec takes for speech. */
export function makeVoice(samples: number): Int16Array {
  let phase = 0;
  return Int16Array.from({ length: samples }, (_, at) => {
    const seconds = at / TONE_RATE;
    const pitch = 120 + 40 * Math.sin(2 * Math.PI * 1.3 * seconds);
    phase += (2 * Math.PI * pitch) / TONE_RATE;
    const loudness = Math.max(0, Math.sin(2 * Math.PI * 3 * seconds));
    let sum = 0;
    for (let harmonic = 1; harmonic <= 12; harmonic += 1) {
      sum += Math.sin(harmonic * phase) * Math.exp(-Math.abs(harmonic * pitch - 600) / 500);
    }
    return Math.round(3000 * loudness * sum);
  });
}
