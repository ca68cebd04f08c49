import { at, statement, unmeasured, type Queryable, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import type { ChainHead } from '../ledger/ledger.ts';
import type { SubjectKey } from '../platform/vault.ts';
import { keyInRow, keyOfLocked, keysOfLocked, newContactKey } from './contact-key-store.ts';
import {
  bucketOf,
  type AccountId,
  type ContactId,
  type Ids,
  type LineId,
} from '../platform/ids.ts';
import { handleBucket, handlesOfContact, type Contact } from './contact.ts';
import { claimHandle, findByHandle, moveHandle } from './contact-handle-store.ts';

/**
 * A contact whose row lock this transaction holds, with the head of its ledger chain and the key
 * of its personal fields, which is null once the person was erased.
 */
export type LockedContact = {
  contact: Contact;
  head: ChainHead;
  key: SubjectKey | null;
  /** How many journeys the person is on; whoever is on none costs nothing to wake. */
  liveRuns: number;
};

type ContactRow = {
  bucket: number;
  id: ContactId;
  account_id: AccountId;
  identity: Buffer | null;
  country: string | null;
  opted_out_at: number | null;
  opt_out_pending_at: number | null;
  opt_out_pending_line_id: LineId | null;
  language: string | null;
  time_zone: string | null;
  sanctioned_region_at: number | null;
  sanctioned_region_by: string | null;
  ledger_sequence: number;
  ledger_hash: Buffer;
  created_at: number;
  erased_at: number | null;
  merged_into: ContactId | null;
  absorbed: ContactId[];
  number_since: number | null;
  live_runs: number;
  sealed_key: Buffer | null;
};

const COLUMNS = `c.bucket, c.id, c.account_id, c.identity, c.country, c.opted_out_at,
  c.opt_out_pending_at, c.opt_out_pending_line_id, c.language, c.time_zone,
  c.sanctioned_region_at, c.sanctioned_region_by, c.ledger_sequence, c.ledger_hash, c.created_at,
  c.erased_at, c.merged_into, c.absorbed, c.number_since, c.live_runs,
  k.sealed_key`;

/** The key comes with the contact: a statement of its own would be paid for by every dial. */
const TABLES = `contacts c
  left join contact_keys k on k.bucket = c.bucket and k.contact_id = c.id`;

const LOCK = statement<ContactRow>(
  'contact_lock',
  `select ${COLUMNS} from ${TABLES}
    where (c.bucket, c.id) in (select * from unnest(${unmeasured('$1::smallint[]')}, $2::text[]))
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

const LOCK_UNMERGED = statement<ContactRow>(
  'contact_lock_unmerged',
  `select ${COLUMNS} from ${TABLES}
    where c.bucket = $1 and c.id = $2 and c.merged_into is null for update of c`,
);

/** Locks a contact that no other one goes on for; else null, and then nothing is locked. */
export async function lockUnmerged(tx: Tx, contactId: ContactId): Promise<LockedContact | null> {
  const rows = await tx.run(LOCK_UNMERGED, [bucketOf(contactId), contactId]);
  return (await lockedOf(tx, rows))[0] ?? null;
}

const LOCK_FREE = statement<ContactRow>(
  'contact_lock_free',
  `select ${COLUMNS} from ${TABLES}
    where (c.bucket, c.id) in (select * from unnest(${unmeasured('$1::smallint[]')}, $2::text[]))
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
     from unnest(${unmeasured('$1::smallint[]')}, $2::text[], $3::bigint[], $4::bytea[])
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
  return row === undefined ? null : toContact(db, row);
}

const BY_IDS = statement<ContactRow>(
  'contact_by_ids',
  `select ${COLUMNS} from ${TABLES}
    where (c.bucket, c.id) in (select * from unnest($1::smallint[], $2::text[]))
    order by c.id desc`,
);

/** Contacts by their ids, newest first; ids that name nobody are left out. */
export async function readContacts(db: Queryable, ids: readonly ContactId[]): Promise<Contact[]> {
  const rows = await db.run(BY_IDS, [ids.map((id) => bucketOf(id)), ids]);
  return rows.map((row) => toContact(db, row));
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

const INSERT = statement(
  'contact_insert',
  `with key as (insert into contact_keys (bucket, contact_id, sealed_key) values ($1, $2, $7))
   insert into contacts (bucket, id, account_id, identity, country, created_at)
   values ($1, $2, $3, $4, $5, $6)`,
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
    owners.push(await claimHandle(tx, accountId, handle, known ?? made));
  }
  // Somebody may have been quicker with one of two handles; the other one must not lead nowhere.
  const owner = known ?? owners.find((contactId) => contactId !== made);
  if (owner === undefined) {
    const sealedKey = newContactKey(tx, made);
    const sealed = sealedIdentity(tx, made, { e164, userId, name });
    const values = [bucketOf(made), made, accountId, sealed, country, at(now), sealedKey];
    await tx.run(INSERT, values);
    return made;
  }
  for (const [index, handle] of handles.entries()) {
    if (owners[index] !== made) continue;
    await moveHandle(tx, accountId, handle, owner);
  }
  await completeContact(tx, owner, { e164, userId, name, country });
  return owner;
}

type Names = Pick<Contact, 'e164' | 'userId' | 'name'>;

const SAVE_IDENTITY = statement(
  'contact_save_identity',
  'update contacts set identity = $3, country = $4 where bucket = $1 and id = $2',
);

/** Adds what was not known yet; of two names the newer one counts. */
async function completeContact(
  tx: Tx,
  contactId: ContactId,
  news: Names & Pick<Contact, 'country'>,
): Promise<void> {
  const [locked] = await lockContacts(tx, [contactId]);
  if (locked === undefined) return;
  const { contact } = locked;
  const next = {
    e164: contact.e164 ?? news.e164,
    userId: contact.userId ?? news.userId,
    name: news.name ?? contact.name,
    country: contact.country ?? news.country,
  };
  const isNew = (['e164', 'userId', 'name', 'country'] as const).some(
    (field) => next[field] !== contact[field],
  );
  if (isNew) await saveIdentity(tx, contactId, next);
}

/** Replaces what a contact is known by. Needs the contact's lock; the handles are not touched. */
export async function saveIdentity(
  tx: Tx,
  contactId: ContactId,
  names: Names & Pick<Contact, 'country'>,
): Promise<void> {
  const sealed = sealedIdentity(tx, contactId, names);
  await tx.run(SAVE_IDENTITY, [bucketOf(contactId), contactId, sealed, names.country]);
}

/** What names a person, sealed; null for one who was erased. Needs the contact's lock. */
export function sealedIdentity(tx: Tx, contactId: ContactId, names: Names): Buffer | null {
  const { e164, userId, name } = names;
  return keyOfLocked(tx, contactId)?.seal({ e164, userId, name }) ?? null;
}

const FORGET = statement(
  'contact_forget',
  `update contacts set identity = null, country = null, language = null, time_zone = null,
     sanctioned_region_at = null, sanctioned_region_by = null, opt_out_pending_at = null,
     opt_out_pending_line_id = null, number_since = null, erased_at = $3
    where bucket = $1 and id = $2`,
);

/** Leaves the stump of a chain: an id, its head, and when it was made and emptied. */
export async function forgetIdentity(tx: Tx, contactId: ContactId, now: number): Promise<void> {
  await tx.run(FORGET, [bucketOf(contactId), contactId, at(now)]);
}

const OPT_OUT = statement(
  'contact_opt_out',
  `update contacts c set opted_out_at = v.now, opt_out_pending_at = null,
     opt_out_pending_line_id = null
     from unnest($1::smallint[], $2::text[], $3::timestamptz[]) v (bucket, id, now)
    where c.bucket = v.bucket and c.id = v.id and c.opted_out_at is null`,
);

/** Contacts that take no call from `now` on. */
export const optedOutRows: RowStore<{ contact: Contact; now: number }> = {
  async saveAll(tx, rows) {
    await tx.run(OPT_OUT, [
      rows.map(({ contact }) => contact.bucket),
      rows.map(({ contact }) => contact.id),
      rows.map(({ now }) => at(now)),
    ]);
  },
};

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
  return (await db.run(LIST, [accountId, after, limit])).map((row) => toContact(db, row));
}

async function lockedOf(tx: Tx, rows: readonly ContactRow[]): Promise<LockedContact[]> {
  const keys = await keysOfLocked(tx, rows);
  return rows.map((row) => ({
    contact: toContact(tx, row),
    head: { sequence: row.ledger_sequence, hash: row.ledger_hash },
    key: keys.get(row.id) ?? null,
    liveRuns: row.live_runs,
  }));
}

const NOBODY: Names = { e164: null, userId: null, name: null };

function toContact(db: Queryable, row: ContactRow): Contact {
  const { opt_out_pending_at: pendingAt, opt_out_pending_line_id: pendingLine } = row;
  const { sanctioned_region_at: sanctionedAt, sanctioned_region_by: sanctionedBy } = row;
  const key = row.erased_at === null ? keyInRow(db, row.id, row.sealed_key) : null;
  const names = row.identity === null ? NOBODY : ((key?.open(row.identity) as Names) ?? NOBODY);
  return {
    bucket: row.bucket,
    id: row.id,
    accountId: row.account_id,
    ...names,
    country: row.country,
    optedOutAt: row.opted_out_at,
    optOutPending:
      pendingAt === null || pendingLine === null ? null : { at: pendingAt, lineId: pendingLine },
    language: row.language,
    timeZone: row.time_zone,
    sanctionedRegion:
      sanctionedAt === null ? null : { at: sanctionedAt, by: sanctionedBy ?? 'unknown' },
    erasedAt: row.erased_at,
    mergedInto: row.merged_into,
    absorbed: row.absorbed,
    numberSince: row.number_since,
    createdAt: row.created_at,
  };
}
