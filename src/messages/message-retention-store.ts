import { at, statement, type Queryable } from '../database/database.ts';
import { bucketSpans } from '../platform/ids.ts';
import { idBound } from '../webhooks/deliveries-store.ts';

const PURGE_BATCH = 2_000;

const PURGE_MESSAGES = statement<{ id: string }>(
  'message_purge',
  `delete from messages where (bucket, id) in (
     select old.bucket, old.id from generate_series($1::int, $2::int) as each
      cross join lateral (
        select bucket, id from messages
         where bucket = each and id < $3 and status not in ('queued', 'sending')
         order by id limit $4) as old
      limit $4
   ) returning id`,
);

const PURGE_NAMES = statement<{ our_id: string }>(
  'message_purge_external',
  `delete from external_ids where ctid = any (array(
     select ctid from external_ids where created_at < $1 limit $2)) returning our_id`,
);

/** Forgets old messages, and which of Meta's ids meant what; returns how many. */
export async function purgeMessages(db: Queryable, now: number, keptMs: number): Promise<number> {
  const before = now - keptMs;
  let purged = 0;
  for (const [first, last] of bucketSpans()) {
    let count: number;
    do {
      const values = [first, last, idBound('msg', before), PURGE_BATCH];
      count = (await db.run(PURGE_MESSAGES, values)).length;
      purged += count;
    } while (count === PURGE_BATCH);
  }
  let names: number;
  do {
    names = (await db.run(PURGE_NAMES, [at(before), PURGE_BATCH])).length;
    purged += names;
  } while (names === PURGE_BATCH);
  return purged;
}
