import { z } from 'zod';
import { readAccountSetting, saveAccountSetting } from '../accounts/account-store.ts';
import { readCall } from '../calls/call-store.ts';
import { RUN_FAILURES } from '../failure-codes.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { onContact } from '../ledger/contact-unit.ts';
import { isoTimeOrNull } from '../platform/clock.ts';
import type { AccountId, CallId } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { setOutcome } from './outcome-commands.ts';
import { outcomesOfCalls } from './outcome-store.ts';
import {
  OUTCOME_LIMITS,
  outcomeCode,
  outcomeListOf,
  outcomeListSchema,
  type AgentOutcome,
} from './outcome.ts';

const tags = ['outcomes'];
const byId = z.object({ id: z.string() });
const listSchema = z.object({ items: outcomeListSchema });

const outcomeBody = z.strictObject({
  outcome: outcomeCode.nullable().default(null).describe('A code of GET /v1/call-outcomes.'),
  note: z
    .string()
    .max(OUTCOME_LIMITS.noteLength)
    .regex(/^[^\p{Cc}\p{Cs}]*(?:[\n\t][^\p{Cc}\p{Cs}]*)*$/u, 'has no control characters')
    .nullable()
    .default(null)
    .describe('Sealed with the person; gone when they are erased.'),
  version: z.int().min(0).optional().describe('The version that you have seen; 0 for none.'),
});

const outcomeSchema = z.object({
  callId: z.string(),
  version: z.number().describe('0 as long as nothing was written.'),
  outcome: z.string().nullable(),
  note: z.string().nullable(),
  setBy: z.string().nullable(),
  setAt: z.string().nullable(),
});

/** What came of a call, by whoever spoke; and the codes that an account uses for it. */
export function registerOutcomeRoutes(app: HttpServer, context: ApiContext): void {
  registerCodes(app, context);
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const response = { 200: outcomeSchema };

  app.get(
    '/v1/calls/:id/outcome',
    { onRequest, schema: { tags, summary: 'What came of a call', params: byId, response } },
    async (request) => {
      const { accountId } = accountOf(request);
      const callId = idFrom('call', request.params.id);
      await ownCall(context, callId, accountId);
      const [row] = await outcomesOfCalls(database, [callId]);
      return outcomeView(callId, row);
    },
  );

  app.put(
    '/v1/calls/:id/outcome',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Write down what came of a call; while it lives, or after',
        params: byId,
        body: outcomeBody,
        response,
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const callId = idFrom('call', request.params.id);
      const contactId = await ownCall(context, callId, accountId);
      const { outcome, note, version: seen = null } = request.body;
      const row = await onContact(context, contactId, async (unit) => {
        if (unit.contact.erasedAt !== null) return erased();
        const codes = outcomeListOf(await readAccountSetting(unit.tx, accountId, 'outcomes'));
        return setOutcome(unit, codes, { callId, outcome, note, seen, actor: `api:${keyId}` });
      });
      if (isRefused(row)) throw refusalOf(row);
      return outcomeView(callId, row);
    },
  );
}

function registerCodes(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const response = { 200: listSchema };

  app.get(
    '/v1/call-outcomes',
    { onRequest, schema: { tags, summary: 'The codes an outcome may have', response } },
    async (request) => {
      const { accountId } = accountOf(request);
      return { items: outcomeListOf(await readAccountSetting(database, accountId, 'outcomes')) };
    },
  );

  app.put(
    '/v1/call-outcomes',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Replace the codes; outcomes that were written keep theirs',
        body: listSchema,
        response,
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { items } = request.body;
      await database.transaction((tx) => saveAccountSetting(tx, accountId, 'outcomes', items));
      return { items };
    },
  );
}

async function ownCall({ database }: ApiContext, id: CallId, accountId: AccountId) {
  const call = await readCall(database, id);
  return found(call?.plan.accountId === accountId ? call : null, 'call').plan.contactId;
}

function refusalOf(refused: Refused): RefusalError {
  const { status = 409 } = RUN_FAILURES[refused.refused.code] ?? {};
  return new RefusalError(refused.refused, status);
}

function erased(): Refused {
  return {
    refused: {
      code: 'outcome_of_erased',
      message: 'The person was erased, so nothing more is written of them.',
      fix: 'Nothing to do.',
    },
  };
}

function outcomeView(callId: CallId, row: AgentOutcome | undefined): z.infer<typeof outcomeSchema> {
  return {
    callId,
    version: row?.version ?? 0,
    outcome: row?.outcome ?? null,
    note: row?.note ?? null,
    setBy: row?.actor ?? null,
    setAt: isoTimeOrNull(row?.setAt ?? null),
  };
}
