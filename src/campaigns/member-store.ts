import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { RunId } from '../journeys/run.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import { bucketOf, type AccountId, type ContactId } from '../platform/ids.ts';
import type { CampaignId, Member, MemberState } from './campaign.ts';

type Row = {
  campaign_id: CampaignId;
  contact_id: ContactId;
  state: MemberState;
  reason: string | null;
  run_id: RunId | null;
  due_at: number | null;
};

const COLUMNS = 'm.campaign_id, m.contact_id, m.state, m.reason, m.run_id, m.due_at';

const ADD = statement<{ contact_id: ContactId }>(
  'campaign_member_add',
  `insert into campaign_members
     (bucket, campaign_id, contact_id, account_id, state, due_at, updated_at)
   select c.bucket, $3, c.id, c.account_id, 'waiting', $5, $5
     from unnest($1::smallint[], $2::text[]) v (bucket, id)
     join contacts c on c.bucket = v.bucket and c.id = v.id and c.account_id = $4
   on conflict do nothing returning contact_id`,
);

/** Puts people of the account into a campaign; who is in it stays as they are. How many are new. */
export async function addMembers(
  tx: Tx,
  campaign: { id: CampaignId; accountId: AccountId },
  ids: readonly ContactId[],
  now: number,
): Promise<number> {
  if (ids.length === 0) return 0;
  const { id, accountId } = campaign;
  const values = [ids.map((one) => bucketOf(one)), ids, id, accountId, at(now)];
  return (await tx.run(ADD, values)).length;
}

const DUE = statement<{ contact_id: ContactId }>(
  'campaign_member_due',
  `select m.contact_id from campaign_members m
    where m.campaign_id = $1 and m.state = 'waiting' and m.due_at <= $2
    order by m.due_at, m.contact_id limit $3`,
);

/** Who has waited longest; not locked, for whoever holds the contact's lock decides. */
export async function dueMembers(
  db: Queryable,
  id: CampaignId,
  now: number,
  limit: number,
): Promise<ContactId[]> {
  return (await db.run(DUE, [id, at(now), limit])).map((row) => row.contact_id);
}

const NEXT_DUE = statement<{ due_at: number | null }>(
  'campaign_member_next_due',
  `select min(m.due_at) as due_at from campaign_members m
    where m.campaign_id = $1 and m.state = 'waiting'`,
);

/** When the first of those who wait is due; null when nobody waits. */
export async function nextMemberDueAt(db: Queryable, id: CampaignId): Promise<number | null> {
  return (await db.first(NEXT_DUE, [id]))?.due_at ?? null;
}

const OF_CAMPAIGN = statement<Row>(
  'campaign_member_of_contacts',
  `select ${COLUMNS} from campaign_members m
    where m.campaign_id = $3
      and (m.bucket, m.contact_id) in (select * from unnest($1::smallint[], $2::text[]))`,
);

/** These people of a campaign; under their contacts' locks nobody else changes them. */
export async function membersOf(
  db: Queryable,
  id: CampaignId,
  ids: readonly ContactId[],
): Promise<Member[]> {
  const values = [ids.map((one) => bucketOf(one)), ids, id];
  return (await db.run(OF_CAMPAIGN, values)).map(toMember);
}

const SAVE = statement(
  'campaign_member_save',
  `update campaign_members m set state = v.state, reason = v.reason, run_id = v.run_id,
     due_at = v.due_at, updated_at = v.at
     from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::timestamptz[], $8::timestamptz[])
            v (bucket, campaign_id, contact_id, state, reason, run_id, due_at, at)
    where m.bucket = v.bucket and m.campaign_id = v.campaign_id and m.contact_id = v.contact_id`,
);

/** What became of people of campaigns. Needs the locks of the contacts. */
export const memberRows: RowStore<Member & { now: number }> = {
  async saveAll(tx, rows) {
    await tx.run(SAVE, [
      rows.map(({ contactId }) => bucketOf(contactId)),
      rows.map(({ campaignId }) => campaignId),
      rows.map(({ contactId }) => contactId),
      rows.map(({ state }) => state),
      rows.map(({ reason }) => reason),
      rows.map(({ runId }) => runId),
      rows.map(({ dueAt }) => at(dueAt)),
      rows.map(({ now }) => at(now)),
    ]);
  },
};

const END = statement(
  'campaign_member_end',
  `update campaign_members m set state = 'done', reason = v.reason, due_at = null,
     updated_at = v.at
     from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[],
            $6::timestamptz[]) v (bucket, campaign_id, contact_id, run_id, reason, at)
    where m.bucket = v.bucket and m.campaign_id = v.campaign_id and m.contact_id = v.contact_id
      and m.run_id = v.run_id and m.state = 'running'`,
);

/** How a journey that a campaign began has ended. */
export type MemberEnd = {
  campaignId: string;
  contactId: ContactId;
  runId: RunId;
  reason: string;
  now: number;
};

/**
 * The end of a journey, saved by the journey itself in the unit that ends it, so no person is ever
 * counted as on the way who is not. Save it after the rows of the runs.
 */
export const memberEnds: RowStore<MemberEnd> = {
  async saveAll(tx, rows) {
    await tx.run(END, [
      rows.map(({ contactId }) => bucketOf(contactId)),
      rows.map(({ campaignId }) => campaignId),
      rows.map(({ contactId }) => contactId),
      rows.map(({ runId }) => runId),
      rows.map(({ reason }) => reason),
      rows.map(({ now }) => at(now)),
    ]);
  },
};

const LEAVE = statement(
  'campaign_member_leave',
  `update campaign_members m set state = 'skipped', reason = v.reason, due_at = null,
     updated_at = v.at
     from unnest($1::smallint[], $2::text[], $3::text[], $4::timestamptz[])
            v (bucket, contact_id, reason, at)
    where m.bucket = v.bucket and m.contact_id = v.contact_id and m.state = 'waiting'`,
);

/** Takes a person who still waits out of every campaign, such as by a stop or an erasure. */
export const memberLeaves: RowStore<{ contactId: ContactId; reason: string; now: number }> = {
  async saveAll(tx, rows) {
    await tx.run(LEAVE, [
      rows.map(({ contactId }) => bucketOf(contactId)),
      rows.map(({ contactId }) => contactId),
      rows.map(({ reason }) => reason),
      rows.map(({ now }) => at(now)),
    ]);
  },
};

const LEAVE_OUT = statement<{ contact_id: ContactId }>(
  'campaign_member_leave_out',
  `update campaign_members set state = 'skipped', reason = $2, due_at = null, updated_at = $3
    where (bucket, campaign_id, contact_id) in (
      select bucket, campaign_id, contact_id from campaign_members
       where campaign_id = $1 and state = 'waiting' limit $4 for update skip locked)
   returning contact_id`,
);

/** Leaves out people who wait, because the campaign takes nobody any more; how many. */
export async function leaveOut(
  db: Queryable,
  id: CampaignId,
  { reason, now, limit }: { reason: string; now: number; limit: number },
): Promise<number> {
  return (await db.run(LEAVE_OUT, [id, reason, at(now), limit])).length;
}

function toMember(row: Row): Member {
  return {
    campaignId: row.campaign_id,
    contactId: row.contact_id,
    state: row.state,
    reason: row.reason,
    runId: row.run_id,
    dueAt: row.due_at,
  };
}
