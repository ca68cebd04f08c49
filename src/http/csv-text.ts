import type { Readable } from 'node:stream';
import { z } from 'zod';

/** How a route says that it answers with CSV: text in the document, a stream in truth. */
export const csvAnswer = {
  description: 'CSV (RFC 4180), UTF-8, with a header line.',
  content: { 'text/csv': { schema: z.string() as z.ZodType as z.ZodType<Readable> } },
};

/** What a spreadsheet would take for a formula when it opens the file (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * One line of CSV (RFC 4180), with CRLF. A field that a spreadsheet would run as a formula gets an
 * apostrophe in front, which the spreadsheet shows as plain text.
 */
export function csvLine(fields: readonly (string | number)[]): string {
  return `${fields.map((field) => quoted(neutral(String(field)))).join(',')}\r\n`;
}

function neutral(field: string): string {
  return FORMULA.test(field) ? `'${field}` : field;
}

function quoted(field: string): string {
  return /[",;\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
