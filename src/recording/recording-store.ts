import { keyColumn, keyInRow, type KeyColumn } from '../contacts/contact-key-store.ts';
import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import { bucketOf, type AccountId, type CallId, type ContactId } from '../platform/ids.ts';
import type { Announced, Recording, RecordingId, RecordingState } from './recording.ts';

type Row = {
  id: RecordingId;
  account_id: AccountId;
  contact_id: ContactId;
  call_id: CallId;
  state: RecordingState;
  node: string;
  announced: Announced;
  started_at: number | null;
  ended_at: number | null;
  duration_ms: number | null;
  bytes: number | null;
  reason: string | null;
  created_at: number;
  deleted_at: number | null;
};

const COLUMNS = `r.id, r.account_id, r.contact_id, r.call_id, r.state, r.node, r.announced,
  r.started_at, r.ended_at, r.duration_ms, r.bytes, r.reason, r.created_at, r.deleted_at`;

const SAVE = statement(
  'recording_save',
  `insert into recordings (bucket, id, account_id, contact_id, call_id, state, node, announced,
     started_at, ended_at, duration_ms, bytes, reason, created_at, deleted_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
     $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::bigint[], $12::bigint[],
     $13::text[], $14::timestamptz[], $15::timestamptz[])
   on conflict (bucket, id) do update
     set state = excluded.state, started_at = excluded.started_at, ended_at = excluded.ended_at,
         duration_ms = excluded.duration_ms, bytes = excluded.bytes, reason = excluded.reason,
         deleted_at = excluded.deleted_at`,
);

export const recordingRows: RowStore<Recording> = {
  async saveAll(tx, rows) {
    await tx.run(SAVE, [
      rows.map(({ id }) => bucketOf(id)),
      rows.map(({ id }) => id),
      rows.map(({ accountId }) => accountId),
      rows.map(({ contactId }) => contactId),
      rows.map(({ callId }) => callId),
      rows.map(({ state }) => state),
      rows.map(({ node }) => node),
      rows.map(({ announced }) => announced),
      rows.map(({ startedAt }) => at(startedAt)),
      rows.map(({ endedAt }) => at(endedAt)),
      rows.map(({ durationMs }) => durationMs),
      rows.map(({ bytes }) => bytes),
      rows.map(({ reason }) => reason),
      rows.map(({ createdAt }) => at(createdAt)),
      rows.map(({ deletedAt }) => at(deletedAt)),
    ]);
  },
};

const READ = statement<Row & KeyColumn>(
  'recording_read',
  `select ${COLUMNS}, ${keyColumn('r')} from recordings r where r.bucket = $1 and r.id = $2`,
);

/** A recording, and the key of its file in base64: null once the person was erased. */
export async function readRecordingRow(
  db: Queryable,
  id: RecordingId,
): Promise<{ recording: Recording; key: string | null } | null> {
  const row = await db.first(READ, [bucketOf(id), id]);
  if (row === undefined) return null;
  const key = keyInRow(db, row.contact_id, row.sealed_key)?.keyFor(id);
  return { recording: toRecording(row), key: key?.toString('base64') ?? null };
}

const OF_CALL = statement<Row>(
  'recording_of_call',
  `select ${COLUMNS} from recordings r where r.bucket = $1 and r.call_id = $2 order by r.id`,
);

/** All recordings of a call, oldest first, deleted ones included. */
export async function recordingsOfCall(db: Queryable, callId: CallId): Promise<Recording[]> {
  return (await db.run(OF_CALL, [bucketOf(callId), callId])).map(toRecording);
}

const OF_CONTACT = statement<Row>(
  'recording_of_contact',
  `select ${COLUMNS} from recordings r where r.bucket = $1 and r.contact_id = $2 order by r.id`,
);

export async function recordingsOfContact(
  db: Queryable,
  contactId: ContactId,
): Promise<Recording[]> {
  return (await db.run(OF_CONTACT, [bucketOf(contactId), contactId])).map(toRecording);
}

const FORGET = statement(
  'recording_forget',
  `update recordings set state = 'deleted', reason = 'erased', deleted_at = $3
    where bucket = $1 and contact_id = $2 and deleted_at is null`,
);

/** Part of an erasure. The key goes in the same transaction; the files follow within seconds. */
export async function forgetRecordings(tx: Tx, contactId: ContactId, now: number): Promise<void> {
  await tx.run(FORGET, [bucketOf(contactId), contactId, at(now)]);
}

const TO_UNLINK = statement<{ id: RecordingId; account_id: AccountId }>(
  'recording_to_unlink',
  `select id, account_id from recordings
    where node = $1 and deleted_at is not null and file_gone_at is null limit $2`,
);

/** Recordings of this node that were deleted and whose files may still be there. */
export async function recordingsToUnlink(
  db: Queryable,
  node: string,
  limit: number,
): Promise<Array<{ id: RecordingId; accountId: AccountId }>> {
  const rows = await db.run(TO_UNLINK, [node, limit]);
  return rows.map(({ id, account_id: accountId }) => ({ id, accountId }));
}

const UNLINKED = statement(
  'recording_unlinked',
  'update recordings set file_gone_at = $3 where bucket = $1 and id = $2',
);

export async function saveUnlinked(db: Queryable, id: RecordingId, now: number): Promise<void> {
  await db.run(UNLINKED, [bucketOf(id), id, at(now)]);
}

const ABANDONED = statement<Row>(
  'recording_abandoned',
  `select ${COLUMNS} from recordings r
    where r.node = $1 and r.state in ('announcing', 'recording', 'paused') and r.created_at < $2
      and not exists (
        select from calls c
         where c.bucket = r.bucket and c.id = r.call_id and c.status <> 'ended')
    limit $3`,
);

/** Recordings of this node that are open although their call is over. */
export async function abandonedRecordings(
  db: Queryable,
  node: string,
  before: number,
  limit: number,
): Promise<Recording[]> {
  return (await db.run(ABANDONED, [node, at(before), limit])).map(toRecording);
}

const EXPIRED = statement<Row>(
  'recording_expired',
  `select ${COLUMNS} from accounts a join recordings r on r.account_id = a.id
    where r.deleted_at is null and r.ended_at <
      $1::timestamptz - make_interval(days => coalesce(
        (a.settings #>> '{recording,retentionDays}')::int, $2::int))
    order by r.ended_at limit $3`,
);

/** Recordings that were kept as long as their account keeps them. */
export async function expiredRecordings(
  db: Queryable,
  now: number,
  days: number,
  limit: number,
): Promise<Recording[]> {
  return (await db.run(EXPIRED, [at(now), days, limit])).map(toRecording);
}

export type RecordingSettings = {
  retentionDays: number | null;
  /** Name of a prompt that says it instead of our own words. */
  announcementPrompt: string | null;
};

const SETTINGS = statement<{ settings: Partial<RecordingSettings> | null }>(
  'recording_settings',
  `select settings -> 'recording' as settings from accounts where id = $1`,
);

export async function readRecordingSettings(
  db: Queryable,
  accountId: AccountId,
): Promise<RecordingSettings> {
  const row = await db.first(SETTINGS, [accountId]);
  const { retentionDays = null, announcementPrompt = null } = row?.settings ?? {};
  return { retentionDays, announcementPrompt };
}

const SET = statement(
  'recording_set_settings',
  `update accounts set settings = jsonb_set(settings, '{recording}',
     coalesce(settings -> 'recording', '{}'::jsonb) || $2::jsonb) where id = $1`,
);

export async function saveRecordingSettings(
  db: Queryable,
  accountId: AccountId,
  settings: Partial<RecordingSettings>,
): Promise<void> {
  await db.run(SET, [accountId, JSON.stringify(settings)]);
}

function toRecording(row: Row): Recording {
  return {
    id: row.id,
    accountId: row.account_id,
    contactId: row.contact_id,
    callId: row.call_id,
    state: row.state,
    node: row.node,
    announced: row.announced,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    durationMs: row.duration_ms,
    bytes: row.bytes,
    reason: row.reason,
    createdAt: row.created_at,
    deletedAt: row.deleted_at,
  };
}
