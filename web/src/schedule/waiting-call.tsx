import { useState } from 'react';
import { problemOf } from '../api/business-client.ts';
import { useHangUp } from '../api/business-hooks.ts';
import { useReschedule, type ScheduledCallView } from '../api/schedule-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Chip } from '../ui/chip.tsx';
import { dayAndTime, shortTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { MoveForm } from './move-form.tsx';
import { offeredTimes, waitText } from './schedule-words.ts';

/** One call that waits: when, whom, why not yet; and how to move, make or cancel it. */
export function WaitingCall(props: {
  call: ScheduledCallView;
  now: number;
  /** Null where the person's name is not at hand. */
  name: string | null;
  line: string | null;
}) {
  const { call, now } = props;
  const [isOpen, setOpen] = useState(false);
  const isDue = Date.parse(call.dueAt) <= now;
  return (
    <li className="border-t border-edge py-2 first:border-t-0">
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
          <time dateTime={call.dueAt} className="font-semibold tabular-nums">
            {shortTime(call.dueAt)}
          </time>
          <span className="min-w-0 font-semibold break-words">{props.name ?? call.purpose}</span>
          {props.line !== null && <span className="text-muted">{props.line}</span>}
          {call.waitsFor !== null && <Chip tone="warn">{waitText(call.waitsFor)}</Chip>}
          {call.waitsFor === null && isDue && (
            <Chip tone="accent" live>
              Due now
            </Chip>
          )}
          <span className="ml-auto text-accent">{isOpen ? 'Close' : 'Open'}</span>
        </summary>
        {isOpen && <Actions call={call} now={now} />}
      </details>
    </li>
  );
}

function Actions(props: { call: ScheduledCallView; now: number }) {
  const { call, now } = props;
  const [moving, setMoving] = useState(false);
  const reschedule = useReschedule(call.id);
  const cancel = useHangUp(call.id);
  const toTime = (scheduledAt: string): void => reschedule.mutate({ scheduledAt });
  const isBusy = reschedule.isPending || cancel.isPending;
  return (
    <div className="mt-2 flex flex-col gap-2 pl-2 text-sm">
      <p>
        About “{call.purpose}”. Not dialled after {dayAndTime(call.latestAt)}. The gate judges the
        call once more before it is dialled.
      </p>
      <p className="text-xs text-muted">
        <code className="font-mono break-all">{call.id}</code>
      </p>
      <div className="flex flex-wrap gap-2">
        <Button disabled={isBusy} onClick={() => toTime(new Date(now).toISOString())}>
          Call now
        </Button>
        <Button aria-expanded={moving} onClick={() => setMoving(!moving)}>
          Move
        </Button>
        <Button look="danger" disabled={isBusy} onClick={() => cancel.mutate()}>
          Cancel the call
        </Button>
      </div>
      <p role="status">{reschedule.isSuccess ? 'Moved.' : ''}</p>
      {reschedule.error !== null && (
        <Refused error={reschedule.error} now={now} isBusy={isBusy} onTake={toTime} />
      )}
      {cancel.error !== null && <ProblemNote error={cancel.error} />}
      {moving && <MoveForm call={call} isBusy={isBusy} onMove={(to) => reschedule.mutate(to)} />}
    </div>
  );
}

/** Why the call cannot come then, and which times are nearest; it keeps its old one. */
function Refused(props: {
  error: unknown;
  now: number;
  isBusy: boolean;
  onTake: (at: string) => void;
}) {
  const offered = offeredTimes(problemOf(props.error), props.now);
  return (
    <div className="flex flex-col gap-2">
      <p className="font-semibold">Refused, so the call keeps its time, because:</p>
      <ProblemNote error={props.error} />
      {offered.length > 0 && (
        <div className="flex flex-wrap items-center gap-2">
          <span>Nearest allowed times:</span>
          {offered.map((at) => (
            <Button key={at} disabled={props.isBusy} onClick={() => props.onTake(at)}>
              {dayAndTime(at)}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}
