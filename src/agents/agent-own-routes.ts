import { z } from 'zod';
import type { FastifyRequest } from 'fastify';
import { orderCall } from '../calls/order-commands.ts';
import type { OrderWish } from '../calls/call-control.ts';
import { readCall } from '../calls/call-store.ts';
import { ORDER_CODES, type OrderCode } from '../calls/order-codes.ts';
import type { OptOutDesk } from '../consent/opt-out-desk.ts';
import { listEndpoints, readEndpoint } from '../endpoints/endpoint-store.ts';
import { found, idFrom, type ApiContext } from '../http/api-context.ts';
import { pageSchema } from '../http/pagination.ts';
import { RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { onContact } from '../ledger/contact-unit.ts';
import { checkBrowserAnswer } from '../media/browser-peer.ts';
import type { CallId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import type { Agent, AgentRing } from './agent.ts';
import { agentOf, makeAgentAuthenticator } from './agent-token-routes.ts';
import type { AgentHints } from './agent-hints.ts';
import { registerAgentOutcomeRoutes } from './agent-outcome-routes.ts';
import { answerRing, leaveRing, readAgent, setPresence } from './agent-store.ts';
import { leavePage } from './agent-return-store.ts';
import { registerAgentStream } from './agent-stream-routes.ts';
import { agentMeSchema, agentMeView, speaksWithCustomer } from './agent-views.ts';

const tags = ['agents'];
const byId = z.object({ id: z.string() });
const done = { response: { 200: agentMeSchema } };
const actionBody = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('hold') }).describe('The customer hears music.'),
  z.strictObject({ action: z.literal('resume') }),
  z.strictObject({
    action: z.literal('transfer'),
    mode: z.enum(['blind', 'attended']).default('blind'),
    endpointId: z.string().min(1).max(60),
  }),
  z.strictObject({ action: z.literal('complete_transfer') }),
  z.strictObject({ action: z.literal('cancel_transfer') }),
]);
type ActionBody = z.infer<typeof actionBody>;

export type AgentContext = ApiContext & { agentHints: AgentHints; stops: OptOutDesk };
export type AgentHook = ReturnType<typeof makeAgentAuthenticator>;

/**
 * What an agent's token opens: their own presence and the one call that they have. An API key
 * opens none of it, and the token nothing else.
 */
export function registerAgentOwnRoutes(app: HttpServer, context: AgentContext): void {
  const onRequest = makeAgentAuthenticator(context);
  registerSelf(app, context, onRequest);
  registerRinging(app, context, onRequest);
  registerLeading(app, context, onRequest);
  registerAgentOutcomeRoutes(app, context, onRequest);
  registerAgentStream(app, context, onRequest);
}

function registerSelf(app: HttpServer, context: AgentContext, onRequest: AgentHook): void {
  const { database, clock } = context;

  app.get(
    '/v1/agents/me',
    { onRequest, schema: { tags, summary: 'The agent, and the call they have', ...done } },
    async (request) => agentMeView(database, agentOf(request), clock.now()),
  );

  app.put(
    '/v1/agents/me/presence',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Take calls, pause after one, or be away',
        body: z.strictObject({ presence: z.enum(['available', 'wrap_up', 'away']) }),
        ...done,
      },
    },
    async (request) => {
      const { id } = agentOf(request);
      await setPresence(database, id, request.body.presence, clock.now());
      return changed(context, id);
    },
  );

  app.get(
    '/v1/agents/me/endpoints',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Where a call can be transferred to',
        response: { 200: pageSchema(z.object({ id: z.string(), name: z.string() })) },
      },
    },
    async (request) => {
      const endpoints = await listEndpoints(database, agentOf(request).accountId);
      return { items: endpoints.map(({ id, name }) => ({ id, name })), next: null };
    },
  );
}

function registerRinging(app: HttpServer, context: AgentContext, onRequest: AgentHook): void {
  const { database } = context;

  app.post(
    '/v1/agents/me/calls/:id/answer',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Answer the call that rings, with the SDP answer to its offer',
        params: byId,
        body: z.strictObject({ sdp: z.string().min(1).max(16_384) }),
        ...done,
      },
    },
    async (request) => {
      const agent = agentOf(request);
      const ring = ringOf(agent, request);
      const { sdp } = request.body;
      // Here already, so that whoever wrote it reads why; the media worker asks again.
      const checked = checkBrowserAnswer(sdp);
      if (isRefused(checked)) {
        const refusal = { ...checked.refused, code: 'agent_media_refused' };
        throw new RefusalError(refusal, 422);
      }
      if (!(await answerRing(database, agent.id, ring.id, sdp))) throw ringGone();
      return changed(context, agent.id);
    },
  );

  for (const [way, summary, leave] of [
    ['decline', 'Let the next agent have the call that rings', leaveRing],
    ['hangup', 'End the call, or stop listening to it', leaveRing],
    ['leave', 'The page goes and may be back: the customer hears music meanwhile', leavePage],
  ] as const) {
    app.post(
      `/v1/agents/me/calls/:id/${way}`,
      { onRequest, schema: { tags, summary, params: byId, ...done } },
      async (request) => {
        const agent = agentOf(request);
        const ring = ringOf(agent, request);
        if (!(await leave(database, agent.id, ring.id))) throw ringGone();
        return changed(context, agent.id);
      },
    );
  }
}

function registerLeading(app: HttpServer, context: AgentContext, onRequest: AgentHook): void {
  app.post(
    '/v1/agents/me/calls/:id/actions',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Hold, resume or transfer the customer one speaks with',
        params: byId,
        body: actionBody,
        ...done,
      },
    },
    async (request) => {
      const agent = agentOf(request);
      const ring = ringOf(agent, request);
      const wish = await wishOf(context, agent, request.body);
      const call = found(await readCall(context.database, ring.callId), 'call');
      if (!speaksWithCustomer(call.facts, ring)) throw ringGone();
      const order = await onContact(context, call.plan.contactId, (unit) =>
        orderCall(unit, ring.callId, wish, `agent:${agent.id}`),
      );
      if (isRefused(order)) {
        const { status } = ORDER_CODES[order.refused.code as OrderCode];
        throw new RefusalError(order.refused, status);
      }
      return changed(context, agent.id);
    },
  );
}

async function wishOf(
  { database }: AgentContext,
  { accountId }: Agent,
  body: ActionBody,
): Promise<OrderWish> {
  if (body.action !== 'transfer') return body;
  const id = idFrom('endpoint', body.endpointId);
  found(await readEndpoint(database, accountId, id), 'endpoint');
  return { ...body, endpointId: id };
}

/** The agent's row as it is after a change, which others are told of. */
async function changed({ database, clock, agentHints }: AgentContext, id: Agent['id']) {
  agentHints.tell(id);
  return agentMeView(database, found(await readAgent(database, id), 'agent'), clock.now());
}

function ringOf({ ring }: Agent, request: FastifyRequest<{ Params: { id: string } }>): AgentRing {
  const callId: CallId = idFrom('call', request.params.id);
  if (ring === null || ring.callId !== callId) throw ringGone();
  return ring;
}

function ringGone(): RefusalError {
  const message = 'This call does not ring at you, or not any more.';
  const fix = 'Nothing to do: it was given up, answered elsewhere, or is over.';
  return new RefusalError({ code: 'ring_gone', message, fix }, 409);
}
