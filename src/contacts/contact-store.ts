import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { ChainHead } from '../ledger/ledger.ts';
import type { SubjectKey } from '../platform/vault.ts';
import { keysOfLocked, newContactKey } from './contact-key-store.ts';
import {
  bucketOf,
  type AccountId,
  type ContactId,
  type Ids,
  type LineId,
} from '../platform/ids.ts';
import { handleBucket, handlesOfContact, type Contact, type Handle } from './contact.ts';

/**
 * A contact whose row lock this transaction holds, with the head of its ledger chain and the key
 * of its personal fields, which is null once the person was erased.
 */
export type LockedContact = { contact: Contact; head: ChainHead; key: SubjectKey | null };

type ContactRow = {
  bucket: number;
  id: ContactId;
  account_id: AccountId;
  e164: string | null;
  user_id: string | null;
  name: string | null;
  country: string | null;
  opted_out_at: number | null;
  opt_out_pending_at: number | null;
  opt_out_pending_line_id: LineId | null;
  ledger_sequence: number;
  ledger_hash: Buffer;
  created_at: number;
  erased_at: number | null;
  sealed_key: Buffer | null;
};

const COLUMNS = `c.bucket, c.id, c.account_id, c.e164, c.user_id, c.name, c.country,
  c.opted_out_at, c.opt_out_pending_at, c.opt_out_pending_line_id, c.ledger_sequence,
  c.ledger_hash, c.created_at, c.erased_at, k.sealed_key`;

/** The key comes with the contact: a statement of its own would be paid for by every dial. */
const TABLES = `contacts c
  left join contact_keys k on k.bucket = c.bucket and k.contact_id = c.id`;

const LOCK = statement<ContactRow>(
  'contact_lock',
  `select ${COLUMNS} from ${TABLES}
    where (c.bucket, c.id) in (select * from unnest($1::smallint[], $2::text[]))
    order by c.bucket, c.id for update of c`,
);

/** Locks contacts in one order (by bucket and id), so that two transactions never cross. */
export async function lockContacts(
  tx: Tx,
  contactIds: readonly ContactId[],
): Promise<LockedContact[]> {
  const rows = await tx.run(LOCK, [contactIds.map((id) => bucketOf(id)), contactIds]);
  return lockedOf(tx, rows);
}

const LOCK_FREE = statement<ContactRow>(
  'contact_lock_free',
  `select ${COLUMNS} from ${TABLES}
    where (c.bucket, c.id) in (select * from unnest($1::smallint[], $2::text[]))
    order by c.bucket, c.id for update of c skip locked`,
);

/** As `lockContacts`, but leaves out contacts that somebody else is busy with. */
export async function lockFreeContacts(
  tx: Tx,
  contactIds: readonly ContactId[],
): Promise<LockedContact[]> {
  const rows = await tx.run(LOCK_FREE, [contactIds.map((id) => bucketOf(id)), contactIds]);
  return lockedOf(tx, rows);
}

const SAVE_HEADS = statement(
  'contact_save_heads',
  `update contacts c set ledger_sequence = v.sequence, ledger_hash = v.hash
     from unnest($1::smallint[], $2::text[], $3::bigint[], $4::bytea[])
            v (bucket, id, sequence, hash)
    where c.bucket = v.bucket and c.id = v.id`,
);

export async function saveChainHeads(
  tx: Tx,
  heads: ReadonlyArray<{ contact: Contact; head: ChainHead }>,
): Promise<void> {
  await tx.run(SAVE_HEADS, [
    heads.map(({ contact }) => contact.bucket),
    heads.map(({ contact }) => contact.id),
    heads.map(({ head }) => head.sequence),
    heads.map(({ head }) => Buffer.from(head.hash)),
  ]);
}

const BY_ID = statement<ContactRow>(
  'contact_by_id',
  `select ${COLUMNS} from ${TABLES}
    where c.bucket = $1 and c.id = $2 and c.account_id = $3`,
);

export async function readContact(
  db: Queryable,
  accountId: AccountId,
  id: ContactId,
): Promise<Contact | null> {
  const row = await db.first(BY_ID, [bucketOf(id), id, accountId]);
  return row === undefined ? null : toContact(row);
}

/** Where a contact's chain ended when it was read. */
export type ContactChain = { contactId: ContactId; head: ChainHead };

const CHAINS = statement<Pick<ContactRow, 'id' | 'ledger_sequence' | 'ledger_hash'>>(
  'contact_chains',
  `select id, ledger_sequence, ledger_hash from contacts
    where account_id = $1 and ($2::text is null or id > $2) order by id limit $3`,
);

/** The chain heads of an account's contacts in the order of their ids, after one of them. */
export async function chainsOfAccount(
  db: Queryable,
  accountId: AccountId,
  afterId: string | null,
  limit: number,
): Promise<ContactChain[]> {
  const rows = await db.run(CHAINS, [accountId, afterId, limit]);
  return rows.map(({ id: contactId, ledger_sequence: sequence, ledger_hash: hash }) => ({
    contactId,
    head: { sequence, hash },
  }));
}

const BY_HANDLE = statement<{ contact_id: ContactId }>(
  'contact_by_handle',
  'select contact_id from contact_handles where bucket = $1 and account_id = $2 and handle = $3',
);

/** The contact that answers to a handle, or null. */
export async function findByHandle(
  db: Queryable,
  accountId: AccountId,
  handle: Handle,
): Promise<ContactId | null> {
  const row = await db.first(BY_HANDLE, [handleBucket(accountId, handle), accountId, handle]);
  return row?.contact_id ?? null;
}

const BY_HANDLES = statement<{ handle: Handle; contact_id: ContactId }>(
  'contact_by_handles',
  `select handle, contact_id from contact_handles
    where (bucket, handle) in (select * from unnest($1::smallint[], $2::text[]))
      and account_id = $3`,
);

/** The contacts that answer to many handles at once; handles of nobody are left out. */
export async function findByHandles(
  db: Queryable,
  accountId: AccountId,
  handles: readonly Handle[],
): Promise<Map<Handle, ContactId>> {
  const buckets = handles.map((handle) => handleBucket(accountId, handle));
  const rows = await db.run(BY_HANDLES, [buckets, handles, accountId]);
  return new Map(rows.map(({ handle, contact_id }) => [handle, contact_id]));
}

const CLAIM_HANDLE = statement<{ contact_id: ContactId }>(
  'contact_claim_handle',
  `insert into contact_handles (bucket, account_id, handle, contact_id) values ($1, $2, $3, $4)
   on conflict (bucket, account_id, handle) do update set handle = excluded.handle
   returning contact_id`,
);

const MOVE_HANDLE = statement(
  'contact_move_handle',
  `update contact_handles set contact_id = $4
    where bucket = $1 and account_id = $2 and handle = $3`,
);

const INSERT = statement(
  'contact_insert',
  `with key as (insert into contact_keys (bucket, contact_id, sealed_key) values ($1, $2, $9))
   insert into contacts (bucket, id, account_id, e164, user_id, name, country, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

export type Identity = {
  e164?: string | undefined;
  userId?: string | undefined;
  name?: string | undefined;
  country?: string | null | undefined;
  /** Known to be this contact already, such as by the message that was answered. */
  contactId?: ContactId | undefined;
};

/**
 * Finds the contact that answers to the number or the user id, or makes it. Where both are given
 * and only one is known, the other is added, so that consent and do-not-call follow the person.
 * Two callers at once get the same contact: the handle's unique key decides. Two contacts that
 * turn out to be one person stay two, and the number's is given: their ledgers cannot be joined.
 * It learns the user id all the same, so that a do-not-call entry of either blocks it.
 */
export async function findOrCreateContact(
  tx: Tx,
  ids: Ids,
  accountId: AccountId,
  identity: Identity,
  now: number,
): Promise<ContactId> {
  const { e164 = null, userId = null, name = null, country = null } = identity;
  const handles = handlesOfContact({ e164, userId });
  const [first] = handles;
  if (first === undefined) throw new TypeError('a contact needs a number or a user id');
  let known = identity.contactId ?? null;
  for (const handle of handles) known ??= await findByHandle(tx, accountId, handle);
  const made = ids.next('contact', handleBucket(accountId, first));
  const owners: ContactId[] = [];
  for (const handle of handles) {
    const values = [handleBucket(accountId, handle), accountId, handle, known ?? made];
    owners.push((await tx.first(CLAIM_HANDLE, values))?.contact_id ?? made);
  }
  // Somebody may have been quicker with one of two handles; the other one must not lead nowhere.
  const owner = known ?? owners.find((contactId) => contactId !== made);
  if (owner === undefined) {
    const sealedKey = newContactKey(tx, made);
    const values = [bucketOf(made), made, accountId, e164, userId, name, country, at(now)];
    await tx.run(INSERT, [...values, sealedKey]);
    return made;
  }
  for (const [index, handle] of handles.entries()) {
    if (owners[index] !== made) continue;
    await tx.run(MOVE_HANDLE, [handleBucket(accountId, handle), accountId, handle, owner]);
  }
  await tx.run(COMPLETE, [bucketOf(owner), owner, e164, userId, name, country]);
  return owner;
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

const COMPLETE = statement(
  'contact_complete',
  `update contacts set e164 = coalesce(e164, $3), user_id = coalesce(user_id, $4),
     name = coalesce($5, name), country = coalesce(country, $6)
    where bucket = $1 and id = $2
      and (e164 is distinct from coalesce(e164, $3)
        or user_id is distinct from coalesce(user_id, $4)
        or name is distinct from coalesce($5, name))`,
);

const OPT_OUT = statement(
  'contact_opt_out',
  `update contacts set opted_out_at = $3, opt_out_pending_at = null, opt_out_pending_line_id = null
    where bucket = $1 and id = $2 and opted_out_at is null`,
);

export async function markOptedOut(tx: Tx, contact: Contact, now: number): Promise<void> {
  await tx.run(OPT_OUT, [contact.bucket, contact.id, at(now)]);
}

const LIST = statement<ContactRow>(
  'contact_list',
  `select ${COLUMNS} from ${TABLES}
    where c.account_id = $1 and ($2::text is null or c.id < $2) order by c.id desc limit $3`,
);

export async function listContacts(
  db: Queryable,
  accountId: AccountId,
  after: string | null,
  limit: number,
): Promise<Contact[]> {
  return (await db.run(LIST, [accountId, after, limit])).map(toContact);
}

async function lockedOf(tx: Tx, rows: readonly ContactRow[]): Promise<LockedContact[]> {
  const keys = await keysOfLocked(tx, rows);
  return rows.map((row) => ({
    contact: toContact(row),
    head: { sequence: row.ledger_sequence, hash: row.ledger_hash },
    key: keys.get(row.id) ?? null,
  }));
}

function toContact(row: ContactRow): Contact {
  const { opt_out_pending_at: pendingAt, opt_out_pending_line_id: pendingLine } = row;
  return {
    bucket: row.bucket,
    id: row.id,
    accountId: row.account_id,
    e164: row.e164,
    userId: row.user_id,
    name: row.name,
    country: row.country,
    optedOutAt: row.opted_out_at,
    optOutPending:
      pendingAt === null || pendingLine === null ? null : { at: pendingAt, lineId: pendingLine },
    createdAt: row.created_at,
  };
}
