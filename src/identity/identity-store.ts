import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import { handleBucket, type Handle } from '../contacts/contact.ts';
import { bucketOf, type AccountId, type ContactId } from '../platform/ids.ts';

/** Numbers that people have left, and contacts that go on as others. */

function keyOf(db: Queryable, accountId: AccountId, handle: Handle): unknown[] {
  const hmac = db.vault.pseudonym(`${accountId}\u0000${handle}`);
  return [handleBucket(accountId, handle), accountId, hmac];
}

const FREE = statement(
  'identity_free_handle',
  `delete from contact_handles
    where bucket = $1 and account_id = $2 and handle_hmac = $3 and contact_id = $4`,
);

const LEFT = statement(
  'identity_left_handle',
  `insert into former_handles (bucket, account_id, handle_hmac, contact_id, left_at)
   values ($1, $2, $3, $4, $5)
   on conflict (bucket, account_id, handle_hmac, contact_id) do update
     set left_at = greatest(former_handles.left_at, excluded.left_at)`,
);

/** The number leads to them no more, but what was said from it before `leftAt` is theirs. */
export async function retireHandle(
  tx: Tx,
  accountId: AccountId,
  handle: Handle,
  { contactId, leftAt }: { contactId: ContactId; leftAt: number },
): Promise<void> {
  const key = keyOf(tx, accountId, handle);
  await tx.run(FREE, [...key, contactId]);
  await tx.run(LEFT, [...key, contactId, at(leftAt)]);
}

const FORMER = statement<{ contact_id: ContactId }>(
  'identity_former',
  `select contact_id from former_handles
    where bucket = $1 and account_id = $2 and handle_hmac = $3 and left_at > $4
    order by left_at limit 1`,
);

/** Who had the number at that time and has left it since; null when nobody is known to have. */
export async function formerOwner(
  db: Queryable,
  accountId: AccountId,
  handle: Handle,
  then: number,
): Promise<ContactId | null> {
  const row = await db.first(FORMER, [...keyOf(db, accountId, handle), at(then)]);
  return row?.contact_id ?? null;
}

const HAS_LEFT = statement<{ contact_id: ContactId }>(
  'identity_has_left',
  `select contact_id from former_handles
    where bucket = $1 and account_id = $2 and handle_hmac = $3 and contact_id = $4`,
);

/** Whether the contact ever left that number. */
export async function hasLeft(
  db: Queryable,
  accountId: AccountId,
  handle: Handle,
  contactId: ContactId,
): Promise<boolean> {
  return (await db.first(HAS_LEFT, [...keyOf(db, accountId, handle), contactId])) !== undefined;
}

const MOVE = statement(
  'identity_move_handles',
  'update contact_handles set contact_id = $2 where contact_id = $1',
);
const MOVE_FORMER = statement(
  'identity_move_former',
  'update former_handles set contact_id = $2 where contact_id = $1',
);
/** A fact that comes again after the merge must not be taken for a new one. */
const COPY_SEEN = statement(
  'identity_copy_seen',
  `insert into seen_facts (bucket, contact_id, key, seen_at)
   select $3, $4, key, seen_at from seen_facts where bucket = $1 and contact_id = $2
   on conflict do nothing`,
);
const MERGE = statement(
  'identity_merge',
  `update contacts set merged_into = $3, opted_out_at = null, opt_out_pending_at = null,
     opt_out_pending_line_id = null
    where bucket = $1 and id = $2`,
);
const ABSORB = statement(
  'identity_absorb',
  `update contacts set absorbed = array_append(absorbed, $3::text) || $4::text[]
    where bucket = $1 and id = $2`,
);

/** Makes one contact go on as another; both locks are held, and what blocked moves by hand. */
export async function saveMerge(
  tx: Tx,
  absorbed: { id: ContactId; absorbed: readonly ContactId[] },
  survivor: ContactId,
): Promise<void> {
  const { id } = absorbed;
  await tx.run(MOVE, [id, survivor]);
  await tx.run(MOVE_FORMER, [id, survivor]);
  await tx.run(COPY_SEEN, [bucketOf(id), id, bucketOf(survivor), survivor]);
  await tx.run(MERGE, [bucketOf(id), id, survivor]);
  await tx.run(ABSORB, [bucketOf(survivor), survivor, id, absorbed.absorbed]);
}

const SINCE = statement(
  'identity_number_since',
  'update contacts set number_since = $3 where bucket = $1 and id = $2',
);

export async function saveNumberSince(tx: Tx, contactId: ContactId, since: number): Promise<void> {
  await tx.run(SINCE, [bucketOf(contactId), contactId, at(since)]);
}

const SURVIVOR = statement<{ merged_into: ContactId | null }>(
  'identity_survivor',
  'select merged_into from contacts where bucket = $1 and id = $2',
);

/** Merges follow one another, but never for long. */
const CHAIN_MAX = 16;

/** The contact that goes on for this one; itself where it was never merged. */
export async function survivorOf(db: Queryable, contactId: ContactId): Promise<ContactId> {
  let id = contactId;
  for (let step = 0; step < CHAIN_MAX; step += 1) {
    const next = (await db.first(SURVIVOR, [bucketOf(id), id]))?.merged_into ?? null;
    if (next === null) break;
    id = next;
  }
  return id;
}

const FORGET_FORMER = statement(
  'identity_forget_former',
  'delete from former_handles where contact_id = $1',
);

export async function forgetFormerHandles(tx: Tx, contactId: ContactId): Promise<void> {
  await tx.run(FORGET_FORMER, [contactId]);
}
