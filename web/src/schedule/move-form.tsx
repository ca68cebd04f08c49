import { useState } from 'react';
import { useTimesOfCall, type ScheduledCallView, type TimeWish } from '../api/schedule-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { shortTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { fromLocalInput, localInput } from './schedule-words.ts';

const KINDS = [
  ['time', 'A time'],
  ['window', 'The best minute of a window'],
] as const;
const HOUR_MS = 3_600_000;
const SHOWN_TIMES = 6;

/** A new time for a call, typed or picked from the next legal minutes. */
export function MoveForm(props: {
  call: ScheduledCallView;
  isBusy: boolean;
  onMove: (to: TimeWish) => void;
}) {
  const { call } = props;
  const [kind, setKind] = useState<'time' | 'window'>('time');
  const [from, setFrom] = useState(localInput(Date.parse(call.dueAt)));
  const [until, setUntil] = useState(localInput(Date.parse(call.dueAt) + HOUR_MS));
  const wish = wishOf(kind, from, until);
  return (
    <form
      aria-label="Move the call"
      className="flex flex-col gap-3 rounded-xl border border-edge p-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (wish !== null) props.onMove(wish);
      }}
    >
      <NextTimes call={call} onPick={(at) => props.onMove({ scheduledAt: at })} />
      <SelectField label="Move to" value={kind} options={KINDS} onChange={setKind} />
      <div className="grid grid-cols-1 gap-3 sm:grid-cols-2">
        <TextField
          type="datetime-local"
          label={kind === 'time' ? 'New time' : 'Not before'}
          hint="In the time of this computer."
          required
          value={from}
          onChange={setFrom}
        />
        {kind === 'window' && (
          <TextField
            type="datetime-local"
            label="Not after"
            hint="After it the call is given up."
            required
            value={until}
            onChange={setUntil}
          />
        )}
      </div>
      <div className="flex flex-wrap items-start gap-2">
        <Button type="submit" look="primary" disabled={props.isBusy || wish === null}>
          Move the call
        </Button>
        <CopyCurl what="move the call" path={`/v1/calls/${call.id}/reschedule`} body={wish} />
      </div>
    </form>
  );
}

function wishOf(kind: 'time' | 'window', from: string, until: string): TimeWish | null {
  const at = fromLocalInput(from);
  const end = fromLocalInput(until);
  if (at === null) return null;
  if (kind === 'time') return { scheduledAt: at };
  return end === null ? null : { window: { from: at, until: end } };
}

function NextTimes(props: { call: ScheduledCallView; onPick: (at: string) => void }) {
  const times = useTimesOfCall(props.call, SHOWN_TIMES);
  if (times.isPending) return <p className="text-muted">Looking for times…</p>;
  if (times.error !== null) return <ProblemNote error={times.error} />;
  const { items, refusal } = times.data;
  if (refusal !== null) {
    return (
      <p>
        Within the next 24 hours there is no other time: {refusal.message} {refusal.fix}
      </p>
    );
  }
  return (
    <div className="flex flex-wrap items-center gap-2">
      <span>Next allowed minutes:</span>
      {items.map(({ at }) => (
        <Button key={at} onClick={() => props.onPick(at)}>
          {shortTime(at)}
        </Button>
      ))}
    </div>
  );
}
