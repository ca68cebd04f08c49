import { at, statement, type Queryable } from '../database/database.ts';
import type { EndpointId, LineId } from '../platform/ids.ts';
import { MINUTE_MS, nextMinute } from '../schedule/planner.ts';
import type { CallState } from './call.ts';
import { STATE, stateIn, type StateRow } from './call-store.ts';

/** Calls that wait, by the index of their lines: what comes when, and how full a minute is. */
export type WaitingCall = {
  state: CallState;
  /** When it is looked at next: its time, or soon where something is in its way. */
  lookAt: number;
  /** The code of what is in its way, for a call that was due already; else null. */
  waitsFor: string | null;
};

export type WaitingFilter = {
  lineIds: readonly LineId[];
  from: number;
  until: number;
  /** The last call of the page before. */
  after: { lookAt: number; id: string } | null;
  limit: number;
};

const WAITING = statement<StateRow & { due_at: number; put_off: string | null }>(
  'call_waiting_list',
  `select ${STATE}, calls.due_at, calls.put_off
     from unnest($1::text[]) l (line_id)
    cross join lateral (
      select * from calls c
       where c.phase = 'queued' and c.line_id = l.line_id
         and c.due_at >= $2 and c.due_at < $3 and (c.due_at, c.id) > ($4, $5)
       order by c.due_at, c.id limit $6) calls
    order by calls.due_at, calls.id limit $6`,
);

/** The calls of lines that wait, by the time at which each is looked at next. */
export async function waitingCalls(db: Queryable, filter: WaitingFilter): Promise<WaitingCall[]> {
  const { lineIds, from, until, after, limit } = filter;
  const rows = await db.run(WAITING, [
    lineIds,
    at(from),
    at(until),
    at(after?.lookAt ?? 0),
    after?.id ?? '',
    limit,
  ]);
  return rows.map((row) => ({
    state: stateIn(db, row),
    lookAt: row.due_at,
    waitsFor: row.put_off,
  }));
}

const BOOKED = statement<{ at: number; booked: number }>(
  'call_booked_in_minutes',
  `select m.at, count(*)::int as booked
     from unnest($1::timestamptz[], $2::timestamptz[]) m (at, until)
    cross join unnest($3::text[]) l (line_id)
    cross join lateral (
      select c.state -> 'plan' ->> 'endpointId' as endpoint_id,
             c.state -> 'plan' -> 'attribution' ->> 'campaignId' as campaign_id
        from calls c
       where c.phase = 'queued' and c.line_id = l.line_id
         and c.due_at >= m.at and c.due_at < m.until
       limit $6) c
    where ($4::text is null or c.endpoint_id = $4) and ($5::text is null or c.campaign_id = $5)
    group by m.at`,
);

/** So many calls of a minute and line are looked at; a minute with more of them is full anyway. */
const COUNTED_MAX = 1_000;

/** Whose calls a limit counts: all of these lines, or only those to an endpoint or campaign. */
export type Booked = {
  lineIds: readonly LineId[];
  endpointId: EndpointId | null;
  campaignId: string | null;
};

/** How many calls wait for the minute of each instant, by that instant; absent where none does. */
export async function bookedInMinutes(
  db: Queryable,
  { lineIds, endpointId, campaignId }: Booked,
  times: readonly number[],
): Promise<Map<number, number>> {
  const starts = times.map((time) => nextMinute(time + 1) - MINUTE_MS);
  const rows = await db.run(BOOKED, [
    starts.map((start) => at(start)),
    starts.map((start) => at(start + MINUTE_MS)),
    lineIds,
    endpointId,
    campaignId,
    COUNTED_MAX,
  ]);
  const booked = new Map(rows.map((row) => [row.at, row.booked]));
  return new Map(times.map((time, index) => [time, booked.get(starts[index] ?? time) ?? 0]));
}
