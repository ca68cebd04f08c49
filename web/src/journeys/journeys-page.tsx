import { useState } from 'react';
import {
  useDeleteJourney,
  useInstall,
  useJourneys,
  useReadyJourneys,
  type JourneyDocument,
  type JourneyView,
  type ListedJourney,
} from '../api/journey-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { DryRunCard } from './dry-run-card.tsx';
import { JourneyEditor } from './journey-editor.tsx';
import { RunsCard } from './runs-card.tsx';
import { StartCard } from './start-card.tsx';

type Picked = { id: string | null; name: string; version: number; journey: JourneyDocument };

/** To begin with, where nobody wants one of the ready ones. */
const EMPTY: JourneyDocument = {
  name: 'My journey',
  variables: { topic: { about: 'What it is about' } },
  steps: [
    {
      name: 'ask',
      do: 'ask',
      template: 'call_permission_request',
      purpose: 'your question about {{topic}}',
    },
    { name: 'yes', do: 'wait', for: 'yes', until: { after: '2h' }, else: 'end' },
    { name: 'call', do: 'call' },
  ],
};

/** Journeys: how people are asked, waited for and called, and who is on the way. */
export function JourneysPage(props: { number: string | null }) {
  const journeys = useJourneys();
  const [picked, setPicked] = useState<Picked | null>(null);
  const items = journeys.data?.items ?? [];
  const pick = ({ id, name, version, journey }: JourneyView): void =>
    setPicked({ id, name, version, journey });
  const stored = items.find(({ id }) => id === picked?.id) ?? null;
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <div className="grid min-w-0 grid-cols-1 gap-4">
        <Card
          title="Journeys"
          aside={
            <Button
              onClick={() => setPicked({ id: null, name: 'New', version: 0, journey: EMPTY })}
            >
              Write one
            </Button>
          }
        >
          {journeys.error !== null && <ProblemNote error={journeys.error} />}
          {journeys.isPending && <p className="text-sm text-muted">Loading…</p>}
          {journeys.data !== undefined && items.length === 0 && (
            <p className="text-sm text-muted">No journey yet. Install a ready one, or write one.</p>
          )}
          <ul className="flex flex-col gap-2">
            {items.map((journey) => (
              <JourneyRow key={journey.id} journey={journey} onPick={() => pick(journey)} />
            ))}
          </ul>
          <ReadyList installed={items} onInstalled={pick} />
        </Card>
        {stored !== null && (
          <StartCard key={`start ${stored.id}`} journey={stored} number={props.number} />
        )}
        <RunsCard key={`runs ${stored?.id ?? ''}`} journey={stored} journeys={items} />
      </div>
      {picked !== null && (
        <div className="grid min-w-0 grid-cols-1 gap-4">
          <JourneyEditor
            key={`${picked.id ?? ''} ${picked.version}`}
            id={picked.id}
            title={
              picked.id === null ? 'A new journey' : `${picked.name}, version ${picked.version}`
            }
            text={JSON.stringify(picked.journey, null, 2)}
            onSaved={pick}
          />
          {stored !== null && <DryRunCard key={`dry ${stored.id}`} journey={stored} />}
        </div>
      )}
    </main>
  );
}

function JourneyRow(props: { journey: ListedJourney; onPick: () => void }) {
  const { id, name, version, liveRuns } = props.journey;
  const remove = useDeleteJourney();
  const [asks, setAsks] = useState(false);
  return (
    <li className="flex flex-wrap items-center gap-3 text-sm">
      <span className="font-semibold">{name}</span>
      <span className="text-muted">version {version}</span>
      {liveRuns > 0 && (
        <Chip tone="accent" live>
          {liveRuns} on the way
        </Chip>
      )}
      <Button onClick={props.onPick}>
        Open<span className="sr-only"> {name}</span>
      </Button>
      {asks ? (
        <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate(id)}>
          Delete and take {liveRuns} off<span className="sr-only"> {name}</span>
        </Button>
      ) : (
        <Button look="quiet" onClick={() => setAsks(true)}>
          Delete<span className="sr-only"> {name}</span>
        </Button>
      )}
      {remove.error !== null && <ProblemNote error={remove.error} />}
    </li>
  );
}

function ReadyList(props: {
  installed: readonly JourneyView[];
  onInstalled: (journey: JourneyView) => void;
}) {
  const ready = useReadyJourneys();
  const install = useInstall();
  const known = new Set(props.installed.map(({ readyKey }) => readyKey));
  const missing = (ready.data?.items ?? []).filter(({ key }) => !known.has(key));
  if (missing.length === 0) return null;
  return (
    <div className="mt-3 border-t border-edge pt-3">
      <h3 className="text-sm font-bold">Ready to use</h3>
      {install.error !== null && <ProblemNote error={install.error} />}
      <ul className="mt-1 flex flex-col gap-2">
        {missing.map(({ key, title, about }) => (
          <li key={key} className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
            <Button
              disabled={install.isPending}
              onClick={() => install.mutate(key, { onSuccess: props.onInstalled })}
            >
              Install “{title}”
            </Button>
            <span className="min-w-60 flex-1 text-muted">{about}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
