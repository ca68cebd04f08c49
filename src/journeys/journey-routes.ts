import { z } from 'zod';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime } from '../platform/clock.ts';
import { compiled } from './journey-check.ts';
import { checkJourneyHere, installReady } from './journey-desk.ts';
import { dryRun } from './journey-dry-run.ts';
import { drawnSteps, journeyDiagram } from './journey-diagram.ts';
import {
  cancelBefore,
  listJourneys,
  lockJourney,
  readJourney,
  saveJourney,
  versionsOfJourney,
  type StoredJourney,
} from './journey-store.ts';
import {
  drawingSchema,
  dryRunBody,
  dryRunView,
  journeyDraft,
  journeyView,
  listedView,
  problemsSchema,
  summaryOf,
  viewOf,
} from './journey-views.ts';
import { variablesRefusal } from './journey-commands.ts';
import type { JourneyProblem } from './journey.ts';
import { READY_JOURNEYS } from './ready-journeys.ts';
import { registerRunRoutes } from './run-routes.ts';
import { problemFields } from '../scripts/step-problems.ts';

const tags = ['journeys'];
const byId = z.object({ id: z.string() });

/** Journeys: saved by version, checked before, tried without a person, and their runs. */
export function registerJourneyRoutes(app: HttpServer, context: ApiContext): void {
  registerSaving(app, context);
  registerReading(app, context);
  registerTrying(app, context);
  registerReady(app, context);
  registerRunRoutes(app, context);
}

function registerSaving(app: HttpServer, context: ApiContext): void {
  const { database, ids, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/journeys',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Save a journey',
        body: journeyDraft,
        response: { 201: journeyView },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const checked = await checkJourneyHere(database, accountId, request.body);
      if (!checked.ok) throw journeyInvalid(checked.problems);
      await idempotent(request, reply, context, async (tx) => {
        const now = clock.now();
        const of = { id: ids.next('journey'), accountId, version: 1, readyKey: null };
        const stored = { ...of, document: checked.document, createdAt: now, updatedAt: now };
        await saveJourney(tx, stored);
        return { status: 201, body: viewOf(stored) };
      });
    },
  );

  app.put(
    '/v1/journeys/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Save a new version; runs that have begun keep theirs',
        params: byId,
        body: journeyDraft,
        response: { 200: journeyView },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { id } = await ownJourney(context, request);
      const checked = await checkJourneyHere(database, accountId, request.body);
      if (!checked.ok) throw journeyInvalid(checked.problems);
      return database.transaction(async (tx) => {
        const before = found(await lockJourney(tx, accountId, id), 'journey');
        const version = before.version + 1;
        const stored = { ...before, version, document: checked.document, updatedAt: clock.now() };
        await saveJourney(tx, stored);
        return viewOf(stored);
      });
    },
  );

  app.delete(
    '/v1/journeys/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Delete a journey; whoever is on it is taken off within seconds',
        params: byId,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const id = idFrom('journey', request.params.id);
      const cancel = { now: clock.now(), reason: 'journey_deleted', deleted: true };
      await database.transaction(async (tx) => {
        found(await lockJourney(tx, accountId, id), 'journey');
        await cancelBefore(tx, id, cancel);
      });
      return reply.code(204).send(null);
    },
  );
}

function registerReading(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/journeys',
    {
      onRequest,
      schema: {
        tags,
        summary: 'All journeys in their newest version, with how many people are on each',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(listedView) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const page = { after: afterIdOf(request.query), limit: limit + 1 };
      const journeys = await listJourneys(database, accountOf(request).accountId, page);
      return pageOf(journeys, limit, (journey) => ({
        ...summaryOf(journey),
        liveRuns: journey.liveRuns,
      }));
    },
  );

  app.get(
    '/v1/journeys/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One journey, with its diagram',
        params: byId,
        querystring: z.object({ version: z.coerce.number().int().min(1).optional() }),
        response: { 200: journeyView },
      },
    },
    async (request) => viewOf(await ownJourney(context, request, request.query.version)),
  );

  app.get(
    '/v1/journeys/:id/versions',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The newest hundred versions of a journey, newest first',
        params: byId,
        response: {
          200: pageSchema(z.object({ version: z.number(), createdAt: z.string() })),
        },
      },
    },
    async (request) => {
      const { id } = await ownJourney(context, request);
      const versions = await versionsOfJourney(database, id);
      const items = versions.map((each) => ({ ...each, createdAt: isoTime(each.createdAt) }));
      return { items, next: null };
    },
  );
}

function registerTrying(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/journeys/check',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Check a journey and draw it: nothing is saved',
        body: z.strictObject({ journey: journeyDraft }),
        response: {
          200: z.object({
            ok: z.boolean(),
            problems: problemsSchema,
            diagram: z.string().nullable(),
            drawing: drawingSchema,
          }),
        },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const checked = await checkJourneyHere(database, accountId, request.body.journey);
      if (!checked.ok) return { ok: false, problems: checked.problems, diagram: null, drawing: [] };
      const { journey } = checked;
      const drawing = drawnSteps(journey);
      return { ok: true, problems: [], diagram: journeyDiagram(journey), drawing };
    },
  );

  app.post(
    '/v1/journeys/:id/dry-run',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Play a journey with made-up answers, in virtual time: nobody is asked or called',
        params: byId,
        body: dryRunBody,
        response: { 200: dryRunView },
      },
    },
    async (request) => {
      const { document } = await ownJourney(context, request);
      const { variables, startAt, ...wish } = request.body;
      const refusal = variablesRefusal(document, variables);
      if (refusal !== null) throw new RefusalError(refusal, 422);
      const defaults = Object.entries(document.variables).map(([name, { default: text }]) => [
        name,
        text ?? '',
      ]);
      const { lines, end } = dryRun(compiled(document), {
        ...wish,
        variables: { ...Object.fromEntries(defaults), ...STAND_INS, ...variables },
        startAt: startAt === undefined ? context.clock.now() : Date.parse(startAt),
      });
      return { end, steps: lines.map(({ at, ...line }) => ({ ...line, at: isoTime(at) })) };
    },
  );
}

/** What a real run has from the person and the line. */
const STAND_INS = { contactName: '<contactName>', business: '<business>' };

const readyView = z.object({
  key: z.string(),
  title: z.string(),
  about: z.string(),
  journey: journeyDraft,
});

function registerReady(app: HttpServer, context: ApiContext): void {
  const { database, ids, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/journeys/ready',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Journeys that come with the product',
        response: { 200: z.object({ items: z.array(readyView) }) },
      },
    },
    async () => ({
      items: READY_JOURNEYS.map(({ key, title, about, journey }) => ({
        key,
        title,
        about,
        journey,
      })),
    }),
  );

  app.post(
    '/v1/journeys/ready/:key',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Install a ready journey with its scripts; twice gives the first one again',
        params: z.object({ key: z.string() }),
        response: { 200: journeyView },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { key } = request.params;
      const ready = found(
        READY_JOURNEYS.find((each) => each.key === key),
        'ready journey',
      );
      const ports = { ids, now: clock.now() };
      const made = await database.transaction((tx) => installReady(tx, ports, accountId, ready));
      if (Array.isArray(made)) throw journeyInvalid(made);
      return viewOf(made);
    },
  );
}

async function ownJourney(
  { database }: ApiContext,
  request: Parameters<typeof accountOf>[0] & { params: { id: string } },
  version?: number,
): Promise<StoredJourney> {
  const { accountId } = accountOf(request);
  const id = idFrom('journey', request.params.id);
  return found(await readJourney(database, accountId, id, version), 'journey');
}

/** What is wrong with a journey, as a 422 that names each step and field. */
function journeyInvalid(problems: readonly JourneyProblem[]): RefusalError {
  const fields = problemFields(problems);
  const [first] = fields;
  return new RefusalError(
    {
      code: 'journey_invalid',
      message: `This journey cannot run: ${first?.field ?? ''} ${first?.rule ?? ''}.`,
      fix: first?.fix ?? 'Correct it.',
      evidence: { problems },
    },
    422,
    fields,
  );
}
