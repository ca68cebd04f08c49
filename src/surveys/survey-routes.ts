import { z } from 'zod';
import { readAccountSetting, saveAccountSetting } from '../accounts/account-store.ts';
import { readCall } from '../calls/call-store.ts';
import { type ApiContext, found, idFrom, lineFor, refusedAnswer } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import { RUN_FAILURES } from '../failure-codes.ts';
import { withPerson } from '../identity/person-unit.ts';
import { survivorOf } from '../identity/identity-store.ts';
import { listLines, readLine, saveLineSurveys } from '../lines/line-store.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import { isRefused } from '../platform/refusal.ts';
import { sendSurvey } from './survey-commands.ts';
import { listSurveys } from './survey-store.ts';
import { surveySettingsOf, surveySettingsSchema, type Survey } from './survey.ts';

const tags = ['surveys'];
const byId = z.object({ id: z.string() });

const settingsBody = z.strictObject({
  enabled: z.boolean().describe('Ask after each answered call. Off until you want it.'),
  minSeconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(10)
    .describe('Only after calls that lasted at least so long from the pick-up.'),
});
const lineBody = z.strictObject({
  enabled: z.boolean().nullable().default(null).describe("Null: the account's word holds."),
  minSeconds: z.int().min(0).max(3_600).nullable().default(null),
});
const settingsSchema = settingsBody.extend({
  lines: z.array(settingsBody.extend({ lineId: z.string() })).describe('As it holds for each.'),
});

const surveySchema = z.object({
  id: z.string().describe('The id of its call: a call has one survey at most.'),
  callId: z.string(),
  contactId: z.string(),
  lineId: z.string(),
  way: z.enum(['message', 'key_press']),
  status: z.enum(['requested', 'sent', 'failed', 'answered']),
  messageId: z.string().nullable(),
  askedAt: z.string(),
  answeredAt: z.string().nullable(),
  score: z.number().nullable().describe('1, very bad, to 5, very good.'),
});

/** How satisfied customers were with calls: whether they are asked, and what they answered. */
export function registerSurveyRoutes(app: HttpServer, context: ApiContext): void {
  registerSettings(app, context);
  registerAsking(app, context);
  const { database } = context;
  app.get(
    '/v1/surveys',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags,
        summary: 'Surveys and their answers, the newest calls first',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(surveySchema) },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { query } = request;
      const rows = await listSurveys(database, accountId, afterIdOf(query), query.limit + 1);
      return pageOf(rows.map(surveyView), query.limit, (view) => view);
    },
  );
}

function registerSettings(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const response = { 200: settingsSchema };
  const settings = async (accountId: Parameters<typeof listLines>[1]) => {
    const account = surveySettingsOf(await readAccountSetting(database, accountId, 'surveys'), {});
    const lines = await listLines(database, accountId);
    return { ...account, lines: lines.map(({ id, surveys }) => ({ lineId: id, ...surveys })) };
  };

  app.get(
    '/v1/surveys/settings',
    { onRequest, schema: { tags, summary: 'After which calls customers are asked', response } },
    async (request) => settings(accountOf(request).accountId),
  );

  app.put(
    '/v1/surveys/settings',
    {
      onRequest,
      schema: { tags, summary: 'Set it for all lines', body: settingsBody, response },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const wanted = surveySettingsSchema.parse(request.body);
      await database.transaction((tx) => saveAccountSetting(tx, accountId, 'surveys', wanted));
      return settings(accountId);
    },
  );

  app.put(
    '/v1/lines/:id/surveys',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Set it for one line; null takes its own word back',
        params: byId,
        body: lineBody,
        response,
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const id = idFrom('line', request.params.id);
      found(await readLine(database, accountId, id), 'line');
      const given = Object.entries(request.body).filter(([, value]) => value !== null);
      const own = given.length === 0 ? null : Object.fromEntries(given);
      await saveLineSurveys(database, accountId, id, own);
      return settings(accountId);
    },
  );
}

function registerAsking(app: HttpServer, context: ApiContext): void {
  app.post(
    '/v1/calls/:id/survey',
    {
      onRequest: context.authenticator.authenticate,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Ask now how this call was; once per call',
        params: byId,
        response: { 202: surveySchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const callId = idFrom('call', request.params.id);
      await idempotent(request, reply, context, async (tx) => {
        const call = await readCall(tx, callId);
        const { plan } = found(call?.plan.accountId === accountId ? call : null, 'call');
        const line = await lineFor(tx, accountId, plan.lineId);
        const person = await survivorOf(tx, plan.contactId);
        const attribution = plan.attribution ?? null;
        const survey = await withPerson(context, tx, person, (unit) =>
          sendSurvey(unit, context, { callId, line, attribution, actor: `api:${keyId}` }),
        );
        if (!isRefused(survey)) return { status: 202, body: surveyView(survey) };
        const answer = refusedAnswer(survey);
        const { status = answer.status } = RUN_FAILURES[survey.refused.code] ?? {};
        return status === undefined ? answer : { ...answer, status };
      });
    },
  );
}

function surveyView(survey: Survey): z.infer<typeof surveySchema> {
  const { callId, contactId, lineId, way, status, messageId, askedAt, answeredAt, score } = survey;
  return {
    id: callId,
    callId,
    contactId,
    lineId,
    way,
    status,
    messageId,
    askedAt: isoTime(askedAt),
    answeredAt: isoTimeOrNull(answeredAt),
    score,
  };
}
