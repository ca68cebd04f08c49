import { useState } from 'react';
import { useExperiments } from '../api/experiment-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ExperimentCard } from './experiment-card.tsx';
import { NewExperimentCard } from './new-experiment-card.tsx';
import { StateChip } from './state-chip.tsx';

/** Experiments: which of two ways to ask and call people prefer. */
export function ExperimentsPage() {
  const experiments = useExperiments();
  const [picked, setPicked] = useState<string | null>(null);
  const items = experiments.data?.items ?? [];
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <div className="grid min-w-0 grid-cols-1 gap-4">
        <Card
          title="Experiments"
          aside={<Button onClick={() => setPicked(null)}>Plan a new one</Button>}
        >
          {experiments.error !== null && <ProblemNote error={experiments.error} />}
          {experiments.isPending && <p className="text-sm text-muted">Loading…</p>}
          {experiments.data !== undefined && items.length === 0 && (
            <p className="text-sm text-muted">
              No experiment yet. Plan one beside: two wordings, templates, hours, gaps or scripts,
              and which of them more people like.
            </p>
          )}
          <ul className="flex flex-col gap-2">
            {items.map(({ id, name, state, arms }) => (
              <li key={id} className="flex flex-wrap items-center gap-3 text-sm">
                <Button look={picked === id ? 'primary' : 'plain'} onClick={() => setPicked(id)}>
                  {name}
                </Button>
                <StateChip state={state} />
                <span className="text-muted">{arms.map((arm) => arm.name).join(' against ')}</span>
              </li>
            ))}
          </ul>
        </Card>
      </div>
      <div className="grid min-w-0 grid-cols-1 gap-4">
        {picked === null ? (
          <NewExperimentCard onCreated={({ id }) => setPicked(id)} />
        ) : (
          <ExperimentCard key={picked} id={picked} />
        )}
      </div>
    </main>
  );
}
