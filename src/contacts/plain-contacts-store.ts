import { statement, type Database, type Tx } from '../database/database.ts';
import { bucketOf, type AccountId, type ContactId } from '../platform/ids.ts';
import type { Handle } from './contact.ts';
import { moveHandle } from './contact-handle-store.ts';
import { lockContacts, saveIdentity } from './contact-store.ts';

/** Contacts of a database from before personal fields were sealed. */

const BATCH = 500;

const PLAIN = statement<{
  id: ContactId;
  e164: string | null;
  user_id: string | null;
  name: string | null;
  country: string | null;
}>(
  'plain_contacts',
  `select id, e164, user_id, name, country from contacts
    where e164 is not null or user_id is not null or name is not null
    order by bucket, id limit $1`,
);

const EMPTY = statement(
  'plain_contacts_empty',
  `update contacts set e164 = null, user_id = null, name = null
    where bucket = $1 and id = $2`,
);

const HANDLES = statement<{ account_id: AccountId; handle: Handle; contact_id: ContactId }>(
  'plain_handles',
  `delete from contact_handles_plain
    where ctid = any (array(select ctid from contact_handles_plain limit $1))
   returning account_id, handle, contact_id`,
);

/**
 * Seals what an older version left in the open. Runs at each start before anything else, does
 * nothing the second time, and goes on where it was interrupted. Returns how many contacts it
 * sealed.
 */
export async function sealPlainContacts(database: Database): Promise<number> {
  let sealed = 0;
  for (;;) {
    const batch = await database.transaction(sealBatch);
    sealed += batch;
    if (batch < BATCH) break;
  }
  while ((await database.transaction(moveBatch)) === BATCH);
  return sealed;
}

async function sealBatch(tx: Tx): Promise<number> {
  const rows = await tx.run(PLAIN, [BATCH]);
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await lockContacts(tx, ids);
  for (const { id, e164, user_id: userId, name, country } of rows) {
    await saveIdentity(tx, id, { e164, userId, name, country });
    await tx.run(EMPTY, [bucketOf(id), id]);
  }
  return rows.length;
}

async function moveBatch(tx: Tx): Promise<number> {
  const rows = await tx.run(HANDLES, [BATCH]);
  for (const row of rows) await moveHandle(tx, row.account_id, row.handle, row.contact_id);
  return rows.length;
}
