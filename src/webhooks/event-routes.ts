import { z } from 'zod';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isId, type EventId } from '../platform/ids.ts';
import { EVENT_MEANINGS } from './event-meanings.ts';
import { listEvents, readEvent, redeliverEvent } from './events-store.ts';
import type { WebhookRoutesContext } from './webhook-routes.ts';
import {
  endpointIdParams,
  eventSchema,
  eventTypeSchema,
  eventView,
  queuedSchema,
  redeliverBody,
} from './webhook-schemas.ts';

type EventRoutesContext = Pick<
  WebhookRoutesContext,
  'database' | 'clock' | 'authenticator' | 'wakeDeliveries'
>;

const eventQuery = z.object({
  ...pageQuery,
  type: z.string().max(64).optional(),
  callId: z.string().optional(),
  order: z.enum(['asc', 'desc']).default('asc').describe('By time; of one call always upward.'),
});

/** Events as a list: how a receiver that missed some heals the gap, from the last id it has. */
export function registerEventRoutes(app: HttpServer, context: EventRoutesContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['events'];
  const params = endpointIdParams;

  app.get(
    '/v1/events',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Events, to heal a gap from the last id you have',
        querystring: eventQuery,
        response: { 200: pageSchema(eventSchema) },
      },
    },
    async (request) => {
      const { limit, type, callId, order } = request.query;
      // A call that does not exist has no events; that is an answer, not an error.
      if (callId !== undefined && !isId('call', callId)) return { items: [], next: null };
      const rows = await listEvents(database, {
        accountId: accountOf(request).accountId,
        after: afterIdOf(request.query),
        type: type ?? null,
        callId: callId ?? null,
        order,
        limit: limit + 1,
      });
      return pageOf(rows, limit, eventView);
    },
  );

  registerEventTypes(app, context);
  app.get(
    '/v1/events/:id',
    {
      onRequest,
      schema: { tags, summary: 'One event', params, response: { 200: eventSchema } },
    },
    async (request) => {
      const id = eventIdFrom(request.params.id);
      const row = await readEvent(database, accountOf(request).accountId, id);
      if (row === undefined) throw unknownEvent();
      return eventView(row);
    },
  );

  app.post(
    '/v1/events/:id/redeliver',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Send one event again',
        params,
        body: redeliverBody,
        response: { 202: queuedSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const eventId = eventIdFrom(request.params.id);
      if ((await readEvent(database, accountId, eventId)) === undefined) throw unknownEvent();
      const queued = await redeliverEvent(database, {
        accountId,
        eventId,
        webhookId: request.body?.webhookEndpointId ?? null,
        now: clock.now(),
      });
      context.wakeDeliveries();
      return reply.code(202).send({ queued });
    },
  );
}

/** For whoever has to choose: the words are those of the reference. */
function registerEventTypes(app: HttpServer, context: EventRoutesContext): void {
  const items = Object.entries(EVENT_MEANINGS).map(([type, { when }]) => ({ type, when }));
  app.get(
    '/v1/events/types',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['events'],
        summary: 'Every type of event there is, and when it is sent',
        response: { 200: pageSchema(eventTypeSchema) },
      },
    },
    async (request) => {
      accountOf(request);
      return { items, next: null };
    },
  );
}

function eventIdFrom(text: string): EventId {
  if (isId('event', text)) return text;
  throw unknownEvent();
}

function unknownEvent(): HttpError {
  return new HttpError('not_found', 'There is no event with this id in your account.');
}
