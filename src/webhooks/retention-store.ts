import { at, statement, type Queryable } from '../database/database.ts';

/**
 * How long the outbox remembers. The ledger keeps what happened for good; an event is only the
 * letter about it, and after three months nobody asks for it to be sent again.
 */
const KEEP_MS = 90 * 24 * 3_600_000;
const PURGE_BATCH = 2_000;

const PURGE_DELIVERIES = statement<{ id: string }>(
  'retention_purge_deliveries',
  `delete from deliveries where ctid in (
     select ctid from deliveries where status <> 'pending' and next_attempt_at < $1 limit $2
   ) returning id`,
);

const PURGE_EVENTS = statement<{ id: string }>(
  'retention_purge_events',
  `delete from events where ctid in (
     select e.ctid from events e where e.at < $1 and not exists (
       select from deliveries d where d.bucket = e.bucket and d.event_id = e.id)
     limit $2
   ) returning id`,
);

/** Forgets old deliveries that are settled, then events that no delivery needs; how many. */
export async function purgeOutbox(db: Queryable, now: number): Promise<number> {
  let purged = 0;
  for (const purge of [PURGE_DELIVERIES, PURGE_EVENTS]) {
    let count: number;
    do {
      count = (await db.run(purge, [at(now - KEEP_MS), PURGE_BATCH])).length;
      purged += count;
    } while (count === PURGE_BATCH);
  }
  return purged;
}
