import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import type { HttpServer } from '../http/server.ts';
import { encodingField, readCsv } from '../imports/imports.ts';
import { FIELD_NAMES, knownColumn } from './contact-columns.ts';

const BYTES_MAX = 65_536;
const SAMPLES = 3;
const SAMPLE_LENGTH_MAX = 60;

export const fileColumnsSchema = z.object({
  columns: z.array(
    z.object({
      name: z.string().describe('As in the first line.'),
      samples: z.array(z.string()).describe('What stands below it in the first rows.'),
      field: z.enum(FIELD_NAMES).nullable().describe('What it is taken for by its name.'),
    }),
  ),
});
export type FileColumns = z.infer<typeof fileColumnsSchema>;

/** What the columns of a file are, told from its beginning; nothing is kept of it. */
export function registerFileColumnsRoute(app: HttpServer, context: ApiContext): void {
  app.register(async (scope: HttpServer) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'text/csv',
      { parseAs: 'buffer', bodyLimit: BYTES_MAX },
      (_request, body, done) => done(null, body),
    );
    scope.post(
      '/v1/contact-imports/columns',
      {
        onRequest: context.authenticator.authenticate,
        schema: {
          tags: ['contacts'],
          summary: 'The columns of a file, from its first 64 kB: names, samples, what each is',
          consumes: ['text/csv'],
          querystring: z.object({ encoding: encodingField }),
          response: { 200: fileColumnsSchema },
        },
      },
      async (request) => {
        const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
        const rows: string[][] = [];
        for await (const row of readCsv([bytes], request.query.encoding)) {
          if ('fields' in row) rows.push(row.fields);
          if (rows.length > SAMPLES) break;
        }
        return { columns: columnsOf(rows) };
      },
    );
  });
}

function columnsOf([names = [], ...rows]: readonly string[][]): FileColumns['columns'] {
  const small = names.map((name) => name.trim().toLowerCase());
  const found: number[] = [];
  for (const field of FIELD_NAMES) found.push(knownColumn(small, field, found) ?? -1);
  return names.map((name, index) => ({
    name: name.trim(),
    samples: rows
      .map((row) => (row[index] ?? '').trim().slice(0, SAMPLE_LENGTH_MAX))
      .filter((cell) => cell !== ''),
    field: FIELD_NAMES[found.indexOf(index)] ?? null,
  }));
}
