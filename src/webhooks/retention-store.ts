import { at, statement, type Queryable } from '../database/database.ts';
import { BUCKET_COUNT } from '../platform/ids.ts';
import { idBound } from './deliveries-store.ts';

const PURGE_BATCH = 2_000;

const PURGE_DELIVERIES = statement<{ id: string }>(
  'retention_purge_deliveries',
  `delete from deliveries where (bucket, id) in (
     select bucket, id from deliveries
      where bucket = $1 and id < $2 and status <> 'pending' and next_attempt_at < $3
      order by id limit $4
   ) returning id`,
);

const PURGE_EVENTS = statement<{ id: string }>(
  'retention_purge_events',
  `delete from events where (bucket, id) in (
     select e.bucket, e.id from events e
      where e.bucket = $1 and e.id < $2 and e.at < $3 and not exists (
        select from deliveries d where d.bucket = e.bucket and d.event_id = e.id)
      order by e.id limit $4
   ) returning id`,
);

/**
 * Forgets old deliveries that are settled, then events that no delivery needs; returns how many.
 * The ledger keeps what happened; an event is only the letter about it. Ids carry their time, so
 * the primary key finds what is old, bucket by bucket.
 */
export async function purgeOutbox(db: Queryable, now: number, keptMs: number): Promise<number> {
  const before = now - keptMs;
  let purged = 0;
  for (const [purge, prefix] of [
    [PURGE_DELIVERIES, 'dlv'],
    [PURGE_EVENTS, 'evt'],
  ] as const) {
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket += 1) {
      let count: number;
      do {
        const values = [bucket, idBound(prefix, before), at(before), PURGE_BATCH];
        count = (await db.run(purge, values)).length;
        purged += count;
      } while (count === PURGE_BATCH);
    }
  }
  return purged;
}
