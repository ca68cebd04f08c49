import { z } from 'zod';
import {
  importFields,
  importProgress,
  type FileWish,
  type ImportTaker,
  type StoredImport,
} from '../imports/imports.ts';
import {
  PendingUnit,
  commitUnits,
  type ContactUnit,
  type UnitPorts,
} from '../ledger/contact-unit.ts';
import type { Tx } from '../database/database.ts';
import type { ContactId } from '../platform/ids.ts';
import { findOrCreateContacts } from './contact-batch-store.ts';
import { changeContact, recordChange } from './contact-change-commands.ts';
import { addTag, detailRows, detailsOf } from './contact-detail-store.ts';
import { NO_DETAILS, type ContactDetails } from './contact-fields.ts';
import { findByHandles } from './contact-handle-store.ts';
import { readPeople, type ContactFile, type PersonRow } from './contact-import-rows.ts';
import { lockContacts, readContacts } from './contact-store.ts';
import type { Contact, Handle } from './contact.ts';

/**
 * Contacts from files. A row makes or completes a contact exactly as the API does: the same strict
 * reading of numbers, the same fields under the same rules, sealed and in the ledger. An empty
 * cell says nothing, so it never takes away what is known. A file gives no right to call anybody.
 */
export type ContactImport = ContactFile & FileWish & { tag: string };

export const contactImportSchema = z.object({
  ...importFields,
  tag: z.string().describe('What everybody of this file is tagged with.'),
  created: z.number().describe('In a dry run: would be created.'),
  updated: z.number().describe('Known before, of whom something is new.'),
  unchanged: z.number().describe('Known before exactly so, or more than once in the file.'),
});
export type ContactImportView = z.infer<typeof contactImportSchema>;

export function contactImportView(
  job: StoredImport<ContactImport>,
  now: number,
): ContactImportView {
  const { added, changed, already, wish, id } = job;
  const counts = { created: added, updated: changed, unchanged: already };
  return { ...importProgress(job, now), tag: wish.tag === '' ? id : wish.tag, ...counts };
}

/** Takes files of contacts. */
export function contactImports(ports: UnitPorts): ImportTaker<ContactImport, PersonRow> {
  return {
    kind: 'contacts',
    read: readPeople,
    personOf: ({ handle }) => handle,
    async settle(tx, job, rows) {
      const people = onePerHandle(rows);
      const counts = job.dryRun
        ? await countChanges(tx, job, people)
        : await takePeople(tx, ports, job, people);
      const { added, changed } = counts;
      return { added, changed, already: rows.length - added - changed };
    },
    ended: async () => undefined,
  };
}

/** Of several rows of one person in a batch, what the later one says counts. */
function onePerHandle(rows: readonly PersonRow[]): PersonRow[] {
  const people = new Map<Handle, PersonRow>();
  for (const row of rows) {
    const earlier = people.get(row.handle);
    const columns = { ...earlier?.columns, ...row.columns };
    people.set(row.handle, { ...earlier, ...row, columns });
  }
  return [...people.values()];
}

type Changes = { added: number; changed: number };

/** Makes and completes everybody of one batch, whose locks are taken in one order. */
async function takePeople(
  tx: Tx,
  ports: UnitPorts,
  { id, accountId, wish }: StoredImport<ContactImport>,
  people: readonly PersonRow[],
): Promise<Changes> {
  if (people.length === 0) return { added: 0, changed: 0 };
  const now = ports.clock.now();
  const wanted = people.map(({ identity, handle, name, language, timeZone }) => ({
    ...identity,
    handle,
    name: name ?? null,
    language: language ?? null,
    timeZone: timeZone ?? null,
  }));
  const { owners, made } = await findOrCreateContacts(tx, ports.ids, accountId, wanted, now);
  const news = new Set(made.map(({ contact }) => contact.id));
  const ids = [...new Set(owners.values())];
  const known = ids.filter((id) => !news.has(id));
  // On their way together, and the lock first: what is read behind it stays as it is.
  const [locked, details] = await Promise.all([lockContacts(tx, known), detailsOf(tx, known)]);
  const units = new Map(
    [...made, ...locked].map((lock) => [
      lock.contact.id,
      new PendingUnit(tx, lock, now, ports.ids),
    ]),
  );
  const changed = new Set<ContactId>();
  for (const row of people) {
    const unit = units.get(owners.get(row.handle) ?? ('' as ContactId));
    if (unit === undefined) continue;
    const contactId = unit.contact.id;
    const change = changeOf(row, details.get(contactId) ?? null);
    if (news.has(contactId)) tellNew(unit, change, `import:${id}`);
    else if (changeContact(unit, change, `import:${id}`)) changed.add(contactId);
  }
  await Promise.all([
    commitUnits(tx, ports, [...units.values()]),
    addTag(tx, accountId, wish.tag === '' ? id : wish.tag, ids),
  ]);
  return { added: made.length, changed: changed.size };
}

/** Who was made a moment ago has language and zone already; the ledger tells who said so. */
function tellNew(unit: ContactUnit, change: ReturnType<typeof changeOf>, actor: string): void {
  const { contact, now } = unit;
  const { after } = change.details;
  const isDetailed = after.externalId !== null || Object.keys(after.columns).length > 0;
  if (isDetailed) unit.save(detailRows, contact.id, { contact, details: after, now });
  const fields = (['language', 'timeZone'] as const).filter((field) => change[field] !== undefined);
  const told = isDetailed ? [...fields, 'details' as const] : fields;
  if (told.length > 0) recordChange(unit, told, change, actor);
}

function changeOf(row: PersonRow, before: ContactDetails | null) {
  const { name, language, timeZone } = row;
  const { externalId, columns } = before ?? NO_DETAILS;
  const after = {
    externalId: row.externalId ?? externalId,
    columns: { ...columns, ...row.columns },
  };
  return { name, language, timeZone, details: { before, after } };
}

/** What the batch would come to, by the same comparison. */
async function countChanges(
  tx: Tx,
  { accountId }: StoredImport<ContactImport>,
  people: readonly PersonRow[],
): Promise<Changes> {
  const handles = people.map(({ handle }) => handle);
  const owners = await findByHandles(tx, accountId, handles);
  const ids = [...new Set(owners.values())];
  const known = new Map((await readContacts(tx, ids)).map((contact) => [contact.id, contact]));
  const details = await detailsOf(tx, ids);
  let [added, changed] = [0, 0];
  for (const row of people) {
    const contact = known.get(owners.get(row.handle) ?? ('' as ContactId));
    if (contact === undefined) added += 1;
    else if (isNews(contact, row, details.get(contact.id) ?? null)) changed += 1;
  }
  return { added, changed };
}

function isNews(contact: Contact, row: PersonRow, before: ContactDetails | null): boolean {
  const { externalId = null, columns = {} } = before ?? {};
  return (
    (row.name ?? contact.name) !== contact.name ||
    (row.language ?? contact.language) !== contact.language ||
    (row.timeZone ?? contact.timeZone) !== contact.timeZone ||
    (row.externalId ?? externalId) !== externalId ||
    Object.entries(row.columns).some(([name, text]) => columns[name] !== text)
  );
}
