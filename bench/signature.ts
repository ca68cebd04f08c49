import { sign, verifySignature } from '../src/whatsapp/signature.ts';
import { compare, percentile, type BenchResult } from './harness.ts';

/**
 * Does the time of a refused signature tell how much of it was right? Two wrong signatures, one
 * wrong in its first digit and one in its last, are checked in turns; Welch's t says how surely
 * their times differ. Above 4.5 is what the side-channel trade calls a leak.
 */
const TRIES = 100_000;
const T_MAX = 4.5;
/** Interrupts and collections make long outliers that say nothing about the comparison. */
const KEPT_SHARE = 0.9;

export async function run(): Promise<BenchResult[]> {
  const secrets = ['app-secret-one', 'app-secret-two'];
  const body = Buffer.alloc(1500, 0x61);
  const good = sign(body, 'app-secret-one');
  const wrongFirst = `${good.slice(0, 7)}${flipped(good[7])}${good.slice(8)}`;
  const wrongLast = `${good.slice(0, -1)}${flipped(good.at(-1))}`;
  const times: [number[], number[]] = [[], []];
  for (let index = -5000; index < TRIES; index += 1) {
    // Which one goes first changes, so that neither always finds a warm cache.
    const order = index % 2 === 0 ? [0, 1] : [1, 0];
    for (const which of order) {
      const header = which === 0 ? wrongFirst : wrongLast;
      const startedAt = process.hrtime.bigint();
      verifySignature(body, header, secrets);
      const took = Number(process.hrtime.bigint() - startedAt);
      if (index >= 0) times[which as 0 | 1].push(took);
    }
  }
  const cut = percentile([...times[0], ...times[1]], KEPT_SHARE);
  const t = welch(
    times[0].filter((ns) => ns <= cut),
    times[1].filter((ns) => ns <= cut),
  );
  return [
    compare({
      name: "difference between near and far misses, Welch's |t|",
      value: Math.abs(t),
      unit: 't',
      goal: { atMost: T_MAX },
    }),
  ];
}

function flipped(digit: string | undefined): string {
  return digit === '0' ? '1' : '0';
}

function welch(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  return (meanA - meanB) / Math.sqrt(variance(a, meanA) / a.length + variance(b, meanB) / b.length);
}

function mean(samples: readonly number[]): number {
  return samples.reduce((sum, value) => sum + value, 0) / samples.length;
}

function variance(samples: readonly number[], around: number): number {
  return samples.reduce((sum, value) => sum + (value - around) ** 2, 0) / (samples.length - 1);
}
