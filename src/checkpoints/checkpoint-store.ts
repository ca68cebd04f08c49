import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import { bucketOf, type AccountId, type ContactId } from '../platform/ids.ts';
import type { Checkpoint } from './checkpoints.ts';
import { tileKey, type TileId, type Tiles } from './tree.ts';

/** Who may make checkpoints: one at a time, by lease; the epoch fences off those before. */
export type Holding = { owner: string; epoch: number };

const PENDING = statement<{ pending: number; made_at: number | null }>(
  'ledger_pending_count',
  `select (select count(*) from (
            select 1 from ledger_pending where account_id <> all ($2) limit $1) p) as pending,
          (select made_at from ledger_checkpointer) as made_at`,
);

/** How much waits to be covered, counted up to `limit`, and when the last round was. */
export async function readPending(
  db: Queryable,
  limit: number,
  except: ReadonlySet<AccountId>,
): Promise<{ pending: number; madeAt: number }> {
  const row = await db.first(PENDING, [limit, [...except]]);
  return { pending: row?.pending ?? 0, madeAt: row?.made_at ?? 0 };
}

const CLAIM = statement<{ epoch: number }>(
  'ledger_checkpointer_claim',
  `update ledger_checkpointer
      set owner = $1, epoch = epoch + 1,
          lease_until = clock_timestamp() + make_interval(secs => $2)
    where owner is not distinct from $1 or lease_until < clock_timestamp()
   returning epoch`,
);

/** Takes the lease; null while another node holds it. */
export async function claimCheckpoints(
  db: Queryable,
  owner: string,
  leaseSeconds: number,
): Promise<Holding | null> {
  const row = await db.first(CLAIM, [owner, leaseSeconds]);
  return row === undefined ? null : { owner, epoch: row.epoch };
}

const HOLD = statement(
  'ledger_checkpointer_hold',
  `update ledger_checkpointer
      set made_at = $3, lease_until = clock_timestamp() + make_interval(secs => $4)
    where owner = $1 and epoch = $2 returning epoch`,
);

/**
 * First in each round's transaction: false when the lease went to somebody else. The row stays
 * locked to the end, so whoever takes the lease over waits for this commit.
 */
export async function holdCheckpoints(
  tx: Tx,
  { owner, epoch }: Holding,
  now: number,
  leaseSeconds: number,
): Promise<boolean> {
  return (await tx.run(HOLD, [owner, epoch, at(now), leaseSeconds])).length > 0;
}

export type PendingContact = { accountId: AccountId; contactId: ContactId };
type PendingRow = { account_id: AccountId; contact_id: ContactId };

// Whoever keeps the figures reads the same rows, and is handed those that are taken from them.
const TAKE = statement<PendingRow>(
  'ledger_pending_take',
  `with taken as (
     delete from ledger_pending
      where ctid = any (array(
        select ctid from ledger_pending where account_id <> all ($2) limit $1))
     returning bucket, account_id, contact_id),
   told as (
     insert into kpi_pending (bucket, contact_id, account_id)
     select distinct bucket, contact_id, account_id from taken)
   select account_id, contact_id from taken`,
);

/** Takes up to `limit` rows that wait, except of some accounts; names each contact once. */
export async function takePending(
  tx: Tx,
  limit: number,
  except: ReadonlySet<AccountId>,
): Promise<{ contacts: PendingContact[]; isFull: boolean }> {
  const rows = await tx.run(TAKE, [limit, [...except]]);
  const named = [...new Map(rows.map((row) => [row.contact_id, row])).values()];
  const contacts = named.map(({ account_id: accountId, contact_id: contactId }) => ({
    accountId,
    contactId,
  }));
  return { contacts, isFull: rows.length === limit };
}

const PUT_BACK = statement(
  'ledger_pending_put_back',
  `insert into ledger_pending (bucket, contact_id, account_id)
   select * from unnest($1::smallint[], $2::text[], $3::text[])`,
);

/** For contacts that have more than one round covers. */
export async function putBackPending(tx: Tx, contacts: readonly PendingContact[]): Promise<void> {
  await tx.run(PUT_BACK, [
    contacts.map(({ contactId }) => bucketOf(contactId)),
    contacts.map(({ contactId }) => contactId),
    contacts.map(({ accountId }) => accountId),
  ]);
}

export type UncoveredEntry = { contact_id: ContactId; sequence: number; hash: Buffer };

// A contact's entries come one after the other under its lock, so what is visible has no gaps.
const UNCOVERED = statement<UncoveredEntry>(
  'ledger_uncovered',
  `select l.contact_id, l.sequence, l.hash
     from unnest($1::smallint[], $2::text[]) v (bucket, contact_id)
     left join lateral (
       select first_sequence + entries as next from ledger_runs r
        where r.bucket = v.bucket and r.contact_id = v.contact_id
        order by first_sequence desc limit 1) covered on true
     join ledger l on l.bucket = v.bucket and l.contact_id = v.contact_id
                  and l.sequence >= coalesce(covered.next, 1)
    order by l.bucket, l.contact_id, l.sequence limit $3`,
);

/** The hashes that no checkpoint covers, by contact and sequence. */
export async function uncoveredEntries(
  tx: Tx,
  contacts: readonly PendingContact[],
  limit: number,
): Promise<UncoveredEntry[]> {
  const buckets = contacts.map(({ contactId }) => bucketOf(contactId));
  return tx.run(UNCOVERED, [buckets, contacts.map(({ contactId }) => contactId), limit]);
}

/** Neighbours in a contact's chain that became neighbours in the tree. */
export type Run = {
  contactId: ContactId;
  firstSequence: number;
  entries: number;
  firstLeaf: number;
};

const SAVE_RUNS = statement(
  'ledger_runs_save',
  `insert into ledger_runs (bucket, contact_id, first_sequence, entries, first_leaf)
   select * from unnest($1::smallint[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[])`,
);

export async function saveRuns(tx: Tx, runs: readonly Run[]): Promise<void> {
  await tx.run(SAVE_RUNS, [
    runs.map(({ contactId }) => bucketOf(contactId)),
    runs.map(({ contactId }) => contactId),
    runs.map(({ firstSequence }) => firstSequence),
    runs.map(({ entries }) => entries),
    runs.map(({ firstLeaf }) => firstLeaf),
  ]);
}

type RunRow = {
  contact_id: ContactId;
  first_sequence: number;
  entries: number;
  first_leaf: number;
};

const RUNS = statement<RunRow>(
  'ledger_runs_of',
  `select r.contact_id, r.first_sequence, r.entries, r.first_leaf
     from ledger_runs r join unnest($1::smallint[], $2::text[]) v (bucket, contact_id)
       on r.bucket = v.bucket and r.contact_id = v.contact_id
    where r.first_leaf < $3 order by r.contact_id, r.first_sequence`,
);

/** The runs of contacts within a tree of that size, by contact and sequence. */
export async function runsOfContacts(
  db: Queryable,
  contactIds: readonly ContactId[],
  size: number,
): Promise<Run[]> {
  const buckets = contactIds.map((id) => bucketOf(id));
  return (await db.run(RUNS, [buckets, contactIds, size])).map((row) => ({
    contactId: row.contact_id,
    firstSequence: row.first_sequence,
    entries: row.entries,
    firstLeaf: row.first_leaf,
  }));
}

const SAVE_TILES = statement(
  'ledger_tiles_save',
  `insert into ledger_tiles (account_id, level, tile, hashes)
   select $1, * from unnest($2::smallint[], $3::bigint[], $4::bytea[])
   on conflict (account_id, level, tile) do update set hashes = excluded.hashes`,
);

export async function saveTiles(tx: Tx, accountId: AccountId, tiles: Tiles): Promise<void> {
  const ids = [...tiles.keys()].map((key) => key.split('/').map(Number));
  await tx.run(SAVE_TILES, [
    accountId,
    ids.map(([level]) => level),
    ids.map(([, tile]) => tile),
    [...tiles.values()].map((bytes) => Buffer.from(bytes)),
  ]);
}

const TILES = statement<TileId & { hashes: Buffer }>(
  'ledger_tiles_of',
  `select t.level, t.tile, t.hashes
     from ledger_tiles t join unnest($2::smallint[], $3::bigint[]) v (level, tile)
       on t.level = v.level and t.tile = v.tile
    where t.account_id = $1`,
);

export async function readTiles(
  db: Queryable,
  accountId: AccountId,
  ids: readonly TileId[],
): Promise<Map<string, Uint8Array>> {
  const wanted = [...new Map(ids.map((id) => [tileKey(id), id])).values()];
  if (wanted.length === 0) return new Map();
  const values = [accountId, wanted.map(({ level }) => level), wanted.map(({ tile }) => tile)];
  const rows = await db.run(TILES, values);
  return new Map(rows.map((row) => [tileKey(row), row.hashes]));
}

type CheckpointRow = {
  account_id: AccountId;
  size: number;
  root: Buffer;
  at: number;
  note: string;
};

const SAVE = statement(
  'ledger_checkpoint_save',
  `insert into ledger_checkpoints (account_id, size, root, at, note) values ($1, $2, $3, $4, $5)`,
);

export async function saveCheckpoint(tx: Tx, made: Checkpoint): Promise<void> {
  const { accountId, size, root, note } = made;
  await tx.run(SAVE, [accountId, size, Buffer.from(root), at(made.at), note]);
}

const LATEST = statement<CheckpointRow>(
  'ledger_checkpoint_latest',
  `select account_id, size, root, at, note from ledger_checkpoints
    where account_id = $1 order by size desc limit 1`,
);

/** The newest checkpoint of an account, or null before the first. */
export async function latestCheckpoint(
  db: Queryable,
  accountId: AccountId,
): Promise<Checkpoint | null> {
  const row = await db.first(LATEST, [accountId]);
  return row === undefined ? null : toCheckpoint(row);
}

const OF_SIZE = statement<CheckpointRow>(
  'ledger_checkpoint_of_size',
  `select account_id, size, root, at, note from ledger_checkpoints
    where account_id = $1 and size = $2`,
);

export async function checkpointOfSize(
  db: Queryable,
  accountId: AccountId,
  size: number,
): Promise<Checkpoint | null> {
  const row = await db.first(OF_SIZE, [accountId, size]);
  return row === undefined ? null : toCheckpoint(row);
}

const AFTER = statement<CheckpointRow>(
  'ledger_checkpoints_after',
  `select account_id, size, root, at, note from ledger_checkpoints
    where account_id = $1 and size > $2 order by size limit $3`,
);

/** Checkpoints of larger sizes, smallest first. */
export async function checkpointsAfter(
  db: Queryable,
  accountId: AccountId,
  size: number,
  limit: number,
): Promise<Checkpoint[]> {
  return (await db.run(AFTER, [accountId, size, limit])).map(toCheckpoint);
}

const BEFORE = statement<CheckpointRow>(
  'ledger_checkpoints_before',
  `select account_id, size, root, at, note from ledger_checkpoints
    where account_id = $1 and ($2::bigint is null or size < $2) order by size desc limit $3`,
);

/** Checkpoints of smaller sizes, largest first; from the newest on when no size is given. */
export async function checkpointsBefore(
  db: Queryable,
  accountId: AccountId,
  size: number | null,
  limit: number,
): Promise<Checkpoint[]> {
  return (await db.run(BEFORE, [accountId, size, limit])).map(toCheckpoint);
}

const ACCOUNTS = statement<{ id: AccountId }>(
  'ledger_checkpoint_accounts',
  `select id from accounts a
    where exists (select 1 from ledger_checkpoints c where c.account_id = a.id)`,
);

export async function accountsWithCheckpoints(db: Queryable): Promise<AccountId[]> {
  return (await db.run(ACCOUNTS)).map(({ id }) => id);
}

function toCheckpoint(row: CheckpointRow): Checkpoint {
  const { account_id: accountId, size, root, at: atMs, note } = row;
  return { accountId, size, root, at: atMs, note };
}
