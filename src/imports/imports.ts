import { z } from 'zod';
import type { Tx } from '../database/database.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId, Id } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import type { CsvRow, FileEncoding } from './csv-reader.ts';
import { ENCODINGS } from './csv-reader.ts';

export { UNREADABLE, readCsv, type CsvRow, type FileEncoding } from './csv-reader.ts';

/**
 * Files that come in: an upload is stored piece by piece, a worker settles it batch by batch, and
 * the job tells how far it is. What the rows mean is the matter of whoever takes such files; what
 * is the same for all of them is here: counting, leases, going on after a death, failed rows.
 */
export const IMPORT_KINDS = ['do_not_call', 'contacts'] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];
export type ImportId = Id<'import'>;

export const IMPORTS_WAITING_MAX = 5;
export const IMPORT_BYTES_MAX = 100 * 1024 * 1024;
/** Failed rows that are kept for the failures file; all are counted. */
export const FAILURES_MAX = 10_000;

/** What can be wished for of every file. */
export type FileWish = { encoding?: FileEncoding | undefined };
export const encodingField = z
  .enum(ENCODINGS)
  .optional()
  .describe('Where the file is not UTF-8; a byte order mark at its beginning counts more.');

export type ImportError = { code: string; message: string; fix: string };

export type StoredImport<Wish> = {
  id: ImportId;
  accountId: AccountId;
  wish: Wish;
  dryRun: boolean;
  state: 'receiving' | 'queued' | 'running' | 'done' | 'failed';
  bytes: number;
  readBytes: number;
  rows: number;
  added: number;
  changed: number;
  already: number;
  failed: number;
  error: ImportError | null;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
};

/**
 * One row that could not be taken, masked, with the line of the file that it stands in; `field` is
 * what could not be read of it, such as `number`, or `row` where it is none.
 */
export type FailedRow = { line: number; field: string; given: string; rule: string; fix: string };

/** A row as whoever takes the file reads it, or why it cannot be read. */
export type ReadRow<Row> = { row: Row } | { failed: FailedRow };

/** What a batch of rows came to; rows that failed are counted by who reads them. */
export type Settled = { added: number; changed: number; already: number };

/** What one kind of file means. All of it runs in transactions that may be tried again. */
export type ImportTaker<Wish, Row> = {
  kind: ImportKind;
  read(rows: AsyncIterable<CsvRow>, wish: Wish): AsyncIterable<ReadRow<Row>>;
  /** Two rows of one person are never taken at the same time. */
  personOf(row: Row): string;
  /** Takes a batch; in a dry run it only counts. */
  settle(tx: Tx, job: StoredImport<Wish>, rows: readonly Row[]): Promise<Settled>;
  /** What is to be remembered of the whole file, in the transaction that ends the job. */
  ended(tx: Tx, job: StoredImport<Wish>): Promise<void>;
};

/** The file has a first line in which a column that is needed cannot be told. */
export class ColumnUnknown extends Error {
  override readonly name = 'ColumnUnknown';
  readonly fix: string;

  constructor(message: string, fix: string) {
    super(message);
    this.fix = fix;
  }
}

/** What to do about letters that could not be read. */
export const ENCODING_FIX =
  'Save the file as UTF-8, or say what it is, such as ?encoding=windows-1252, and send it again.';

const instant = z.string().describe('RFC 3339, UTC');

/** The fields that a job has whatever the file means. */
export const importFields = {
  id: z.string(),
  dryRun: z.boolean(),
  state: z.enum(['receiving', 'queued', 'running', 'done', 'failed']),
  bytes: z.number(),
  readBytes: z.number().describe('How far into the file the rows that are settled reach.'),
  rows: z.number().describe('Rows read so far; each is counted in one of the others.'),
  failed: z.number(),
  rowsPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable().describe('While it runs, from the rate so far.'),
  error: z.object({ code: z.string(), message: z.string(), fix: z.string() }).nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
};

/** Those fields of one job, as it stands at `now`. */
export function importProgress(job: StoredImport<unknown>, now: number) {
  const { id, dryRun, state, bytes, readBytes, rows, failed, error } = job;
  const { createdAt, startedAt, finishedAt } = job;
  const seconds = startedAt === null ? 0 : ((finishedAt ?? now) - startedAt) / 1_000;
  const bytesPerSecond = seconds > 0 ? readBytes / seconds : 0;
  const iso = (at: number | null): string | null => (at === null ? null : isoTime(at));
  return {
    id,
    dryRun,
    state,
    bytes,
    readBytes,
    rows,
    failed,
    rowsPerSecond: seconds > 0 ? Math.round(rows / seconds) : null,
    secondsLeft:
      state === 'running' && bytesPerSecond > 0
        ? Math.ceil(Math.max(0, bytes - readBytes) / bytesPerSecond)
        : null,
    error,
    createdAt: isoTime(createdAt),
    startedAt: iso(startedAt),
    finishedAt: iso(finishedAt),
  };
}

/** A row that is no CSV. */
export function malformedRow({ line, problem }: { line: number; problem: string }): FailedRow {
  const fix = 'Write the row as CSV (RFC 4180), and double quotes within quotes.';
  return { line, field: 'row', given: '', rule: `the row is no CSV: ${problem}`, fix };
}

/** A row of which a cell was refused. */
export function refusedRow(line: number, cell: string, { refused }: Refused): FailedRow {
  const rule = refused.evidence?.['rule'];
  const said = typeof rule === 'string' ? rule : refused.message;
  return { line, field: 'number', given: masked(cell), rule: said, fix: refused.fix };
}

/** A spreadsheet's own guard against formulas comes back as part of the text of a number. */
export function unguarded(cell: string): string {
  return cell.replace(/^'(?=\+)/, '');
}

const SHOWN_MAX = 40;

/** Enough of the text to find the row by, and too little to call or name somebody by. */
export function masked(text: string): string {
  const shown = text.trim().slice(0, SHOWN_MAX).replace(/\p{C}/gu, ' ');
  const tail = shown.slice(-2);
  return `${shown.slice(0, -2).replace(/[\p{L}\p{N}\p{M}]/gu, '*')}${tail}`;
}
