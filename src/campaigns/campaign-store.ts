import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { JourneyId } from '../journeys/run.ts';
import type { AccountId, LineId } from '../platform/ids.ts';
import type { Campaign, CampaignId, CampaignState } from './campaign.ts';

type Row = {
  id: CampaignId;
  account_id: AccountId;
  name: string;
  state: CampaignState;
  line_id: LineId;
  journey_id: JourneyId;
  journey_version: number;
  audience: Campaign['audience'];
  settings: Campaign['settings'];
  ran_ms: number;
  resumed_at: number | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  people_forgotten_at: number | null;
};

const COLUMNS = `id, account_id, name, state, line_id, journey_id, journey_version, audience,
  settings, ran_ms, resumed_at, created_at, started_at, ended_at`;

// The last one is written by the retention alone.
const READ_COLUMNS = `${COLUMNS}, people_forgotten_at`;

const SAVE = statement(
  'campaign_save',
  `insert into campaigns (${COLUMNS})
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
   on conflict (id) do update set name = excluded.name, state = excluded.state,
     settings = excluded.settings, ran_ms = excluded.ran_ms, resumed_at = excluded.resumed_at,
     started_at = excluded.started_at, ended_at = excluded.ended_at`,
);

/** Writes all of it. Of a known campaign: lock it first. */
export async function saveCampaign(tx: Tx, campaign: Campaign): Promise<void> {
  const { id, accountId, name, state, lineId, journeyId, journeyVersion } = campaign;
  const { audience, settings, ranMs, resumedAt, createdAt, startedAt, endedAt } = campaign;
  await tx.run(SAVE, [
    id,
    accountId,
    name,
    state,
    lineId,
    journeyId,
    journeyVersion,
    JSON.stringify(audience),
    JSON.stringify(settings),
    Math.round(ranMs),
    ...[resumedAt, createdAt, startedAt, endedAt].map((ms) => at(ms)),
  ]);
}

const BY_ID = statement<Row>(
  'campaign_by_id',
  `select ${READ_COLUMNS} from campaigns where id = $1 and account_id = $2`,
);

export async function readCampaign(
  db: Queryable,
  accountId: AccountId,
  id: CampaignId,
): Promise<Campaign | null> {
  const row = await db.first(BY_ID, [id, accountId]);
  return row === undefined ? null : toCampaign(row);
}

const LOCK = statement<Row>(
  'campaign_lock',
  `select ${READ_COLUMNS} from campaigns where id = $1 for update`,
);

/** The campaign, held until the end of the transaction: what belongs to it waits or sees it. */
export async function lockCampaign(tx: Tx, id: CampaignId): Promise<Campaign | null> {
  const row = await tx.first(LOCK, [id]);
  return row === undefined ? null : toCampaign(row);
}

const LIST = statement<Row>(
  'campaign_list',
  `select ${READ_COLUMNS} from campaigns
    where account_id = $1 and ($2::text is null or id < $2) order by id desc limit $3`,
);

export async function listCampaigns(
  db: Queryable,
  accountId: AccountId,
  page: { after: string | null; limit: number },
): Promise<Campaign[]> {
  return (await db.run(LIST, [accountId, page.after, page.limit])).map(toCampaign);
}

const OPEN = statement<{ open: number }>(
  'campaign_count_open',
  `select count(*)::int as open from campaigns
    where account_id = $1 and state not in ('stopped', 'done')`,
);

/** Campaigns of an account that are not over. */
export async function openCampaigns(db: Queryable, accountId: AccountId): Promise<number> {
  return (await db.first(OPEN, [accountId]))?.open ?? 0;
}

const BY_IDS = statement<Row>(
  'campaign_by_ids',
  `select ${READ_COLUMNS} from campaigns where id = any ($1::text[])`,
);

/** Campaigns by their ids; the worker's, which knows no account. */
export async function readCampaigns(
  db: Queryable,
  ids: readonly CampaignId[],
): Promise<Campaign[]> {
  return (await db.run(BY_IDS, [ids])).map(toCampaign);
}

function toCampaign(row: Row): Campaign {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    state: row.state,
    lineId: row.line_id,
    journeyId: row.journey_id,
    journeyVersion: row.journey_version,
    audience: row.audience,
    settings: row.settings,
    ranMs: row.ran_ms,
    resumedAt: row.resumed_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    peopleForgottenAt: row.people_forgotten_at,
  };
}
