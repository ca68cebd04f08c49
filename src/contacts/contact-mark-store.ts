import { at, statement, type Tx } from '../database/database.ts';
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
