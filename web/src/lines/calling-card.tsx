import { useState } from 'react';
import type { LineView } from '../../../src/http/api-types.ts';
import { useCalling, useSetCalling, type CallingView } from '../api/line-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { CheckBox } from '../ui/check-box.tsx';
import { Chip } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { spansIn, textOfSpans } from '../endpoints/opening-hours.ts';

/** The call settings as Meta has them now; nothing of them is kept here. */
export function CallingCard(props: { line: LineView }) {
  const { line } = props;
  const calling = useCalling(line.id);
  const set = useSetCalling(line.id);
  const now = calling.data;
  return (
    <Card
      title="Calling at Meta"
      aside={
        now !== undefined && (
          <Chip tone={now.enabled ? 'good' : 'bad'}>{now.enabled ? 'On' : 'Off'}</Chip>
        )
      }
    >
      {calling.isPending && <p className="text-sm text-muted">Asking Meta…</p>}
      {calling.error !== null && <ProblemNote error={calling.error} />}
      {now !== undefined && (
        <div className="flex flex-col gap-3 text-sm">
          {now.sipEnabled && (
            <p className="text-bad">
              SIP is on at Meta, so calls from here are refused. Switch it off in WhatsApp Manager.
            </p>
          )}
          {now.restrictions.map(({ type, reason, until }) => (
            <p key={type} className="text-bad">
              {inWords(type)}
              {reason !== null && `: ${inWords(reason)}`}
              {until !== null && `, until ${dayAndTime(until)}`}.
            </p>
          ))}
          <p className="text-muted">
            Off, no call goes either way, and queued calls are refused by Meta.
          </p>
          <div>
            <Button
              look={now.enabled ? 'danger' : 'primary'}
              disabled={set.isPending}
              onClick={() => set.mutate({ enabled: !now.enabled })}
            >
              {now.enabled ? 'Switch calling off' : 'Switch calling on'}
            </Button>
          </div>
          <TheirCalls
            key={JSON.stringify(now)}
            now={now}
            isSaving={set.isPending}
            onSave={(wish) => set.mutate(wish)}
          />
          {set.error !== null && <ProblemNote error={set.error} />}
        </div>
      )}
    </Card>
  );
}

/** Calls that customers make; none of it limits calls to them. */
function TheirCalls(props: {
  now: CallingView;
  isSaving: boolean;
  onSave: (wish: Pick<CallingView, 'callback' | 'hours'>) => void;
}) {
  const { now } = props;
  const [callback, setCallback] = useState(now.callback);
  const [isLimited, setLimited] = useState(now.hours !== null);
  const [zone, setZone] = useState(
    now.hours?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
  );
  const [text, setText] = useState(textOf(now.hours) || 'Mo-Fr 09:00-17:00');
  const [closed, setClosed] = useState(now.hours?.closed.join(', ') ?? '');
  const open = spansIn(text);
  const isUnreadable = isLimited && open === null;
  return (
    <form
      className="flex flex-col gap-3 border-t border-edge pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (isUnreadable) return;
        const dates = closed.split(/[,;\s]+/).filter(Boolean);
        const hours = { zone: zone.trim(), open: open ?? [], closed: dates };
        props.onSave({ callback, hours: isLimited ? hours : null });
      }}
    >
      <CheckBox
        label="Whoever calls this number may be called back without being asked"
        checked={callback}
        onChange={setCallback}
      />
      <CheckBox
        label="Customers may call only at certain times"
        checked={isLimited}
        onChange={setLimited}
      />
      {isLimited && (
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="When customers may call"
            value={text}
            required
            hint="Mo-Fr 09:00-12:00, Mo-Fr 13:00-17:00; at most two spans a day"
            onChange={setText}
          />
          <TextField
            label="Time zone"
            value={zone}
            required
            hint="Such as Europe/Berlin"
            onChange={setZone}
          />
          <TextField
            label="Days without calls"
            value={closed}
            hint="Such as 2026-12-24, 2026-12-25; at most 20"
            onChange={setClosed}
          />
        </div>
      )}
      {isUnreadable && (
        <p role="alert" className="text-bad">
          These times cannot be read. Write them like Mo-Fr 09:00-17:00, Sa 10:00-14:00.
        </p>
      )}
      <div>
        <Button type="submit" blocked={isUnreadable} disabled={props.isSaving}>
          {props.isSaving ? 'Asking Meta…' : 'Set at Meta'}
        </Button>
      </div>
    </form>
  );
}

function textOf(hours: CallingView['hours']): string {
  return textOfSpans((hours?.open ?? []).map((span) => ({ ...span, days: [...span.days] })));
}
