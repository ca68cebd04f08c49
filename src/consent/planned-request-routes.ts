import { z } from 'zod';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { requestSchema } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { onContact } from '../ledger/contact-unit.ts';
import { isRefused } from '../platform/refusal.ts';
import { readRequest } from './consent-store.ts';
import { plannedView } from './consent-views.ts';
import { alreadyAsked, cancelPlannedRequest } from './planned-request-commands.ts';
import { listPlanned, readPlanned } from './planned-request-store.ts';

const tags = ['permissions'];

/** Requests that are to be asked later: seen, and taken back before their time. */
export function registerPlannedRoutes(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/planned-requests',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Requests planned for later, and those that did not come to be',
        description: 'One that was asked is under /v1/permission-requests, by the same id.',
        querystring: z.object({
          ...pageQuery,
          contactId: z.string().optional(),
          status: z.enum(['planned', 'cancelled', 'refused']).optional(),
        }),
        response: { 200: pageSchema(requestSchema) },
      },
    },
    async (request) => {
      const { limit, contactId, status = null } = request.query;
      const rows = await listPlanned(database, accountOf(request).accountId, {
        contactId: contactId === undefined ? null : idFrom('contact', contactId),
        status,
        after: afterIdOf(request.query),
        limit: limit + 1,
      });
      return pageOf(rows.map(plannedView), limit, (view) => view);
    },
  );

  app.post(
    '/v1/planned-requests/:id/cancel',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Cancel a planned request; one that was asked cannot be taken back',
        params: z.object({ id: z.string() }),
        response: { 200: requestSchema },
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const id = idFrom('permissionRequest', request.params.id);
      const asked = await readRequest(database, accountId, id);
      const known = asked ?? found(await readPlanned(database, accountId, id), 'request');
      const cancelled = await onContact(context, known.contactId, async (unit) => {
        const planned = await readPlanned(unit.tx, accountId, id);
        if (planned === null) return alreadyAsked();
        return cancelPlannedRequest(unit, planned, `api:${keyId}`);
      });
      if (isRefused(cancelled)) throw new RefusalError(cancelled.refused, 409);
      return plannedView(cancelled);
    },
  );
}
