import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import { BUCKET_COUNT, type AccountId, type Bucket } from '../platform/ids.ts';
import { handleBucket, handlesOfContact, type Contact, type Handle } from './contact.ts';

/**
 * The do-not-call lists keep no numbers: an entry is an HMAC of the handle under a key of its own,
 * so that "never call again" outlives "forget me", and a stolen table names nobody. One entry on
 * any list of the account blocks.
 */
export type DoNotCallKey = Uint8Array;

/** What people said themselves. Only their own act takes them off it. */
export const OPT_OUT_LIST = 'opt_out';
/** What the business adds by itself. */
export const OWN_LIST = 'own';

/** Bytes are imported anew by each HMAC, which takes five times as long as the HMAC itself. */
const imported = new WeakMap<DoNotCallKey, KeyObject>();

export function handleHmac(key: DoNotCallKey, accountId: AccountId, handle: Handle): Buffer {
  const secret = imported.get(key) ?? createSecretKey(key);
  imported.set(key, secret);
  return createHmac('sha256', secret).update(`${accountId}\u0000${handle}`).digest();
}

const LISTED = statement<{ handle_hmac: Buffer }>(
  'do_not_call_listed',
  `select handle_hmac from do_not_call
    where (bucket, account_id, handle_hmac) in
      (select * from unnest($1::smallint[], $2::text[], $3::bytea[]))`,
);

/** Which of the contacts are on any list of their account, under any of their handles. */
export async function doNotCallIds(
  db: Queryable,
  key: DoNotCallKey,
  contacts: readonly Contact[],
): Promise<Set<string>> {
  const wanted = contacts.flatMap((contact) =>
    handlesOfContact(contact).map((handle) => ({
      contactId: contact.id,
      accountId: contact.accountId,
      bucket: handleBucket(contact.accountId, handle),
      hmac: handleHmac(key, contact.accountId, handle),
    })),
  );
  const rows = await db.run(LISTED, [
    wanted.map(({ bucket }) => bucket),
    wanted.map(({ accountId }) => accountId),
    wanted.map(({ hmac }) => hmac),
  ]);
  const listed = new Set(rows.map((row) => row.handle_hmac.toString('hex')));
  return new Set(
    wanted.filter(({ hmac }) => listed.has(hmac.toString('hex'))).map(({ contactId }) => contactId),
  );
}

// In one order, so that two imports that hold the same people wait instead of deadlocking.
const ADD = statement<{ handle_hmac: Buffer }>(
  'do_not_call_add',
  `insert into do_not_call (bucket, account_id, handle_hmac, list, reason, source, added_at)
   select v.bucket, $3, v.hmac, $4, $5, $6, $7
     from unnest($1::smallint[], $2::bytea[]) v (bucket, hmac) order by v.bucket, v.hmac
   on conflict (bucket, account_id, handle_hmac, list) do nothing returning handle_hmac`,
);

export type NewEntry = { list: string; reason: string; source: string; now: number };

/** Puts handles on a list of the account; returns those that were not on it before. */
export async function addHandles(
  tx: Tx,
  key: DoNotCallKey,
  accountId: AccountId,
  handles: readonly Handle[],
  entry: NewEntry,
): Promise<Set<Handle>> {
  if (handles.length === 0) return new Set();
  const keyed = keyedHandles(key, accountId, handles);
  const { list, reason, source, now } = entry;
  const rows = await tx.run(ADD, [...keyed.columns, accountId, list, reason, source, at(now)]);
  return new Set(rows.map((row) => keyed.handleOf(row.handle_hmac)));
}

const COPY = statement(
  'do_not_call_copy',
  `insert into do_not_call (bucket, account_id, handle_hmac, list, reason, source, added_at)
   select $4, account_id, $5, list, reason, source, added_at from do_not_call
    where bucket = $1 and account_id = $2 and handle_hmac = $3
   on conflict (bucket, account_id, handle_hmac, list) do nothing`,
);

/** A person's entries follow them to another handle; the entries of the old one stay as well. */
export async function copyEntries(
  tx: Tx,
  key: DoNotCallKey,
  accountId: AccountId,
  from: Handle,
  to: Handle,
): Promise<void> {
  await tx.run(COPY, [
    handleBucket(accountId, from),
    accountId,
    handleHmac(key, accountId, from),
    handleBucket(accountId, to),
    handleHmac(key, accountId, to),
  ]);
}

/** Puts a contact on a list under every handle it has; adding twice changes nothing. */
export async function addToDoNotCall(
  tx: Tx,
  key: DoNotCallKey,
  contact: Contact,
  entry: NewEntry,
): Promise<void> {
  await addHandles(tx, key, contact.accountId, handlesOfContact(contact), entry);
}

/** A contact that goes on a list of its account. */
export type ListedRow = { key: DoNotCallKey; contact: Contact; entry: NewEntry };

/** Written together with everything else that a stop means. */
export const listedRows: RowStore<ListedRow> = {
  async saveAll(tx, rows) {
    await Promise.all(
      rows.map(({ key, contact, entry }) => addToDoNotCall(tx, key, contact, entry)),
    );
  },
};

const REMOVE = statement<{ handle_hmac: Buffer }>(
  'do_not_call_remove',
  `delete from do_not_call
    where (bucket, handle_hmac) in (select * from unnest($1::smallint[], $2::bytea[]))
      and account_id = $3 and list = $4
   returning handle_hmac`,
);

/** Takes handles off one list; returns how many entries that were. */
export async function removeHandles(
  tx: Tx,
  key: DoNotCallKey,
  accountId: AccountId,
  handles: readonly Handle[],
  list: string,
): Promise<number> {
  const { columns } = keyedHandles(key, accountId, handles);
  return (await tx.run(REMOVE, [...columns, accountId, list])).length;
}

/** An entry as somebody who asks about one handle sees it. */
export type ListedEntry = {
  handle: Handle;
  list: string;
  reason: string;
  source: string;
  addedAt: number;
};

const ENTRIES = statement<{
  handle_hmac: Buffer;
  list: string;
  reason: string;
  source: string;
  added_at: number;
}>(
  'do_not_call_entries',
  `select handle_hmac, list, reason, source, added_at from do_not_call
    where (bucket, handle_hmac) in (select * from unnest($1::smallint[], $2::bytea[]))
      and account_id = $3
    order by added_at, list`,
);

/** Every entry of the handles, on whatever list of the account. */
export async function entriesOfHandles(
  db: Queryable,
  key: DoNotCallKey,
  accountId: AccountId,
  handles: readonly Handle[],
): Promise<ListedEntry[]> {
  const keyed = keyedHandles(key, accountId, handles);
  const rows = await db.run(ENTRIES, [...keyed.columns, accountId]);
  return rows.map(({ handle_hmac, list, reason, source, added_at }) => ({
    handle: keyed.handleOf(handle_hmac),
    list,
    reason,
    source,
    addedAt: added_at,
  }));
}

export type ExportedEntry = {
  hmac: string;
  list: string;
  reason: string;
  source: string;
  addedAt: number;
};

const EXPORT = statement<{
  handle_hmac: Buffer;
  list: string;
  reason: string;
  source: string;
  added_at: number;
}>(
  'do_not_call_export',
  `select handle_hmac, list, reason, source, added_at from do_not_call
    where bucket = $1 and account_id = $2 and (handle_hmac, list) > ($3, $4)
    order by handle_hmac, list limit $5`,
);

/** All entries of an account, a page at a time, so that no list is too long for the memory. */
export async function* exportEntries(
  db: Queryable,
  accountId: AccountId,
  pageSize: number,
): AsyncGenerator<ExportedEntry[]> {
  for (let bucket = 0; bucket < BUCKET_COUNT; bucket += 1) {
    let after: [Buffer, string] = [Buffer.alloc(0), ''];
    for (;;) {
      const rows = await db.run(EXPORT, [bucket, accountId, ...after, pageSize]);
      if (rows.length > 0) yield rows.map(toExported);
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageSize) break;
      after = [last.handle_hmac, last.list];
    }
  }
}

type KeyedHandles = {
  columns: [buckets: Bucket[], hmacs: Buffer[]];
  /** Which of the handles an answer of the database means. */
  handleOf: (hmac: Buffer) => Handle;
};

function keyedHandles(
  key: DoNotCallKey,
  accountId: AccountId,
  handles: readonly Handle[],
): KeyedHandles {
  const hmacs = handles.map((handle) => handleHmac(key, accountId, handle));
  const named = new Map(handles.map((handle, index) => [hmacs[index]?.toString('hex'), handle]));
  return {
    columns: [handles.map((handle) => handleBucket(accountId, handle)), hmacs],
    handleOf(hmac) {
      const handle = named.get(hmac.toString('hex'));
      if (handle === undefined) throw new TypeError('an entry that nobody asked for');
      return handle;
    },
  };
}

function toExported(row: {
  handle_hmac: Buffer;
  list: string;
  reason: string;
  source: string;
  added_at: number;
}): ExportedEntry {
  const { handle_hmac, list, reason, source, added_at } = row;
  return { hmac: handle_hmac.toString('hex'), list, reason, source, addedAt: added_at };
}

const FORGET_REASONS = statement(
  'do_not_call_forget_reasons',
  `update do_not_call set reason = 'erased'
    where (bucket, handle_hmac) in (select * from unnest($1::smallint[], $2::bytea[]))
      and account_id = $3 and list <> '${OPT_OUT_LIST}'`,
);

/** Empties what was typed about people; their entries go on blocking. */
export async function forgetReasons(
  tx: Tx,
  key: DoNotCallKey,
  accountId: AccountId,
  handles: readonly Handle[],
): Promise<void> {
  const { columns } = keyedHandles(key, accountId, handles);
  await tx.run(FORGET_REASONS, [...columns, accountId]);
}
