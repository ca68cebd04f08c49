import type { ContactUnit } from '../ledger/contact-unit.ts';
import { saveMarks } from './contact-mark-store.ts';
import { saveIdentity } from './contact-store.ts';

/** What the business says of a person; a field that is left out stays as it is. */
export type ContactChange = {
  name?: string | null | undefined;
  language?: string | null | undefined;
  timeZone?: string | null | undefined;
  sanctionedRegion?: boolean | undefined;
  reason?: string | undefined;
};

/**
 * Records what the business says of a person. It gives no right to call: a time zone is one more
 * in which calling hours must be kept, and the mark of a sanctioned region forbids all calling.
 */
export async function changeContact(
  unit: ContactUnit,
  change: ContactChange,
  actor: string,
): Promise<void> {
  const { contact, tx, now } = unit;
  const { reason, ...wanted } = change;
  const before = { ...contact, sanctionedRegion: contact.sanctionedRegion !== null };
  const fields = (['name', 'language', 'timeZone', 'sanctionedRegion'] as const).filter(
    (field) => wanted[field] !== undefined && wanted[field] !== before[field],
  );
  if (fields.length === 0) return;
  const { name = contact.name } = wanted;
  if (fields.includes('name')) await saveIdentity(tx, contact.id, { ...contact, name });
  const { language = contact.language, timeZone = contact.timeZone } = wanted;
  const marked = wanted.sanctionedRegion;
  const mark = marked === true ? { at: now, by: actor } : null;
  const sanctionedRegion = fields.includes('sanctionedRegion') ? mark : contact.sanctionedRegion;
  await saveMarks(tx, contact, { language, timeZone, sanctionedRegion });
  const has = (field: (typeof fields)[number]): boolean => fields.includes(field);
  unit.record({
    type: 'ContactChanged',
    actor,
    at: now,
    data: {
      fields,
      ...(has('language') ? { language } : {}),
      ...(has('timeZone') ? { timeZone } : {}),
      ...(has('sanctionedRegion') ? { sanctionedRegion: marked === true } : {}),
    },
    personal: { ...(has('name') ? { name } : {}), ...(reason === undefined ? {} : { reason }) },
  });
}
