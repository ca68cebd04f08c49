import { at, statement, type Queryable } from '../database/database.ts';
import type { AccountId, CallId, ContactId, EndpointId, LineId } from '../platform/ids.ts';

/**
 * What is due, by lanes. A lane is one line, endpoint and campaign together, as a number; see
 * migration 000021. Each question costs one index probe for each lane and priority that waits,
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
export type DueCall = Omit<LaneHead, 'dueAt'> & { id: CallId; contactId: ContactId };

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

const HEADS = statement<HeadRow>(
  'call_lane_heads',
  `with recursive heads as (
     (select lane, rank, due_at, id, ${SCOPES} from calls
       where phase = 'queued' and lane > $1::bigint order by lane, rank, due_at, id limit 1)
     union all
     select next.* from heads cross join lateral (
       select lane, rank, due_at, id, ${SCOPES} from calls
        where phase = 'queued' and (lane, rank) > (heads.lane, heads.rank)
        order by lane, rank, due_at, id limit 1) next)
   select lane::text as lane, rank, due_at, account_id, line_id, endpoint_id, campaign_id
     from heads limit $2`,
);

/** Below every lane that a hash can give. */
export const FIRST_LANE = '-9223372036854775808';

/** The call that waits longest in each lane and priority, of up to `limit` lanes after one. */
export async function laneHeads(
  db: Queryable,
  afterLane: string,
  limit: number,
): Promise<LaneHead[]> {
  const rows = await db.run(HEADS, [afterLane, limit]);
  return rows.map((row) => ({ ...scopesOf(row), dueAt: row.due_at }));
}

type DueRow = HeadRow & { id: CallId; contact_id: ContactId };

const DUE = statement<DueRow>(
  'call_lane_due',
  `select due.* from unnest($1::bigint[], $2::smallint[]) v (lane, rank)
    cross join lateral (
      select lane::text as lane, rank, due_at, id, contact_id, ${SCOPES} from calls
       where phase = 'queued' and lane = v.lane and rank = v.rank and due_at <= $3
       order by due_at, id limit $4) due
    order by due.rank, due.due_at, due.id`,
);

/** Up to `each` due calls of every lane and priority that is named, longest due first. */
export async function dueCalls(
  db: Queryable,
  lanes: ReadonlyArray<Pick<LaneHead, 'lane' | 'rank'>>,
  dueBy: number,
  each: number,
): Promise<DueCall[]> {
  if (lanes.length === 0) return [];
  const values = [lanes.map(({ lane }) => lane), lanes.map(({ rank }) => rank), at(dueBy), each];
  const rows = await db.run(DUE, values);
  return rows.map((row) => ({ ...scopesOf(row), id: row.id, contactId: row.contact_id }));
}

function scopesOf(row: HeadRow): Omit<LaneHead, 'dueAt'> {
  return {
    lane: row.lane,
    rank: row.rank,
    accountId: row.account_id,
    lineId: row.line_id,
    endpointId: row.endpoint_id,
    campaignId: row.campaign_id,
  };
}
