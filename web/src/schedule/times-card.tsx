import { useState } from 'react';
import type { LineView } from '../../../src/http/api-types.ts';
import {
  useCallingTimes,
  usePlanCall,
  type CallingTimesView,
  type PlanWish,
} from '../api/schedule-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { LinePicker } from '../business/line-picker.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime, shortTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';

type Question = { to: string; purpose: string; lineId: string };

/** When somebody may be called, and a call at such a time. */
export function TimesCard(props: { number: string | null; lines: readonly LineView[] }) {
  const [to, setTo] = useState(props.number ?? '');
  const [purpose, setPurpose] = useState('');
  const [lineId, setLineId] = useState(props.lines[0]?.id ?? '');
  const [asked, setAsked] = useState<Question | null>(null);
  const times = useCallingTimes(asked ?? { to: '', purpose: '', lineId });
  const plan = usePlanCall();
  const planned = (wish: PlanWish): void =>
    // A person with a call that waits has no other time, so the times go.
    plan.mutate(wish, { onSuccess: () => setAsked(null) });
  const question = { to: to.trim(), purpose: purpose.trim(), lineId };
  return (
    <Card title="When may I call?">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          plan.reset();
          setAsked(question);
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
        <TextField
          label="Purpose"
          hint="As the customer allowed it."
          value={purpose}
          required
          maxLength={500}
          placeholder="your order 1042"
          onChange={setPurpose}
        />
        <LinePicker lines={props.lines} lineId={lineId} onPick={setLineId} />
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" look="primary">
            Show the times
          </Button>
          <CopyCurl what="ask for the times" path="/v1/calling-times" body={question} />
        </div>
      </form>
      {asked !== null && (
        <div className="mt-3" aria-live="polite">
          {times.error !== null && <ProblemNote error={times.error} />}
          {times.isPending && <p className="text-sm text-muted">Looking for times…</p>}
          {times.data !== undefined && (
            <Times times={times.data} question={asked} isBusy={plan.isPending} onPlan={planned} />
          )}
        </div>
      )}
      <p role="status" className="mt-2 text-sm">
        {plan.data === undefined ? '' : `The call waits for ${dayAndTime(plan.data.dueAt)}.`}
      </p>
      {plan.error !== null && <ProblemNote error={plan.error} />}
    </Card>
  );
}

/** So many minutes are offered as buttons; the best one comes first. */
const SHOWN = 6;

function Times(props: {
  times: CallingTimesView;
  question: Question;
  isBusy: boolean;
  onPlan: (wish: PlanWish) => void;
}) {
  const { times, question, isBusy, onPlan } = props;
  const { best, items, refusal, until } = times;
  if (best === null) {
    return (
      <div className="rounded-xl border border-bad bg-bad-soft p-3 text-sm">
        <p className="font-semibold text-bad">No call until {dayAndTime(until)}.</p>
        <p className="mt-1">{refusal?.message}</p>
        <p className="mt-1">
          <span className="font-semibold">Fix: </span>
          {refusal?.fix}
        </p>
        <p className="mt-1.5 text-xs">
          <code className="font-mono">{refusal?.code}</code>
        </p>
        {refusal?.alternatives.map((at) => (
          <p key={at}>Allowed then: {dayAndTime(at)}.</p>
        ))}
      </div>
    );
  }
  const wish: PlanWish = { ...question, window: { until } };
  return (
    <div className="flex flex-col gap-3 text-sm">
      <p>
        The best minute is <strong>{dayAndTime(best)}</strong>; the next ones are below. A minute
        that is full is passed over.
      </p>
      <ul className="flex flex-wrap gap-2">
        {items.slice(0, SHOWN).map(({ at, booked, capacity }) => (
          <li key={at}>
            <Button disabled={isBusy} onClick={() => onPlan({ ...question, scheduledAt: at })}>
              {shortTime(at)}
              <span className="font-normal text-muted">{roomText(booked, capacity)}</span>
            </Button>
          </li>
        ))}
      </ul>
      <div className="flex flex-wrap items-start gap-2">
        <Button look="primary" disabled={isBusy} onClick={() => onPlan(wish)}>
          Call at the best minute
        </Button>
        <CopyCurl what="call at the best minute" path="/v1/calls" body={wish} />
      </div>
    </div>
  );
}

function roomText(booked: number, capacity: number | null): string {
  return capacity === null ? '' : `${booked} of ${capacity}`;
}
