import { useState } from 'react';
import { useStartRun, type JourneyView } from '../api/journey-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { ExperimentField } from '../experiments/experiment-field.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { firstVariables, givenVariables, VariableFields } from './variable-fields.tsx';

/** Puts one person on a journey. */
export function StartCard(props: { journey: JourneyView; number: string | null }) {
  const { id, name, journey } = props.journey;
  const [to, setTo] = useState(props.number ?? '');
  const [texts, setTexts] = useState(() => firstVariables(journey));
  const start = useStartRun(id);
  const [experimentId, setExperimentId] = useState('');
  const variables = givenVariables(journey, texts);
  const by = experimentId === '' ? {} : { experimentId };
  const wish = { to: to.trim(), variables, ...by };
  return (
    <Card title={`Start “${name}” for a person`}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate(wish);
        }}
      >
        <TextField
          label="Number or user id"
          value={to}
          required
          maxLength={100}
          placeholder="+447700900100"
          onChange={setTo}
        />
        <VariableFields journey={journey} texts={texts} onChange={setTexts} />
        <ExperimentField value={experimentId} onChange={setExperimentId} />
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" look="primary" disabled={start.isPending}>
            {start.isPending ? 'Starting…' : 'Start'}
          </Button>
          <CopyCurl what="start the journey" path={`/v1/journeys/${id}/runs`} body={wish} />
        </div>
      </form>
      <p role="status" className="mt-2 text-sm">
        {start.isSuccess ? 'On the way. The first step follows by itself.' : ''}
      </p>
      {start.error !== null && <ProblemNote error={start.error} />}
    </Card>
  );
}
