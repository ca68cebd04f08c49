import { at, statement, type Database, type Queryable, type Tx } from '../database/database.ts';
import { isoTime } from '../platform/clock.ts';
import type { NumberCountry } from '../contacts/phone-number.ts';
import type { AccountId, Id } from '../platform/ids.ts';
import { FAILURES_MAX, type ImportView } from './do-not-call.ts';

/**
 * Imports as rows: the job with its counts, the file in pieces while it waits, and the rows that
 * failed, masked. Leases go by the database's clock.
 */
export type ImportId = Id<'doNotCallImport'>;

type ImportRow = {
  id: ImportId;
  account_id: AccountId;
  list: string;
  wanted_column: string | null;
  country: NumberCountry | null;
  dry_run: boolean;
  state: ImportView['state'];
  bytes: number;
  rows: number;
  added: number;
  already: number;
  failed: number;
  error: ImportView['error'];
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
};

const COLUMNS = `id, account_id, list, wanted_column, country, dry_run, state, bytes, rows, added,
  already, failed, error, created_at, started_at, finished_at`;

const CREATE = statement(
  'do_not_call_import_create',
  `insert into do_not_call_imports
     (id, account_id, list, wanted_column, country, dry_run, state, created_at)
   values ($1, $2, $3, $4, $5, $6, 'receiving', $7)`,
);

export async function createImport(
  db: Queryable,
  job: {
    id: ImportId;
    accountId: AccountId;
    list: string;
    column: string | null;
    country: NumberCountry | null;
    dryRun: boolean;
    now: number;
  },
): Promise<void> {
  const { id, accountId, list, column, country, dryRun, now } = job;
  await db.run(CREATE, [id, accountId, list, column, country, dryRun, at(now)]);
}

const ADD_CHUNK = statement(
  'do_not_call_import_add_chunk',
  'insert into do_not_call_import_chunks (import_id, position, bytes) values ($1, $2, $3)',
);

export async function addChunk(
  db: Queryable,
  id: ImportId,
  position: number,
  bytes: Uint8Array,
): Promise<void> {
  await db.run(ADD_CHUNK, [id, position, Buffer.from(bytes)]);
}

const QUEUE = statement(
  'do_not_call_import_queue',
  `update do_not_call_imports set state = 'queued', bytes = $2 where id = $1`,
);

/** The whole file is here: a worker may begin. */
export async function queueImport(tx: Tx, id: ImportId, bytes: number): Promise<void> {
  await tx.run(QUEUE, [id, bytes]);
}

const DROP_CHUNKS = statement(
  'do_not_call_import_drop_chunks',
  'delete from do_not_call_import_chunks where import_id = $1',
);
const DROP = statement('do_not_call_import_drop', 'delete from do_not_call_imports where id = $1');

/** An upload that broke off leaves nothing behind. */
export async function dropImport(db: Database, id: ImportId): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.run(DROP_CHUNKS, [id]);
    await tx.run(DROP, [id]);
  });
}

const WAITING = statement<{ waiting: number }>(
  'do_not_call_import_waiting',
  `select count(*) as waiting from do_not_call_imports
    where account_id = $1 and state in ('queued', 'running')`,
);

export async function waitingImports(db: Queryable, accountId: AccountId): Promise<number> {
  return (await db.first(WAITING, [accountId]))?.waiting ?? 0;
}

const CLAIM = statement<ImportRow>(
  'do_not_call_import_claim',
  `update do_not_call_imports set state = 'running', lease_owner = $1,
     lease_until = now() + make_interval(secs => $2), started_at = coalesce(started_at, $3)
    where id = (select id from do_not_call_imports where state in ('queued', 'running')
        and (lease_until is null or lease_until < now())
      order by id limit 1 for update skip locked)
   returning ${COLUMNS}`,
);

/** The oldest import that nobody works on, or null. */
export async function claimImport(
  db: Queryable,
  owner: string,
  leaseSeconds: number,
  now: number,
): Promise<ImportRow | null> {
  return (await db.first(CLAIM, [owner, leaseSeconds, at(now)])) ?? null;
}

const CHUNK = statement<{ bytes: Buffer }>(
  'do_not_call_import_chunk',
  'select bytes from do_not_call_import_chunks where import_id = $1 and position = $2',
);

/** The file, piece by piece. */
export async function* chunksOf(db: Queryable, id: ImportId): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; position += 1) {
    const row = await db.first(CHUNK, [id, position]);
    if (row === undefined) return;
    yield row.bytes;
  }
}

export type Progress = { added: number; already: number; failed: number };

const ADVANCE = statement<{ failed: number }>(
  'do_not_call_import_advance',
  `update do_not_call_imports set rows = rows + $3::bigint + $4::bigint + $5::bigint,
     added = added + $3::bigint, already = already + $4::bigint, failed = failed + $5::bigint,
     lease_until = now() + make_interval(secs => $6)
    where id = $1 and lease_owner = $2 returning failed`,
);

/** Counts a batch in its own transaction; null where another worker has the job by now. */
export async function advanceImport(
  tx: Tx,
  id: ImportId,
  lease: { owner: string; seconds: number },
  { added, already, failed }: Progress,
): Promise<{ failed: number } | null> {
  const values = [id, lease.owner, added, already, failed, lease.seconds];
  return (await tx.first(ADVANCE, values)) ?? null;
}

export type FailedRow = { line: number; given: string; rule: string; fix: string };

const FAILURES = statement(
  'do_not_call_import_add_failures',
  `insert into do_not_call_import_failures (import_id, line, given, rule, fix)
   select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
   on conflict do nothing`,
);

/** Keeps failed rows, up to the limit of one import; `before` of them are kept already. */
export async function addFailures(
  tx: Tx,
  id: ImportId,
  failures: readonly FailedRow[],
  before: number,
): Promise<void> {
  const kept = failures.slice(0, Math.max(0, FAILURES_MAX - before));
  if (kept.length === 0) return;
  await tx.run(FAILURES, [
    id,
    kept.map(({ line }) => line),
    kept.map(({ given }) => given),
    kept.map(({ rule }) => rule),
    kept.map(({ fix }) => fix),
  ]);
}

const FINISH = statement<{ id: ImportId }>(
  'do_not_call_import_finish',
  `update do_not_call_imports set state = $3, error = $4, finished_at = $5, lease_owner = null,
     lease_until = null
    where id = $1 and lease_owner = $2 returning id`,
);

/** Ends the job, if it is still this worker's; its file goes with it, because it holds numbers. */
export async function finishImport(
  db: Database,
  id: ImportId,
  owner: string,
  end: { error: ImportView['error']; now: number; record: (tx: Tx) => Promise<void> },
): Promise<void> {
  const { error, now, record } = end;
  await db.transaction(async (tx) => {
    const state = error === null ? 'done' : 'failed';
    const told = error === null ? null : JSON.stringify(error);
    const finished = await tx.first(FINISH, [id, owner, state, told, at(now)]);
    if (finished === undefined) return;
    await tx.run(DROP_CHUNKS, [id]);
    await record(tx);
  });
}

const RELEASE = statement(
  'do_not_call_import_release',
  'update do_not_call_imports set lease_until = null where id = $1 and lease_owner = $2',
);

/** Lets another worker go on at once. */
export async function releaseImport(db: Queryable, id: ImportId, owner: string): Promise<void> {
  await db.run(RELEASE, [id, owner]);
}

const BY_ID = statement<ImportRow>(
  'do_not_call_import_by_id',
  `select ${COLUMNS} from do_not_call_imports where id = $1 and account_id = $2`,
);

export async function readImport(
  db: Queryable,
  accountId: AccountId,
  id: ImportId,
): Promise<ImportRow | null> {
  return (await db.first(BY_ID, [id, accountId])) ?? null;
}

const LIST = statement<ImportRow>(
  'do_not_call_import_list',
  `select ${COLUMNS} from do_not_call_imports
    where account_id = $1 and ($2::text is null or id < $2) order by id desc limit $3`,
);

export async function listImports(
  db: Queryable,
  accountId: AccountId,
  after: string | null,
  limit: number,
): Promise<ImportRow[]> {
  return db.run(LIST, [accountId, after, limit]);
}

const FAILED = statement<FailedRow>(
  'do_not_call_import_failed',
  `select line, given, rule, fix from do_not_call_import_failures
    where import_id = $1 and line > $2 order by line limit $3`,
);

/** Failed rows in the order of the file, a page at a time. */
export async function* failuresOf(
  db: Queryable,
  id: ImportId,
  pageSize: number,
): AsyncGenerator<FailedRow[]> {
  let after = 0;
  for (;;) {
    const rows = await db.run(FAILED, [id, after, pageSize]);
    if (rows.length > 0) yield rows;
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.line ?? after;
  }
}

const KEEP_MS = 24 * 3_600_000;

const PURGE = statement<{ import_id: string }>(
  'do_not_call_import_purge',
  `delete from do_not_call_import_failures where import_id in (
     select id from do_not_call_imports where finished_at < $1) returning import_id`,
);
const ABANDONED = statement<{ id: ImportId }>(
  'do_not_call_import_abandoned',
  `select id from do_not_call_imports where state = 'receiving' and created_at < $1`,
);

/** Forgets failed rows after a day, and uploads whose process died; how many rows that were. */
export async function purgeImports(db: Database, now: number): Promise<number> {
  const before = at(now - KEEP_MS);
  const abandoned = await db.run(ABANDONED, [before]);
  for (const { id } of abandoned) await dropImport(db, id);
  return (await db.run(PURGE, [before])).length + abandoned.length;
}

export function importView(row: ImportRow, now: number): ImportView {
  const { id, list, state, bytes, rows, added, already, failed, error } = row;
  const { dry_run: dryRun, created_at, started_at, finished_at } = row;
  const seconds = started_at === null ? 0 : ((finished_at ?? now) - started_at) / 1_000;
  const iso = (instant: number | null): string | null =>
    instant === null ? null : isoTime(instant);
  return {
    id,
    list,
    dryRun,
    state,
    bytes,
    rows,
    added,
    already,
    failed,
    rowsPerSecond: seconds > 0 ? Math.round(rows / seconds) : null,
    error,
    createdAt: isoTime(created_at),
    startedAt: iso(started_at),
    finishedAt: iso(finished_at),
  };
}

export type StoredImport = ImportRow;
