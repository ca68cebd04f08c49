import type { CallView } from '../../../src/http/api-types.ts';
import { Chip } from '../ui/chip.tsx';
import { classes } from '../ui/classes.ts';
import { dayAndTime, shortTime, talkTime } from '../ui/format.ts';
import { callChip, isLive, talkMs } from './call-words.ts';

/** Calls, newest first; the chosen one is shown beside the list. */
export function CallList(props: {
  calls: readonly CallView[];
  nameOf: (contactId: string) => string;
  chosenId: string | null;
  onChoose: (callId: string) => void;
}) {
  return (
    <ul aria-label="Calls" className="flex flex-col gap-1">
      {props.calls.map((call) => (
        <li key={call.id}>
          <button
            type="button"
            aria-current={call.id === props.chosenId ? 'true' : undefined}
            onClick={() => props.onChoose(call.id)}
            className={classes(
              'flex w-full items-center justify-between gap-2 rounded-xl border px-3 py-2',
              'text-left text-sm',
              call.id === props.chosenId
                ? 'border-accent bg-accent-soft'
                : 'border-transparent hover:bg-sunk',
            )}
          >
            <span className="min-w-0">
              <span className="block truncate font-semibold">{props.nameOf(call.contactId)}</span>
              <span className="block truncate text-xs text-muted">
                <time dateTime={call.requestedAt} title={dayAndTime(call.requestedAt)}>
                  {shortTime(call.requestedAt)}
                </time>
                {' · '}
                {call.purpose}
              </span>
            </span>
            <span className="flex shrink-0 flex-col items-end gap-0.5">
              <CallChip call={call} />
              {call.endedAt !== null && <Length call={call} />}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function CallChip(props: { call: CallView }) {
  const chip = callChip(props.call);
  return (
    <Chip tone={chip.tone} live={isLive(props.call)}>
      {chip.label}
    </Chip>
  );
}

function Length(props: { call: CallView }) {
  const length = talkMs(props.call, 0);
  if (length === null) return null;
  return <span className="font-mono text-xs text-muted tabular-nums">{talkTime(length)}</span>;
}
