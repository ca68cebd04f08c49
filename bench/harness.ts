import { existsSync } from 'node:fs';
import { delay, systemClock } from '../src/platform/clock.ts';

/**
 * What every benchmark shares. A figure alone says little on a shared machine, so each one stands
 * beside a reference measured in the same run: an absolute number swings, a ratio holds.
 */
export type BenchResult = {
  /** What was measured, in words: `durable webhooks per second`. */
  name: string;
  /** Ours. */
  value: number;
  unit: string;
  /** The same unit, measured in the same run; null where nothing comparable exists. */
  reference: number | null;
  /** What the reference is, in words. */
  referenceName?: string;
  /** ours / reference, filled by `compare`; null without a reference. */
  ratio: number | null;
  /** The goal in words, such as `ratio >= 0.8` or `<= 10 ms`; null where there is none. */
  goal: string | null;
  /** Whether the goal was met; null without a goal. */
  met: boolean | null;
};

/** A benchmark file exports this as `run`. */
export type Bench = () => Promise<BenchResult[]>;

type Goal =
  | { ratioAtLeast: number }
  | { ratioAtMost: number }
  | { atLeast: number }
  | { atMost: number };

/** Builds a result: works out the ratio and whether the goal is met. */
export function compare(measured: {
  name: string;
  value: number;
  unit: string;
  reference?: { name: string; value: number };
  goal?: Goal;
}): BenchResult {
  const { name, value, unit, reference, goal } = measured;
  const ratio = reference === undefined || reference.value === 0 ? null : value / reference.value;
  return {
    name,
    value,
    unit,
    reference: reference?.value ?? null,
    ...(reference === undefined ? {} : { referenceName: reference.name }),
    ratio,
    goal: goal === undefined ? null : goalText(goal, unit),
    met: goal === undefined ? null : isMet(goal, value, ratio),
  };
}

function goalText(goal: Goal, unit: string): string {
  if ('ratioAtLeast' in goal) return `ratio >= ${goal.ratioAtLeast}`;
  if ('ratioAtMost' in goal) return `ratio <= ${goal.ratioAtMost}`;
  if ('atLeast' in goal) return `>= ${goal.atLeast} ${unit}`;
  return `<= ${goal.atMost} ${unit}`;
}

function isMet(goal: Goal, value: number, ratio: number | null): boolean {
  if ('ratioAtLeast' in goal) return ratio !== null && ratio >= goal.ratioAtLeast;
  if ('ratioAtMost' in goal) return ratio !== null && ratio <= goal.ratioAtMost;
  if ('atLeast' in goal) return value >= goal.atLeast;
  return value <= goal.atMost;
}

/** The cells of a table: name, ours, reference, ratio, goal, and whether it was met. */
export function asRow(result: BenchResult): string[] {
  const { name, value, unit, reference, referenceName = 'reference', ratio, goal, met } = result;
  return [
    name,
    `${round(value)} ${unit}`,
    reference === null ? '' : `${round(reference)} ${unit} (${referenceName})`,
    ratio === null ? '' : ratio.toFixed(2),
    goal ?? '',
    met === null ? '' : met ? 'met' : 'MISSED',
  ];
}

function round(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** The value below which the given share (0 to 1) of the samples lies; NaN without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** Where a long benchmark is. On the error stream: the last line of the other one is the result. */
export function tell(progress: string): void {
  console.error(`  ${progress}`);
}

/**
 * A benchmark that has written its rows calls this before it measures. With `--hold=FILE` it waits
 * until that file is there: rows may be written while others work, figures want a quiet machine.
 */
export async function hold(): Promise<void> {
  const file = process.env['BENCH_HOLD'];
  if (file === undefined || existsSync(file)) return;
  tell(`ready; waiting for ${file}`);
  while (!existsSync(file)) await delay(systemClock, 500);
}

/** A benchmark ends: what does not come in time breaks it by name. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = systemClock.after(ms, () => {
    late.reject(new Error(`${what} did not come within ${ms / 1_000} s`));
  });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}
