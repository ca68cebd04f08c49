import type { KpiFigure, KpiView } from '../../../src/kpis/kpi-schemas.ts';
import { Chip } from '../ui/chip.tsx';
import { classes } from '../ui/classes.ts';
import { countText, intervalText, targetText, valueText, type MetricView } from './kpi-words.ts';
import type { Drilled } from './kpis-page.tsx';

/** The five of the product page come first, as the API lists them. */
export const PAGE_FIGURES = 5;

/** What the cards of figures show, and what somebody chooses there. */
export type FiguresProps = {
  data: KpiView;
  metric: MetricView['name'];
  onPick: (metric: MetricView['name']) => void;
  onDrill: (drilled: Drilled) => void;
};

/** The five figures with their targets; a tile chooses what the cards below tell more of. */
export function FigureTiles(props: FiguresProps) {
  const { data } = props;
  return (
    <ul className="grid grid-cols-1 gap-3 sm:grid-cols-2 lg:grid-cols-5">
      {data.metrics.slice(0, PAGE_FIGURES).map((metric) => (
        <li
          key={metric.name}
          className={classes(
            'flex flex-col gap-1 rounded-xl border p-3',
            metric.name === props.metric ? 'border-accent' : 'border-edge',
          )}
        >
          <h3 className="text-sm font-semibold">{metric.title}</h3>
          <p className="text-2xl font-bold tabular-nums">
            {valueText(metric.unit, data.figures[metric.name].value)}
          </p>
          <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
            <MetChip figure={data.figures[metric.name]} />
            {targetText(metric)}
          </p>
          <Beneath metric={metric} figure={data.figures[metric.name]} />
          <p className="text-xs text-muted">{metric.says}.</p>
          <div className="mt-auto flex flex-wrap gap-x-3 pt-1 text-sm font-semibold">
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
        </li>
      ))}
    </ul>
  );
}

function MetChip(props: { figure: KpiFigure }) {
  const { met } = props.figure;
  if (met === null) return <Chip tone="plain">nothing yet</Chip>;
  return <Chip tone={met ? 'good' : 'bad'}>{met ? 'on target' : 'missed'}</Chip>;
}

function Beneath(props: { metric: MetricView; figure: KpiFigure }) {
  const interval = intervalText(props.figure);
  return (
    <p className="text-xs tabular-nums">
      {countText(props.metric, props.figure)}
      {interval !== null && (
        <>
          <br />
          <span className="text-muted">95 % sure: {interval}</span>
        </>
      )}
    </p>
  );
}

/** From a number to its requests or calls. */
export function DrillButtons(props: { metric: MetricView; onDrill: (drilled: Drilled) => void }) {
  const { name, title } = props.metric;
  return (['numerator', 'denominator'] as const).map((part) => (
    <button
      key={part}
      type="button"
      className="min-h-9 text-accent underline"
      onClick={() => props.onDrill({ metric: name, part })}
    >
      {part === 'numerator' ? 'Counted' : 'Out of'}
      <span className="sr-only">
        {' '}
        ({part} of {title})
      </span>
    </button>
  ));
}
