import type { KpiView } from '../../../src/kpis/kpi-schemas.ts';
import { Card } from '../ui/card.tsx';
import {
  countText,
  filledTrend,
  targetText,
  trendPieces,
  valueText,
  type MetricView,
} from './kpi-words.ts';

/** One figure over time, as a line and as a table of the same numbers. */
export function TrendCard(props: { data: KpiView; metric: MetricView }) {
  const { data, metric } = props;
  const points = filledTrend(data, metric.name);
  const told = points.filter(({ figure }) => (figure?.value ?? null) !== null);
  const limit = metric.target?.above ?? metric.target?.below ?? null;
  const values = told.map(({ figure }) => figure?.value ?? 0);
  const top = topOf(metric, Math.max(limit ?? 0, ...values));
  const date = (at: number): string => periodText(at, data.period);
  return (
    <Card title={`${metric.title} by ${data.period}`}>
      {told.length === 0 && (
        <p className="text-sm text-muted">There is nothing to divide by in this time.</p>
      )}
      {told.length > 0 && (
        <>
          <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-2 text-xs text-muted">
            <div className="flex h-40 flex-col justify-between text-right tabular-nums">
              <span>{valueText(metric.unit, top)}</span>
              <span>{valueText(metric.unit, 0)}</span>
            </div>
            <Line points={points.map(({ figure }) => figure?.value ?? null)} {...{ top, limit }} />
            <span />
            <div className="flex justify-between">
              <span>{date(points[0]?.at ?? 0)}</span>
              <span>{date(points.at(-1)?.at ?? 0)}</span>
            </div>
          </div>
          <p className="mt-1 text-xs text-muted">
            {limit !== null && `Dashed: the ${targetText(metric) ?? ''}. `}
            Times are UTC; a gap has nothing to divide by.
          </p>
          <details className="mt-2 text-sm">
            <summary className="min-h-9 cursor-pointer font-semibold text-accent">
              As a table
            </summary>
            <table className="w-full text-left text-sm">
              <thead className="text-xs text-muted">
                <tr>
                  <th className="py-1 pr-3">{data.period === 'hour' ? 'Hour' : 'Day'}</th>
                  <th className="py-1 pr-3 text-right">{metric.title}</th>
                  <th className="py-1 text-right">Counts</th>
                </tr>
              </thead>
              <tbody>
                {told.map(({ at, figure }) => (
                  <tr key={at} className="border-t border-edge tabular-nums">
                    <td className="py-1 pr-3">{date(at)}</td>
                    <td className="py-1 pr-3 text-right">
                      {valueText(metric.unit, figure?.value ?? null)}
                    </td>
                    <td className="py-1 text-right">
                      {figure !== null && countText(metric, figure)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      )}
    </Card>
  );
}

/** Only a picture: the table beside it says the same. */
function Line(props: { points: Array<number | null>; top: number; limit: number | null }) {
  const { points, top, limit } = props;
  const limitY = limit === null ? null : 100 - (limit / top) * 100;
  return (
    <svg
      aria-hidden
      viewBox="-1 -2 102 104"
      preserveAspectRatio="none"
      className="h-40 w-full rounded-lg bg-sunk"
    >
      {limitY !== null && (
        <line
          {...{ x1: 0, x2: 100, y1: limitY, y2: limitY }}
          className="stroke-warn"
          strokeDasharray="4 4"
          strokeWidth={1.5}
          vectorEffect="non-scaling-stroke"
        />
      )}
      {trendPieces(points, top).map((piece) => (
        <polyline
          key={piece}
          // One point alone would be no line at all.
          points={piece.includes(' ') ? piece : `${piece} ${piece}`}
          fill="none"
          className="stroke-accent"
          strokeWidth={piece.includes(' ') ? 2 : 6}
          strokeLinecap="round"
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
      ))}
    </svg>
  );
}

function topOf({ unit, name }: MetricView, highest: number): number {
  if (unit === 'points') return 5;
  const isSmall = name === 'opt_out_rate' || name === 'failure_rate';
  if (unit === 'share' && !isSmall) return 1;
  return highest === 0 ? 1 : Math.min(unit === 'share' ? 1 : Infinity, highest * 1.25);
}

function periodText(at: number, period: KpiView['period']): string {
  const iso = new Date(at).toISOString();
  return period === 'hour' ? `${iso.slice(5, 10)} ${iso.slice(11, 16)}` : iso.slice(0, 10);
}
