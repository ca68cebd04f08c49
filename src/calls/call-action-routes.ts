import { z } from 'zod';
import { listEndpoints, readEndpoint } from '../endpoints/endpoint-store.ts';
import { guardTarget, OPEN_GUARD } from '../endpoints/target-guard.ts';
import type { Queryable } from '../database/database.ts';
import { type ApiContext, found, idFrom, refusedAnswer } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { callActionSchema } from '../http/call-control-schemas.ts';
import { idempotent } from '../http/idempotency.ts';
import { pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import { withContact } from '../ledger/contact-unit.ts';
import { isId, type AccountId, type EndpointId } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { NO_CONTROL, type OrderWish } from './call-control.ts';
import { readCall } from './call-store.ts';
import { actionView } from './control-views.ts';
import { orderCall } from './order-commands.ts';
import { ORDER_CODES, type OrderCode } from './order-codes.ts';

const leg = z
  .enum(['whatsapp', 'endpoint'])
  .describe('`whatsapp` is the customer, `endpoint` whoever speaks for the business.');
const endpointId = z.string().min(1).max(60);
const mode = z.enum(['listen', 'whisper', 'barge']);

/** One shape for each action; a field of another action is refused. */
const actionBody = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('hang_up') }),
  z.strictObject({ action: z.literal('hold') }).describe('The customer hears music.'),
  z.strictObject({ action: z.literal('resume') }),
  z.strictObject({ action: z.literal('mute'), leg: leg.default('endpoint') }),
  z.strictObject({ action: z.literal('unmute'), leg: leg.default('endpoint') }),
  z.strictObject({
    action: z.literal('send_dtmf'),
    digits: z
      .string()
      .regex(/^[0-9*#A-D]{1,32}$/, 'is 1 to 32 of 0-9, *, #, A-D')
      .describe('Kept sealed until they are sent, then forgotten.'),
    leg: leg.default('whatsapp').describe('The leg that hears the keys.'),
  }),
  z.strictObject({
    action: z.literal('play'),
    sound: oneLine(100).describe('ringing, hold_music, beep, silence, or the id of a prompt.'),
    leg: leg.default('whatsapp').describe('The leg that hears the sound.'),
    loop: z.boolean().default(false),
    interrupt: z.boolean().default(false).describe('Ends what plays and waits there.'),
  }),
  z.strictObject({ action: z.literal('stop_playing'), leg: leg.default('whatsapp') }),
  z.strictObject({
    action: z.literal('transfer'),
    mode: z.enum(['blind', 'attended']).default('blind'),
    endpointId: endpointId.optional(),
    uri: z
      .string()
      .min(1)
      .max(400)
      .optional()
      .describe('Instead of endpointId: the SIP address of one of your endpoints.'),
  }),
  z.strictObject({ action: z.literal('complete_transfer') }),
  z.strictObject({ action: z.literal('cancel_transfer') }),
  z.strictObject({ action: z.literal('add_listener'), endpointId, mode: mode.default('listen') }),
  z.strictObject({ action: z.literal('remove_listener'), endpointId }),
  z.strictObject({ action: z.literal('start_recording') }),
  z.strictObject({ action: z.literal('pause_recording') }),
  z.strictObject({ action: z.literal('resume_recording') }),
  z.strictObject({ action: z.literal('stop_recording') }),
]);
type ActionBody = z.infer<typeof actionBody>;

const byId = z.object({ id: z.string() });

/** Orders to live calls: taken down here, followed by the gateway that holds the call. */
export function registerCallActionRoutes(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['calls'];

  app.post(
    '/v1/calls/:id/actions',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Order something of a live call: hold, transfer, listen, keys, sounds',
        params: byId,
        body: actionBody,
        response: { 202: callActionSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const callId = idFrom('call', request.params.id);
      await idempotent(request, reply, context, async (tx) => {
        const call = found(ownedBy(await readCall(tx, callId), accountId), 'call');
        const wish = await wishOf(tx, accountId, request.body);
        if (isRefused(wish)) return refusedAnswer(wish);
        const order = await withContact(context, tx, call.plan.contactId, (unit) =>
          orderCall(unit, callId, wish, `api:${keyId}`),
        );
        if (!isRefused(order)) return { status: 202, body: actionView(order, clock.now()) };
        const { status } = ORDER_CODES[order.refused.code as OrderCode];
        // A call that is not that far yet may be so when the same key comes again.
        return { ...order, status, store: order.refused.code === 'call_over' };
      });
    },
  );

  app.get(
    '/v1/calls/:id/actions',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Orders to a call and what became of them: the open and the last finished ones',
        params: byId,
        response: { 200: pageSchema(callActionSchema) },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const state = await readCall(database, idFrom('call', request.params.id));
      const { facts } = found(ownedBy(state, accountId), 'call');
      const { orders } = facts.control ?? NO_CONTROL;
      return { items: orders.map((order) => actionView(order, clock.now())), next: null };
    },
  );
}

function ownedBy<T extends { plan: { accountId: AccountId } }>(
  call: T | null,
  accountId: AccountId,
): T | null {
  return call?.plan.accountId === accountId ? call : null;
}

async function wishOf(
  db: Queryable,
  accountId: AccountId,
  body: ActionBody,
): Promise<OrderWish | Refused> {
  switch (body.action) {
    case 'transfer': {
      const target = await transferTarget(db, accountId, body);
      if (isRefused(target)) return target;
      return { action: 'transfer', mode: body.mode, endpointId: target };
    }
    case 'add_listener': {
      const target = await knownEndpoint(db, accountId, body.endpointId);
      return isRefused(target) ? target : { ...body, endpointId: target };
    }
    case 'remove_listener': {
      const target = await knownEndpoint(db, accountId, body.endpointId);
      return isRefused(target) ? target : { ...body, endpointId: target };
    }
    case 'send_dtmf':
      return { ...body, count: body.digits.length };
    default:
      return body;
  }
}

async function transferTarget(
  db: Queryable,
  accountId: AccountId,
  { endpointId: named, uri }: { endpointId?: string | undefined; uri?: string | undefined },
): Promise<EndpointId | Refused> {
  if (named !== undefined && uri === undefined) return knownEndpoint(db, accountId, named);
  if (uri === undefined || named !== undefined) {
    return unknownEndpoint('A transfer names one endpoint: by endpointId or by uri.');
  }
  const guarded = guardTarget(uri, OPEN_GUARD);
  if (isRefused(guarded)) return guarded;
  const own = await listEndpoints(db, accountId);
  const found = own.find(({ targets }) => targets.some((target) => target.uri === uri));
  return found?.id ?? unknownEndpoint('None of your endpoints has this address.');
}

async function knownEndpoint(
  db: Queryable,
  accountId: AccountId,
  text: string,
): Promise<EndpointId | Refused> {
  const endpoint = isId('endpoint', text) ? await readEndpoint(db, accountId, text) : null;
  return endpoint?.id ?? unknownEndpoint('There is no endpoint with this id in your account.');
}

function unknownEndpoint(message: string): Refused {
  const fix = 'Use an endpoint of GET /v1/endpoints, or add one with POST /v1/endpoints.';
  return { refused: { code: 'endpoint_unknown', message, fix } };
}
