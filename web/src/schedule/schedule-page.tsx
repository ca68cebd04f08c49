import { useState } from 'react';
import type { ContactView, LineView } from '../../../src/http/api-types.ts';
import { useContacts, useLines } from '../api/business-hooks.ts';
import { useScheduledCalls, type ScheduledCallView } from '../api/schedule-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { useNow } from '../ui/use-now.ts';
import { dayName, SPANS, spanOf, type Span } from './schedule-words.ts';
import { PlannedRequestsCard } from './planned-requests-card.tsx';
import { TimesCard } from './times-card.tsx';
import { WaitingCall } from './waiting-call.tsx';

/** What is due and when, and when somebody may be called. */
export function SchedulePage(props: { number: string | null }) {
  const lines = useLines();
  const items = lines.data?.items ?? [];
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <div className="grid min-w-0 grid-cols-1 gap-4">
        <WaitingCard lines={items} />
        <PlannedRequestsCard lines={items} />
      </div>
      {items.length > 0 && (
        <TimesCard key={props.number ?? ''} number={props.number} lines={items} />
      )}
    </main>
  );
}

const ANY_LINE = 'any';
const PAGE_SIZE = 25;

function WaitingCard(props: { lines: readonly LineView[] }) {
  const now = useNow();
  const [span, setSpan] = useState<Span>('today');
  const [lineId, setLineId] = useState(ANY_LINE);
  const [pages, setPages] = useState<string[]>([]);
  const line = lineId === ANY_LINE ? undefined : lineId;
  const { from, until } = spanOf(span, now);
  const calls = useScheduledCalls({ lineId: line, from, until, after: pages.at(-1) });
  const contacts = useContacts();
  const items = calls.data?.items ?? [];
  const next = calls.data?.next ?? null;
  const query = new URLSearchParams({
    ...(line !== undefined && { lineId: line }),
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
    limit: String(PAGE_SIZE),
  });
  const firstPage = (change: () => void): void => {
    change();
    setPages([]);
  };
  return (
    <Card
      title="What is due"
      aside={
        <CopyCurl
          what="list the calls that wait"
          method="GET"
          path={`/v1/scheduled-calls?${query.toString()}`}
        />
      }
    >
      <div className="mb-3 grid grid-cols-1 gap-3 sm:grid-cols-2">
        <SelectField
          label="Days"
          value={span}
          options={Object.entries(SPANS) as Array<[Span, string]>}
          onChange={(value) => firstPage(() => setSpan(value))}
        />
        <SelectField
          label="Line"
          value={lineId}
          options={[
            [ANY_LINE, 'All lines'],
            ...props.lines.map(({ id, name }) => [id, name] as const),
          ]}
          onChange={(value) => firstPage(() => setLineId(value))}
        />
      </div>
      {calls.error !== null && <ProblemNote error={calls.error} />}
      {calls.isPending && <p className="text-sm text-muted">Loading…</p>}
      {calls.data !== undefined && items.length === 0 && (
        <p className="text-sm text-muted">
          No call waits in this time. Give a call a time, or a window, and it waits here.
        </p>
      )}
      <Days
        calls={items}
        now={now}
        names={namesOf(contacts.data?.items ?? [])}
        lines={props.lines}
      />
      <Pager pages={pages} next={next} onTurn={setPages} />
    </Card>
  );
}

function Pager(props: {
  pages: readonly string[];
  next: string | null;
  onTurn: (pages: string[]) => void;
}) {
  const { pages, next, onTurn } = props;
  if (pages.length === 0 && next === null) return null;
  return (
    <div className="mt-3 flex gap-2">
      <Button blocked={pages.length === 0} onClick={() => onTurn(pages.slice(0, -1))}>
        Sooner
      </Button>
      <Button blocked={next === null} onClick={() => next !== null && onTurn([...pages, next])}>
        Later
      </Button>
    </div>
  );
}

function Days(props: {
  calls: readonly ScheduledCallView[];
  now: number;
  names: ReadonlyMap<string, string>;
  lines: readonly LineView[];
}) {
  const days = Map.groupBy(props.calls, ({ dueAt }) => dayName(dueAt, props.now));
  return [...days].map(([day, calls]) => (
    <section key={day} aria-label={day} className="mt-3">
      <h3 className="text-sm font-bold">
        {day} <span className="font-normal text-muted">· {inNumbers(calls.length)}</span>
      </h3>
      <ul className="mt-1 flex flex-col">
        {calls.map((call) => (
          <WaitingCall
            key={call.id}
            call={call}
            now={props.now}
            name={props.names.get(call.contactId) ?? null}
            line={props.lines.find(({ id }) => id === call.lineId)?.name ?? null}
          />
        ))}
      </ul>
    </section>
  ));
}

const inNumbers = (count: number): string => (count === 1 ? '1 call' : `${count} calls`);

function namesOf(contacts: readonly ContactView[]): Map<string, string> {
  return new Map(
    contacts.flatMap(({ id, name, number }) => {
      const known = name ?? number;
      return known === null ? [] : [[id, known] as const];
    }),
  );
}
