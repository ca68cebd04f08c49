import { at, statement, type Queryable } from '../database/database.ts';
import { bucketSpans } from '../platform/ids.ts';
import { idBound } from './deliveries-store.ts';

const PURGE_BATCH = 2_000;

const PURGE_DELIVERIES = statement<{ id: string }>(
  'retention_purge_deliveries',
  `delete from deliveries where (bucket, id) in (
     select old.bucket, old.id from generate_series($1::int, $2::int) as each
      cross join lateral (
        select bucket, id from deliveries
         where bucket = each and id < $3 and status <> 'pending' and next_attempt_at < $4
         order by id limit $5) as old
      limit $5
   ) returning id`,
);

const PURGE_EVENTS = statement<{ id: string }>(
  'retention_purge_events',
  `delete from events where (bucket, id) in (
     select old.bucket, old.id from generate_series($1::int, $2::int) as each
      cross join lateral (
        select e.bucket, e.id from events e
         where e.bucket = each and e.id < $3 and e.at < $4 and not exists (
           select from deliveries d where d.bucket = e.bucket and d.event_id = e.id)
         order by e.id limit $5) as old
      limit $5
   ) returning id`,
);

/**
 * Forgets old deliveries that are settled, then events that no delivery needs; returns how many.
 * The ledger keeps what happened; an event is only the letter about it. Ids carry their time, so
 * the primary key finds what is old, bucket by bucket; many buckets to a statement, for most have
 * nothing old.
 */
export async function purgeOutbox(db: Queryable, now: number, keptMs: number): Promise<number> {
  const before = now - keptMs;
  let purged = 0;
  for (const [purge, prefix] of [
    [PURGE_DELIVERIES, 'dlv'],
    [PURGE_EVENTS, 'evt'],
  ] as const) {
    for (const [first, last] of bucketSpans()) {
      let count: number;
      do {
        const values = [first, last, idBound(prefix, before), at(before), PURGE_BATCH];
        count = (await db.run(purge, values)).length;
        purged += count;
      } while (count === PURGE_BATCH);
    }
  }
  return purged;
}
