import { at, statement, type Database, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import {
  FAILURES_MAX,
  type FailedRow,
  type ImportError,
  type ImportId,
  type ImportKind,
  type Settled,
  type StoredImport,
} from './imports.ts';

/**
 * Imports as rows: the job with its counts, the file in sealed pieces while it waits, and the rows
 * that failed, masked. Leases go by the database's clock.
 */
type ImportRow = {
  id: ImportId;
  account_id: AccountId;
  wish: unknown;
  dry_run: boolean;
  state: StoredImport<unknown>['state'];
  bytes: number;
  read_bytes: number;
  rows: number;
  added: number;
  changed: number;
  already: number;
  failed: number;
  error: ImportError | null;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
};

const COLUMNS = `id, account_id, wish, dry_run, state, bytes, read_bytes, rows, added, changed,
  already, failed, error, created_at, started_at, finished_at`;

const CREATE = statement(
  'import_create',
  `insert into imports (id, account_id, kind, wish, dry_run, state, created_at)
   values ($1, $2, $3, $4, $5, 'receiving', $6)`,
);

export async function createImport(
  db: Queryable,
  job: {
    id: ImportId;
    accountId: AccountId;
    kind: ImportKind;
    wish: object;
    dryRun: boolean;
    now: number;
  },
): Promise<void> {
  const { id, accountId, kind, wish, dryRun, now } = job;
  await db.run(CREATE, [id, accountId, kind, JSON.stringify(wish), dryRun, at(now)]);
}

const ADD_CHUNK = statement(
  'import_add_chunk',
  'insert into import_chunks (import_id, position, bytes) values ($1, $2, $3)',
);

/** A piece of the file. It names people, so it lies sealed until the file is settled. */
export async function addChunk(
  db: Queryable,
  id: ImportId,
  position: number,
  bytes: Uint8Array,
): Promise<void> {
  const sealed = db.vault.sealer.seal(Buffer.from(bytes).toString('base64'));
  await db.run(ADD_CHUNK, [id, position, sealed]);
}

const QUEUE = statement(
  'import_queue',
  `update imports set state = 'queued', bytes = $2 where id = $1`,
);

/** The whole file is here: a worker may begin. */
export async function queueImport(tx: Tx, id: ImportId, bytes: number): Promise<void> {
  await tx.run(QUEUE, [id, bytes]);
}

const DROP_CHUNKS = statement(
  'import_drop_chunks',
  `with batches as (delete from import_batches where import_id = $1)
   delete from import_chunks where import_id = $1`,
);
const DROP = statement('import_drop', 'delete from imports where id = $1');

/** An upload that broke off leaves nothing behind. */
export async function dropImport(db: Database, id: ImportId): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.run(DROP_CHUNKS, [id]);
    await tx.run(DROP, [id]);
  });
}

const WAITING = statement<{ waiting: number }>(
  'import_count_waiting',
  `select count(*) as waiting from imports
    where account_id = $1 and kind = $2 and state in ('queued', 'running')`,
);

export async function waitingImports(
  db: Queryable,
  accountId: AccountId,
  kind: ImportKind,
): Promise<number> {
  return (await db.first(WAITING, [accountId, kind]))?.waiting ?? 0;
}

const CLAIM = statement<ImportRow>(
  'import_claim',
  `update imports set state = 'running', lease_owner = $1,
     lease_until = now() + make_interval(secs => $2), started_at = coalesce(started_at, $3)
    where id = (select id from imports where state in ('queued', 'running') and kind = $4
        and (lease_until is null or lease_until < now())
      order by id limit 1 for update skip locked)
   returning ${COLUMNS}`,
);

/** The oldest import of a kind that nobody works on, or null. */
export async function claimImport<Wish>(
  db: Queryable,
  kind: ImportKind,
  lease: { owner: string; seconds: number },
  now: number,
): Promise<StoredImport<Wish> | null> {
  const row = await db.first(CLAIM, [lease.owner, lease.seconds, at(now), kind]);
  return row === undefined ? null : toImport<Wish>(row);
}

const CHUNK = statement<{ bytes: Buffer }>(
  'import_chunk',
  'select bytes from import_chunks where import_id = $1 and position = $2',
);

/** The file, piece by piece. */
export async function* chunksOf(db: Queryable, id: ImportId): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; position += 1) {
    const row = await db.first(CHUNK, [id, position]);
    if (row === undefined) return;
    yield Buffer.from(db.vault.sealer.open(row.bytes), 'base64');
  }
}

const ADVANCE = statement<{ failed: number }>(
  'import_advance',
  `with batch as (insert into import_batches (import_id, first_row, rows)
     values ($1, $9, $10))
   update imports set rows = rows + $3::bigint + $4::bigint + $5::bigint + $6::bigint,
     added = added + $3::bigint, changed = changed + $4::bigint, already = already + $5::bigint,
     failed = failed + $6::bigint, read_bytes = greatest(read_bytes, $7::bigint),
     lease_until = now() + make_interval(secs => $8)
    where id = $1 and lease_owner = $2 returning failed`,
);

/** Counts a batch in its own transaction; null where another worker has the job by now. */
export async function advanceImport(
  tx: Tx,
  id: ImportId,
  lease: { owner: string; seconds: number },
  batch: { first: number; rows: number },
  progress: Settled & { failed: number; readBytes: number },
): Promise<{ failed: number } | null> {
  const { added, changed, already, failed, readBytes } = progress;
  const counts = [added, changed, already, failed, readBytes];
  const values = [id, lease.owner, ...counts, lease.seconds, batch.first, batch.rows];
  return (await tx.first(ADVANCE, values)) ?? null;
}

const BATCHES = statement<{ first_row: number; rows: number }>(
  'import_batches_of',
  'select first_row, rows from import_batches where import_id = $1',
);

/** How many rows are settled from which row on. */
export async function batchesSettled(db: Queryable, id: ImportId): Promise<Map<number, number>> {
  const rows = await db.run(BATCHES, [id]);
  return new Map(rows.map((row) => [row.first_row, row.rows]));
}

const FAILURES = statement(
  'import_add_failures',
  `insert into import_failures (import_id, line, field, given, rule, fix)
   select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])
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
    kept.map(({ field }) => field),
    kept.map(({ given }) => given),
    kept.map(({ rule }) => rule),
    kept.map(({ fix }) => fix),
  ]);
}

const FINISH = statement<ImportRow>(
  'import_finish',
  `update imports set state = $3, error = $4, finished_at = $5, lease_owner = null,
     lease_until = null
    where id = $1 and lease_owner = $2 returning ${COLUMNS}`,
);

/** Ends the job, if it is still this worker's; its file goes with it, because it names people. */
export async function finishImport<Wish>(
  db: Database,
  id: ImportId,
  owner: string,
  end: {
    error: ImportError | null;
    now: number;
    ended: (tx: Tx, job: StoredImport<Wish>) => Promise<void>;
  },
): Promise<void> {
  const { error, now, ended } = end;
  await db.transaction(async (tx) => {
    const state = error === null ? 'done' : 'failed';
    const told = error === null ? null : JSON.stringify(error);
    const finished = await tx.first(FINISH, [id, owner, state, told, at(now)]);
    if (finished === undefined) return;
    await tx.run(DROP_CHUNKS, [id]);
    await ended(tx, toImport<Wish>(finished));
  });
}

const RELEASE = statement(
  'import_release',
  'update imports set lease_until = null where id = $1 and lease_owner = $2',
);

/** Lets another worker go on at once. */
export async function releaseImport(db: Queryable, id: ImportId, owner: string): Promise<void> {
  await db.run(RELEASE, [id, owner]);
}

const BY_ID = statement<ImportRow>(
  'import_by_id',
  `select ${COLUMNS} from imports where id = $1 and account_id = $2 and kind = $3`,
);

export async function readImport<Wish>(
  db: Queryable,
  accountId: AccountId,
  kind: ImportKind,
  id: ImportId,
): Promise<StoredImport<Wish> | null> {
  const row = await db.first(BY_ID, [id, accountId, kind]);
  return row === undefined ? null : toImport<Wish>(row);
}

const LIST = statement<ImportRow>(
  'import_list',
  `select ${COLUMNS} from imports
    where account_id = $1 and kind = $2 and ($3::text is null or id < $3)
    order by id desc limit $4`,
);

export async function listImports<Wish>(
  db: Queryable,
  accountId: AccountId,
  kind: ImportKind,
  page: { after: string | null; limit: number },
): Promise<Array<StoredImport<Wish>>> {
  const rows = await db.run(LIST, [accountId, kind, page.after, page.limit]);
  return rows.map((row) => toImport<Wish>(row));
}

const FAILED = statement<FailedRow>(
  'import_failed',
  `select line, field, given, rule, fix from import_failures
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
  'import_purge',
  `delete from import_failures where import_id in (
     select id from imports where finished_at < $1) returning import_id`,
);
const ABANDONED = statement<{ id: ImportId }>(
  'import_abandoned',
  `select id from imports where state = 'receiving' and created_at < $1`,
);

/** Forgets failed rows after a day, and uploads whose process died; how many rows that were. */
export async function purgeImports(db: Database, now: number): Promise<number> {
  const before = at(now - KEEP_MS);
  const abandoned = await db.run(ABANDONED, [before]);
  for (const { id } of abandoned) await dropImport(db, id);
  return (await db.run(PURGE, [before])).length + abandoned.length;
}

function toImport<Wish>(row: ImportRow): StoredImport<Wish> {
  return {
    id: row.id,
    accountId: row.account_id,
    wish: row.wish as Wish,
    dryRun: row.dry_run,
    state: row.state,
    bytes: row.bytes,
    readBytes: row.read_bytes,
    rows: row.rows,
    added: row.added,
    changed: row.changed,
    already: row.already,
    failed: row.failed,
    error: row.error,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
