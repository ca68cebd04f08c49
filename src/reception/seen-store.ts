import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import { bucketOf, type ContactId } from '../platform/ids.ts';

const SEE = statement<{ key: string }>(
  'seen_see',
  `insert into seen_facts (bucket, contact_id, key, seen_at) values ($1, $2, $3, $4)
   on conflict (bucket, contact_id, key) do nothing returning key`,
);

/** True the first time a contact's fact is seen; remembered with what the fact changes. */
export async function isFirstSight(
  tx: Tx,
  contactId: ContactId,
  key: string,
  now: number,
): Promise<boolean> {
  return (await tx.first(SEE, [bucketOf(contactId), contactId, key, at(now)])) !== undefined;
}

const LAST = statement<{ seen_at: number | null }>(
  'seen_last',
  'select max(seen_at) as seen_at from seen_facts where bucket = $1 and contact_id = $2',
);

/** When the contact last wrote or tapped anything, in ms; null when not in the last days. */
export async function lastHeardAt(db: Queryable, contactId: ContactId): Promise<number | null> {
  return (await db.first(LAST, [bucketOf(contactId), contactId]))?.seen_at ?? null;
}

const PURGE = statement<{ key: string }>(
  'seen_purge',
  `delete from seen_facts where ctid in (
     select ctid from seen_facts where seen_at < $1 limit $2
   ) returning key`,
);

/** Two days longer than Meta repeats deliveries. */
const KEEP_MS = 9 * 24 * 3_600_000;
const PURGE_BATCH = 5_000;

/** Forgets facts that cannot come again, in small batches; returns how many. */
export async function purgeSeenFacts(db: Queryable, now: number): Promise<number> {
  let purged = 0;
  for (;;) {
    const rows = await db.run(PURGE, [at(now - KEEP_MS), PURGE_BATCH]);
    purged += rows.length;
    if (rows.length < PURGE_BATCH) return purged;
  }
}

const FORGET = statement(
  'seen_forget',
  'delete from seen_facts where bucket = $1 and contact_id = $2',
);

/** The keys of facts are Meta's ids, which hold the person's number in base64. */
export async function forgetSeen(tx: Tx, contactId: ContactId): Promise<void> {
  await tx.run(FORGET, [bucketOf(contactId), contactId]);
}
