import { z } from 'zod';
import { attributionSchema } from '../attribution/attribution-schemas.ts';
import { contactFor } from '../contacts/contact-lookup.ts';
import { experimentIdField } from '../experiments/experiment-schemas.ts';
import { readExperiment } from '../experiments/experiment-store.ts';
import { type ApiContext, found, idFrom, lineFor, refusedAnswer } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import { onContact, withContact } from '../ledger/contact-unit.ts';
import { isRefused } from '../platform/refusal.ts';
import { startRun } from './journey-commands.ts';
import { cancelBefore, lockJourney, readJourney } from './journey-store.ts';
import { listRuns, readRun } from './run-store.ts';
import { stopRun } from './run-steps.ts';
import { runSchema, runView } from './run-views.ts';

const tags = ['journeys'];
const byId = z.object({ id: z.string() });

const startBody = z.strictObject({
  to: z.string().min(1).max(100).describe('Number (E.164) or business-scoped user id.'),
  name: oneLine(100).optional().describe('How to address the customer.'),
  lineId: z.string().optional(),
  variables: z
    .record(z.string().max(40), z.string().max(200))
    .default({})
    .describe('What the journey declares, as texts.'),
  startAt: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('When its first step begins; default: now. At most a year ahead.'),
  experimentId: experimentIdField.describe(
    'The server draws the arm; its steps ask and call as the arm says, at its hour too.',
  ),
  attribution: attributionSchema.optional(),
});

/** People on their way through journeys. */
export function registerRunRoutes(app: HttpServer, context: ApiContext): void {
  registerStarting(app, context);
  registerLooking(app, context);
  registerCancelling(app, context);
}

function registerStarting(app: HttpServer, context: ApiContext): void {
  app.post(
    '/v1/journeys/:id/runs',
    {
      onRequest: context.authenticator.authenticate,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Put a customer on a journey',
        description:
          'Your system calls it when something happens that the journey is for: a delivery is ' +
          'late, an appointment was made. One live run per customer and journey.',
        params: byId,
        body: startBody,
        response: { 202: runSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const { body } = request;
      const journeyId = idFrom('journey', request.params.id);
      found(await readJourney(context.database, accountId, journeyId), 'journey');
      const experimentId =
        body.experimentId === undefined ? null : idFrom('experiment', body.experimentId);
      if (experimentId !== null) {
        found(await readExperiment(context.database, accountId, experimentId), 'experiment');
      }
      await idempotent(request, reply, context, async (tx) => {
        const line = await lineFor(tx, accountId, body.lineId);
        const wanted = { to: body.to, name: body.name };
        const contactId = await contactFor(tx, context, accountId, wanted);
        if (isRefused(contactId)) return refusedAnswer(contactId);
        const run = await withContact(context, tx, contactId, (unit) =>
          startRun(unit, {
            journeyId,
            line,
            variables: body.variables,
            experimentId,
            attribution: body.attribution ?? null,
            startAt: body.startAt === undefined ? null : Date.parse(body.startAt),
            keyId,
            actor: `api:${keyId}`,
          }),
        );
        if (!isRefused(run)) return { status: 202, body: runView(run) };
        const answer = refusedAnswer(run);
        return run.refused.code === 'journey_run_live' ? { ...answer, status: 409 } : answer;
      });
    },
  );
}

function registerLooking(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/journey-runs',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Runs of journeys, newest first',
        querystring: z.object({
          ...pageQuery,
          journeyId: z.string().optional(),
          contactId: z.string().optional(),
          status: z.enum(['live', 'ended']).optional(),
        }),
        response: { 200: pageSchema(runSchema) },
      },
    },
    async (request) => {
      const { limit, journeyId, contactId, status = null } = request.query;
      const runs = await listRuns(database, accountOf(request).accountId, {
        journeyId: journeyId === undefined ? null : idFrom('journey', journeyId),
        contactId: contactId === undefined ? null : idFrom('contact', contactId),
        status,
        after: afterIdOf(request.query),
        limit: limit + 1,
      });
      return pageOf(runs, limit, runView);
    },
  );

  app.get(
    '/v1/journey-runs/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One run with its steps',
        params: byId,
        response: { 200: runSchema },
      },
    },
    async (request) => {
      const id = idFrom('journeyRun', request.params.id);
      return runView(found(await readRun(database, accountOf(request).accountId, id), 'run'));
    },
  );
}

function registerCancelling(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/journey-runs/:id/cancel',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Take one person off a journey; a call that nobody has picked up is called off',
        params: byId,
        response: { 200: runSchema },
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const id = idFrom('journeyRun', request.params.id);
      const { contactId } = found(await readRun(database, accountId, id), 'run');
      await onContact(context, contactId, async (unit) => {
        const run = await readRun(unit.tx, accountId, id);
        if (run === null || run.phase.kind === 'ended') return;
        await stopRun(unit, run, 'cancelled', `api:${keyId}`);
      });
      return runView(found(await readRun(database, accountId, id), 'run'));
    },
  );

  app.post(
    '/v1/journeys/:id/cancel-runs',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Take everybody off a journey, within seconds; new runs may begin at once',
        params: byId,
        response: { 202: z.object({ journeyId: z.string() }) },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const journeyId = idFrom('journey', request.params.id);
      const cancel = { now: clock.now(), reason: 'cancelled', deleted: false };
      await database.transaction(async (tx) => {
        found(await lockJourney(tx, accountId, journeyId), 'journey');
        await cancelBefore(tx, journeyId, cancel);
      });
      return reply.code(202).send({ journeyId });
    },
  );
}
