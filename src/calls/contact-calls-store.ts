import { statement, type Queryable } from '../database/database.ts';
import type { ContactId } from '../platform/ids.ts';
import { STATE, stateIn, type StateRow } from './call-store.ts';

const OF_CONTACT = statement<StateRow>(
  'contact_calls_all',
  `select ${STATE} from calls where bucket = $1 and contact_id = $2 order by id desc`,
);

/** Meta's ids of all calls to a contact. */
export async function callIdsAtMeta(
  db: Queryable,
  { bucket, id }: { bucket: number; id: ContactId },
): Promise<string[]> {
  const calls = (await db.run(OF_CONTACT, [bucket, id])).map((row) => stateIn(db, row));
  return calls.flatMap(({ facts }) => (facts.wacid === null ? [] : [facts.wacid]));
}
