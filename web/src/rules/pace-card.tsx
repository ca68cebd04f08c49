import { useState } from 'react';
import type { EndpointView, LineView } from '../../../src/http/api-types.ts';
import type { Pace, PacedId } from '../../../src/schedule/schedule.ts';
import { useEndpoints, useLines } from '../api/business-hooks.ts';
import { useSetPace, usePacingLimits, type LimitView } from '../api/pacing-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

/** How fast calls are dialled and how many at a time: what is set, how full it is, setting it. */
export function PaceCard() {
  const limits = usePacingLimits();
  const things = thingsOf(useLines().data?.items ?? [], useEndpoints().data?.items ?? []);
  const items = limits.data?.items ?? [];
  return (
    <Card title="Pace of calls">
      {limits.error !== null && <ProblemNote error={limits.error} />}
      {limits.data !== undefined && items.length === 0 && (
        <p className="text-sm text-muted">
          No limit is set. Calls are dialled as they fall due; Meta allows 1,000 at a time on a
          line.
        </p>
      )}
      <ul className="grid grid-cols-1 gap-2">
        {items.map((limit) => (
          <li key={`${limit.scope} ${limit.id} ${limit.setBy}`}>
            <LimitLine limit={limit} name={nameOf(limit, things)} />
          </li>
        ))}
      </ul>
      <PaceForm things={things} items={items} />
    </Card>
  );
}

function LimitLine({ limit, name }: { limit: LimitView; name: string }) {
  const set = useSetPace();
  const { liveCalls, concurrentCalls, hasRoom, setBy, reason } = limit;
  return (
    <div className="flex flex-col items-start gap-2 rounded-xl border border-edge p-3 text-sm">
      <p className="flex flex-wrap items-center gap-2 font-semibold">
        <span className="min-w-0 break-words">{name}</span>
        {!hasRoom && <Chip tone="warn">full: due calls wait</Chip>}
        {setBy === 'brake' && <Chip tone="warn">set by the brakes</Chip>}
      </p>
      <p className="text-muted">
        {paceText(limit)}
        {concurrentCalls !== null && liveCalls !== null && `; ${liveCalls} now`}
        {reason !== null && `; ${reason}`}
      </p>
      {setBy === 'operator' && (
        <Button
          aria-label={`Take away the limit of ${name}`}
          disabled={set.isPending}
          onClick={() => set.mutate({ ...limit, callsPerSecond: null, concurrentCalls: null })}
        >
          Take away
        </Button>
      )}
      {set.error !== null && <ProblemNote error={set.error} />}
    </div>
  );
}

type Thing = PacedId & { name: string };

function PaceForm({ things, items }: { things: readonly Thing[]; items: readonly LimitView[] }) {
  const set = useSetPace();
  const [chosen, setChosen] = useState(0);
  const [perSecond, setPerSecond] = useState('');
  const [atATime, setAtATime] = useState('');
  const thing = things[chosen] ?? ACCOUNT;
  const pace: Pace = { callsPerSecond: numberIn(perSecond), concurrentCalls: numberIn(atATime) };
  const isEmpty = pace.callsPerSecond === null && pace.concurrentCalls === null;
  const isKnown = items.some(
    ({ scope, id }) => scope === thing.scope && (scope === 'account' || id === thing.id),
  );
  return (
    <form
      className="mt-3 flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isEmpty) set.mutate({ scope: thing.scope, id: thing.id, ...pace });
      }}
    >
      <SelectField
        label="Limit"
        value={String(chosen)}
        options={things.map(({ name }, index) => [String(index), name])}
        onChange={(value) => setChosen(Number(value))}
      />
      <div className="grid gap-2 sm:grid-cols-2">
        <TextField
          label="Calls per second"
          hint="0.1 is one in ten seconds; empty: no limit"
          inputMode="decimal"
          value={perSecond}
          onChange={setPerSecond}
        />
        <TextField
          label="Calls at a time"
          hint="Dialled and not over; empty: no limit"
          inputMode="numeric"
          value={atATime}
          onChange={setAtATime}
        />
      </div>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary" blocked={isEmpty} disabled={set.isPending}>
          {isKnown ? 'Replace the limit' : 'Set the limit'}
        </Button>
        <CopyCurl
          what="setting this limit"
          method="PUT"
          path={`/v1/pacing-limits/${thing.scope}/${thing.id}`}
          body={pace}
        />
      </div>
      {set.error !== null && <ProblemNote error={set.error} />}
    </form>
  );
}

const ACCOUNT: Thing = { scope: 'account', id: 'own', name: 'The whole account' };

function thingsOf(lines: readonly LineView[], endpoints: readonly EndpointView[]): Thing[] {
  return [
    ACCOUNT,
    ...lines.map(({ id, name }): Thing => ({ scope: 'line', id, name: `Line ${name}` })),
    ...endpoints.map(({ id, name }): Thing => ({
      scope: 'endpoint',
      id,
      name: `Endpoint ${name}`,
    })),
  ];
}

function nameOf({ scope, id }: PacedId, things: readonly Thing[]): string {
  if (scope === 'account') return ACCOUNT.name;
  if (scope === 'campaign') return `Campaign ${id}`;
  return things.find((thing) => thing.scope === scope && thing.id === id)?.name ?? id;
}

function paceText({ callsPerSecond, concurrentCalls }: Pace): string {
  const parts = [
    callsPerSecond === null ? null : `${callsPerSecond} a second`,
    concurrentCalls === null ? null : `${concurrentCalls} at a time`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

/** What the API is to judge stays as it is; only nothing at all means no limit. */
function numberIn(text: string): number | null {
  return text.trim() === '' ? null : Number(text.trim().replace(',', '.'));
}
