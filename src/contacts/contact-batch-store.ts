import { at, statement, type Tx } from '../database/database.ts';
import { bucketOf, type AccountId, type ContactId, type Ids } from '../platform/ids.ts';
import { claimHandles, findByHandles } from './contact-handle-store.ts';
import { newContactKey } from './contact-key-store.ts';
import { sealedIdentity } from './contact-store.ts';
import { handleBucket, type Contact, type Handle } from './contact.ts';

/** Somebody known by one handle, as a row of a file names them. */
export type NewPerson = Pick<
  Contact,
  'e164' | 'userId' | 'name' | 'country' | 'language' | 'timeZone'
> & { handle: Handle };

const INSERT = statement(
  'contact_batch_insert',
  `with key as (insert into contact_keys (bucket, contact_id, sealed_key)
     select bucket, id, sealed_key from unnest($1::smallint[], $2::text[], $7::bytea[])
       v (bucket, id, sealed_key))
   insert into contacts
     (bucket, id, account_id, identity, country, created_at, language, time_zone)
   select bucket, id, $3, identity, country, $6, language, time_zone
     from unnest($1::smallint[], $2::text[], $4::bytea[], $5::text[], $8::text[], $9::text[])
       v (bucket, id, identity, country, language, time_zone)`,
);

/**
 * As `findOrCreateContact` for many at once, each with a handle of their own: a few statements
 * however many there are. Two callers at once get the same contacts. Returns whom each handle
 * leads to, and who is new.
 */
export async function findOrCreateContacts(
  tx: Tx,
  ids: Ids,
  accountId: AccountId,
  people: readonly NewPerson[],
  now: number,
): Promise<{ owners: Map<Handle, ContactId>; made: Set<ContactId> }> {
  const handles = people.map(({ handle }) => handle);
  const owners = await findByHandles(tx, accountId, handles);
  const wanted = people
    .filter(({ handle }) => !owners.has(handle))
    .map((person) => ({
      ...person,
      id: ids.next('contact', handleBucket(accountId, person.handle)),
    }));
  if (wanted.length === 0) return { owners, made: new Set() };
  const claimed = await claimHandles(
    tx,
    accountId,
    wanted.map(({ handle, id }) => ({ handle, contactId: id })),
  );
  const made = wanted.filter(({ id }) => claimed.has(id));
  // Whoever was quicker has committed by now: the claim has waited for them.
  const others = wanted.filter(({ id }) => !claimed.has(id)).map(({ handle }) => handle);
  if (others.length > 0) {
    for (const [handle, id] of await findByHandles(tx, accountId, others)) owners.set(handle, id);
  }
  for (const { handle, id } of made) owners.set(handle, id);
  const sealedKeys = made.map(({ id }) => newContactKey(tx, id));
  await tx.run(INSERT, [
    made.map(({ id }) => bucketOf(id)),
    made.map(({ id }) => id),
    accountId,
    made.map(({ id, e164, userId, name }) => sealedIdentity(tx, id, { e164, userId, name })),
    made.map(({ country }) => country),
    at(now),
    sealedKeys,
    made.map(({ language }) => language),
    made.map(({ timeZone }) => timeZone),
  ]);
  return { owners, made: new Set(made.map(({ id }) => id)) };
}
