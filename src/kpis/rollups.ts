import {
  DAY_MS,
  DIMENSIONS,
  HOUR_MS,
  MEASURES,
  noMeasures,
  type Contribution,
  type Dimension,
  type Measures,
} from './kpis.ts';

/** By what roll-ups are kept: each dimension alone, and all together. */
export type RollupDimension = Dimension | 'all';
export const ROLLUP_DIMENSIONS: readonly RollupDimension[] = ['all', ...DIMENSIONS];
export type Grain = 'h' | 'd';

/** What is to be added to one row of the roll-ups; negative where something was counted before. */
export type RollupDelta = {
  dimension: RollupDimension;
  grain: Grain;
  at: number;
  value: string;
  measures: Measures;
};

export const GRAIN_MS: Record<Grain, number> = { h: HOUR_MS, d: DAY_MS };

/** The start of the hour or the day (UTC) that an instant lies in. */
export function startOf(grain: Grain, at: number): number {
  return Math.floor(at / GRAIN_MS[grain]) * GRAIN_MS[grain];
}

/** A contribution as it was counted before and as it is now; null: not there. */
export type Change = { before: Contribution | null; after: Contribution | null };

/** Only what differs; whatever was counted twice comes out as nothing to do. */
export function isChanged({ before, after }: Change): boolean {
  if (before === null || after === null) return before !== after;
  return (
    before.at !== after.at ||
    DIMENSIONS.some((name) => before.dimensions[name] !== after.dimensions[name]) ||
    MEASURES.some((name) => before.measures[name] !== after.measures[name])
  );
}

/** What changed contributions do to the sums, one delta per row of them. */
export function deltasOf(changes: readonly Change[]): RollupDelta[] {
  const deltas = new Map<string, RollupDelta>();
  for (const { before, after } of changes) {
    if (before !== null) addAll(deltas, before, -1);
    if (after !== null) addAll(deltas, after, 1);
  }
  const all = [...deltas.values()].filter(({ measures }) =>
    MEASURES.some((name) => measures[name] !== 0),
  );
  return all;
}

function addAll(deltas: Map<string, RollupDelta>, counted: Contribution, sign: 1 | -1): void {
  for (const dimension of ROLLUP_DIMENSIONS) {
    const value = dimension === 'all' ? '' : counted.dimensions[dimension];
    for (const grain of ['h', 'd'] as const) {
      const at = startOf(grain, counted.at);
      const key = `${dimension} ${grain} ${at} ${value}`;
      const delta = deltas.get(key) ?? { dimension, grain, at, value, measures: noMeasures() };
      for (const name of MEASURES) delta.measures[name] += sign * counted.measures[name];
      deltas.set(key, delta);
    }
  }
}
