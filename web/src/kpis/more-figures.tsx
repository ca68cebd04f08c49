import { Card } from '../ui/card.tsx';
import { DrillButtons, PAGE_FIGURES, type FiguresProps } from './figure-tiles.tsx';
import { countText, targetText, valueText } from './kpi-words.ts';

/** What the product page asks beside its five: delays, talk time, streaks and the like. */
export function MoreFigures(props: FiguresProps) {
  const { data } = props;
  return (
    <Card title="More figures">
      <div className="overflow-x-auto">
        <table className="w-full text-left text-sm">
          <thead className="text-xs text-muted">
            <tr>
              <th className="py-1 pr-3">Figure</th>
              <th className="py-1 pr-3 text-right">Value</th>
              <th className="py-1 text-right">Counts</th>
            </tr>
          </thead>
          <tbody>
            {data.metrics.slice(PAGE_FIGURES).map((metric) => {
              const figure = data.figures[metric.name];
              return (
                <tr key={metric.name} className="border-t border-edge align-top">
                  <td className="py-1.5 pr-3">
                    <span className="font-semibold">{metric.title}</span>
                    <br />
                    <span className="text-xs text-muted">
                      {metric.says}
                      {metric.target !== null && `; ${targetText(metric)}`}
                    </span>
                    <div className="flex flex-wrap gap-x-3 font-semibold">
                      <button
                        type="button"
                        aria-pressed={metric.name === props.metric}
                        className="min-h-9 text-accent underline"
                        onClick={() => props.onPick(metric.name)}
                      >
                        Trend<span className="sr-only"> of {metric.title}</span>
                      </button>
                      <DrillButtons metric={metric} onDrill={props.onDrill} />
                    </div>
                  </td>
                  <td className="py-1.5 pr-3 text-right font-semibold whitespace-nowrap tabular-nums">
                    {valueText(metric.unit, figure.value)}
                  </td>
                  <td className="py-1.5 text-right whitespace-nowrap tabular-nums">
                    {countText(metric, figure)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
