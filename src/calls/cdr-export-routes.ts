import { Readable } from 'node:stream';
import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import type { HttpServer } from '../http/server.ts';
import {
  EXPORT_FORMATS,
  EXPORT_TYPES,
  headerOf,
  linesOf,
  withAftermath,
  type ExportFormat,
} from './cdr-record-lookup.ts';
import { exportCdrs } from './cdr-store.ts';
import type { Cdr } from './cdr.ts';

const instant = z.iso.datetime({ offset: true });
const query = z.object({
  format: z.enum(EXPORT_FORMATS).default('csv').describe('CSV, or one JSON object a line.'),
  from: instant.optional().describe('Calls that were asked for at this instant or later.'),
  to: instant.optional().describe('Calls that were asked for before this instant.'),
});

const PAGE = 500;
/** An export runs as long as its reader takes. */
const EXPORT_TIMEOUT_MS = 3_600_000;

/** All call detail records of a span as one file, streamed: the size of a month does not matter. */
export function registerCdrExportRoutes(app: HttpServer, context: ApiContext): void {
  const { database } = context;
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
      const pages = exportCdrs(database, accountId, span, PAGE);
      return reply
        .type(EXPORT_TYPES[format])
        .header('content-disposition', `attachment; filename="cdrs.${format}"`)
        .send(Readable.from(lines(context, format, pages)));
    },
  );
}

async function* lines(
  { database, prices }: ApiContext,
  format: ExportFormat,
  pages: AsyncIterable<readonly Cdr[]>,
): AsyncGenerator<string> {
  const header = headerOf(format);
  if (header !== '') yield header;
  for await (const cdrs of pages) {
    yield linesOf(format, await withAftermath(database, prices, cdrs));
  }
}

function msOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}
