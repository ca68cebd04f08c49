import { Readable } from 'node:stream';
import { z } from 'zod';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import { isId, type AccountId } from '../platform/ids.ts';
import { makeLinkToken, readLinkToken } from '../platform/link-token.ts';
import type { Refused } from '../platform/refusal.ts';
import {
  cancelExport,
  createExport,
  listExports,
  piecesOf,
  readExport,
  waitingExports,
  type CdrExport,
} from './cdr-export-store.ts';
import { EXPORT_FORMATS, EXPORT_TYPES } from './cdr-record-lookup.ts';

export type CdrExportContext = ApiContext & {
  settings: { ASKFIRST_PUBLIC_URL?: string | undefined };
};

const tags = ['calls'];
const byId = z.object({ id: z.string() });
const instant = z.iso.datetime({ offset: true });
const textOrNull = z.string().nullable();

/** Tells tokens of these links from every other thing that the same key has sealed. */
const LINK_KIND = 'cdr-export-link-1';
const LINK_MS = 15 * 60_000;
const WAITING_MAX = 5;
const DOWNLOADS_PER_MINUTE = 60;
const DOWNLOAD_MS = 3_600_000;

const exportBody = z.strictObject({
  format: z.enum(EXPORT_FORMATS).default('csv').describe('CSV, or one JSON object a line.'),
  from: instant.optional().describe('Calls that were asked for at this instant or later.'),
  to: instant.optional().describe('Calls that were asked for before it; default: now.'),
});

const exportSchema = z.object({
  id: z.string(),
  format: z.enum(EXPORT_FORMATS),
  from: textOrNull,
  to: z.string(),
  state: z.enum(['queued', 'running', 'done', 'failed', 'canceled', 'expired']),
  records: z.number().describe('In the file so far.'),
  total: z.number().nullable().describe('How many there will be; null before it has begun.'),
  bytes: z.number(),
  url: textOrNull.describe('Fetches the file without a key, until `urlExpiresAt`; once done.'),
  urlExpiresAt: textOrNull,
  error: z.object({ code: z.string(), message: z.string(), fix: z.string() }).nullable(),
  createdAt: z.string(),
  startedAt: textOrNull,
  finishedAt: textOrNull,
  expiresAt: textOrNull.describe('The file is deleted then.'),
});
type ExportView = z.infer<typeof exportSchema>;

/** Call detail records as a file that is made in the background, for spans of any length. */
export function registerCdrExportJobRoutes(app: HttpServer, context: CdrExportContext): void {
  registerOrder(app, context);
  registerReading(app, context);
  registerDownload(app, context);
}

function registerOrder(app: HttpServer, context: CdrExportContext): void {
  const { clock, ids } = context;
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/cdr-exports',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Order a file of call detail records',
        body: exportBody,
        response: { 202: exportSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { format, from, to } = request.body;
      await idempotent(request, reply, context, async (tx) => {
        if ((await waitingExports(tx, accountId)) >= WAITING_MAX) return tooMany();
        const now = clock.now();
        const span = {
          from: from === undefined ? null : Date.parse(from),
          to: to === undefined ? now : Date.parse(to),
        };
        const id = ids.next('cdrExport');
        const job = await createExport(tx, { id, accountId, format, ...span, now });
        return { status: 202, body: viewOf(context, job, '') };
      });
    },
  );

  app.delete(
    '/v1/cdr-exports/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Cancel an export, and delete its file',
        params: byId,
        response: { 200: exportSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const job = await ownExport(context, request.params.id, accountId);
      await context.database.transaction((tx) => cancelExport(tx, job, clock.now()));
      return viewOf(context, await ownExport(context, job.id, accountId), '');
    },
  );
}

function registerReading(app: HttpServer, context: CdrExportContext): void {
  const { database, settings } = context;
  const onRequest = context.authenticator.authenticate;
  const baseOf = (request: { protocol: string; host: string }): string =>
    (settings.ASKFIRST_PUBLIC_URL ?? `${request.protocol}://${request.host}`).replace(/\/+$/, '');

  app.get(
    '/v1/cdr-exports',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Exports, newest first',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(exportSchema) },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { limit } = request.query;
      const page = { after: afterIdOf(request.query), limit: limit + 1 };
      const jobs = await listExports(database, accountId, page);
      return pageOf(jobs, limit, (job) => viewOf(context, job, baseOf(request)));
    },
  );

  app.get(
    '/v1/cdr-exports/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One export as it stands, with a link to its file once it is done',
        params: byId,
        response: { 200: exportSchema },
      },
    },
    async (request) => {
      const job = await ownExport(context, request.params.id, accountOf(request).accountId);
      return viewOf(context, job, baseOf(request));
    },
  );
}

function registerDownload(app: HttpServer, { database, clock, sealer }: CdrExportContext): void {
  app.get(
    '/cdr-exports/:token/:file',
    {
      config: { rateLimit: { max: DOWNLOADS_PER_MINUTE, timeWindow: 60_000 } },
      handlerTimeout: DOWNLOAD_MS,
      schema: {
        hide: true,
        params: z.object({ token: z.string(), file: z.enum(['cdrs.csv', 'cdrs.jsonl']) }),
      },
    },
    async (request, reply) => {
      const { token, file } = request.params;
      const id = readLinkToken(sealer, LINK_KIND, { token, now: clock.now() });
      const job = id !== null && isId('cdrExport', id) ? await readExport(database, id) : null;
      if (job?.state !== 'done' || file !== `cdrs.${job.format}`) throw noFile();
      return (
        reply
          .header('content-type', EXPORT_TYPES[job.format])
          // With its length a file that breaks off cannot pass as a whole one.
          .header('content-length', job.bytes)
          .header('content-disposition', `attachment; filename="${file}"`)
          .header('cache-control', 'no-store')
          .send(Readable.from(piecesOf(database, job)))
      );
    },
  );
}

async function ownExport(
  { database }: CdrExportContext,
  text: string,
  accountId: AccountId,
): Promise<CdrExport> {
  const job = await readExport(database, idFrom('cdrExport', text));
  return found(job?.accountId === accountId ? job : null, 'export');
}

function viewOf({ sealer, clock }: CdrExportContext, job: CdrExport, base: string): ExportView {
  const { id, format, state, expiresAt } = job;
  const isReady = state === 'done' && expiresAt !== null && base !== '';
  const until = isReady ? Math.min(clock.now() + LINK_MS, expiresAt) : null;
  const token = until === null ? '' : makeLinkToken(sealer, LINK_KIND, { id, expiresAt: until });
  return {
    id,
    format,
    from: isoTimeOrNull(job.from),
    to: isoTime(job.to),
    state,
    records: job.records,
    total: job.total,
    bytes: job.bytes,
    url: until === null ? null : `${base}/cdr-exports/${token}/cdrs.${format}`,
    urlExpiresAt: isoTimeOrNull(until),
    error: job.error,
    createdAt: isoTime(job.createdAt),
    startedAt: isoTimeOrNull(job.startedAt),
    finishedAt: isoTimeOrNull(job.finishedAt),
    expiresAt: isoTimeOrNull(expiresAt),
  };
}

function tooMany(): Refused {
  return {
    refused: {
      code: 'exports_waiting',
      message: `${WAITING_MAX} exports of this account are waiting already.`,
      fix: 'Wait until one is done, or cancel one: DELETE /v1/cdr-exports/{id}.',
    },
  };
}

/** The same words for a link that never was, is too old, or whose file is gone. */
function noFile(): HttpError {
  return new HttpError('not_found', 'The link is too old, or the file is gone.', {
    fix: 'Ask for a new link at GET /v1/cdr-exports/{id}.',
  });
}
