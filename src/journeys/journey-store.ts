import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import type { JourneyDocument } from './journey.ts';
import type { JourneyId } from './run.ts';

/** A journey in one of its versions; the newest is the one that new runs take. */
export type StoredJourney = {
  id: JourneyId;
  accountId: AccountId;
  version: number;
  document: JourneyDocument;
  /** Which of the journeys that come with the product it was made from. */
  readyKey: string | null;
  createdAt: number;
  updatedAt: number;
};

type Row = {
  id: JourneyId;
  account_id: AccountId;
  version: number;
  document: JourneyDocument;
  ready_key: string | null;
  created_at: number;
  updated_at: number;
};

const COLUMNS = `j.id, j.account_id, v.version, v.document, j.ready_key, j.created_at,
  v.created_at as updated_at`;
const LATEST_TABLES = `journeys j
  join journey_versions v on v.journey_id = j.id and v.version = j.version`;

const SAVE = statement(
  'journey_save',
  `with head as (
     insert into journeys (id, account_id, name, version, ready_key, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $7, $8)
     on conflict (id) do update
       set name = excluded.name, version = excluded.version, updated_at = excluded.updated_at
     returning id)
   insert into journey_versions (journey_id, version, document, created_at)
   select id, $4, $6, $8 from head`,
);

/** Writes a version and makes it the newest. Of a known journey: lock it first. */
export async function saveJourney(tx: Tx, journey: StoredJourney): Promise<void> {
  const { id, accountId, version, document, readyKey, createdAt, updatedAt } = journey;
  const shown = [id, accountId, document.name, version, readyKey, JSON.stringify(document)];
  await tx.run(SAVE, [...shown, at(createdAt), at(updatedAt)]);
}

const LATEST = statement<Row>(
  'journey_latest',
  `select ${COLUMNS} from ${LATEST_TABLES}
    where j.account_id = $1 and j.id = $2 and j.deleted_at is null`,
);

const VERSION = statement<Row>(
  'journey_version',
  `select ${COLUMNS} from journeys j join journey_versions v on v.journey_id = j.id
    where j.account_id = $1 and j.id = $2 and v.version = $3`,
);

/** The newest version of a journey that is not deleted, or the one that is asked for. */
export async function readJourney(
  db: Queryable,
  accountId: AccountId,
  id: JourneyId,
  version?: number,
): Promise<StoredJourney | null> {
  const row =
    version === undefined
      ? await db.first(LATEST, [accountId, id])
      : await db.first(VERSION, [accountId, id, version]);
  return row === undefined ? null : toJourney(row);
}

const LOCK = statement<Row>(
  'journey_lock',
  `select ${COLUMNS} from ${LATEST_TABLES}
    where j.account_id = $1 and j.id = $2 and j.deleted_at is null for update of j`,
);

/** The newest version, held until the end of the transaction. */
export async function lockJourney(
  tx: Tx,
  accountId: AccountId,
  id: JourneyId,
): Promise<StoredJourney | null> {
  const row = await tx.first(LOCK, [accountId, id]);
  return row === undefined ? null : toJourney(row);
}

const BY_KEY = statement<Row>(
  'journey_by_ready_key',
  `select ${COLUMNS} from ${LATEST_TABLES}
    where j.account_id = $1 and j.ready_key = $2 and j.deleted_at is null`,
);

/** The journey that was made from one that comes with the product. */
export async function readReadyJourney(
  db: Queryable,
  accountId: AccountId,
  key: string,
): Promise<StoredJourney | null> {
  const row = await db.first(BY_KEY, [accountId, key]);
  return row === undefined ? null : toJourney(row);
}

const LIST = statement<Row & { live: number }>(
  'journey_list',
  `select ${COLUMNS}, (select count(*)::int from journey_runs r
      where r.journey_id = j.id and r.status = 'live') as live
     from ${LATEST_TABLES}
    where j.account_id = $1 and j.deleted_at is null and ($2::text is null or j.id < $2)
    order by j.id desc limit $3`,
);

export type ListedJourney = StoredJourney & { liveRuns: number };

export async function listJourneys(
  db: Queryable,
  accountId: AccountId,
  page: { after: string | null; limit: number },
): Promise<ListedJourney[]> {
  const rows = await db.run(LIST, [accountId, page.after, page.limit]);
  return rows.map(({ live, ...row }) => ({ ...toJourney(row), liveRuns: live }));
}

const VERSIONS = statement<{ version: number; created_at: number }>(
  'journey_versions_of',
  `select version, created_at from journey_versions
    where journey_id = $1 order by version desc limit 100`,
);

/** The newest hundred versions of a journey, newest first. */
export async function versionsOfJourney(
  db: Queryable,
  id: JourneyId,
): Promise<Array<{ version: number; createdAt: number }>> {
  const rows = await db.run(VERSIONS, [id]);
  return rows.map(({ version, created_at: createdAt }) => ({ version, createdAt }));
}

const CANCEL = statement(
  'journey_cancel_runs',
  `update journeys set cancel_before = $2, cancel_reason = $3,
          deleted_at = case when $4::boolean then $2 else deleted_at end
    where id = $1`,
);

/** Has every run that began before now ended by the worker; with `deleted` no other begins. */
export async function cancelBefore(
  tx: Tx,
  id: JourneyId,
  cancel: { now: number; reason: string; deleted: boolean },
): Promise<void> {
  await tx.run(CANCEL, [id, at(cancel.now), cancel.reason, cancel.deleted]);
}

/** From when back the runs of a journey are cancelled, and why. */
export type JourneyCancel = { before: number; reason: string };

const CANCELS = statement<{ id: JourneyId; cancel_before: number; cancel_reason: string }>(
  'journey_cancels',
  `select id, cancel_before, cancel_reason from journeys
    where id = any ($1::text[]) and cancel_before is not null`,
);

export async function cancelsAmong(
  db: Queryable,
  ids: readonly JourneyId[],
): Promise<ReadonlyMap<JourneyId, JourneyCancel>> {
  const rows = await db.run(CANCELS, [ids]);
  return new Map(
    rows.map(({ id, cancel_before: before, cancel_reason: reason }) => [id, { before, reason }]),
  );
}

function toJourney(row: Row): StoredJourney {
  return {
    id: row.id,
    accountId: row.account_id,
    version: row.version,
    document: row.document,
    readyKey: row.ready_key,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
