import { talkTime } from '../ui/format.ts';
import { LANE_NAMES, type AxisStretch, type TimeAxis } from './time-axis.ts';

const PHASES: Record<AxisStretch['phase'], { label: string; fill: string; text: string }> = {
  dialling: { label: 'Dialling', fill: 'fill-edge-strong', text: 'bg-edge-strong' },
  ringing: { label: 'Ringing', fill: 'fill-warn', text: 'bg-warn' },
  talking: { label: 'Talking', fill: 'fill-good', text: 'bg-good' },
};

const LANE_HEIGHT = 18;
const BAR_HEIGHT = 10;

/**
 * The picture of a call: its phases as a bar, and below it one lane for each party with a dot
 * per entry, all on the same axis. The list under it says the same in words.
 */
export function CallAxis(props: { axis: TimeAxis }) {
  const { axis } = props;
  const height = BAR_HEIGHT + 6 + axis.lanes.length * LANE_HEIGHT;
  return (
    <figure className="rounded-xl bg-sunk p-3">
      <div className="flex gap-2">
        <ul aria-hidden className="flex flex-col pt-4 text-[0.6875rem] leading-[18px] text-muted">
          {axis.lanes.map((lane) => (
            <li key={lane}>{LANE_NAMES[lane]}</li>
          ))}
        </ul>
        <svg
          role="img"
          aria-label={summary(axis)}
          height={height}
          className="min-w-0 flex-1 overflow-visible"
        >
          {axis.stretches.map((stretch) => (
            <rect
              key={stretch.phase}
              x={percent(stretch.from)}
              width={percent(Math.max(0.004, stretch.to - stretch.from))}
              height={BAR_HEIGHT}
              rx={3}
              className={PHASES[stretch.phase].fill}
            />
          ))}
          <Lanes axis={axis} />
        </svg>
      </div>
      <figcaption className="mt-2 flex flex-wrap justify-between gap-2 text-xs text-muted">
        <span className="flex flex-wrap gap-3">
          {axis.stretches.map(({ phase }) => (
            <span key={phase} className="flex items-center gap-1.5">
              <span aria-hidden className={`size-2.5 rounded-sm ${PHASES[phase].text}`} />
              {PHASES[phase].label}
            </span>
          ))}
        </span>
        <span className="font-mono tabular-nums">0:00 – {talkTime(axis.lengthMs)}</span>
      </figcaption>
    </figure>
  );
}

function Lanes(props: { axis: TimeAxis }) {
  const { axis } = props;
  const middle = (row: number): number => BAR_HEIGHT + 6 + row * LANE_HEIGHT + LANE_HEIGHT / 2;
  return (
    <>
      {axis.lanes.map((lane, row) => (
        <line key={lane} x2="100%" y1={middle(row)} y2={middle(row)} className="stroke-edge" />
      ))}
      {axis.marks.map((mark) => (
        <circle
          key={mark.key}
          cx={percent(mark.share)}
          cy={middle(axis.lanes.indexOf(mark.lane))}
          r={4.5}
          className="fill-accent stroke-sunk stroke-2"
        >
          <title>{mark.words}</title>
        </circle>
      ))}
    </>
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}

function summary(axis: TimeAxis): string {
  const phases = axis.stretches.map(({ phase, from, to }) => {
    return `${PHASES[phase].label.toLowerCase()} ${talkTime((to - from) * axis.lengthMs)}`;
  });
  return `Time axis: ${phases.join(', ')}; ${axis.marks.length} entries.`;
}
