import { statement, type Queryable } from '../database/database.ts';
import type { RunId } from '../journeys/run.ts';
import { bucketOf, type ContactId, type LineId } from '../platform/ids.ts';
import type { CampaignId, Member, MemberState } from './campaign.ts';

const COUNTS = statement<MemberCount & { campaign_id: CampaignId }>(
  'campaign_member_counts',
  `select campaign_id, state, reason, count(*)::int as people
     from campaign_members
    where campaign_id in (select id from campaigns
                           where id = any ($1::text[]) and people_counts is null)
    group by 1, 2, 3
   union all
   select c.id, kept.state, kept.reason, kept.people
     from campaigns c cross join lateral jsonb_to_recordset(c.people_counts)
            kept (state text, reason text, people int)
    where c.id = any ($1::text[])`,
);

export type MemberCount = { state: MemberState; reason: string | null; people: number };

/** How many people of each campaign stand where, and why. */
export async function countMembers(
  db: Queryable,
  ids: readonly CampaignId[],
): Promise<ReadonlyMap<CampaignId, readonly MemberCount[]>> {
  const rows = await db.run(COUNTS, [ids]);
  return Map.groupBy(rows, (row) => row.campaign_id);
}

export type ListedMember = Pick<Member, 'state' | 'reason' | 'runId' | 'dueAt'> & {
  /** The contact's, for pages go by it. */
  id: ContactId;
  updatedAt: number;
};

type ListRow = {
  id: ContactId;
  state: MemberState;
  reason: string | null;
  run_id: RunId | null;
  due_at: number | null;
  updated_at: number;
};

const LIST = statement<ListRow>(
  'campaign_member_list',
  `select m.contact_id as id, m.state, m.reason, m.run_id, m.due_at, m.updated_at
     from campaign_members m
    where m.campaign_id = $1 and ($2::text is null or m.state = $2)
      and ($3::text is null or m.reason = $3) and m.contact_id > $4
    order by m.contact_id limit $5`,
);

/** People of a campaign in the order of their ids. */
export async function listMembers(
  db: Queryable,
  id: CampaignId,
  filter: {
    state: MemberState | null;
    reason: string | null;
    after: string | null;
    limit: number;
  },
): Promise<ListedMember[]> {
  const { state, reason, after, limit } = filter;
  const rows = await db.run(LIST, [id, state, reason, after ?? '', limit]);
  return rows.map(({ run_id: runId, due_at: dueAt, updated_at: updatedAt, ...row }) => ({
    ...row,
    runId,
    dueAt,
    updatedAt,
  }));
}

const RUNNING = statement<{ running: boolean }>(
  'campaign_member_running',
  `select exists (select from campaign_members
     where campaign_id = $1 and state = 'running') as running`,
);

/** Whether a journey of somebody of the campaign is under way. */
export async function isAnybodyRunning(db: Queryable, id: CampaignId): Promise<boolean> {
  return (await db.first(RUNNING, [id]))?.running === true;
}

const ELSEWHERE = statement<{ people: number }>(
  'campaign_member_elsewhere',
  `select count(distinct m.contact_id)::int as people
     from campaign_members m join campaigns c on c.id = m.campaign_id
    where (m.bucket, m.contact_id) in (select * from unnest($1::smallint[], $2::text[]))
      and m.campaign_id <> $3 and m.state = 'waiting' and c.line_id = $4
      and c.state in ('running', 'paused')`,
);

/** How many of these people are about to be asked by other campaigns of the same line. */
export async function waitingElsewhere(
  db: Queryable,
  campaign: { id: CampaignId; lineId: LineId },
  ids: readonly ContactId[],
): Promise<number> {
  const values = [ids.map((id) => bucketOf(id)), ids, campaign.id, campaign.lineId];
  return (await db.first(ELSEWHERE, values))?.people ?? 0;
}

type OfContactRow = Omit<ListRow, 'id'> & { campaign_id: CampaignId };

const OF_CONTACT = statement<OfContactRow>(
  'campaign_member_of_contact',
  `select m.campaign_id, m.state, m.reason, m.run_id, m.due_at, m.updated_at
     from campaign_members m where m.bucket = $1 and m.contact_id = $2 order by m.campaign_id`,
);

/** Every campaign that a contact is or was in, for the person's own copy. */
export async function campaignsOfContact(
  db: Queryable,
  id: ContactId,
): Promise<Array<Omit<ListedMember, 'id' | 'dueAt'> & { campaignId: CampaignId }>> {
  return (await db.run(OF_CONTACT, [bucketOf(id), id])).map((row) => ({
    campaignId: row.campaign_id,
    state: row.state,
    reason: row.reason,
    runId: row.run_id,
    updatedAt: row.updated_at,
  }));
}
