import { readHandle } from '../contacts/contact-lookup.ts';
import type { Handle } from '../contacts/contact.ts';
import type { NumberCountry } from '../contacts/phone-number.ts';
import { isRefused, type Refusal, type Refused } from '../platform/refusal.ts';
import type { CsvRow } from './csv-reader.ts';
import type { FailedRow } from './import-store.ts';

/** A row of the file that names somebody, or says why it names nobody. */
export type ImportedRow = { handle: Handle } | { failed: FailedRow };

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

const TEXT_MAX = 40;

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
      const fix = 'Write the row as CSV (RFC 4180), and double quotes within quotes.';
      yield {
        failed: { line: row.line, given: '', rule: `the row is no CSV: ${row.problem}`, fix },
      };
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

/** The file has a first line in which the column that was asked for, or a known one, is missing. */
export class ColumnUnknown extends Error {
  override readonly name = 'ColumnUnknown';
}

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
      throw new ColumnUnknown(`None of the ${fields.length} columns has the name that was given.`);
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
  throw new ColumnUnknown(`None of the ${fields.length} columns has a name that is known.`);
}

function readOne(line: number, cell: string, read: ReadCell): ImportedRow {
  // A spreadsheet's own guard against formulas comes back as part of the text.
  const handle = read(cell.replace(/^'(?=\+)/, ''));
  if (!isRefused(handle)) return { handle };
  const { refused } = handle;
  return { failed: { line, given: masked(cell), rule: ruleOf(refused), fix: refused.fix } };
}

function ruleOf({ message, evidence }: Refusal): string {
  const rule = evidence?.['rule'];
  return typeof rule === 'string' ? rule : message;
}

/** Enough of the text to find the row by, and too little to call or name somebody by. */
export function masked(text: string): string {
  const shown = text.trim().slice(0, TEXT_MAX).replace(/\p{C}/gu, ' ');
  const tail = shown.slice(-2);
  return `${shown.slice(0, -2).replace(/[\p{L}\p{N}\p{M}]/gu, '*')}${tail}`;
}
