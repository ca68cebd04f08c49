import { z } from 'zod';
import { OPT_OUT_LIST, OWN_LIST, type ListedEntry } from '../contacts/do-not-call-store.ts';
import type { NumberCountry } from '../contacts/phone-number.ts';
import {
  importFields,
  importProgress,
  type FileWish,
  type StoredImport,
} from '../imports/imports.ts';
import { isoTime } from '../platform/clock.ts';

/**
 * Do-not-call: an account has its `own` list, `opt_out` with what people said themselves, and
 * lists that it imports, such as a national one. An entry on any of them blocks every call and
 * every request, checked inside the dial's transaction. Entries are keyed hashes, never numbers.
 */
/** The account's own chain in the ledger; a user id of a country that Meta cannot have. */
export const REGISTER_USER_ID = 'ZZ.DoNotCallRegister';

export const LISTS_MAX = 100;

/** A list that the business may write to. */
export const listName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'has 1 to 63 of a-z, 0-9, - and _, such as tps-2026-06')
  .refine((name) => name !== OPT_OUT_LIST, 'is not opt_out: only people themselves write to it')
  .describe('Name of a list.');

const instant = z.string().describe('RFC 3339, UTC');

export const standingSchema = z.object({
  listed: z.boolean().describe('On any list, so never called and never asked.'),
  contactId: z.string().nullable(),
  entries: z.array(
    z.object({
      list: z.string().describe(`${OWN_LIST}, ${OPT_OUT_LIST}, or an imported list.`),
      reason: z.string(),
      source: z.string().describe('How it came about, such as api or import.'),
      addedAt: instant,
    }),
  ),
});
export type StandingView = z.infer<typeof standingSchema>;

export const listSchema = z.object({
  name: z.string(),
  entries: z.number().describe('A person known by number and user id has two.'),
  source: z.string().nullable(),
  datedOn: z.string().nullable().describe('The day that the list is of.'),
  importedAt: instant.nullable(),
});

export const importSchema = z.object({
  ...importFields,
  list: z.string(),
  added: z.number().describe('In a dry run: would be added.'),
  already: z.number().describe('On the list before, or more than once in the file.'),
});
export type ImportView = z.infer<typeof importSchema>;

/** What is asked of the import of a list. */
export type ListImport = FileWish & {
  list: string;
  column: string | null;
  country: NumberCountry | null;
};

export function importView(job: StoredImport<ListImport>, now: number): ImportView {
  const { added, already, wish } = job;
  return { ...importProgress(job, now), list: wish.list, added, already };
}

/** One person as an answer of the API; two handles on one list are one entry. */
export function standingView(
  contactId: string | null,
  entries: readonly ListedEntry[],
): StandingView {
  const shown = new Map<string, ListedEntry>();
  for (const entry of entries) if (!shown.has(entry.list)) shown.set(entry.list, entry);
  return {
    listed: entries.length > 0,
    contactId,
    entries: [...shown.values()].map(({ list, reason, source, addedAt }) => ({
      list,
      reason,
      source,
      addedAt: isoTime(addedAt),
    })),
  };
}
