import { z } from 'zod';
import { type ApiContext, lineFor } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import {
  callDeniedFacts,
  highOptOutRateFacts,
  lowGrantRateFacts,
  requestNotReceivedFacts,
  type DiagnosisPorts,
} from './diagnosis-lookup.ts';
import { PROBLEMS, diagnose, type DiagnosisFacts } from './diagnosis.ts';
import type { AccountId } from '../platform/ids.ts';

const question = {
  problem: z.enum(PROBLEMS),
  to: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('Number or user id; for call_denied and request_not_received.'),
  lineId: z.string().optional().describe('The rates look at all lines when left out.'),
  purpose: z.string().min(1).max(500).optional().describe('Of the call; for call_denied.'),
  days: z.coerce.number().int().min(1).max(90).default(30).describe('For the rates.'),
};
const query = z.object(question);

const checkSchema = z.object({
  id: z.string(),
  title: z.string(),
  result: z.enum(['ok', 'fault', 'hint', 'unknown']),
  detail: z.string(),
  fix: z.string().nullable(),
  evidence: z.record(z.string(), z.unknown()),
});

const diagnosisSchema = z.object({
  problem: z.enum(PROBLEMS),
  cause: checkSchema.nullable().describe('The first fault, else the first hint.'),
  checks: z.array(checkSchema),
});

const DAY_MS = 86_400_000;

/** What is wrong, and what to do about it: the page's four problems. */
export function registerDiagnosisRoutes(
  app: HttpServer,
  context: ApiContext & DiagnosisPorts,
): void {
  app.get(
    '/v1/diagnose',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['evidence'],
        summary: 'What is wrong: permission denied, no request, few grants, many opt-outs',
        querystring: query,
        response: { 200: diagnosisSchema },
      },
    },
    async (request) => diagnose(await gather(context, accountOf(request).accountId, request.query)),
  );

  app.post(
    '/v1/diagnose',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['evidence'],
        summary: 'The same question in a body, so that the number stands in no address and no log',
        body: z.strictObject(question),
        response: { 200: diagnosisSchema },
      },
    },
    async (request) => diagnose(await gather(context, accountOf(request).accountId, request.body)),
  );
}

async function gather(
  context: ApiContext & DiagnosisPorts,
  accountId: AccountId,
  asked: z.infer<typeof query>,
): Promise<DiagnosisFacts> {
  const { problem, to, purpose = null, days } = asked;
  if (problem === 'call_denied' || problem === 'request_not_received') {
    if (to === undefined) throw toMissing(problem);
    const line = await lineFor(context.database, accountId, asked.lineId);
    const about = { accountId, to, line, purpose };
    return problem === 'call_denied'
      ? callDeniedFacts(context, about)
      : requestNotReceivedFacts(context, about);
  }
  const { lineId } = asked;
  const line = lineId === undefined ? null : await lineFor(context.database, accountId, lineId);
  const until = context.clock.now();
  const span = { accountId, lineId: line?.id ?? null, from: until - days * DAY_MS, until };
  return problem === 'low_grant_rate'
    ? lowGrantRateFacts(context, span, days)
    : highOptOutRateFacts(context, span, days);
}

function toMissing(problem: string): HttpError {
  return new HttpError('invalid_request', `${problem} is about one customer.`, {
    fields: [{ field: 'to', rule: 'required', fix: 'Name the customer: &to=%2B447700900123.' }],
  });
}
