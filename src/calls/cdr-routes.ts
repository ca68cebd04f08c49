import { z } from 'zod';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { readCall } from './call-store.ts';
import { recordSchema, withAftermath } from './cdr-record-lookup.ts';
import { listCdrs, readCdr } from './cdr-store.ts';

const byId = z.object({ id: z.string() });

/** The records of calls that are over. */
export function registerCdrRoutes(app: HttpServer, context: ApiContext): void {
  const { database, prices } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/calls/:id/cdr',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'The call detail record of an ended call',
        params: byId,
        response: { 200: recordSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const call = await readCall(database, idFrom('call', request.params.id));
      const { plan } = found(call?.plan.accountId === accountId ? call : null, 'call');
      const cdr = await readCdr(database, accountId, plan.id);
      const [record] = await withAftermath(database, prices, cdr === null ? [] : [cdr]);
      if (record !== undefined) return record;
      throw new HttpError('not_found', 'The call has not ended yet, so it has no record.');
    },
  );

  app.get(
    '/v1/cdrs',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'Call detail records',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(recordSchema.extend({ id: z.string() })) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const { accountId } = accountOf(request);
      const cdrs = await listCdrs(database, accountId, afterIdOf(request.query), limit + 1);
      const records = await withAftermath(database, prices, cdrs);
      return pageOf(
        records.map((record) => ({ ...record, id: record.callId })),
        limit,
        (record) => record,
      );
    },
  );
}
