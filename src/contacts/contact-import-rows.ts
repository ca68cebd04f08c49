import type { z } from 'zod';
import {
  ColumnUnknown,
  ENCODING_FIX,
  UNREADABLE,
  malformedRow,
  masked,
  refusedRow,
  unguarded,
  type CsvRow,
  type ReadRow,
} from '../imports/imports.ts';
import { isRefused } from '../platform/refusal.ts';
import { FIELD_NAMES, knownColumn, type FieldName } from './contact-columns.ts';
import {
  COLUMNS_MAX,
  columnText,
  contactLanguage,
  contactName,
  contactTimeZone,
  externalId,
} from './contact-fields.ts';
import { numberHandle, userHandle, type Contact, type Handle } from './contact.ts';
import type { NumberCountry } from './phone-number.ts';
import { readRecipient } from './recipient.ts';

/** Which column is what, by name or number from 1; null to find it by its name. */
export type ColumnMap = Record<FieldName, string | null>;

export type ContactFile = {
  columns: ColumnMap;
  /** Whether columns that are none of these become variables. */
  keepsOthers: boolean;
  /** Whose national form numbers may have; null for international numbers only. */
  country: NumberCountry | null;
};

/** A row that names somebody, with what it says of them. */
export type PersonRow = {
  handle: Handle;
  identity: Pick<Contact, 'e164' | 'userId' | 'country'>;
  name?: string;
  language?: string;
  timeZone?: string;
  externalId?: string;
  columns: Record<string, string>;
};

type Layout = {
  /** How many fields the first line has. */
  width: number;
  fields: Map<FieldName, number>;
  others: Array<{ name: string; index: number }>;
  isHeader: boolean;
};

/**
 * Reads the rows of a file of contacts. The first line says what the columns are; where its number
 * column holds a number it is data, and columns are meant by their place. Throws `ColumnUnknown`
 * when they cannot be told; a wrong row is told and never stops the file.
 */
export async function* readPeople(
  rows: AsyncIterable<CsvRow>,
  file: ContactFile,
): AsyncGenerator<ReadRow<PersonRow>> {
  let layout: Layout | null = null;
  for await (const row of rows) {
    if ('problem' in row) {
      yield { failed: malformedRow(row) };
      continue;
    }
    if (layout === null) {
      layout = layoutOf(row.fields, file);
      if (layout.isHeader) continue;
    }
    yield readPerson(row.line, row.fields, layout, file);
  }
}

function layoutOf(cells: readonly string[], file: ContactFile): Layout {
  const names = cells.map((cell) => cell.trim().toLowerCase());
  const fields = new Map<FieldName, number>();
  for (const field of FIELD_NAMES) {
    const wanted = file.columns[field];
    const at =
      wanted === null
        ? knownColumn(names, field, [...fields.values()])
        : namedColumn(names, wanted);
    if (at !== null) fields.set(field, at);
    else if (wanted !== null) throw unknownColumn(field, names.length);
  }
  const number = fields.get('number') ?? (names.length === 1 ? 0 : undefined);
  if (number === undefined) throw unknownColumn('number', names.length);
  fields.set('number', number);
  const isHeader = isRefused(readRecipient(unguarded(cells[number] ?? ''), countryOf(file)));
  const others = file.keepsOthers ? othersOf(names, fields, isHeader) : [];
  return { width: cells.length, fields, others, isHeader };
}

function namedColumn(names: readonly string[], wanted: string): number | null {
  const named = names.indexOf(wanted.trim().toLowerCase());
  if (named !== -1) return named;
  const place = /^[1-9]\d{0,2}$/.test(wanted) ? Number(wanted) - 1 : names.length;
  return place < names.length ? place : null;
}

function unknownColumn(field: FieldName, count: number): ColumnUnknown {
  const message = `None of the ${count} columns can be told to be the ${field}.`;
  const fix = `Name it with ?${field}=, as in the first line of the file, or count it from 1.`;
  return new ColumnUnknown(message, fix);
}

/** A name that a template's variable may have; two that come to the same are told apart. */
function othersOf(
  names: readonly string[],
  fields: ReadonlyMap<FieldName, number>,
  isHeader: boolean,
): Layout['others'] {
  const taken = new Set(fields.values());
  const used = new Set<string>();
  const others = names.flatMap((given, index) => {
    if (taken.has(index)) return [];
    if (isHeader && given.includes(UNREADABLE)) throw unreadableColumn(index);
    const plain = given.normalize('NFKD').replace(/[^a-z0-9]+/g, '_');
    const name = isHeader ? plain.replace(/^[_\d]+|_+$/g, '').slice(0, 60) : '';
    const base = name === '' ? `column_${index + 1}` : name;
    const unique = used.has(base) ? `${base}_${index + 1}` : base;
    used.add(unique);
    return [{ name: unique, index }];
  });
  if (others.length <= COLUMNS_MAX) return others;
  throw new ColumnUnknown(
    `The file has ${others.length} further columns; ${COLUMNS_MAX} can be kept.`,
    'Leave columns out of the file, or send it with ?others=drop.',
  );
}

function unreadableColumn(index: number): ColumnUnknown {
  const message = `The name of column ${index + 1} has letters that could not be read.`;
  return new ColumnUnknown(message, ENCODING_FIX);
}

function countryOf({ country }: ContactFile): NumberCountry | undefined {
  return country ?? undefined;
}

const TEXTS = {
  name: { schema: contactName, what: 'the name' },
  language: { schema: contactLanguage, what: 'the language' },
  timeZone: { schema: contactTimeZone, what: 'the time zone' },
  externalId: { schema: externalId, what: 'the external id' },
} as const;
const TEXT_FIELDS = Object.keys(TEXTS) as Array<keyof typeof TEXTS>;

function readPerson(
  line: number,
  cells: readonly string[],
  { width, fields, others }: Layout,
  file: ContactFile,
): ReadRow<PersonRow> {
  const given = cells[fields.get('number') ?? 0] ?? '';
  const fail = (field: string, rule: string, fix = CELL_FIX): ReadRow<PersonRow> => ({
    failed: { line, field, given: masked(given), rule, fix },
  });
  // A name with a comma and no quotes moves all that follows into the wrong columns.
  if (cells.slice(width).some((cell) => cell.trim() !== '')) {
    const rule = `the row has ${cells.length} fields, the first line has ${width}`;
    return fail('row', rule, 'Put a field that holds the delimiter into double quotes.');
  }
  const recipient = readRecipient(unguarded(given), countryOf(file));
  if (isRefused(recipient)) return { failed: refusedRow(line, given, recipient) };
  const { e164 = null, userId = null, country = null } = recipient;
  const handle = userId === null ? numberHandle(e164 ?? '') : userHandle(userId);
  const row: PersonRow = { handle, identity: { e164, userId, country }, columns: {} };
  for (const field of TEXT_FIELDS) {
    const at = fields.get(field);
    const text = at === undefined ? '' : (cells[at] ?? '').trim();
    if (text === '') continue;
    const { schema, what } = TEXTS[field];
    if (text.includes(UNREADABLE)) return fail(field, `${what} ${NOT_READ}`, ENCODING_FIX);
    // A spreadsheet or a browser writes pt-BR where the rest of the trade writes pt_BR.
    const plain = field === 'language' ? text.replace('-', '_') : text;
    const rule = ruleBroken(schema, plain);
    if (rule !== null) return fail(field, `${what} ${rule}`);
    row[field] = plain;
  }
  for (const { name, index } of others) {
    const text = (cells[index] ?? '').trim();
    if (text === '') continue;
    if (text.includes(UNREADABLE))
      return fail(name, `the column ${name} ${NOT_READ}`, ENCODING_FIX);
    const rule = ruleBroken(columnText, text);
    if (rule !== null) return fail(name, `the column ${name} ${rule}`);
    row.columns[name] = text;
  }
  return { row };
}

const CELL_FIX = 'Correct the cell, or leave it empty, and send the row again.';
const NOT_READ = 'has letters that could not be read';

function ruleBroken(schema: z.ZodType, text: string): string | null {
  const parsed = schema.safeParse(text);
  return parsed.success ? null : (parsed.error.issues[0]?.message ?? 'is not usable');
}
