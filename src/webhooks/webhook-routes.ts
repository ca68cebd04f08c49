import { z } from 'zod';
import type { Database } from '../database/database.ts';
import type { Authenticator } from '../http/auth.ts';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime, type Clock } from '../platform/clock.ts';
import type { AccountId, Ids } from '../platform/ids.ts';
import type { Random } from '../platform/random.ts';
import type { Sealer } from '../platform/sealing.ts';
import { listDeliveries } from './deliveries-store.ts';
import { postEvent } from './delivery-worker.ts';
import type { Egress } from './egress.ts';
import { recoverEvents } from './events-store.ts';
import { makeSecret } from './signing.ts';
import {
  changeWebhookEndpoint,
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  disableWebhookEndpoint,
  enableWebhookEndpoint,
  listWebhookEndpoints,
  readWebhookEndpoint,
  rotateSecret,
  secretsIn,
} from './webhook-endpoints-store.ts';
import {
  changeEndpointBody,
  deliverySchema,
  deliveryView,
  disableBody,
  endpointIdParams,
  endpointSchema,
  endpointView,
  newEndpointBody,
  newEndpointSchema,
  queuedSchema,
  recoverBody,
  secretSchema,
  tryoutSchema,
} from './webhook-schemas.ts';
import { isDelivered } from './webhooks.ts';

/** What the routes of webhooks work with; made once by `main.ts`. */
export type WebhookRoutesContext = {
  database: Database;
  clock: Clock;
  ids: Ids;
  random: Random;
  sealer: Sealer;
  authenticator: Authenticator;
  egress: Egress;
  /** Tells the delivery worker that something is due. */
  wakeDeliveries: () => void;
};

const deliveryQuery = z.object({
  ...pageQuery,
  status: z.enum(['pending', 'delivered', 'failed', 'held']).optional(),
});

const ENDPOINTS_MAX = 20;
/** How long an old secret signs beside the new one. */
const ROTATION_MS = 24 * 3_600_000;

/** Webhook endpoints: where events go, whether they arrived, and what to do when they did not. */
export function registerWebhookRoutes(app: HttpServer, context: WebhookRoutesContext): void {
  registerEndpointRoutes(app, context);
  registerChangeRoutes(app, context);
  registerSecretRoutes(app, context);
  registerDeliveryRoutes(app, context);
}

function registerEndpointRoutes(app: HttpServer, context: WebhookRoutesContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['webhooks'];

  app.post(
    '/v1/webhook-endpoints',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Add a webhook endpoint; its secret is shown this once',
        body: newEndpointBody,
        response: { 201: newEndpointSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { url, eventTypes } = request.body;
      await refuseBadEndpoint(context, accountId, url);
      const secret = makeSecret(context.random);
      const spec = { accountId, url, eventTypes, secret, now: clock.now() };
      const made = await createWebhookEndpoint(database, spec, context);
      return reply.code(201).send({ ...endpointView(made), secret });
    },
  );

  app.get(
    '/v1/webhook-endpoints',
    {
      onRequest,
      schema: {
        tags,
        summary: 'All webhook endpoints',
        response: { 200: pageSchema(endpointSchema) },
      },
    },
    async (request) => {
      const endpoints = await listWebhookEndpoints(database, accountOf(request).accountId);
      return { items: endpoints.map(endpointView), next: null };
    },
  );

  app.delete(
    '/v1/webhook-endpoints/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Delete a webhook endpoint and what was still to go there',
        params: endpointIdParams,
        response: { 204: z.undefined().describe('Deleted.') },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { id } = request.params;
      const done = await database.transaction((tx) => deleteWebhookEndpoint(tx, accountId, id));
      if (!done) throw unknownEndpoint();
      return reply.code(204).send();
    },
  );
}

/** What may change of an endpoint while it is in use. */
function registerChangeRoutes(app: HttpServer, context: WebhookRoutesContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['webhooks'];

  app.patch(
    '/v1/webhook-endpoints/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Change its address or its types of events; what is left out stays',
        params: endpointIdParams,
        body: changeEndpointBody,
        response: { 200: endpointSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { url = null, eventTypes = null } = request.body;
      if (url !== null) refuseBadUrl(context, url);
      const change = { accountId, id: request.params.id, url, eventTypes };
      const changed = await changeWebhookEndpoint(database, change);
      if (changed === null) throw unknownEndpoint();
      context.wakeDeliveries();
      return endpointView(changed);
    },
  );

  app.post(
    '/v1/webhook-endpoints/:id/disable',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Send nothing there until it is enabled; recover sends what it missed',
        params: endpointIdParams,
        body: disableBody,
        response: { 200: endpointSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { endpoint } = await ownEndpoint(context, accountId, request.params.id);
      const reason = request.body?.reason ?? 'Switched off by its owner.';
      const isNew = await database.transaction((tx) =>
        disableWebhookEndpoint(tx, endpoint.id, reason),
      );
      return endpointView(
        isNew ? { ...endpoint, enabled: false, disabledReason: reason } : endpoint,
      );
    },
  );

  app.post(
    '/v1/webhook-endpoints/:id/enable',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Enable an endpoint again, and send what was held back',
        params: endpointIdParams,
        response: { 200: endpointSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { endpoint } = await ownEndpoint(context, accountId, request.params.id);
      await database.transaction((tx) => enableWebhookEndpoint(tx, endpoint.id, clock.now()));
      context.wakeDeliveries();
      return endpointView({ ...endpoint, enabled: true, disabledReason: null });
    },
  );
}

function registerSecretRoutes(app: HttpServer, context: WebhookRoutesContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/webhook-endpoints/:id/rotate-secret',
    {
      onRequest,
      schema: {
        tags: ['webhooks'],
        summary: 'Make a new secret; the old one signs beside it for a day',
        params: endpointIdParams,
        response: { 200: secretSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const now = clock.now();
      const spec = {
        accountId,
        id: request.params.id,
        secret: makeSecret(context.random),
        now,
        previousUntil: now + ROTATION_MS,
      };
      const done = await database.transaction((tx) => rotateSecret(tx, spec, context.sealer));
      if (!done) throw unknownEndpoint();
      return { secret: spec.secret, previousUntil: isoTime(spec.previousUntil) };
    },
  );
}

function registerDeliveryRoutes(app: HttpServer, context: WebhookRoutesContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['webhooks'];
  const params = endpointIdParams;

  app.get(
    '/v1/webhook-endpoints/:id/deliveries',
    {
      onRequest,
      schema: {
        tags,
        summary: 'What was delivered, and what was not',
        params,
        querystring: deliveryQuery,
        response: { 200: pageSchema(deliverySchema) },
      },
    },
    async (request) => {
      const { limit, status } = request.query;
      const { endpoint } = await ownEndpoint(
        context,
        accountOf(request).accountId,
        request.params.id,
      );
      const rows = await listDeliveries(database, {
        webhookId: endpoint.id,
        before: afterIdOf(request.query),
        status: status ?? null,
        limit: limit + 1,
      });
      return pageOf(rows, limit, deliveryView);
    },
  );

  app.post(
    '/v1/webhook-endpoints/:id/recover',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Send again what was not taken since an instant',
        params,
        body: recoverBody,
        response: { 202: queuedSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { endpoint } = await ownEndpoint(context, accountId, request.params.id);
      const queued = await recoverEvents(database, {
        accountId,
        webhookId: endpoint.id,
        since: Date.parse(request.body.since),
        now: clock.now(),
      });
      context.wakeDeliveries();
      return reply.code(202).send({ queued });
    },
  );

  app.post(
    '/v1/webhook-endpoints/:id/test',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Send one signed test event now',
        params,
        response: { 200: tryoutSchema },
      },
    },
    async (request) => tryOut(context, accountOf(request).accountId, request.params.id),
  );
}

/** One signed event of type `webhook.test`, sent now and only once; nothing is stored. */
async function tryOut(context: WebhookRoutesContext, accountId: AccountId, endpointId: string) {
  const { clock, egress, ids, sealer } = context;
  const { endpoint, sealed } = await ownEndpoint(context, accountId, endpointId);
  const now = clock.now();
  const id = ids.next('event');
  const payload = {
    id,
    type: 'webhook.test',
    timestamp: isoTime(now),
    sequence: 0,
    contactId: null,
    callId: null,
    data: { webhookEndpointId: endpoint.id },
  };
  const secrets = secretsIn(sealer.open(sealed), now);
  const startedAt = clock.monotonic();
  const result = await postEvent(egress, { id, at: now, url: endpoint.url, secrets, payload });
  const { status, error } = result;
  const ms = Math.round(clock.monotonic() - startedAt);
  return { delivered: isDelivered(result), status, error, ms };
}

async function refuseBadEndpoint(
  context: WebhookRoutesContext,
  accountId: AccountId,
  url: string,
): Promise<void> {
  refuseBadUrl(context, url);
  const endpoints = await listWebhookEndpoints(context.database, accountId);
  if (endpoints.length >= ENDPOINTS_MAX) {
    throw new RefusalError({
      code: 'webhook_endpoint_limit',
      message: `An account has at most ${ENDPOINTS_MAX} webhook endpoints.`,
      fix: 'Delete one that is no longer used.',
    });
  }
}

function refuseBadUrl({ egress }: WebhookRoutesContext, url: string): void {
  const refusal = egress.refuse(url);
  if (refusal !== null) {
    const { message, fix } = refusal;
    throw new RefusalError(refusal, 422, [{ field: 'url', rule: message, fix }]);
  }
}

async function ownEndpoint(context: WebhookRoutesContext, accountId: AccountId, id: string) {
  const found = await readWebhookEndpoint(context.database, accountId, id);
  if (found === null) throw unknownEndpoint();
  return found;
}

function unknownEndpoint(): HttpError {
  return new HttpError('not_found', 'There is no webhook endpoint with this id in your account.');
}
