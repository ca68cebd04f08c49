import { readHandle } from '../contacts/recipient.ts';
import type { Handle } from '../contacts/contact.ts';
import type { NumberCountry } from '../contacts/phone-number.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import {
  ColumnUnknown,
  type CsvRow,
  malformedRow,
  refusedRow,
  unguarded,
  type ReadRow,
} from '../imports/imports.ts';

/** A row of the file that names somebody, or says why it names nobody. */
type ImportedRow = ReadRow<Handle>;

/** How the rows of one file are to be read. */
export type RowReading = {
  /** Name or number of the column; null to find it. */
  column: string | null;
  /** Whose national form numbers may have; null for international numbers only. */
  country: NumberCountry | null;
};

/** What the first line of a list of numbers calls the column that counts. */
const KNOWN_COLUMNS = new Set(
  [
    'phone',
    'phone number',
    'phone_number',
    'phonenumber',
    'number',
    'mobile',
    'msisdn',
    'e164',
  ].concat(['tel', 'telephone', 'telefon', 'to', 'user id', 'user_id', 'bsuid', 'wa_id']),
);

/**
 * Reads the rows of a file: finds the column by the first one, which is data if it holds a number
 * there. Throws `ColumnUnknown` when it cannot be told; a wrong row is told and never stops it.
 */
export async function* readRows(
  rows: AsyncIterable<CsvRow>,
  reading: RowReading,
): AsyncGenerator<ImportedRow> {
  const read: ReadCell = (cell) => readHandle(cell, reading.country ?? undefined);
  let column: number | null = null;
  for await (const row of rows) {
    if ('problem' in row) {
      yield { failed: malformedRow(row) };
      continue;
    }
    if (column === null) {
      const found = columnOf(row.fields, reading.column, read);
      column = found.column;
      if (found.isHeader) continue;
    }
    yield readOne(row.line, row.fields[column] ?? '', read);
  }
}

type ReadCell = (cell: string) => Handle | Refused;

function columnOf(
  fields: readonly string[],
  wanted: string | null,
  read: ReadCell,
): { column: number; isHeader: boolean } {
  const namesSomebody = (cell: string): boolean => !isRefused(read(cell));
  const names = fields.map((field) => field.trim().toLowerCase());
  if (wanted !== null) {
    const named = names.indexOf(wanted.trim().toLowerCase());
    if (named !== -1) return { column: named, isHeader: true };
    const column = /^[1-9]\d{0,2}$/.test(wanted) ? Number(wanted) - 1 : -1;
    if (column === -1 || column >= fields.length) {
      throw columnUnknown(`None of the ${fields.length} columns has the name that was given.`);
    }
    return { column, isHeader: !namesSomebody(fields[column] ?? '') };
  }
  const known = names.findIndex((name) => KNOWN_COLUMNS.has(name));
  if (known !== -1) return { column: known, isHeader: true };
  const [first, ...others] = fields.flatMap((cell, index) => (namesSomebody(cell) ? [index] : []));
  // Two that could be numbers: a customer number in the wrong column would list a stranger.
  if (first !== undefined && others.length === 0) return { column: first, isHeader: false };
  // One column only: whatever its first line is, it is told as a failed row and not passed over.
  if (fields.length === 1) return { column: 0, isHeader: false };
  throw columnUnknown(`None of the ${fields.length} columns has a name that is known.`);
}

function readOne(line: number, cell: string, read: ReadCell): ImportedRow {
  const handle = read(unguarded(cell));
  if (!isRefused(handle)) return { row: handle };
  return { failed: refusedRow(line, cell, handle) };
}

function columnUnknown(message: string): ColumnUnknown {
  const fix =
    'Name the column with ?column=, as in the first line of the file, or count it from 1.';
  return new ColumnUnknown(message, fix);
}
