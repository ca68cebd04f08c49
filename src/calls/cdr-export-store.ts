import { at, statement, type Database, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, Id } from '../platform/ids.ts';
import type { ExportFormat } from './cdr-record-lookup.ts';

/**
 * Exports of call detail records as rows: the job with how far it is, and its file in sealed
 * pieces. A piece commits together with the id of its last call, so a worker that dies leaves
 * nothing to guess. Leases go by the database's clock.
 */
export type CdrExportId = Id<'cdrExport'>;
export type CdrExportState = 'queued' | 'running' | 'done' | 'failed' | 'canceled' | 'expired';
export type CdrExportError = { code: string; message: string; fix: string };

export type CdrExport = {
  id: CdrExportId;
  accountId: AccountId;
  format: ExportFormat;
  from: number | null;
  to: number;
  state: CdrExportState;
  /** The last call that is in the file; null before the first. */
  afterCallId: string | null;
  pieces: number;
  records: number;
  total: number | null;
  bytes: number;
  error: CdrExportError | null;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  expiresAt: number | null;
};

type ExportRow = {
  id: CdrExportId;
  account_id: AccountId;
  format: ExportFormat;
  from_at: number | null;
  to_at: number;
  state: CdrExportState;
  after_call_id: string | null;
  pieces: number;
  records: number;
  total: number | null;
  bytes: number;
  error: CdrExportError | null;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  expires_at: number | null;
};

const COLUMNS = `id, account_id, format, from_at, to_at, state, after_call_id, pieces, records,
  total, bytes, error, created_at, started_at, finished_at, expires_at`;

const CREATE = statement<ExportRow>(
  'cdr_export_create',
  `insert into cdr_exports (id, account_id, format, from_at, to_at, state, created_at)
   values ($1, $2, $3, $4, $5, 'queued', $6) returning ${COLUMNS}`,
);

export async function createExport(
  tx: Tx,
  wish: Pick<CdrExport, 'id' | 'accountId' | 'format' | 'from' | 'to'> & { now: number },
): Promise<CdrExport> {
  const { id, accountId, format, from, to, now } = wish;
  const [row] = await tx.run(CREATE, [id, accountId, format, at(from), at(to), at(now)]);
  return toExport(row as ExportRow);
}

const WAITING = statement<{ waiting: number }>(
  'cdr_export_count_waiting',
  `select count(*) as waiting from cdr_exports
    where account_id = $1 and state in ('queued', 'running')`,
);

export async function waitingExports(db: Queryable, accountId: AccountId): Promise<number> {
  return (await db.first(WAITING, [accountId]))?.waiting ?? 0;
}

const CLAIM = statement<ExportRow>(
  'cdr_export_claim',
  `update cdr_exports set state = 'running', lease_owner = $1,
     lease_until = now() + make_interval(secs => $2), started_at = coalesce(started_at, $3)
    where id = (select id from cdr_exports where state in ('queued', 'running')
        and (lease_until is null or lease_until < now())
      order by id limit 1 for update skip locked)
   returning ${COLUMNS}`,
);

export type Lease = { owner: string; seconds: number };

/** The oldest export that nobody works on, or null. */
export async function claimExport(
  db: Queryable,
  lease: Lease,
  now: number,
): Promise<CdrExport | null> {
  const row = await db.first(CLAIM, [lease.owner, lease.seconds, at(now)]);
  return row === undefined ? null : toExport(row);
}

const HOLD = statement<ExportRow>(
  'cdr_export_hold',
  `select ${COLUMNS} from cdr_exports
    where id = $1 and lease_owner = $2 and state = 'running' for update`,
);

/**
 * Locks the job for its next piece, and says how far it is; null where it is somebody else's by
 * now, or canceled. An erasure waits for this lock, so no piece slips in behind it.
 */
export async function holdExport(
  tx: Tx,
  id: CdrExportId,
  owner: string,
): Promise<CdrExport | null> {
  const row = await tx.first(HOLD, [id, owner]);
  return row === undefined ? null : toExport(row);
}

const ADD_PIECE = statement(
  'cdr_export_add_piece',
  'insert into cdr_export_pieces (export_id, position, bytes) values ($1, $2, $3)',
);
const ADVANCE = statement(
  'cdr_export_advance',
  `update cdr_exports set after_call_id = coalesce($2, after_call_id), pieces = pieces + 1,
     records = records + $3::bigint, bytes = bytes + $4::bigint, total = $5,
     lease_until = now() + make_interval(secs => $6)
    where id = $1`,
);

/** One piece of the file. It names people, so it lies sealed. */
export async function addPiece(
  tx: Tx,
  { id, pieces }: CdrExport,
  piece: { text: string; records: number; last: string | null; total: number; seconds: number },
): Promise<void> {
  const { text, records, last, total, seconds } = piece;
  await tx.run(ADD_PIECE, [id, pieces, tx.vault.sealer.seal(text)]);
  await tx.run(ADVANCE, [id, last, records, Buffer.byteLength(text), total, seconds]);
}

const FINISH = statement(
  'cdr_export_finish',
  `update cdr_exports set state = $3, error = $4, finished_at = $5, expires_at = $6,
     lease_owner = null, lease_until = null
    where id = $1 and lease_owner = $2 and state = 'running'`,
);

export async function finishExport(
  db: Queryable,
  id: CdrExportId,
  end: { owner: string; error: CdrExportError | null; now: number; expiresAt: number | null },
): Promise<void> {
  const { owner, error, now, expiresAt } = end;
  const state = error === null ? 'done' : 'failed';
  const told = error === null ? null : JSON.stringify(error);
  await db.run(FINISH, [id, owner, state, told, at(now), at(expiresAt)]);
}

const RELEASE = statement(
  'cdr_export_release',
  'update cdr_exports set lease_until = null where id = $1 and lease_owner = $2',
);

/** Lets another worker go on at once. */
export async function releaseExport(db: Queryable, id: CdrExportId, owner: string): Promise<void> {
  await db.run(RELEASE, [id, owner]);
}

const BY_ID = statement<ExportRow>(
  'cdr_export_by_id',
  `select ${COLUMNS} from cdr_exports where id = $1`,
);

export async function readExport(db: Queryable, id: CdrExportId): Promise<CdrExport | null> {
  const row = await db.first(BY_ID, [id]);
  return row === undefined ? null : toExport(row);
}

const LIST = statement<ExportRow>(
  'cdr_export_list',
  `select ${COLUMNS} from cdr_exports
    where account_id = $1 and ($2::text is null or id < $2) order by id desc limit $3`,
);

/** The exports of an account, newest first. */
export async function listExports(
  db: Queryable,
  accountId: AccountId,
  page: { after: string | null; limit: number },
): Promise<CdrExport[]> {
  return (await db.run(LIST, [accountId, page.after, page.limit])).map(toExport);
}

const PIECE = statement<{ bytes: Buffer }>(
  'cdr_export_piece',
  'select bytes from cdr_export_pieces where export_id = $1 and position = $2',
);

/** The file, piece by piece. Breaks off where a piece is gone, so that no half passes as whole. */
export async function* piecesOf(
  db: Queryable,
  { id, pieces }: CdrExport,
): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < pieces; position += 1) {
    const row = await db.first(PIECE, [id, position]);
    if (row === undefined) throw new Error(`export ${id} has lost piece ${position}`);
    yield Buffer.from(db.vault.sealer.open(row.bytes));
  }
}

const DROP_PIECES = statement(
  'cdr_export_drop_pieces',
  'delete from cdr_export_pieces where export_id = any ($1::text[])',
);
const CANCEL = statement<{ id: CdrExportId }>(
  'cdr_export_cancel',
  `update cdr_exports set state = 'canceled', finished_at = coalesce(finished_at, $3),
     lease_owner = null, lease_until = null
    where id = $1 and account_id = $2 and state in ('queued', 'running', 'done') returning id`,
);

/** Ends an export and deletes its file. */
export async function cancelExport(
  tx: Tx,
  { id, accountId }: Pick<CdrExport, 'id' | 'accountId'>,
  now: number,
): Promise<void> {
  const canceled = await tx.run(CANCEL, [id, accountId, at(now)]);
  if (canceled.length > 0) await tx.run(DROP_PIECES, [[id]]);
}

const BEGIN_ANEW = statement<{ id: CdrExportId }>(
  'cdr_export_begin_anew',
  `update cdr_exports set state = 'queued', after_call_id = null, pieces = 0, records = 0,
     total = null, bytes = 0, finished_at = null, expires_at = null, lease_owner = null,
     lease_until = null
    where account_id = $1 and state in ('queued', 'running', 'done') and pieces > 0
   returning id`,
);

/**
 * Somebody of the account is erased: files that may name them are deleted and made again, without
 * them. Their links stay good.
 */
export async function beginExportsAnew(tx: Tx, accountId: AccountId): Promise<void> {
  const begun = await tx.run(BEGIN_ANEW, [accountId]);
  if (begun.length > 0) await tx.run(DROP_PIECES, [begun.map(({ id }) => id)]);
}

const EXPIRE = statement<{ id: CdrExportId }>(
  'cdr_export_expire',
  `update cdr_exports set state = 'expired' where state = 'done' and expires_at <= $1
   returning id`,
);

/** Deletes files whose time is over; how many there were. */
export async function expireExports(db: Database, now: number): Promise<number> {
  return db.transaction(async (tx) => {
    const expired = await tx.run(EXPIRE, [at(now)]);
    if (expired.length > 0) await tx.run(DROP_PIECES, [expired.map(({ id }) => id)]);
    return expired.length;
  });
}

function toExport(row: ExportRow): CdrExport {
  return {
    id: row.id,
    accountId: row.account_id,
    format: row.format,
    from: row.from_at,
    to: row.to_at,
    state: row.state,
    afterCallId: row.after_call_id,
    pieces: row.pieces,
    records: row.records,
    total: row.total,
    bytes: row.bytes,
    error: row.error,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    expiresAt: row.expires_at,
  };
}
