import { at, statement, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import { sealedIdentity } from './contact-store.ts';
import type { Contact } from './contact.ts';

const SAVE = statement(
  'contact_mark_save',
  `update contacts set language = $3, time_zone = $4, sanctioned_region_at = $5,
     sanctioned_region_by = $6
    where bucket = $1 and id = $2`,
);

export type ContactMarks = Pick<Contact, 'language' | 'timeZone' | 'sanctionedRegion'>;

/** What the business knows of a person beside the name. Needs the contact's lock. */
export async function saveMarks(tx: Tx, contact: Contact, marks: ContactMarks): Promise<void> {
  const { language, timeZone, sanctionedRegion } = marks;
  const region = [at(sanctionedRegion?.at ?? null), sanctionedRegion?.by ?? null];
  await tx.run(SAVE, [contact.bucket, contact.id, language, timeZone, ...region]);
}

/** What the business says of a person; a name of `undefined` stays as it is. */
export type ToldRow = { contact: Contact; name: string | null | undefined; marks: ContactMarks };

const SAVE_TOLD = statement(
  'contact_mark_save_told',
  `update contacts c set identity = coalesce(v.identity, c.identity), language = v.language,
     time_zone = v.time_zone, sanctioned_region_at = v.marked_at,
     sanctioned_region_by = v.marked_by
     from unnest($1::smallint[], $2::text[], $3::bytea[], $4::text[], $5::text[],
            $6::timestamptz[], $7::text[])
            v (bucket, id, identity, language, time_zone, marked_at, marked_by)
    where c.bucket = v.bucket and c.id = v.id`,
);

/** Saves what was told of many people at once. Needs the locks of the contacts. */
export const toldRows: RowStore<ToldRow> = {
  async saveAll(tx, rows) {
    await tx.run(SAVE_TOLD, [
      rows.map(({ contact }) => contact.bucket),
      rows.map(({ contact }) => contact.id),
      rows.map(({ contact: { id, e164, userId }, name }) =>
        name === undefined ? null : sealedIdentity(tx, id, { e164, userId, name }),
      ),
      rows.map(({ marks }) => marks.language),
      rows.map(({ marks }) => marks.timeZone),
      rows.map(({ marks }) => at(marks.sanctionedRegion?.at ?? null)),
      rows.map(({ marks }) => marks.sanctionedRegion?.by ?? null),
    ]);
  },
};
