import { at, statement, type Queryable } from '../database/database.ts';
import { bucketSpans, type AccountId, type ContactId } from '../platform/ids.ts';
import { idBound } from '../webhooks/deliveries-store.ts';

const INACTIVE = statement<{ id: ContactId; account_id: AccountId }>(
  'retention_inactive',
  `select old.id, old.account_id from generate_series($1::int, $2::int) as each
    cross join lateral (
      select c.id, c.account_id from contacts c
       where c.bucket = each and c.id < $3 and c.erased_at is null and c.merged_into is null
         and not exists (
           select from ledger l
            where l.bucket = c.bucket and l.contact_id = c.id and l.sequence = c.ledger_sequence
              and l.at >= $4)
         and not exists (
           select from calls q
            where q.bucket = c.bucket and q.contact_id = c.id and q.status <> 'ended')
       order by c.id limit $5) as old
    limit $5`,
);

/** Contacts with whom nothing has happened since then; the last thing is the end of the ledger. */
export async function* inactiveContacts(
  db: Queryable,
  since: number,
  limit: number,
): AsyncGenerator<{ id: ContactId; accountId: AccountId }> {
  let left = limit;
  for (const [first, last] of bucketSpans()) {
    if (left <= 0) return;
    // Ids carry the time they were made at: younger contacts are not even looked at.
    const values = [first, last, idBound('cont', since), at(since), left];
    const rows = await db.run(INACTIVE, values);
    for (const { id, account_id: accountId } of rows) yield { id, accountId };
    left -= rows.length;
  }
}
