import type { KpiView } from '../../../src/kpis/kpi-schemas.ts';
import { Card } from '../ui/card.tsx';
import { classes } from '../ui/classes.ts';
import { count, countText, intervalText, valueText, type MetricView } from './kpi-words.ts';

/** One figure taken apart: the busiest first, each with its interval. */
export function GroupsCard(props: {
  data: KpiView;
  metric: MetricView;
  by: string;
  onOnly: (value: string, label: string) => void;
}) {
  const { data, metric, by } = props;
  return (
    <Card title={`${metric.title} by ${by.toLowerCase()}`}>
      {data.groups.length === 0 && <p className="text-sm text-muted">There is nothing to show.</p>}
      {data.groups.length > 0 && (
        <div className="overflow-x-auto">
          <table className="w-full text-left text-sm">
            <thead className="text-xs text-muted">
              <tr>
                <th className="py-1 pr-3">{by}</th>
                <th className="py-1 pr-3 text-right">{metric.title}</th>
                <th className="py-1 pr-3 text-right">Counts</th>
                <th className="py-1 pr-3 text-right">95 % sure</th>
                <th className="py-1 text-right">Requests, calls</th>
              </tr>
            </thead>
            <tbody>
              {data.groups.map(({ value, label, figures, counts }) => {
                const figure = figures[metric.name];
                const named = nameOf(value, label);
                return (
                  <tr key={value} className="border-t border-edge tabular-nums">
                    <td className="max-w-56 py-1.5 pr-3 break-words">
                      <button
                        type="button"
                        disabled={value === ''}
                        className="min-h-9 text-left font-semibold text-accent underline
                          disabled:text-muted disabled:no-underline"
                        onClick={() => props.onOnly(value, named)}
                      >
                        {value !== '' && <span className="sr-only">Only </span>}
                        {named}
                      </button>
                    </td>
                    <td
                      className={classes(
                        'py-1.5 pr-3 text-right font-semibold whitespace-nowrap',
                        figure.met === false && 'text-bad',
                      )}
                    >
                      {valueText(metric.unit, figure.value)}
                      {figure.met === false && <span className="sr-only">, target missed</span>}
                    </td>
                    <td className="py-1.5 pr-3 text-right whitespace-nowrap">
                      {countText(metric, figure)}
                    </td>
                    <td className="py-1.5 pr-3 text-right whitespace-nowrap">
                      {intervalText(figure) ?? '–'}
                    </td>
                    <td className="py-1.5 text-right whitespace-nowrap">
                      {count(counts.requests)}, {count(counts.calls)}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {data.groupsLeftOff > 0 && (
        <p className="mt-2 text-xs text-muted">
          {count(data.groupsLeftOff)} more with fewer requests and calls are left off.
        </p>
      )}
    </Card>
  );
}

/** A purpose that fewer than five people share stays without its words. */
function nameOf(value: string, label: string | null): string {
  if (label !== null) return label;
  if (value === '') return 'none';
  return value.startsWith('purpose_') ? `a rare one (${value.slice(8, 16)})` : value;
}
