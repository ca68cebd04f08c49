import { createHmac } from 'node:crypto';
import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { handleBucket, handlesOfContact, type Contact, type Handle } from './contact.ts';

/**
 * The do-not-call list keeps no numbers: an entry is an HMAC of the handle under a key of its own,
 * so that "never call again" outlives "forget me", and a stolen table names nobody.
 */
export type DoNotCallKey = Uint8Array;

export function handleHmac(key: DoNotCallKey, accountId: AccountId, handle: Handle): Buffer {
  return createHmac('sha256', key).update(`${accountId}\u0000${handle}`).digest();
}

const LISTED = statement<{ handle_hmac: Buffer }>(
  'do_not_call_listed',
  `select handle_hmac from do_not_call
    where (bucket, account_id, handle_hmac) in
      (select * from unnest($1::smallint[], $2::text[], $3::bytea[]))`,
);

/** Which of the contacts are on their account's do-not-call list, under any of their handles. */
export async function doNotCallIds(
  db: Queryable,
  key: DoNotCallKey,
  contacts: readonly Contact[],
): Promise<Set<string>> {
  const wanted = contacts.flatMap((contact) =>
    handlesOfContact(contact).map((handle) => ({
      contactId: contact.id,
      accountId: contact.accountId,
      bucket: handleBucket(contact.accountId, handle),
      hmac: handleHmac(key, contact.accountId, handle),
    })),
  );
  const rows = await db.run(LISTED, [
    wanted.map(({ bucket }) => bucket),
    wanted.map(({ accountId }) => accountId),
    wanted.map(({ hmac }) => hmac),
  ]);
  const listed = new Set(rows.map((row) => row.handle_hmac.toString('hex')));
  return new Set(
    wanted.filter(({ hmac }) => listed.has(hmac.toString('hex'))).map(({ contactId }) => contactId),
  );
}

const ADD = statement(
  'do_not_call_add',
  `insert into do_not_call (bucket, account_id, handle_hmac, reason, source, added_at)
   values ($1, $2, $3, $4, $5, $6) on conflict (bucket, account_id, handle_hmac) do nothing`,
);

/** Puts a contact on the list under every handle it has; adding twice changes nothing. */
export async function addToDoNotCall(
  tx: Tx,
  key: DoNotCallKey,
  contact: Contact,
  entry: { reason: string; source: string; now: number },
): Promise<void> {
  for (const handle of handlesOfContact(contact)) {
    await tx.run(ADD, [
      handleBucket(contact.accountId, handle),
      contact.accountId,
      handleHmac(key, contact.accountId, handle),
      entry.reason,
      entry.source,
      at(entry.now),
    ]);
  }
}
