import { at, statement, type Queryable } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import {
  bucketOf,
  type AccountId,
  type CallId,
  type ContactId,
  type EndpointId,
  type LineId,
} from '../platform/ids.ts';
import { rankOf } from '../schedule/schedule.ts';
import type { CallState } from './call.ts';

/**
 * What is due, by lanes. A lane is one line, endpoint and campaign together, as a number; see
 * migration 000034. Each question costs one index probe for each lane and priority that waits,
 * however many calls wait in it.
 */
export type LaneHead = {
  lane: string;
  rank: number;
  dueAt: number;
  accountId: AccountId;
  lineId: LineId;
  endpointId: EndpointId;
  campaignId: string | null;
};

/** What must be known of a due call before its contact is locked. */
export type DueCall = Pick<LaneHead, 'accountId' | 'lineId' | 'endpointId' | 'campaignId'> & {
  id: CallId;
  contactId: ContactId;
  /** 0 goes first. */
  rank: number;
  /** Its latest time is over: it is ended, never dialled. */
  isLapsed: boolean;
};

/** A call that is looked at again, from its own state. */
export function dueCallOf({ plan }: CallState): DueCall {
  const { id, accountId, contactId, lineId, endpointId, attribution, priority } = plan;
  const campaignId = attribution?.campaignId ?? null;
  const scopes = { accountId, lineId, endpointId, campaignId };
  return { id, contactId, ...scopes, rank: rankOf(priority), isLapsed: false };
}

/** The place behind which lanes are read. */
export type LanePlace = Pick<LaneHead, 'lane' | 'rank'>;

/** Before every lane that a hash can give. */
export const FIRST_LANE: LanePlace = { lane: '-9223372036854775808', rank: -1 };

type HeadRow = {
  lane: string;
  rank: number;
  due_at: number;
  account_id: AccountId;
  line_id: LineId;
  endpoint_id: EndpointId;
  campaign_id: string | null;
};

const SCOPES = `account_id, line_id, state -> 'plan' ->> 'endpointId' as endpoint_id,
                state -> 'plan' -> 'attribution' ->> 'campaignId' as campaign_id`;

// Each step of the recursion is one probe that jumps behind the lane before ("loose index scan").
const HEADS = statement<HeadRow>(
  'call_lane_heads',
  `with recursive heads as (
     (select lane, rank, due_at, id, ${SCOPES} from calls
       where phase = 'queued' and (lane, rank) > ($1::bigint, $2::smallint)
       order by lane, rank, due_at, id limit 1)
     union all
     select next.* from heads cross join lateral (
       select lane, rank, due_at, id, ${SCOPES} from calls
        where phase = 'queued' and (lane, rank) > (heads.lane, heads.rank)
        order by lane, rank, due_at, id limit 1) next)
   select lane::text as lane, rank, due_at, account_id, line_id, endpoint_id, campaign_id
     from heads limit $3`,
);

/** The call that waits longest in each lane and priority, of up to `limit` of them. */
export async function laneHeads(
  db: Queryable,
  behind: LanePlace,
  limit: number,
): Promise<LaneHead[]> {
  const rows = await db.run(HEADS, [behind.lane, behind.rank, limit]);
  return rows.map((row) => ({
    lane: row.lane,
    rank: row.rank,
    dueAt: row.due_at,
    accountId: row.account_id,
    lineId: row.line_id,
    endpointId: row.endpoint_id,
    campaignId: row.campaign_id,
  }));
}

type DueRow = { place: number; id: CallId; contact_id: ContactId; latest_at: number | null };

const DUE = statement<DueRow>(
  'call_lane_due',
  `select v.place::int as place, due.id, due.contact_id, due.latest_at
     from unnest($1::bigint[], $2::smallint[]) with ordinality v (lane, rank, place)
    cross join lateral (
      select id, contact_id, due_at, latest_at from calls
       where phase = 'queued' and lane = v.lane and rank = v.rank and due_at <= $3
       order by due_at, id limit $4) due
    order by due.due_at, due.id`,
);

/** Up to `each` due calls of every lane and priority that is named, longest due first. */
export async function dueCalls(
  db: Queryable,
  heads: readonly LaneHead[],
  now: number,
  each: number,
): Promise<DueCall[]> {
  if (heads.length === 0) return [];
  const values = [heads.map(({ lane }) => lane), heads.map(({ rank }) => rank), at(now), each];
  return (await db.run(DUE, values)).flatMap((row) => {
    const head = heads[row.place - 1];
    if (head === undefined) return [];
    const { accountId, lineId, endpointId, campaignId, rank } = head;
    const scopes = { accountId, lineId, endpointId, campaignId };
    const isLapsed = row.latest_at !== null && row.latest_at < now;
    return [{ id: row.id, contactId: row.contact_id, ...scopes, rank, isLapsed }];
  });
}

const LAPSED = statement<Omit<HeadRow, 'lane' | 'due_at'> & { id: CallId; contact_id: ContactId }>(
  'call_lapsed',
  `select id, contact_id, rank, ${SCOPES} from calls
    where phase = 'queued' and latest_at < $1 order by latest_at limit $2`,
);

/** Calls whose latest time is over, wherever they stand in their lanes. */
export async function lapsedCalls(db: Queryable, now: number, limit: number): Promise<DueCall[]> {
  return (await db.run(LAPSED, [at(now), limit])).map((row) => ({
    id: row.id,
    contactId: row.contact_id,
    rank: row.rank,
    accountId: row.account_id,
    lineId: row.line_id,
    endpointId: row.endpoint_id,
    campaignId: row.campaign_id,
    isLapsed: true,
  }));
}

const LAPSE_LATER = statement(
  'call_lapse_later',
  `update calls c set latest_at = v.latest_at
     from unnest($1::smallint[], $2::text[], $3::timestamptz[]) v (bucket, id, latest_at)
    where c.bucket = v.bucket and c.id = v.id and c.phase = 'queued'`,
);

/** Calls that have more time than their plan says: they are looked at again then. */
export const lapseLaterRows: RowStore<{ id: CallId; latestAt: number }> = {
  async saveAll(tx, rows) {
    await tx.run(LAPSE_LATER, [
      rows.map(({ id }) => bucketOf(id)),
      rows.map(({ id }) => id),
      rows.map(({ latestAt }) => at(latestAt)),
    ]);
  },
};
