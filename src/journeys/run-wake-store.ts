import { at, statement, type Tx } from '../database/database.ts';
import { bucketOf, type ContactId } from '../platform/ids.ts';

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
     from unnest($1::smallint[], $2::text[]) v (bucket, contact_id)
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
