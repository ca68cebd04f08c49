import { statement, type Queryable, type Tx } from '../database/database.ts';
import { bucketOf, type ContactId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';
import { divide, unite, type FieldNames, type Taken } from '../platform/divide.ts';
import type { SubjectKey } from '../platform/vault.ts';

/**
 * The key of each contact's personal fields. Stores join `contact_keys` into what they read, so
 * that opening costs no statement; sealing takes the key that came with the contact's lock.
 */
export type KeyColumn = { sealed_key: Buffer | null };

type LockedRow = KeyColumn & { bucket: number; id: ContactId; erased_at: number | null };

/** Takes the keys that were read with a lock into the transaction, which may then seal. */
export async function keysOfLocked(
  tx: Tx,
  rows: readonly LockedRow[],
): Promise<ReadonlyMap<string, SubjectKey | null>> {
  for (const row of rows) {
    // Who waited for the lock of an erasure has read the key before it was destroyed.
    const sealed = row.erased_at === null ? (row.sealed_key ?? (await missingKey(tx, row))) : null;
    tx.keys.set(row.id, sealed === null ? null : tx.vault.openKey(row.id, sealed));
  }
  return tx.keys;
}

const ADD = statement<{ sealed_key: Buffer }>(
  'contact_keys_add',
  `insert into contact_keys (bucket, contact_id, sealed_key) values ($1, $2, $3)
   on conflict (bucket, contact_id) do update set sealed_key = contact_keys.sealed_key
   returning sealed_key`,
);

/** Contacts of a database from before there were keys get one when they are first locked. */
async function missingKey(tx: Tx, { bucket, id }: LockedRow): Promise<Buffer | null> {
  const { sealed } = tx.vault.makeKey(id);
  return (await tx.first(ADD, [bucket, id, sealed]))?.sealed_key ?? null;
}

/** A key for a contact that this transaction makes, in the form in which it is stored. */
export function newContactKey(tx: Tx, contactId: ContactId): Buffer {
  const { key, sealed } = tx.vault.makeKey(contactId);
  tx.keys.set(contactId, key);
  return sealed;
}

/** The key of a contact whose lock this transaction holds; null once the person was erased. */
export function keyOfLocked(tx: Tx, contactId: ContactId): SubjectKey | null {
  const key = tx.keys.get(contactId);
  invariant(key !== undefined, `contact ${contactId} is not locked`);
  return key;
}

/** The key from a row that was read together with it; null once the person was erased. */
export function keyInRow(
  db: Queryable,
  contactId: ContactId,
  sealedKey: Buffer | null,
): SubjectKey | null {
  return sealedKey === null ? null : db.vault.openKey(contactId, sealedKey);
}

/**
 * The contact's key as a column of a statement on rows that name a contact: one look-up per row
 * that is returned, whatever else the statement does.
 */
export function keyColumn(table: string, contactId = `${table}.contact_id`): string {
  return `(select k.sealed_key from contact_keys k
    where k.bucket = ${table}.bucket and k.contact_id = ${contactId}) as sealed_key`;
}

/** A value as it is stored: JSON without its personal fields, and those sealed. */
export type StoredParts = { plain: string; sealed: Buffer | null };

/** Divides a value that belongs to a contact whose lock this transaction holds. */
export function sealedParts(
  tx: Tx,
  contactId: ContactId,
  value: unknown,
  fields: FieldNames,
): StoredParts {
  const { plain, taken } = divide(value, fields);
  const sealed = taken === null ? null : (keyOfLocked(tx, contactId)?.seal(taken) ?? null);
  return { plain: JSON.stringify(plain), sealed };
}

/** Puts the personal fields back into a value; of an erased person they stay empty. */
export function openedValue<Value>(
  db: Queryable,
  plain: Value,
  row: KeyColumn & { contact_id: ContactId; sealed: Buffer | null },
): Value {
  const key = row.sealed === null ? null : keyInRow(db, row.contact_id, row.sealed_key);
  if (row.sealed !== null && key !== null) unite(plain, key.open(row.sealed) as Taken);
  return plain;
}

const DESTROY = statement(
  'contact_keys_destroy',
  'delete from contact_keys where bucket = $1 and contact_id = $2',
);

/** From the commit on nothing that was sealed for the contact can be opened by anybody. */
export async function destroyKey(tx: Tx, contactId: ContactId): Promise<void> {
  await tx.run(DESTROY, [bucketOf(contactId), contactId]);
  tx.keys.set(contactId, null);
}
