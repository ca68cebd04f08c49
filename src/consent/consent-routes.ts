import { z } from 'zod';
import { attributionSchema } from '../attribution/attribution-schemas.ts';
import { contactFor } from '../contacts/contact-lookup.ts';
import { readExperiment } from '../experiments/experiment-store.ts';
import { experimentIdField } from '../experiments/experiment-schemas.ts';
import { type ApiContext, found, idFrom, lineFor, refusedAnswer } from '../http/api-context.ts';
import { oneLine, permissionSchema, requestSchema } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { onContact, withContact } from '../ledger/contact-unit.ts';
import type { ContactId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { requestWarnings } from '../practices/practice-lookup.ts';
import { warningsField } from '../practices/practices.ts';
import { DEFAULT_TEMPLATE } from '../templates/template.ts';
import { listPermissions, listRequests, readPermission, readRequest } from './consent-store.ts';
import { permissionView, plannedView, requestView } from './consent-views.ts';
import { askOrPlan } from './planned-request-commands.ts';
import { registerPlannedRoutes } from './planned-request-routes.ts';
import { readPlanned } from './planned-request-store.ts';
import type { PlannedWish } from './planned-request.ts';
import { revokePermission } from './revoke-commands.ts';
import {
  STOP_LINK_DAYS,
  STOP_LINK_VARIABLE,
  makeStopLink,
  type StopLinkPorts,
} from './stop-link.ts';

const askBody = z.strictObject({
  to: z.string().min(1).max(100).describe('Number (E.164) or business-scoped user id.'),
  purpose: z
    .string()
    .min(1)
    .max(500)
    .describe('What the call will be about, as a customer reads it.'),
  name: oneLine(100).optional().describe('How to address the customer.'),
  lineId: z.string().optional(),
  template: z.string().max(200).default(DEFAULT_TEMPLATE),
  language: z
    .string()
    .max(20)
    .optional()
    .describe('That of the last request to this customer when left out, else en_US.'),
  variables: z
    .array(z.string().max(1_000))
    .max(20)
    .optional()
    .describe(
      `Template variables; for the default template: name and purpose. ${STOP_LINK_VARIABLE} ` +
        'becomes a link with which this customer stops calls.',
    ),
  promisedAt: z.iso.datetime({ offset: true }).optional().describe('When you promise to call.'),
  sendAt: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('When to ask; at most 90 days ahead. Default: now, or the hour of the arm.'),
  experimentId: experimentIdField,
  attribution: attributionSchema.optional(),
});

const byId = z.object({ id: z.string() });
const listQuery = z.object({ ...pageQuery, contactId: z.string().optional() });

/** Asking for permission, and what came of it. */
export function registerConsentRoutes(app: HttpServer, context: ApiContext & StopLinkPorts): void {
  registerAsking(app, context);
  registerRequests(app, context);
  registerPlannedRoutes(app, context);
  registerPermissions(app, context);
}

function registerAsking(app: HttpServer, context: ApiContext & StopLinkPorts): void {
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/permission-requests',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags: ['permissions'],
        summary: 'Ask a customer for permission to call, now or later',
        body: askBody,
        response: { 202: requestSchema.extend({ warnings: warningsField }) },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const { body } = request;
      const base = `${request.protocol}://${request.host}`;
      const sendAt = body.sendAt === undefined ? null : Date.parse(body.sendAt);
      const now = context.clock.now();
      // The days of a link count from when it is read.
      const at = { base, now: Math.max(now, sendAt ?? now), validDays: STOP_LINK_DAYS };
      const stopLink = (contactId: ContactId): string =>
        makeStopLink(context, { accountId, contactId }, at).url;
      await idempotent(request, reply, context, async (tx) => {
        const line = await lineFor(tx, accountId, body.lineId);
        const wanted = { to: body.to, name: body.name };
        const contactId = await contactFor(tx, context, accountId, wanted);
        if (isRefused(contactId)) return refusedAnswer(contactId);
        const experimentId =
          body.experimentId === undefined ? undefined : idFrom('experiment', body.experimentId);
        if (experimentId !== undefined) {
          found(await readExperiment(tx, accountId, experimentId), 'experiment');
        }
        const filled = body.variables?.map((text) =>
          text === STOP_LINK_VARIABLE ? stopLink(contactId) : text,
        );
        const wish: PlannedWish = {
          purpose: body.purpose,
          name: body.name ?? null,
          template: body.template,
          language: body.language ?? null,
          variables: filled ?? null,
          promisedAt: body.promisedAt === undefined ? null : Date.parse(body.promisedAt),
          experimentId: experimentId ?? null,
          attribution: body.attribution ?? null,
          actor: `api:${keyId}`,
        };
        const row = await withContact(context, tx, contactId, (unit) =>
          askOrPlan(unit, context, line, { wish, sendAt }),
        );
        if (isRefused(row)) {
          const answer = refusedAnswer(row);
          return row.refused.code === 'request_planned' ? { ...answer, status: 409 } : answer;
        }
        if ('plannedAt' in row) {
          const { purpose, promisedAt } = row.wish;
          const meant = { purpose, promisedAt, now: row.dueAt };
          const warned = await requestWarnings(tx, accountId, meant);
          return { status: 202, body: { ...plannedView(row), ...warned } };
        }
        const asked = { ...row.request, now };
        const warned = await requestWarnings(tx, accountId, asked);
        return { status: 202, body: { ...requestView(row), ...warned } };
      });
    },
  );
}

function registerRequests(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/permission-requests',
    {
      onRequest,
      schema: {
        tags: ['permissions'],
        summary: 'Permission requests and what came of them',
        querystring: listQuery,
        response: { 200: pageSchema(requestSchema) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const rows = await listRequests(
        database,
        accountOf(request).accountId,
        filterOf(request.query),
      );
      return pageOf(rows.map(requestView), limit, (view) => view);
    },
  );

  app.get(
    '/v1/permission-requests/:id',
    {
      onRequest,
      schema: {
        tags: ['permissions'],
        summary: 'One permission request',
        params: byId,
        response: { 200: requestSchema },
      },
    },
    async (request) => {
      const id = idFrom('permissionRequest', request.params.id);
      const { accountId } = accountOf(request);
      const row = await readRequest(database, accountId, id);
      if (row !== null) return requestView(row);
      return plannedView(found(await readPlanned(database, accountId, id), 'permission request'));
    },
  );
}

function registerPermissions(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/permissions',
    {
      onRequest,
      schema: {
        tags: ['permissions'],
        summary: 'Permissions, also those that are over',
        querystring: listQuery,
        response: { 200: pageSchema(permissionSchema) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const { accountId } = accountOf(request);
      const rows = await listPermissions(database, accountId, filterOf(request.query));
      return pageOf(rows.map(permissionView), limit, (view) => view);
    },
  );

  app.get(
    '/v1/permissions/:id',
    {
      onRequest,
      schema: {
        tags: ['permissions'],
        summary: 'One permission',
        params: byId,
        response: { 200: permissionSchema },
      },
    },
    async (request) => {
      const id = idFrom('permission', request.params.id);
      const row = await readPermission(database, accountOf(request).accountId, id);
      return permissionView(found(row, 'permission'));
    },
  );

  app.post(
    '/v1/permissions/:id/revoke',
    {
      onRequest,
      schema: {
        tags: ['permissions'],
        summary: 'Take a permission back; a call that rings on it is called off',
        params: byId,
        body: z.strictObject({ reason: z.string().min(1).max(200) }),
        response: { 200: permissionSchema },
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const id = idFrom('permission', request.params.id);
      const { contactId, lineId } = found(
        await readPermission(database, accountId, id),
        'permission',
      );
      const revoke = { reason: request.body.reason, actor: `api:${keyId}` };
      const refused = await onContact(context, contactId, (unit) =>
        revokePermission(unit, context, { id, lineId, ...revoke }),
      );
      if (isRefused(refused)) throw new RefusalError(refused.refused);
      return permissionView(found(await readPermission(database, accountId, id), 'permission'));
    },
  );
}

function filterOf(query: z.infer<typeof listQuery>) {
  const { contactId, limit } = query;
  return {
    contactId: contactId === undefined ? null : idFrom('contact', contactId),
    after: afterIdOf(query),
    limit: limit + 1,
  };
}
