import { Readable } from 'node:stream';
import { z } from 'zod';
import { isNumberCountry } from '../contacts/phone-number.ts';
import { OWN_LIST } from '../contacts/do-not-call-store.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import type { AccountId } from '../platform/ids.ts';
import { csvAnswer, csvLine } from '../http/csv-text.ts';
import {
  IMPORTS_WAITING_MAX,
  IMPORT_BYTES_MAX,
  LISTS_MAX,
  importSchema,
  listName,
} from './do-not-call.ts';
import {
  addChunk,
  createImport,
  dropImport,
  failuresOf,
  importView,
  listImports,
  queueImport,
  readImport,
  waitingImports,
  type ImportId,
  type StoredImport,
} from './import-store.ts';
import { countLists, isKnownList, saveList } from './list-store.ts';

const importQuery = z.object({
  list: listName.default(OWN_LIST),
  dryRun: z.enum(['true', 'false']).default('false').describe('Count only; add nobody.'),
  column: oneLine(100).optional().describe('Name of the column, or its number from 1.'),
  country: z
    .string()
    .refine(isNumberCountry, 'is the code of a country in capitals, such as GB')
    .optional()
    .describe('Whose national form numbers without a plus may have, such as GB.'),
  source: oneLine(200).default('import').describe('Where the list comes from.'),
  datedOn: z.iso.date().optional().describe('The day that the list is of.'),
});

const CHUNK_BYTES = 256 * 1024;
/** Longer than the server waits for a request to arrive, so that the file's own limit speaks. */
const UPLOAD_TIMEOUT_MS = 60_000;
const FAILURES_PAGE = 1_000;
const tags = ['do-not-call'];
const byId = z.object({ id: z.string() });

/** Lists from files: the upload is stored piece by piece, a worker reads it, the job tells. */
export function registerImportRoutes(app: HttpServer, context: ApiContext): void {
  // Its own scope, because only here a body is a file and stays where it is.
  app.register(async (scope: HttpServer) => registerUpload(scope, context));
  registerJobs(app, context);
}

function registerUpload(scope: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));

  scope.post(
    '/v1/do-not-call/imports',
    {
      onRequest: (request) => context.authenticator.authenticate(request),
      handlerTimeout: UPLOAD_TIMEOUT_MS,
      schema: {
        tags,
        summary: 'Import a list from CSV; the body is the file itself',
        consumes: ['text/csv'],
        querystring: importQuery,
        response: { 202: importSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      if (!/^text\/csv\b/i.test(request.headers['content-type'] ?? '')) {
        throw new HttpError('unsupported_media_type', 'Only CSV is taken here.', {
          fix: 'Send the file itself with the header Content-Type: text/csv.',
        });
      }
      const { list, column = null, country = null, source, datedOn = null } = request.query;
      const dryRun = request.query.dryRun === 'true';
      await refuseTooMany(context, accountId, list);
      const id = context.ids.next('doNotCallImport');
      const job = { id, accountId, list, column, country, dryRun };
      await createImport(database, { ...job, now: clock.now() });
      const bytes = await receive(context, id, request.raw);
      await database.transaction(async (tx) => {
        if (!dryRun)
          await saveList(tx, accountId, { name: list, source, datedOn, now: clock.now() });
        await queueImport(tx, id, bytes);
      });
      const stored = found(await readImport(database, accountId, id), 'import');
      return reply.code(202).send(importView(stored, clock.now()));
    },
  );
}

/** Stores the body as it comes: the next piece is read when the last one is in the database. */
async function receive(
  { database }: ApiContext,
  id: ImportId,
  body: AsyncIterable<Uint8Array>,
): Promise<number> {
  let bytes = 0;
  let position = 0;
  let waiting: Uint8Array[] = [];
  let size = 0;
  const store = async (): Promise<void> => {
    if (size > 0) await addChunk(database, id, position++, Buffer.concat(waiting));
    waiting = [];
    size = 0;
  };
  try {
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > IMPORT_BYTES_MAX) throw tooLarge();
      waiting.push(piece);
      size += piece.length;
      if (size >= CHUNK_BYTES) await store();
    }
    await store();
  } catch (error) {
    await dropImport(database, id);
    throw error;
  }
  return bytes;
}

function tooLarge(): HttpError {
  return new HttpError('body_too_large', `A file has at most ${IMPORT_BYTES_MAX} bytes.`, {
    fix: 'Split the file and import the parts one after the other, into the same list.',
    // What is left of the body will not be read.
    headers: { connection: 'close' },
  });
}

async function refuseTooMany(
  { database }: ApiContext,
  accountId: AccountId,
  list: string,
): Promise<void> {
  if ((await waitingImports(database, accountId)) >= IMPORTS_WAITING_MAX) {
    throw new RefusalError({
      code: 'imports_waiting',
      message: `${IMPORTS_WAITING_MAX} imports of this account are waiting already.`,
      fix: 'Wait until one is done; see GET /v1/do-not-call/imports.',
    });
  }
  if (await isKnownList(database, accountId, list)) return;
  if ((await countLists(database, accountId)) < LISTS_MAX) return;
  throw new RefusalError({
    code: 'do_not_call_list_limit',
    message: `An account has at most ${LISTS_MAX} imported lists.`,
    fix: 'Import into a list that exists.',
  });
}

function registerJobs(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/do-not-call/imports',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Imports, newest first',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(importSchema) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const { accountId } = accountOf(request);
      const jobs = await listImports(database, accountId, afterIdOf(request.query), limit + 1);
      return pageOf(jobs, limit, (job) => importView(job, clock.now()));
    },
  );

  app.get(
    '/v1/do-not-call/imports/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One import as it stands',
        params: byId,
        response: { 200: importSchema },
      },
    },
    async (request) =>
      importView(await ownJob(accountOf(request).accountId, request.params.id), clock.now()),
  );

  app.get(
    '/v1/do-not-call/imports/:id/failures',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Rows that failed, masked, with reason and fix, as CSV; kept for a day',
        params: byId,
        response: { 200: csvAnswer },
      },
    },
    async (request, reply) => {
      const { id } = await ownJob(accountOf(request).accountId, request.params.id);
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="failures.csv"')
        .send(Readable.from(failureLines(id)));
    },
  );

  async function ownJob(accountId: AccountId, text: string): Promise<StoredImport> {
    return found(await readImport(database, accountId, idFrom('doNotCallImport', text)), 'import');
  }

  async function* failureLines(id: ImportId): AsyncGenerator<string> {
    yield csvLine(['line', 'given', 'reason', 'fix']);
    for await (const rows of failuresOf(database, id, FAILURES_PAGE)) {
      yield rows.map(({ line, given, rule, fix }) => csvLine([line, given, rule, fix])).join('');
    }
  }
}
