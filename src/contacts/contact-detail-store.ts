import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import { bucketOf, type AccountId, type ContactId } from '../platform/ids.ts';
import { keyColumn, keyInRow, keyOfLocked, type KeyColumn } from './contact-key-store.ts';
import type { Contact } from './contact.ts';
import type { ContactDetails } from './contact-fields.ts';

/**
 * The business's own id of a person and further columns of its files, sealed under the person's
 * key; and the tags that a person carries, which name nobody and stand in the open.
 */
export type DetailRow = {
  contact: Pick<Contact, 'id' | 'accountId'>;
  details: ContactDetails;
  now: number;
};

const SAVE = statement(
  'contact_detail_save',
  `insert into contact_details (bucket, contact_id, account_id, external_hmac, sealed, updated_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::bytea[], $5::bytea[],
     $6::timestamptz[])
   on conflict (bucket, contact_id) do update set external_hmac = excluded.external_hmac,
     sealed = excluded.sealed, updated_at = excluded.updated_at`,
);

/** Needs the locks of the contacts. Of somebody who was erased nothing is written. */
export const detailRows: RowStore<DetailRow> = {
  async saveAll(tx, all) {
    const rows = all.flatMap((row) => {
      const sealed = keyOfLocked(tx, row.contact.id)?.seal(row.details);
      return sealed === undefined ? [] : [{ ...row, sealed }];
    });
    if (rows.length === 0) return;
    await tx.run(SAVE, [
      rows.map(({ contact }) => bucketOf(contact.id)),
      rows.map(({ contact }) => contact.id),
      rows.map(({ contact }) => contact.accountId),
      rows.map(({ contact, details }) => externalHmac(tx, contact.accountId, details.externalId)),
      rows.map(({ sealed }) => sealed),
      rows.map(({ now }) => at(now)),
    ]);
  },
};

const OF_CONTACTS = statement<KeyColumn & { contact_id: ContactId; sealed: Buffer }>(
  'contact_details_of',
  `select d.contact_id, d.sealed, ${keyColumn('d')} from contact_details d
    where (d.bucket, d.contact_id) in (select * from unnest($1::smallint[], $2::text[]))`,
);

/** What is known of many people; who has nothing is left out. */
export async function detailsOf(
  db: Queryable,
  ids: readonly ContactId[],
): Promise<Map<ContactId, ContactDetails>> {
  const rows = await db.run(OF_CONTACTS, [ids.map((id) => bucketOf(id)), ids]);
  return new Map(
    rows.flatMap((row) => {
      const key = keyInRow(db, row.contact_id, row.sealed_key);
      return key === null ? [] : [[row.contact_id, key.open(row.sealed) as ContactDetails]];
    }),
  );
}

const BY_EXTERNAL = statement<{ contact_id: ContactId }>(
  'contact_by_external_id',
  `select contact_id from contact_details where account_id = $1 and external_hmac = $2
    order by contact_id limit $3`,
);

/** Whom the business knows by an id of its own; usually one. */
export async function findByExternalId(
  db: Queryable,
  accountId: AccountId,
  externalId: string,
  limit: number,
): Promise<ContactId[]> {
  const hmac = externalHmac(db, accountId, externalId);
  return (await db.run(BY_EXTERNAL, [accountId, hmac, limit])).map((row) => row.contact_id);
}

function externalHmac(db: Queryable, accountId: AccountId, id: string | null): Buffer | null {
  return id === null ? null : db.vault.pseudonym(`${accountId}\u0000external:${id}`);
}

const TAG = statement(
  'contact_tag_add',
  `insert into contact_tags (bucket, account_id, tag, contact_id)
   select b, $3, $4, c from unnest($1::smallint[], $2::text[]) v (b, c) on conflict do nothing`,
);

/** Gives people a tag; who has it keeps it. */
export async function addTag(
  tx: Tx,
  accountId: AccountId,
  tag: string,
  ids: readonly ContactId[],
): Promise<void> {
  if (ids.length > 0) await tx.run(TAG, [ids.map((id) => bucketOf(id)), ids, accountId, tag]);
}

const TAGS = statement<{ tag: string }>(
  'contact_tags_of_contact',
  'select tag from contact_tags where bucket = $1 and contact_id = $2 order by tag limit 1000',
);

export async function tagsOf(db: Queryable, id: ContactId): Promise<string[]> {
  return (await db.run(TAGS, [bucketOf(id), id])).map(({ tag }) => tag);
}

const FORGET = statement(
  'contact_details_forget',
  `with untagged as (delete from contact_tags where bucket = $1 and contact_id = $2)
   delete from contact_details where bucket = $1 and contact_id = $2`,
);

export async function forgetDetails(tx: Tx, id: ContactId): Promise<void> {
  await tx.run(FORGET, [bucketOf(id), id]);
}
