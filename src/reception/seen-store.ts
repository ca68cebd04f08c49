import { at, statement, type Tx } from '../database/database.ts';
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
