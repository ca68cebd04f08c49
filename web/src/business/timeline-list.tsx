import { Chip } from '../ui/chip.tsx';
import { clockTime, dayAndTime, offset } from '../ui/format.ts';
import { classes } from '../ui/classes.ts';
import { actorWords, entryWords, type HistoryEntry } from './history.ts';
import { LANE_NAMES, laneOf } from './time-axis.ts';

/**
 * Facts and events in order, each with its raw form to open. With a start the times count from
 * there; without one they are times of day.
 */
export function TimelineList(props: { entries: readonly HistoryEntry[]; startMs: number | null }) {
  const { startMs } = props;
  return (
    <ol className="mt-2 flex flex-col">
      {props.entries.map((entry) => (
        <li key={entry.key} className="border-l-2 border-edge pb-1.5 pl-3 last:pb-0">
          <details>
            <summary className="flex min-h-6 flex-wrap items-center gap-x-2 gap-y-0.5 text-sm">
              <time
                dateTime={entry.at}
                title={dayAndTime(entry.at)}
                className="w-16 shrink-0 font-mono text-xs text-muted tabular-nums"
              >
                {startMs === null ? clockTime(entry.at) : offset(Date.parse(entry.at) - startMs)}
              </time>
              <span
                className={classes(
                  entry.source === 'ledger' ? 'font-semibold' : 'font-mono text-xs text-muted',
                )}
              >
                {entry.source === 'ledger' ? entryWords(entry) : entry.type}
              </span>
              <Chip tone="plain">{LANE_NAMES[laneOf(entry)]}</Chip>
              {entry.actor !== null && (
                <span className="text-xs text-muted">by {actorWords(entry.actor)}</span>
              )}
            </summary>
            <pre
              tabIndex={0}
              aria-label={`Raw form of ${entry.key}`}
              className="my-1.5 max-h-64 overflow-auto rounded-lg bg-sunk p-2 font-mono text-xs"
            >
              {JSON.stringify(entry.raw, null, 2)}
            </pre>
          </details>
        </li>
      ))}
    </ol>
  );
}
