import { Readable } from 'node:stream';
import { z } from 'zod';
import { csvLine } from '../http/csv-text.ts';
import type { ApiContext } from '../http/api-context.ts';
import { cdrSchema } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import type { HttpServer } from '../http/server.ts';
import type { Cdr } from './cdr.ts';

import { exportCdrs } from './cdr-store.ts';

const instant = z.iso.datetime({ offset: true });
const query = z.object({
  format: z.enum(['csv', 'jsonl']).default('csv').describe('CSV, or one JSON object a line.'),
  from: instant.optional().describe('Calls that were asked for at this instant or later.'),
  to: instant.optional().describe('Calls that were asked for before this instant.'),
});

/** Each field of the record is a column, so a new field is a new column at its place. */
const COLUMNS = Object.keys(cdrSchema.shape) as ReadonlyArray<keyof Cdr>;
const PAGE = 500;
/** An export runs as long as its reader takes. */
const EXPORT_TIMEOUT_MS = 3_600_000;
const TYPES = { csv: 'text/csv; charset=utf-8', jsonl: 'application/jsonl; charset=utf-8' };

/** All call detail records of a span as one file, streamed: the size of a month does not matter. */
export function registerCdrExportRoutes(
  app: HttpServer,
  { database, ...context }: ApiContext,
): void {
  app.get(
    '/v1/cdrs/export',
    {
      onRequest: context.authenticator.authenticate,
      handlerTimeout: EXPORT_TIMEOUT_MS,
      schema: {
        tags: ['calls'],
        summary: 'Call detail records as a file, oldest first',
        querystring: query,
        response: {
          200: {
            description: 'CSV with a header line (RFC 4180), or JSON Lines.',
            content: {
              'text/csv': { schema: z.string() as z.ZodType as z.ZodType<Readable> },
              'application/jsonl': { schema: z.string() as z.ZodType as z.ZodType<Readable> },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { format, from, to } = request.query;
      const span = { from: msOf(from), to: msOf(to) };
      return reply
        .type(TYPES[format])
        .header('content-disposition', `attachment; filename="cdrs.${format}"`)
        .send(Readable.from(lines(format, exportCdrs(database, accountId, span, PAGE))));
    },
  );
}

async function* lines(
  format: 'csv' | 'jsonl',
  pages: AsyncIterable<readonly Cdr[]>,
): AsyncGenerator<string> {
  if (format === 'csv') yield csvLine(COLUMNS);
  const line = format === 'csv' ? csvOf : (cdr: Cdr) => `${JSON.stringify(cdr)}\n`;
  for await (const cdrs of pages) yield cdrs.map(line).join('');
}

/** What is no plain value stands as JSON in its field; what there is none of, is empty. */
function csvOf(cdr: Cdr): string {
  return csvLine(COLUMNS.map((column) => cell(cdr[column])));
}

function cell(value: Cdr[keyof Cdr]): string | number {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

function msOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}
