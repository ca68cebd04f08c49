import { z } from 'zod';
import { readAccountSetting } from '../accounts/account-store.ts';
import type { CallState } from '../calls/call.ts';
import { readCall } from '../calls/call-store.ts';
import { found, idFrom } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { pageSchema } from '../http/pagination.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { onContact } from '../ledger/contact-unit.ts';
import { setOutcome } from '../outcomes/outcome-commands.ts';
import { OUTCOME_LIMITS, outcomeCode, outcomeListOf } from '../outcomes/outcome.ts';
import { isoTime } from '../platform/clock.ts';
import { isRefused } from '../platform/refusal.ts';
import type { Agent } from './agent.ts';
import { agentOf } from './agent-token-routes.ts';
import type { AgentContext, AgentHook } from './agent-own-routes.ts';

const tags = ['agents'];
const codeSchema = z.object({ code: z.string(), label: z.string() });
const outcomeBody = z.strictObject({
  outcome: outcomeCode.nullable().default(null).describe('A code of GET /v1/agents/me/outcomes.'),
  note: z
    .string()
    .max(OUTCOME_LIMITS.noteLength)
    .regex(/^[^\p{Cc}\p{Cs}]*(?:[\n\t][^\p{Cc}\p{Cs}]*)*$/u, 'has no control characters')
    .nullable()
    .default(null)
    .describe('Sealed with the person; gone when they are erased.'),
});

/** What came of a call, told by the agent who had it: while it lives, and until their next one. */
export function registerAgentOutcomeRoutes(
  app: HttpServer,
  context: AgentContext,
  onRequest: AgentHook,
): void {
  const { database } = context;

  app.get(
    '/v1/agents/me/outcomes',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The codes an outcome may have',
        response: { 200: pageSchema(codeSchema) },
      },
    },
    async (request) => {
      const { accountId } = agentOf(request);
      const stored = await readAccountSetting(database, accountId, 'outcomes');
      return { items: outcomeListOf(stored), next: null };
    },
  );

  app.put(
    '/v1/agents/me/calls/:id/outcome',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Write down what came of the call; of the one they have, or had last',
        params: z.object({ id: z.string() }),
        body: outcomeBody,
        response: { 200: z.object({ callId: z.string(), version: z.number() }) },
      },
    },
    async (request) => {
      const agent = agentOf(request);
      const { id, accountId } = agent;
      const call = await callOfTheirs(context, agent, request.params.id);
      const { id: callId } = call.plan;
      const row = await onContact(context, call.plan.contactId, async (unit) => {
        // An erased person keeps no note; to the agent the call is simply gone.
        if (unit.contact.erasedAt !== null) throw new HttpError('not_found', 'The call is gone.');
        const codes = outcomeListOf(await readAccountSetting(unit.tx, accountId, 'outcomes'));
        const wish = { ...request.body, callId, seen: null, actor: `agent:${id}` };
        return setOutcome(unit, codes, wish);
      });
      if (isRefused(row)) throw new RefusalError(row.refused, 422);
      return { callId, version: row.version };
    },
  );

  app.post(
    '/v1/agents/me/calls/:id/opt-out',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The customer said stop to the agent: never again, and this call ends',
        params: z.object({ id: z.string() }),
        body: z.strictObject({ reason: oneLine(200).default('said it in the call') }),
        response: { 200: z.object({ callId: z.string(), optedOutAt: z.string() }) },
      },
    },
    async (request) => {
      const agent = agentOf(request);
      const { plan } = await callOfTheirs(context, agent, request.params.id);
      const { id: callId, contactId, lineId } = plan;
      const note = { reason: request.body.reason, by: agent.name };
      const word = { lineId, way: 'agent', callId, note, actor: `agent:${agent.id}` } as const;
      const { optedOutAt } = await context.stops.stop(contactId, word);
      return { callId, optedOutAt: isoTime(optedOutAt) };
    },
  );
}

/** The call that they have, or had last; what only rings is not theirs yet. */
async function callOfTheirs(
  { database }: AgentContext,
  { ring, lastCallId }: Agent,
  text: string,
): Promise<CallState> {
  const callId = idFrom('call', text);
  const isTheirs = callId === lastCallId || (ring?.callId === callId && ring.state !== 'ringing');
  return found(isTheirs ? await readCall(database, callId) : null, 'call');
}
