/**
 * A little more or less time in sound at 8 kHz without a click: one period of the voice is left
 * out or played twice, faded over where the wave is most like itself (the overlap-add of WSOLA,
 * W. Verhelst and M. Roelands, 1993). So a buffer can grow and shrink while somebody speaks.
 */
const FADE_SAMPLES = 60;
/** Periods of 333 Hz down to 80 Hz: the pitch of voices. */
const LAG_MIN = 24;
const LAG_MAX = 100;
/** What both need of the frame they work on. */
const SAMPLES_MIN = FADE_SAMPLES + LAG_MAX;

/** The same sound, one period shorter; as it is where it is too short for that. */
export function shorten(samples: Int16Array): Int16Array {
  if (samples.length < SAMPLES_MIN) return samples;
  const lag = bestLag(samples, 0, 1);
  const shorter = samples.slice(lag);
  fade(shorter, 0, (at) => [samples[at] ?? 0, samples[at + lag] ?? 0]);
  return shorter;
}

/** `samples` as they follow on `before`, one period longer. */
export function lengthen(before: Int16Array, samples: Int16Array): Int16Array {
  if (before.length < LAG_MAX || samples.length < SAMPLES_MIN) return samples;
  const both = new Int16Array(before.length + samples.length);
  both.set(before);
  both.set(samples, before.length);
  const start = before.length;
  const lag = bestLag(both, start, -1);
  const longer = both.slice(start - lag);
  fade(longer, 0, (at) => [both[start + at] ?? 0, both[start + at - lag] ?? 0]);
  return longer;
}

/** Replaces the first samples by a fade from the first to the second of each pair. */
function fade(target: Int16Array, from: number, pair: (at: number) => [number, number]): void {
  for (let at = from; at < from + FADE_SAMPLES; at += 1) {
    const [old, next] = pair(at);
    const share = (at + 1) / (FADE_SAMPLES + 1);
    target[at] = Math.round(old * (1 - share) + next * share);
  }
}

/** The shift at which the sound at `start` is most like itself, by normalised correlation. */
function bestLag(samples: Int16Array, start: number, way: 1 | -1): number {
  let best = LAG_MAX;
  let bestLikeness = Number.NEGATIVE_INFINITY;
  for (let lag = LAG_MIN; lag <= LAG_MAX; lag += 1) {
    let product = 0;
    let energy = 1;
    for (let at = start; at < start + FADE_SAMPLES; at += 1) {
      const other = samples[at + way * lag] ?? 0;
      product += (samples[at] ?? 0) * other;
      energy += other * other;
    }
    const likeness = product / Math.sqrt(energy);
    if (likeness > bestLikeness) {
      bestLikeness = likeness;
      best = lag;
    }
  }
  return best;
}
