import type { CallView } from '../../../src/http/api-types.ts';
import { useCall, useCallEvents, useCallTimeline, useCdr } from '../api/business-hooks.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { useNow } from '../ui/use-now.ts';
import { AfterCall } from './after-call.tsx';
import { CallAxis } from './call-axis.tsx';
import { CallChip } from './call-list.tsx';
import { isLive, verdict } from './call-words.ts';
import { CallRecordings } from './call-recording.tsx';
import { CdrTable } from './cdr-table.tsx';
import { EndCall } from './end-call.tsx';
import { historyOf, type HistoryEntry } from './history.ts';
import { timeAxis } from './time-axis.ts';
import { TimelineList } from './timeline-list.tsx';

/** Why this call happened the way it did: verdict, one time axis, every entry, the CDR. */
export function CallDetail(props: { callId: string; nameOf: (contactId: string) => string }) {
  const call = useCall(props.callId);
  const timeline = useCallTimeline(props.callId);
  const events = useCallEvents(props.callId);
  if (call.error !== null && call.data === undefined) return <ProblemNote error={call.error} />;
  if (call.data === undefined) return <p className="text-sm text-muted">Loading the call…</p>;
  return (
    <Detail
      call={call.data}
      name={props.nameOf(call.data.contactId)}
      entries={historyOf(timeline.data?.items ?? [], events.data?.items ?? [])}
    />
  );
}

function Detail(props: { call: CallView; name: string; entries: readonly HistoryEntry[] }) {
  const { call, entries } = props;
  const live = isLive(call);
  const now = useNow(live);
  const cdr = useCdr(call.id, !live);
  const axis = timeAxis(call, entries, now);
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <p role="status" className="min-w-0 flex-1 basis-52 text-lg leading-snug font-bold">
          {verdict(call, props.name)}
        </p>
        <CallChip call={call} />
        {live && <EndCall callId={call.id} />}
      </div>
      <CallAxis axis={axis} />
      <CallRecordings callId={call.id} />
      {call.answeredAt !== null && <AfterCall callId={call.id} cdr={live ? undefined : cdr.data} />}
      {entries.length > 0 && <TimelineList entries={entries} startMs={axis.startMs} />}
      {cdr.data !== undefined && !live && <CdrTable cdr={cdr.data} />}
      <p className="font-mono text-xs break-all text-muted">{call.id}</p>
    </div>
  );
}
