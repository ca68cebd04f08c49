import { at, statement, unmeasured, type Queryable, type Tx } from '../database/database.ts';
import { bucketOf, type ContactId } from '../platform/ids.ts';
import type { RunId } from './run.ts';

/** What a run may wait for: an answer, or the end of a call. */
export const WAKING: ReadonlySet<string> = new Set([
  'PermissionGranted',
  'PermissionDeclined',
  'PermissionRequestFailed',
  'PermissionRequestLapsed',
  'PermissionRevoked',
  'PermissionExpired',
  'CallEnded',
]);

const WAKE = statement(
  'journey_run_wake',
  `update journey_runs r set due_at = least(r.due_at, $3)
     from unnest(${unmeasured('$1::smallint[]')}, $2::text[]) v (bucket, contact_id)
    where r.bucket = v.bucket and r.contact_id = v.contact_id and r.status = 'live'`,
);

/** Has the live runs of contacts looked at from now on. Needs the contacts' locks. */
export async function wakeRuns(
  tx: Tx,
  contactIds: readonly ContactId[],
  now: number,
): Promise<void> {
  await tx.run(WAKE, [contactIds.map((id) => bucketOf(id)), contactIds, at(now)]);
}

const WAKE_HELD = statement(
  'journey_run_wake_held',
  `update journey_runs set due_at = $3
    where (bucket, id) in (
      select bucket, id from journey_runs
       where (bucket, id) in (select * from unnest($1::smallint[], $2::text[]))
         and status = 'live' and due_at > $3 and due_at <= $4
       for update skip locked)`,
);

/**
 * Has runs looked at now that were put off for at most `heldMs`. One that somebody is busy with is
 * left out: it comes by itself.
 */
export async function wakeHeldRuns(
  db: Queryable,
  ids: readonly RunId[],
  { now, heldMs }: { now: number; heldMs: number },
): Promise<void> {
  if (ids.length === 0) return;
  await db.run(WAKE_HELD, [ids.map((id) => bucketOf(id)), ids, at(now), at(now + heldMs)]);
}
