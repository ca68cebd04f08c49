import { z } from 'zod';
import { attributionSchema } from '../attribution/attribution-schemas.ts';
import type { Tx } from '../database/database.ts';
import { contactFor } from '../contacts/contact-lookup.ts';
import type { EndpointDesk } from '../endpoints/endpoint-desk.ts';
import { chooseEndpoint } from '../endpoints/endpoint-lookup.ts';
import { afterGap, drawArm } from '../experiments/arm-lookup.ts';
import { experimentIdField } from '../experiments/experiment-schemas.ts';
import { type ApiContext, found, idFrom, lineFor, refusedAnswer } from '../http/api-context.ts';
import { callSchema, oneLine, strategySchema, timelineSchema } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { withContact } from '../ledger/contact-unit.ts';
import { entriesOfCall } from '../ledger/ledger-store.ts';
import { timelineEntry } from '../ledger/ledger-views.ts';
import type { AccountId } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { callPracticeRefusal, callWarnings } from '../practices/practice-lookup.ts';
import { checklistSchema, warningsField } from '../practices/practices.ts';
import { recordingWish } from '../recording/recording-views.ts';
import { PRIORITY_MAX } from '../schedule/schedule.ts';
import { planScript, type ScriptPlan } from '../scripts/script-plan-store.ts';
import type { CallState } from './call.ts';
import { requestCall } from './call-commands.ts';
import type { CallDesk } from './call-desk.ts';
import { listCalls, readCall } from './call-store.ts';
import { callView } from './call-views.ts';
import { viewsOfCalls } from './wait-lookup.ts';
import { registerScheduleRoutes } from './schedule-routes.ts';
import {
  ONE_TIME,
  onBlockedField,
  saysOneTime,
  scheduledAtField,
  windowField,
} from './time-wish.ts';

const RING_TIMEOUT_MS = 60_000;

const callBody = z.strictObject({
  to: z.string().min(1).max(100).describe('Number (E.164) or business-scoped user id.'),
  purpose: z.string().min(1).max(500).describe('Must match the purpose the customer agreed to.'),
  lineId: z.string().optional(),
  endpointId: z.string().optional().describe('Else by PUT /v1/routing, else that of the line.'),
  scriptId: z
    .string()
    .optional()
    .describe('A script that leads the call; the endpoint is then where it may connect to.'),
  scriptVariables: z
    .record(z.string().max(40), z.string().max(200))
    .refine((given) => Object.keys(given).length <= 40, 'has at most 40 names')
    .optional()
    .describe('What the texts of the script are filled with.'),
  strategy: strategySchema.optional(),
  ringTimeoutMs: z.int().min(5_000).max(120_000).default(RING_TIMEOUT_MS),
  clientReference: oneLine(200).optional().describe('Echoed in CDR, events and SIP.'),
  recording: recordingWish.optional(),
  experimentId: experimentIdField,
  attribution: attributionSchema.optional(),
  priority: z
    .int()
    .min(0)
    .max(PRIORITY_MAX)
    .optional()
    .describe('9 goes first among the calls that are due; default 5.'),
  checklist: checklistSchema.optional(),
  scheduledAt: scheduledAtField,
  window: windowField,
  onBlocked: onBlockedField,
});

type CallContext = ApiContext & { desk: CallDesk; endpointDesk: EndpointDesk };

const byId = z.object({ id: z.string() });

/** Calls and their history. */
export function registerCallRoutes(app: HttpServer, context: CallContext): void {
  registerPlacing(app, context);
  registerReading(app, context);
  registerScheduleRoutes(app, context);
}

function registerPlacing(app: HttpServer, context: CallContext): void {
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/calls',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags: ['calls'],
        summary: 'Call a customer',
        body: callBody.refine(saysOneTime, ONE_TIME),
        response: { 202: callSchema.extend({ warnings: warningsField }) },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const { body } = request;
      await idempotent(request, reply, context, async (tx) => {
        const line = await lineFor(tx, accountId, body.lineId);
        const contactId = await contactFor(tx, context, accountId, { to: body.to });
        if (isRefused(contactId)) return refusedAnswer(contactId);
        const experimentId =
          body.experimentId === undefined ? undefined : idFrom('experiment', body.experimentId);
        const drawn = { accountId, contactId, experimentId, attribution: body.attribution };
        const { overrides, attribution } = found(await drawArm(tx, drawn), 'experiment');
        const scriptId = overrides.scriptId ?? body.scriptId;
        const script = await scriptOf(tx, accountId, { ...body, scriptId });
        if (isRefused(script)) return refusedAnswer(script);
        const named = body.endpointId === undefined ? null : idFrom('endpoint', body.endpointId);
        const begin = body.window === undefined ? body.scheduledAt : body.window.from;
        const wantedAt = begin === undefined ? null : Date.parse(begin);
        const consented = { contactId, lineId: line.id };
        const scheduledAt = await afterGap(tx, consented, overrides, wantedAt);
        const state = await withContact(context, tx, contactId, async (unit) => {
          const { contact, now } = unit;
          const purpose = overrides.purpose ?? body.purpose;
          const question = { line, contact, named, purpose, keyId, dueAt: scheduledAt, now };
          const choice = await chooseEndpoint(tx, context.endpointDesk, question);
          if (choice === null) throw noEndpoint();
          const byHand = { purpose, checklist: body.checklist };
          const kept = await callPracticeRefusal(tx, accountId, byHand);
          return requestCall(unit, context, line, {
            ...choice,
            tooMuch: kept ?? choice.tooMuch,
            checklist: body.checklist,
            script,
            keyId,
            purpose,
            strategy: body.strategy ?? null,
            ringTimeoutMs: body.ringTimeoutMs,
            clientReference: body.clientReference ?? null,
            recording: body.recording,
            attribution,
            priority: body.priority,
            scheduledAt,
            window: body.window && {
              from: scheduledAt ?? now,
              until: Date.parse(body.window.until),
            },
            onBlocked: body.onBlocked,
            actor: `api:${keyId}`,
          });
        });
        if (isRefused(state)) return refusedAnswer(state);
        const warned = await callWarnings(tx, state.plan);
        return { status: 202, body: { ...callView(state), ...warned } };
      });
    },
  );

  app.post(
    '/v1/calls/:id/hangup',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'Hang up, or cancel a call that has not been dialed',
        params: byId,
        response: { 202: callSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const call = await ownCall(context, request.params.id, accountId);
      const actor = `api:${keyId}`;
      const state = await context.desk.hangUp(call.plan.id, 'business', 'business_hung_up', actor);
      return reply.code(202).send(callView(state));
    },
  );
}

function registerReading(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/calls',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'Calls, newest first',
        querystring: z.object({ ...pageQuery, contactId: z.string().optional() }),
        response: { 200: pageSchema(callSchema) },
      },
    },
    async (request) => {
      const { limit, contactId } = request.query;
      const filter = {
        contactId: contactId === undefined ? null : idFrom('contact', contactId),
        after: afterIdOf(request.query),
        limit: limit + 1,
      };
      const { accountId } = accountOf(request);
      const calls = await listCalls(database, accountId, filter);
      const views = await viewsOfCalls(database, accountId, calls, clock.now());
      return pageOf(views, limit, (call) => call);
    },
  );

  app.get(
    '/v1/calls/:id',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'One call as it stands',
        params: byId,
        response: { 200: callSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const call = await ownCall(context, request.params.id, accountId);
      const [view] = await viewsOfCalls(database, accountId, [call], clock.now());
      return found(view, 'call');
    },
  );

  app.get(
    '/v1/calls/:id/timeline',
    {
      onRequest,
      schema: {
        tags: ['calls'],
        summary: 'What happened in one call, from the ledger',
        params: byId,
        response: { 200: pageSchema(timelineSchema) },
      },
    },
    async (request) => {
      const call = await ownCall(context, request.params.id, accountOf(request).accountId);
      const entries = await entriesOfCall(database, call.plan.contactId, call.plan.id);
      return { items: entries.map(timelineEntry), next: null };
    },
  );
}

/** The call, if the account has it; 404 in the same words for all others. */
async function ownCall(
  { database }: ApiContext,
  text: string,
  accountId: AccountId,
): Promise<CallState> {
  const call = await readCall(database, idFrom('call', text));
  return found(call?.plan.accountId === accountId ? call : null, 'call');
}

function noEndpoint(): HttpError {
  return new HttpError('invalid_request', 'There is no endpoint to connect the call to.', {
    fields: [
      {
        field: 'endpointId',
        rule: 'required where neither routing nor the line has a default endpoint',
        fix: 'Name one (GET /v1/endpoints), or set a default: PUT /v1/routing, or on the line.',
      },
    ],
  });
}

async function scriptOf(
  tx: Tx,
  accountId: AccountId,
  { scriptId, scriptVariables = {} }: z.infer<typeof callBody>,
): Promise<ScriptPlan | Refused | null> {
  if (scriptId === undefined) return null;
  const planned = await planScript(tx, accountId, { scriptId, variables: scriptVariables });
  return found(planned, 'script');
}
