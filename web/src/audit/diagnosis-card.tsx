import { useState } from 'react';
import {
  PROBLEMS,
  useDiagnosis,
  type CheckView,
  type DiagnosisView,
  type ProblemName,
} from '../api/audit-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

/** The four things that go wrong, looked into at once. */
export function DiagnosisCard(props: { number: string | null }) {
  const [problem, setProblem] = useState<ProblemName>('call_denied');
  const [to, setTo] = useState(props.number ?? '');
  const [question, setQuestion] = useState<{ problem: ProblemName; to: string } | null>(null);
  const answer = useDiagnosis(question);
  const isAboutPerson = problem === 'call_denied' || problem === 'request_not_received';
  return (
    <Card title="What is wrong?" className="xl:col-span-2">
      <form
        className="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          setQuestion({ problem, to: isAboutPerson ? to.trim() : '' });
        }}
      >
        <SelectField label="Problem" value={problem} options={PROBLEMS} onChange={setProblem} />
        {isAboutPerson && (
          <TextField label="Customer" value={to} required maxLength={100} onChange={setTo} />
        )}
        <Button type="submit" look="primary" disabled={answer.isFetching}>
          {answer.isFetching ? 'Looking…' : 'Find the cause'}
        </Button>
      </form>
      <div className="mt-3" aria-live="polite">
        {answer.error !== null && <ProblemNote error={answer.error} />}
        {answer.data !== undefined && <Answer diagnosis={answer.data} />}
      </div>
    </Card>
  );
}

const RESULTS: Record<CheckView['result'], { label: string; tone: Tone }> = {
  ok: { label: 'Fine', tone: 'good' },
  fault: { label: 'Cause', tone: 'bad' },
  hint: { label: 'Perhaps', tone: 'warn' },
  unknown: { label: 'Cannot tell', tone: 'plain' },
};

function Answer(props: { diagnosis: DiagnosisView }) {
  const { cause, checks } = props.diagnosis;
  return (
    <>
      <p className="text-sm font-semibold">
        {cause === null ? 'Nothing was found that would cause this.' : cause.detail}
      </p>
      {cause !== null && cause.fix !== null && <p className="mt-1 text-sm">{cause.fix}</p>}
      <ul className="mt-3 flex flex-col gap-2">
        {checks.map((check) => (
          <li key={check.id} className="border-l-2 border-edge pl-3 text-sm">
            <p className="flex flex-wrap items-center gap-2">
              <Chip tone={RESULTS[check.result].tone}>{RESULTS[check.result].label}</Chip>
              <span className="font-semibold">{check.title}</span>
            </p>
            <p>{check.detail}</p>
            {check.fix !== null && <p className="text-muted">{check.fix}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}
