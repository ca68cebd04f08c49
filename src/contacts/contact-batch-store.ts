import { at, statement, type Tx } from '../database/database.ts';
import { type AccountId, type ContactId, type Ids } from '../platform/ids.ts';
import { claimHandles, findByKeys, handleKeys } from './contact-handle-store.ts';
import { keyOfLocked, newContactKey } from './contact-key-store.ts';
import { sealedIdentity, type LockedContact } from './contact-store.ts';
import { unknownContact, type Contact, type Handle } from './contact.ts';

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
 * leads to, and who is new: nobody else sees them before the commit, so they need no lock.
 */
export async function findOrCreateContacts(
  tx: Tx,
  ids: Ids,
  accountId: AccountId,
  people: readonly NewPerson[],
  now: number,
): Promise<{ owners: Map<Handle, ContactId>; made: LockedContact[] }> {
  const keys = handleKeys(
    tx,
    accountId,
    people.map(({ handle }) => handle),
  );
  const owners = await findByKeys(tx, accountId, keys);
  const wanted = people.flatMap((person, index) => {
    const key = keys[index];
    if (key === undefined || owners.has(person.handle)) return [];
    return [{ ...person, ...key, id: ids.next('contact', key.bucket) }];
  });
  if (wanted.length === 0) return { owners, made: [] };
  const claimed = await claimHandles(tx, accountId, wanted);
  const made = wanted.filter(({ id }) => claimed.has(id));
  // Whoever was quicker has committed by now: the claim has waited for them.
  const others = wanted.filter(({ id }) => !claimed.has(id));
  if (others.length > 0) {
    for (const [handle, id] of await findByKeys(tx, accountId, others)) owners.set(handle, id);
  }
  for (const { handle, id } of made) owners.set(handle, id);
  const sealedKeys = made.map(({ id }) => newContactKey(tx, id));
  await tx.run(INSERT, [
    made.map(({ bucket }) => bucket),
    made.map(({ id }) => id),
    accountId,
    made.map(({ id, e164, userId, name }) => sealedIdentity(tx, id, { e164, userId, name })),
    made.map(({ country }) => country),
    at(now),
    sealedKeys,
    made.map(({ language }) => language),
    made.map(({ timeZone }) => timeZone),
  ]);
  return { owners, made: made.map((person) => newborn(tx, accountId, person, now)) };
}

/** The contact as its row says by now, without reading it back. */
function newborn(
  tx: Tx,
  accountId: AccountId,
  {
    id,
    bucket,
    e164,
    userId,
    country,
    name,
    language,
    timeZone,
  }: NewPerson & Pick<Contact, 'id' | 'bucket'>,
  now: number,
): LockedContact {
  const bare = unknownContact({ id, accountId, e164, userId, country, createdAt: now });
  return {
    contact: { ...bare, bucket, name, language, timeZone },
    head: { sequence: 0, hash: new Uint8Array() },
    key: keyOfLocked(tx, id),
    liveRuns: 0,
  };
}
