import type { KpiFigure, KpiView } from '../../../src/kpis/kpi-schemas.ts';

/** Figures in words: shares in percent, times in seconds or minutes. */
export type MetricView = KpiView['metrics'][number];
type Unit = MetricView['unit'];

export function valueText(unit: Unit, value: number | null): string {
  if (value === null) return '–';
  switch (unit) {
    case 'share':
      return `${(value * 100).toFixed(1)} %`;
    case 'points':
      return value.toFixed(2);
    case 'ratio':
      return value.toFixed(2);
    case 'ms':
      return timeText(value);
  }
}

function timeText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${(ms / 60_000).toFixed(1)} min`;
}

export function targetText({ unit, target }: MetricView): string | null {
  if (target === null) return null;
  const { above, below } = target;
  if (above !== null) return `target: above ${valueText(unit, above)}`;
  return below === null ? null : `target: below ${valueText(unit, below)}`;
}

/** `12 of 20`; of times and points the sum and what it is divided by. */
export function countText({ unit }: MetricView, figure: KpiFigure): string {
  const { numerator, denominator } = figure;
  if (unit === 'share') return `${count(numerator)} of ${count(denominator)}`;
  if (unit === 'ms') return `over ${count(denominator)}`;
  return `${count(numerator)} over ${count(denominator)}`;
}

export function intervalText({ interval }: KpiFigure): string | null {
  if (interval === null) return null;
  const percent = (share: number): string => (share * 100).toFixed(1);
  return `${percent(interval.low)} to ${percent(interval.high)} %`;
}

export function count(value: number): string {
  return new Intl.NumberFormat('en-GB').format(value);
}

/** Where the points of a trend lie in a box of 100 by 100; a gap begins a new piece. */
export function trendPieces(values: ReadonlyArray<number | null>, top: number): string[] {
  const pieces: string[][] = [[]];
  const step = values.length < 2 ? 0 : 100 / (values.length - 1);
  values.forEach((value, index) => {
    if (value === null) {
      pieces.push([]);
      return;
    }
    const y = 100 - (top === 0 ? 0 : (Math.min(value, top) / top) * 100);
    pieces.at(-1)?.push(`${(index * step).toFixed(2)},${y.toFixed(2)}`);
  });
  return pieces.filter((piece) => piece.length > 0).map((piece) => piece.join(' '));
}

/** Every period of the span, also those of which nothing is told. */
export function filledTrend(
  { from, until, period, trend }: Pick<KpiView, 'from' | 'until' | 'period' | 'trend'>,
  metric: MetricView['name'],
): Array<{ at: number; figure: KpiFigure | null }> {
  const stepMs = period === 'hour' ? 3_600_000 : 86_400_000;
  const known = new Map(trend.map(({ at, figures }) => [Date.parse(at), figures[metric]]));
  const points: Array<{ at: number; figure: KpiFigure | null }> = [];
  const first = Math.floor(Date.parse(from) / stepMs) * stepMs;
  for (let at = first; at < Date.parse(until) && points.length < 500; at += stepMs) {
    points.push({ at, figure: known.get(at) ?? null });
  }
  return points;
}
