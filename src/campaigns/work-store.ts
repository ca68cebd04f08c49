import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { CampaignId, CampaignWork } from './campaign.ts';
import type { CampaignPreview } from './preview.ts';

type Row = {
  campaign_id: CampaignId;
  fill_after: string;
  filled_at: number | null;
  preview: CampaignPreview | null;
  paced_until: number | null;
  asked: number;
  wake_after: string | null;
};

const COLUMNS = `w.campaign_id, w.fill_after, w.filled_at, w.preview, w.paced_until, w.asked,
  w.wake_after`;

const ADD = statement(
  'campaign_work_add',
  `insert into campaign_work (campaign_id, rank, due_at, filled_at) values ($1, $2, $3, $4)`,
);

/** What is to be done for a new campaign; `filledAt` where its people are there already. */
export async function addWork(
  tx: Tx,
  id: CampaignId,
  { rank, dueAt, filledAt }: { rank: number; dueAt: number; filledAt: number | null },
): Promise<void> {
  await tx.run(ADD, [id, rank, at(dueAt), at(filledAt)]);
}

const READ = statement<Row>(
  'campaign_work_read',
  `select ${COLUMNS} from campaign_work w where w.campaign_id = any ($1::text[])`,
);

export async function readWork(
  db: Queryable,
  ids: readonly CampaignId[],
): Promise<ReadonlyMap<CampaignId, CampaignWork>> {
  return new Map((await db.run(READ, [ids])).map((row) => [row.campaign_id, toWork(row)]));
}

const CLAIM = statement<Row>(
  'campaign_work_claim',
  `update campaign_work w set lease_owner = $1, lease_until = now() + make_interval(secs => $2)
    where campaign_id = (select campaign_id from campaign_work where due_at <= $3
        and (lease_until is null or lease_until < now() or lease_owner = $1)
      order by rank, due_at, campaign_id limit 1 for update skip locked)
   returning ${COLUMNS}`,
);

/** What a worker has claimed, and who it is. */
export type HeldWork = CampaignWork & { owner: string };

/** The most urgent campaign that is due and that nobody else works on, or null. */
export async function claimWork(
  db: Queryable,
  lease: { owner: string; seconds: number },
  now: number,
): Promise<HeldWork | null> {
  const { owner, seconds } = lease;
  const row = await db.first(CLAIM, [owner, seconds, at(now)]);
  return row === undefined ? null : { ...toWork(row), owner };
}

const RELEASE = statement(
  'campaign_work_release',
  `update campaign_work set lease_until = null, lease_owner = null,
     due_at = case when asked = $4 then $3 else due_at end
    where campaign_id = $1 and lease_owner = $2`,
);

/**
 * Lets go of it until `lookAt` (null: until somebody asks for it). Where somebody has asked since
 * it was claimed, it stays due, so that no start and no stop is slept over.
 */
export async function releaseWork(
  db: Queryable,
  { campaignId, asked, owner }: HeldWork,
  lookAt: number | null,
): Promise<void> {
  await db.run(RELEASE, [campaignId, owner, at(lookAt), asked]);
}

const WAKE = statement(
  'campaign_work_wake',
  `update campaign_work set due_at = $2, rank = $3, asked = asked + 1,
     wake_after = coalesce($4, wake_after)
    where campaign_id = $1`,
);

/** Has the worker look at it now; with `runs` it wakes the journeys that were held, too. */
export async function wakeWork(
  tx: Queryable,
  id: CampaignId,
  { now, rank, runs }: { now: number; rank: number; runs: boolean },
): Promise<void> {
  await tx.run(WAKE, [id, at(now), rank, runs ? '' : null]);
}

const PREVIEW = statement(
  'campaign_work_preview',
  'update campaign_work set preview = $2 where campaign_id = $1',
);

/** A preview that is asked for, in place of what was found before. */
export async function savePreview(tx: Tx, id: CampaignId, preview: CampaignPreview): Promise<void> {
  await tx.run(PREVIEW, [id, JSON.stringify(preview)]);
}

/**
 * Thrown where a worker saves what it has done and is found to have been away for so long that
 * another one has gone on: nothing of what it did may count. In a transaction it undoes all of it.
 */
export class LeaseLost extends Error {}

const FILLED = statement<{ campaign_id: string }>(
  'campaign_work_filled',
  `update campaign_work set fill_after = $3, filled_at = $4
    where campaign_id = $1 and lease_owner = $2 returning campaign_id`,
);

/** How far the gathering of its people has come. */
export async function saveFill(
  tx: Tx,
  { campaignId, owner }: HeldWork,
  { after, filledAt }: { after: string; filledAt: number | null },
): Promise<void> {
  mustBeHeld(await tx.run(FILLED, [campaignId, owner, after, at(filledAt)]));
}

const COUNTED = statement<{ campaign_id: string }>(
  'campaign_work_counted',
  `update campaign_work set preview = $4
    where campaign_id = $1 and lease_owner = $2 and asked = $3 returning campaign_id`,
);

/** How far a preview has come; not where somebody has asked for anything since it was claimed. */
export async function saveCounted(
  db: Queryable,
  { campaignId, owner, asked }: HeldWork,
  preview: CampaignPreview,
): Promise<void> {
  mustBeHeld(await db.run(COUNTED, [campaignId, owner, asked, JSON.stringify(preview)]));
}

const PACED = statement<{ campaign_id: string }>(
  'campaign_work_paced',
  `update campaign_work set paced_until = $3
    where campaign_id = $1 and lease_owner = $2 returning campaign_id`,
);

/** Up to when its pace is used up; the last statement of the transaction that uses it. */
export async function savePaced(
  tx: Tx,
  { campaignId, owner }: HeldWork,
  until: number,
): Promise<void> {
  mustBeHeld(await tx.run(PACED, [campaignId, owner, at(until)]));
}

const WOKEN = statement<{ campaign_id: string }>(
  'campaign_work_woken',
  `update campaign_work set wake_after = $4
    where campaign_id = $1 and lease_owner = $2 and asked = $3 returning campaign_id`,
);

/** Whose journeys were woken so far; null once all were. A resume since then begins anew. */
export async function saveWoken(
  db: Queryable,
  { campaignId, owner, asked }: HeldWork,
  after: string | null,
): Promise<void> {
  mustBeHeld(await db.run(WOKEN, [campaignId, owner, asked, after]));
}

function mustBeHeld(saved: readonly unknown[]): void {
  if (saved.length === 0) throw new LeaseLost('another worker has gone on with this campaign');
}

function toWork(row: Row): CampaignWork {
  return {
    campaignId: row.campaign_id,
    fillAfter: row.fill_after,
    filledAt: row.filled_at,
    preview: row.preview,
    pacedUntil: row.paced_until,
    asked: row.asked,
    wakeAfter: row.wake_after,
  };
}
