import { useState } from 'react';
import { useCreateExperiment, useSize, type ExperimentView } from '../api/experiment-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { useSettled } from '../ui/use-settled.ts';
import { ArmFields } from './arm-fields.tsx';
import {
  ARMS_MAX,
  bodyOf,
  firstDraft,
  METRIC_WORDS,
  nextArm,
  sizeWords,
  type PlanDraft,
} from './plan-draft.ts';

const POWERS = [
  ['80', 'in 80 of 100 cases'],
  ['90', 'in 90 of 100 cases'],
] as const;

/** Plans an experiment, and says as it is written how many people and days it takes. */
export function NewExperimentCard(props: { onCreated: (experiment: ExperimentView) => void }) {
  const [draft, setDraft] = useState(firstDraft);
  const create = useCreateExperiment();
  const body = bodyOf(draft);
  const setArm = (index: number, arm: PlanDraft['arms'][number]): void =>
    setDraft({ ...draft, arms: draft.arms.map((old, at) => (at === index ? arm : old)) });
  const dropArm = (index: number): void =>
    setDraft({ ...draft, arms: draft.arms.filter((_, at) => at !== index) });
  return (
    <Card title="A new experiment">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(body, { onSuccess: props.onCreated });
        }}
      >
        <PlanFields draft={draft} onChange={setDraft} />
        <SizeLine draft={draft} />
        {draft.arms.map((arm, index) => (
          <ArmFields
            // Arms have no id; their place is what they are known by.
            key={`arm ${index}`}
            arm={arm}
            isControl={index === 0}
            onChange={(changed) => setArm(index, changed)}
            onRemove={index > 1 ? () => dropArm(index) : null}
          />
        ))}
        <div className="flex flex-wrap items-start gap-2">
          <Button
            blocked={draft.arms.length >= ARMS_MAX}
            onClick={() => setDraft({ ...draft, arms: [...draft.arms, nextArm(draft.arms)] })}
          >
            Add an arm
          </Button>
          <Button type="submit" look="primary" disabled={create.isPending}>
            {create.isPending ? 'Creating…' : 'Create as a draft'}
          </Button>
          <CopyCurl what="create the experiment" path="/v1/experiments" body={body} />
        </div>
      </form>
      {create.error !== null && <ProblemNote error={create.error} />}
    </Card>
  );
}

type FieldsProps = { draft: PlanDraft; onChange: (draft: PlanDraft) => void };

const PERCENT = { type: 'number', min: 0.1, step: 0.1, required: true } as const;

function PlanFields(props: FieldsProps) {
  const { draft } = props;
  const set = (field: keyof PlanDraft) => (text: string) =>
    props.onChange({ ...draft, [field]: text });
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <TextField
        label="Name"
        value={draft.name}
        required
        maxLength={100}
        placeholder="Shorter purpose"
        onChange={set('name')}
      />
      <SelectField
        label="What is measured: who…"
        value={draft.metric}
        options={METRIC_WORDS}
        onChange={set('metric')}
      />
      <TextField
        {...PERCENT}
        max={99.9}
        label="Reached today, in percent"
        value={draft.baseline}
        onChange={set('baseline')}
      />
      <TextField
        {...PERCENT}
        max={99}
        label="Smallest difference worth finding, in points"
        value={draft.smallestEffect}
        onChange={set('smallestEffect')}
      />
      <SelectField
        label="It is to be found"
        value={draft.power}
        options={POWERS}
        onChange={set('power')}
      />
      <PeopleFields {...props} />
    </div>
  );
}

/** Whom it is about: how many, which part of them, and for how long. */
function PeopleFields(props: FieldsProps) {
  const { draft } = props;
  const set = (field: keyof PlanDraft) => (text: string) =>
    props.onChange({ ...draft, [field]: text });
  return (
    <>
      <TextField
        label="People a day"
        type="number"
        min={1}
        value={draft.peoplePerDay}
        hint="Only to say how long it takes"
        onChange={set('peoplePerDay')}
      />
      <TextField
        label="An outcome counts for hours"
        type="number"
        min={1}
        max={720}
        required
        value={draft.windowHours}
        hint="From the first request or call on"
        onChange={set('windowHours')}
      />
      <TextField
        {...PERCENT}
        max={100}
        label="Part of the people who take part, in percent"
        value={draft.share}
        onChange={set('share')}
      />
      <TextField
        label="Layer"
        value={draft.layer}
        required
        maxLength={40}
        hint="Experiments of one layer never share a person"
        onChange={set('layer')}
      />
    </>
  );
}

function SizeLine(props: { draft: PlanDraft }) {
  const settled = useSettled(JSON.stringify(props.draft));
  const draft = JSON.parse(settled) as PlanDraft;
  const size = useSize(bodyOf(draft), draft.arms.length);
  return (
    <div className="rounded-xl bg-accent-soft p-3 text-sm">
      <p role="status" className="font-semibold">
        {size.data === undefined
          ? 'How many people it takes…'
          : sizeWords(draft, size.data.peoplePerArm)}
      </p>
      {size.error !== null && <ProblemNote error={size.error} />}
    </div>
  );
}
