import { Readable } from 'node:stream';
import { z } from 'zod';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { csvAnswer, csvLine } from '../http/csv-text.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import type { Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import {
  addChunk,
  createImport,
  dropImport,
  failuresOf,
  listImports,
  queueImport,
  readImport,
  waitingImports,
} from './import-store.ts';
import {
  IMPORTS_WAITING_MAX,
  IMPORT_BYTES_MAX,
  type ImportId,
  type ImportKind,
  type StoredImport,
} from './imports.ts';

/** The routes of one kind of file: the upload, the jobs, and the rows that failed. */
export type ImportRoutes<Query extends z.ZodObject, Wish extends object> = {
  kind: ImportKind;
  path: string;
  tag: string;
  summary: string;
  query: Query;
  view: z.ZodType;
  viewOf: (job: StoredImport<Wish>, now: number) => object;
  /** What is asked for, after whatever may be refused was asked about. */
  wishOf: (
    accountId: AccountId,
    query: z.output<Query>,
  ) => Promise<{ wish: Wish; dryRun: boolean }>;
  /** Written together with the job, when the whole file is there. */
  received?: (tx: Tx, accountId: AccountId, query: z.output<Query>) => Promise<void>;
};

const CHUNK_BYTES = 256 * 1024;
/** Longer than the server waits for a request to arrive, so that the file's own limit speaks. */
const UPLOAD_TIMEOUT_MS = 60_000;
const FAILURES_PAGE = 1_000;
const byId = z.object({ id: z.string() });

export function registerImports<Query extends z.ZodObject, Wish extends object>(
  app: HttpServer,
  context: ApiContext,
  routes: ImportRoutes<Query, Wish>,
): void {
  // Its own scope, because only here a body is a file and stays where it is.
  app.register(async (scope: HttpServer) => registerUpload(scope, context, routes));
  registerJobs(app, context, routes);
  registerFailures(app, context, routes);
}

function registerUpload<Query extends z.ZodObject, Wish extends object>(
  scope: HttpServer,
  context: ApiContext,
  routes: ImportRoutes<Query, Wish>,
): void {
  const { database, clock } = context;
  const { kind, path, tag, summary, query, view } = routes;
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));

  scope.post(
    path,
    {
      onRequest: (request) => context.authenticator.authenticate(request),
      handlerTimeout: UPLOAD_TIMEOUT_MS,
      schema: {
        tags: [tag],
        summary,
        consumes: ['text/csv'],
        querystring: query,
        response: { 202: view },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      if (!/^text\/csv\b/i.test(request.headers['content-type'] ?? '')) {
        throw new HttpError('unsupported_media_type', 'Only CSV is taken here.', {
          fix: 'Send the file itself with the header Content-Type: text/csv.',
        });
      }
      const asked = request.query as z.output<Query>;
      await refuseTooMany(context, accountId, kind, path);
      const { wish, dryRun } = await routes.wishOf(accountId, asked);
      const id = context.ids.next('import');
      await createImport(database, { id, accountId, kind, wish, dryRun, now: clock.now() });
      const bytes = await receive(context, id, request.raw);
      await database.transaction(async (tx) => {
        if (!dryRun) await routes.received?.(tx, accountId, asked);
        await queueImport(tx, id, bytes);
      });
      const stored = found(await readImport<Wish>(database, accountId, kind, id), 'import');
      return reply.code(202).send(routes.viewOf(stored, clock.now()));
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
    fix: 'Split the file and import the parts one after the other.',
    // What is left of the body will not be read.
    headers: { connection: 'close' },
  });
}

async function refuseTooMany(
  { database }: ApiContext,
  accountId: AccountId,
  kind: ImportKind,
  path: string,
): Promise<void> {
  if ((await waitingImports(database, accountId, kind)) < IMPORTS_WAITING_MAX) return;
  throw new RefusalError({
    code: 'imports_waiting',
    message: `${IMPORTS_WAITING_MAX} imports of this account are waiting already.`,
    fix: `Wait until one is done; see GET ${path}.`,
  });
}

function registerJobs<Query extends z.ZodObject, Wish extends object>(
  app: HttpServer,
  context: ApiContext,
  { kind, path, tag, view, viewOf }: ImportRoutes<Query, Wish>,
): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = [tag];

  app.get(
    path,
    {
      onRequest,
      schema: {
        tags,
        summary: 'Imports, newest first',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(view) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const { accountId } = accountOf(request);
      const page = { after: afterIdOf(request.query), limit: limit + 1 };
      const jobs = await listImports<Wish>(database, accountId, kind, page);
      return pageOf(jobs, limit, (job) => viewOf(job, clock.now()));
    },
  );

  app.get(
    `${path}/:id`,
    {
      onRequest,
      schema: {
        tags,
        summary: 'One import as it stands',
        params: byId,
        response: { 200: view },
      },
    },
    async (request) => {
      const id = idFrom('import', request.params.id);
      const job = await readImport<Wish>(database, accountOf(request).accountId, kind, id);
      return viewOf(found(job, 'import'), clock.now());
    },
  );
}

function registerFailures<Query extends z.ZodObject, Wish extends object>(
  app: HttpServer,
  { database, authenticator }: ApiContext,
  { kind, path, tag }: ImportRoutes<Query, Wish>,
): void {
  app.get(
    `${path}/:id/failures`,
    {
      onRequest: authenticator.authenticate,
      schema: {
        tags: [tag],
        summary: 'Rows that failed, masked, with reason and fix, as CSV; kept for a day',
        params: byId,
        response: { 200: csvAnswer },
      },
    },
    async (request, reply) => {
      const id = idFrom('import', request.params.id);
      found(await readImport(database, accountOf(request).accountId, kind, id), 'import');
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="failures.csv"')
        .send(Readable.from(failureLines(id)));
    },
  );

  async function* failureLines(id: ImportId): AsyncGenerator<string> {
    yield csvLine(['line', 'field', 'given', 'reason', 'fix']);
    for await (const rows of failuresOf(database, id, FAILURES_PAGE)) {
      yield rows
        .map(({ line, field, given, rule, fix }) => csvLine([line, field, given, rule, fix]))
        .join('');
    }
  }
}
