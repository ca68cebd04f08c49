import {
  useCancelAll,
  useCancelRun,
  useRuns,
  type JourneyView,
  type RunView,
} from '../api/journey-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { clockTime, dayAndTime, inWords } from '../ui/format.ts';
import { PageButtons, usePages } from '../ui/page-buttons.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** Who is on the way, and how far; of one journey, or of all. */
export function RunsCard(props: { journey: JourneyView | null; journeys: readonly JourneyView[] }) {
  const pages = usePages();
  const runs = useRuns(props.journey?.id ?? null, pages.after);
  const cancelAll = useCancelAll();
  const items = runs.data?.items ?? [];
  const next = runs.data?.next ?? null;
  const nameOf = (id: string) => props.journeys.find((journey) => journey.id === id)?.name ?? id;
  const { journey } = props;
  return (
    <Card
      title={journey === null ? 'People on journeys' : `People on “${journey.name}”`}
      aside={
        journey !== null &&
        items.some(({ status }) => status === 'live') && (
          <Button
            look="danger"
            disabled={cancelAll.isPending}
            onClick={() => cancelAll.mutate(journey.id)}
          >
            Take everybody off
          </Button>
        )
      }
    >
      {runs.error !== null && <ProblemNote error={runs.error} />}
      {cancelAll.error !== null && <ProblemNote error={cancelAll.error} />}
      {runs.isPending && <p className="text-sm text-muted">Loading…</p>}
      {runs.data !== undefined && items.length === 0 && (
        <p className="text-sm text-muted">Nobody yet. Open a journey and start it for a person.</p>
      )}
      <ul className="flex flex-col gap-2">
        {items.map((run) => (
          <RunRow key={run.id} run={run} name={journey === null ? nameOf(run.journeyId) : null} />
        ))}
      </ul>
      <PageButtons pages={pages} next={next} back="Newer" on="Older" />
    </Card>
  );
}

function RunRow(props: { run: RunView; name: string | null }) {
  const { run } = props;
  const cancel = useCancelRun();
  return (
    <li className="border-t border-edge pt-2 first:border-t-0 first:pt-0">
      <details>
        <summary className="flex flex-wrap items-center gap-2 text-sm">
          {props.name !== null && <span className="font-semibold">{props.name}</span>}
          <Chip tone={toneOf(run)} live={run.status === 'live'}>
            {run.status === 'live' ? `at “${run.step}”` : inWords(run.end ?? 'ended')}
          </Chip>
          <span className="text-muted">{waitText(run)}</span>
          <span className="text-muted">since {dayAndTime(run.startedAt)}</span>
        </summary>
        <ol aria-label="Steps taken" className="mt-2 flex flex-col gap-1 pl-4 text-sm">
          {run.steps.length === 0 && <li className="text-muted">No step taken yet.</li>}
          {run.steps.map((step, index) => (
            <li key={`${index} ${step.step}`} className="flex flex-wrap gap-2">
              <span className="w-18 shrink-0 text-muted">{clockTime(step.at)}</span>
              <span className="font-semibold">{step.step}</span>
              <span>{inWords(step.outcome)}</span>
            </li>
          ))}
        </ol>
        <p className="mt-1 pl-4 text-xs text-muted">
          <code className="font-mono break-all">{run.id}</code> · version {run.version}
        </p>
        {run.status === 'live' && (
          <div className="mt-2 pl-4">
            <Button look="danger" disabled={cancel.isPending} onClick={() => cancel.mutate(run.id)}>
              Take off the journey
            </Button>
          </div>
        )}
        {cancel.error !== null && <ProblemNote error={cancel.error} />}
      </details>
    </li>
  );
}

function waitText({ status, waitsFor, dueAt }: RunView): string {
  if (status === 'ended') return '';
  if (waitsFor === 'call') return 'the call is under way';
  if (waitsFor === 'answer') {
    return dueAt === null
      ? 'waits for the answer'
      : `waits for the answer until ${dayAndTime(dueAt)}`;
  }
  return dueAt === null ? '' : `goes on ${dayAndTime(dueAt)}`;
}

const REFUSED = new Set(['refused', 'not_asked', 'not_called', 'too_many_steps', 'journey_gone']);

function toneOf({ status, end }: RunView): Tone {
  if (status === 'live') return 'accent';
  if (end === null || end === 'opted_out' || REFUSED.has(end)) return 'warn';
  return 'plain';
}
