import { useState } from 'react';
import { useExperiment, useMoveExperiment, type WithResult } from '../api/experiment-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { ArmTable } from './arm-table.tsx';
import { StateChip } from './state-chip.tsx';
import { progressWords } from './interval-words.ts';

/** One experiment: its result in words, its arms, its guards, and what may be done with it. */
export function ExperimentCard(props: { id: string }) {
  const experiment = useExperiment(props.id);
  if (experiment.data === undefined) {
    return (
      <Card title="Experiment">
        {experiment.error === null ? (
          <p className="text-sm text-muted">Loading…</p>
        ) : (
          <ProblemNote error={experiment.error} />
        )}
      </Card>
    );
  }
  return <Known experiment={experiment.data} />;
}

function Known(props: { experiment: WithResult }) {
  const { experiment } = props;
  const { id, name, state, result } = experiment;
  const alarm = result.sampleRatio?.alarm === true;
  const stopped = experiment.arms.filter(({ stoppedAt }) => stoppedAt !== null);
  const body = { to: '+447700900100', purpose: 'your order 1042', experimentId: id };
  return (
    <Card title={name} aside={<StateChip state={state} />}>
      <div className="flex flex-col gap-3 text-sm">
        <p role="status" className="rounded-xl bg-accent-soft p-3 text-base font-semibold">
          {result.words}
        </p>
        {alarm && (
          <p role="alert" className="rounded-xl bg-bad-soft p-3 font-semibold text-bad">
            The arms do not have the sizes they were drawn with: something keeps people of one arm
            away. Find that before you believe any figure below.
          </p>
        )}
        {stopped.map(({ name: arm, stoppedAt }) => (
          <p key={arm} className="rounded-xl bg-warn-soft p-3 text-warn">
            Arm {arm} was stopped by the opt-out guard {dayAndTime(stoppedAt ?? '')}: its people say
            stop more often than those of the control.
          </p>
        ))}
        <p className="text-muted">
          {progressWords(experiment)}{' '}
          {result.lookedAt === null ? '' : `Counted ${dayAndTime(result.lookedAt)}.`}
        </p>
        <ArmTable experiment={experiment} />
        <p className="text-xs text-muted">
          The guard compares how many people of each arm say stop with the control, at every look,
          and stops an arm by itself. You may look as often as you like.
        </p>
        <Moves experiment={experiment} />
        {state === 'running' && (
          <div className="flex flex-col items-start gap-1">
            <p>Ask and call as always, with this experiment named:</p>
            <CopyCurl what="ask within the experiment" path="/v1/permission-requests" body={body} />
          </div>
        )}
        <p className="font-mono text-xs break-all text-muted">{id}</p>
      </div>
    </Card>
  );
}

function Moves(props: { experiment: WithResult }) {
  const { id, state, arms } = props.experiment;
  const move = useMoveExperiment(id);
  const [asks, setAsks] = useState(false);
  const [winner, setWinner] = useState(arms[0]?.name ?? '');
  if (state === 'decided') return null;
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-end gap-2">
        {state === 'draft' && (
          <Button
            look="primary"
            disabled={move.isPending}
            onClick={() => move.mutate({ move: 'start' })}
          >
            Start: let people in
          </Button>
        )}
        {state === 'running' && (
          <Button disabled={move.isPending} onClick={() => move.mutate({ move: 'stop' })}>
            Stop: all get the control
          </Button>
        )}
        {state !== 'draft' && !asks && (
          <Button onClick={() => setAsks(true)}>Choose a winner</Button>
        )}
        {asks && (
          <>
            <SelectField
              label="The arm that everybody gets"
              value={winner}
              options={arms.map(({ name }) => [name, `Arm ${name}`] as const)}
              onChange={setWinner}
            />
            <Button
              look="primary"
              disabled={move.isPending}
              onClick={() => move.mutate({ move: 'decide', body: { arm: winner } })}
            >
              Give it to everybody
            </Button>
            <Button look="quiet" onClick={() => setAsks(false)}>
              Not yet
            </Button>
          </>
        )}
      </div>
      {move.error !== null && <ProblemNote error={move.error} />}
    </div>
  );
}
