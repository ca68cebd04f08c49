import { useState } from 'react';
import { useDryRun, type DryRunView, type JourneyView } from '../api/journey-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { firstVariables, givenVariables, VariableFields } from './variable-fields.tsx';

type Answer = 'yes' | 'no' | 'none';
const ANSWERS = [
  ['yes', 'says yes'],
  ['no', 'says no'],
  ['none', 'says nothing'],
] as const;
const OUTCOMES = [
  ['completed', 'picks up'],
  ['no_answer', 'does not pick up'],
  ['rejected', 'declines the call'],
] as const;
type Outcome = (typeof OUTCOMES)[number][0];

/** What would happen to somebody, in counted time: nobody is asked, nobody is called. */
export function DryRunCard(props: { journey: JourneyView }) {
  const { id, journey } = props.journey;
  const [texts, setTexts] = useState(() => firstVariables(journey));
  const [answer, setAnswer] = useState<Answer>('yes');
  const [outcome, setOutcome] = useState<Outcome>('completed');
  const [result, setResult] = useState('');
  const dryRun = useDryRun(id);
  const body = {
    variables: givenVariables(journey, texts),
    answers: Array.from({ length: 5 }, () => ({ answer, afterMinutes: 5 })),
    calls: Array.from({ length: 5 }, () => ({ outcome, result: result === '' ? null : result })),
  };
  return (
    <Card title="Dry run">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          dryRun.mutate(body);
        }}
      >
        <VariableFields journey={journey} texts={texts} onChange={setTexts} />
        <div className="grid gap-3 sm:grid-cols-2">
          <SelectField
            label="Asked, the person"
            value={answer}
            options={ANSWERS}
            onChange={setAnswer}
          />
          <SelectField
            label="Called, the person"
            value={outcome}
            options={OUTCOMES}
            onChange={setOutcome}
          />
        </div>
        <TextField
          label="Result of the script"
          value={result}
          maxLength={100}
          hint="Such as confirmed or reschedule; empty where no script speaks"
          onChange={setResult}
        />
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" look="primary" disabled={dryRun.isPending}>
            Play it
          </Button>
          <CopyCurl what="the dry run" path={`/v1/journeys/${id}/dry-run`} body={body} />
        </div>
      </form>
      {dryRun.error !== null && <ProblemNote error={dryRun.error} />}
      <div role="status" className="mt-3">
        {dryRun.data !== undefined && <Steps view={dryRun.data} />}
      </div>
    </Card>
  );
}

function Steps(props: { view: DryRunView }) {
  const { steps, end } = props.view;
  return (
    <>
      <ol aria-label="Steps of the dry run" className="flex flex-col gap-1 text-sm">
        {steps.map((step, index) => (
          <li key={`${index} ${step.step}`} className="flex flex-wrap gap-2">
            <span className="w-44 shrink-0 text-muted">{dayAndTime(step.at)}</span>
            <span className="font-semibold">{step.step}</span>
            <span>{inWords(step.outcome)}</span>
            {step.text !== null && <span className="text-muted">{step.text}</span>}
          </li>
        ))}
      </ol>
      <p className="mt-1 text-sm">
        Ends as <strong>{inWords(end)}</strong>.
      </p>
    </>
  );
}
