import { statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, Bucket, ContactId } from '../platform/ids.ts';
import { handleBucket, type Handle } from './contact.ts';

/**
 * Which contact answers to a number or a user id. Handles are looked up by a keyed hash, so that
 * the table alone names nobody.
 */

const BY_HANDLE = statement<{ contact_id: ContactId }>(
  'contact_by_handle',
  `select contact_id from contact_handles
    where bucket = $1 and account_id = $2 and handle_hmac = $3`,
);

/** The contact that answers to a handle, or null. */
export async function findByHandle(
  db: Queryable,
  accountId: AccountId,
  handle: Handle,
): Promise<ContactId | null> {
  const row = await db.first(BY_HANDLE, handleKey(db, accountId, handle));
  return row?.contact_id ?? null;
}

const BY_HANDLES = statement<{ handle_hmac: Buffer; contact_id: ContactId }>(
  'contact_by_handles',
  `select handle_hmac, contact_id from contact_handles
    where (bucket, handle_hmac) in (select * from unnest($1::smallint[], $2::bytea[]))
      and account_id = $3`,
);

/** The contacts that answer to many handles at once; handles of nobody are left out. */
export function findByHandles(
  db: Queryable,
  accountId: AccountId,
  handles: readonly Handle[],
): Promise<Map<Handle, ContactId>> {
  return findByKeys(db, accountId, handleKeys(db, accountId, handles));
}

/** A handle with what it is stored under, which takes longer to work out than to look up. */
export type HandleKey = { handle: Handle; bucket: Bucket; hmac: Buffer };

export function handleKeys(
  db: Queryable,
  accountId: AccountId,
  handles: readonly Handle[],
): HandleKey[] {
  return handles.map((handle) => ({
    handle,
    bucket: handleBucket(accountId, handle),
    hmac: handleHmac(db, accountId, handle),
  }));
}

/** As `findByHandles`, for handles whose keys are known. */
export async function findByKeys(
  db: Queryable,
  accountId: AccountId,
  keys: readonly HandleKey[],
): Promise<Map<Handle, ContactId>> {
  const values = [keys.map(({ bucket }) => bucket), keys.map(({ hmac }) => hmac), accountId];
  const rows = await db.run(BY_HANDLES, values);
  const found = new Map(rows.map((row) => [row.handle_hmac.toString('latin1'), row.contact_id]));
  return new Map(
    keys.flatMap(({ handle, hmac }) => {
      const contactId = found.get(hmac.toString('latin1'));
      return contactId === undefined ? [] : [[handle, contactId] as const];
    }),
  );
}

const CLAIM_HANDLE = statement<{ contact_id: ContactId }>(
  'contact_claim_handle',
  `insert into contact_handles (bucket, account_id, handle_hmac, contact_id)
   values ($1, $2, $3, $4)
   on conflict (bucket, account_id, handle_hmac) do update set handle_hmac = excluded.handle_hmac
   returning contact_id`,
);

/** Makes a free handle lead to that contact; returns the contact it leads to, whoever was first. */
export async function claimHandle(
  tx: Tx,
  accountId: AccountId,
  handle: Handle,
  contactId: ContactId,
): Promise<ContactId> {
  const claimed = await tx.first(CLAIM_HANDLE, [...handleKey(tx, accountId, handle), contactId]);
  return claimed?.contact_id ?? contactId;
}

const CLAIM_HANDLES = statement<{ contact_id: ContactId }>(
  'contact_claim_handles',
  `insert into contact_handles (bucket, account_id, handle_hmac, contact_id)
   select bucket, $2, hmac, id from unnest($1::smallint[], $3::bytea[], $4::text[])
       v (bucket, hmac, id)
    order by bucket, hmac
   on conflict do nothing returning contact_id`,
);

/**
 * Makes every handle that is free lead to its contact, in one order, so that two who claim many
 * never cross; tells for which contacts it was.
 */
export async function claimHandles(
  tx: Tx,
  accountId: AccountId,
  claims: ReadonlyArray<HandleKey & { id: ContactId }>,
): Promise<Set<ContactId>> {
  const rows = await tx.run(CLAIM_HANDLES, [
    claims.map(({ bucket }) => bucket),
    accountId,
    claims.map(({ hmac }) => hmac),
    claims.map(({ id }) => id),
  ]);
  return new Set(rows.map((row) => row.contact_id));
}

const SET_HANDLE = statement(
  'contact_set_handle',
  `insert into contact_handles (bucket, account_id, handle_hmac, contact_id)
   values ($1, $2, $3, $4)
   on conflict (bucket, account_id, handle_hmac) do update set contact_id = excluded.contact_id`,
);

/** Makes a handle lead to that contact, whomever it led to before. */
export async function moveHandle(
  tx: Tx,
  accountId: AccountId,
  handle: Handle,
  contactId: ContactId,
): Promise<void> {
  await tx.run(SET_HANDLE, [...handleKey(tx, accountId, handle), contactId]);
}

/** Every contact that one of the handles leads to; more than one while they are not yet linked. */
export async function contactsOfHandles(
  db: Queryable,
  accountId: AccountId,
  handles: readonly Handle[],
): Promise<ContactId[]> {
  const found: ContactId[] = [];
  for (const handle of handles) {
    const id = await findByHandle(db, accountId, handle);
    if (id !== null && !found.includes(id)) found.push(id);
  }
  return found;
}

const DELETE = statement(
  'contact_handles_delete',
  'delete from contact_handles where contact_id = $1',
);

/** From then on no handle leads to the contact: whoever comes with one is somebody new. */
export async function deleteHandles(tx: Tx, contactId: ContactId): Promise<void> {
  await tx.run(DELETE, [contactId]);
}

/** Bucket, account and hash: the primary key of a handle. */
function handleKey(db: Queryable, accountId: AccountId, handle: Handle): unknown[] {
  return [handleBucket(accountId, handle), accountId, handleHmac(db, accountId, handle)];
}

function handleHmac(db: Queryable, accountId: AccountId, handle: Handle): Buffer {
  return db.vault.pseudonym(`${accountId}\u0000${handle}`);
}
