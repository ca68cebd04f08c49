import type { ContactUnit } from '../ledger/contact-unit.ts';
import { detailRows } from './contact-detail-store.ts';
import type { ContactDetails } from './contact-fields.ts';
import { toldRows } from './contact-mark-store.ts';

/** What the business says of a person; a field that is left out stays as it is. */
export type ContactChange = {
  name?: string | null | undefined;
  language?: string | null | undefined;
  timeZone?: string | null | undefined;
  sanctionedRegion?: boolean | undefined;
  /** What is known beside it, with what it was before, null for nothing. */
  details?: { before: ContactDetails | null; after: ContactDetails } | undefined;
  reason?: string | undefined;
};

/**
 * Records what the business says of a person; tells whether it is news. It gives no right to call:
 * a time zone is one more in which calling hours must be kept, and the mark of a sanctioned region
 * forbids all calling. A file and an operator's hand come here alike.
 */
export function changeContact(unit: ContactUnit, change: ContactChange, actor: string): boolean {
  const { contact, now } = unit;
  const { reason: _reason, details, ...wanted } = change;
  const before = { ...contact, sanctionedRegion: contact.sanctionedRegion !== null };
  const fields = (['name', 'language', 'timeZone', 'sanctionedRegion'] as const).filter(
    (field) => wanted[field] !== undefined && wanted[field] !== before[field],
  );
  const isDetailed = details !== undefined && !isSame(details.before, details.after);
  if (fields.length === 0 && !isDetailed) return false;
  const has = (field: (typeof fields)[number]): boolean => fields.includes(field);
  const { name, language = contact.language, timeZone = contact.timeZone } = wanted;
  const marked = wanted.sanctionedRegion;
  if (fields.length > 0) {
    const mark = marked === true ? { at: now, by: actor } : null;
    const sanctionedRegion = has('sanctionedRegion') ? mark : contact.sanctionedRegion;
    const marks = { language, timeZone, sanctionedRegion };
    unit.save(toldRows, contact.id, { contact, name: has('name') ? name : undefined, marks });
  }
  if (isDetailed) unit.save(detailRows, contact.id, { contact, details: details.after, now });
  recordChange(unit, isDetailed ? [...fields, 'details'] : fields, change, actor);
  return true;
}

type ChangedField = Exclude<keyof ContactChange, 'reason'>;

/** The ledger's entry of what was told; what is in the row already needs no more than this. */
export function recordChange(
  unit: ContactUnit,
  fields: readonly ChangedField[],
  change: ContactChange,
  actor: string,
): void {
  const { name, language, timeZone, sanctionedRegion, details, reason } = change;
  const has = (field: ChangedField): boolean => fields.includes(field);
  unit.record({
    type: 'ContactChanged',
    actor,
    at: unit.now,
    data: {
      fields,
      ...(has('language') ? { language } : {}),
      ...(has('timeZone') ? { timeZone } : {}),
      ...(has('sanctionedRegion') ? { sanctionedRegion: sanctionedRegion === true } : {}),
    },
    personal: {
      ...(has('name') ? { name } : {}),
      ...(has('details') ? { details: details?.after } : {}),
      ...(reason === undefined ? {} : { reason }),
    },
  });
}

function isSame(before: ContactDetails | null, after: ContactDetails): boolean {
  const { externalId, columns } = before ?? { externalId: null, columns: {} };
  const names = Object.keys(after.columns);
  return (
    externalId === after.externalId &&
    names.length === Object.keys(columns).length &&
    names.every((name) => columns[name] === after.columns[name])
  );
}
