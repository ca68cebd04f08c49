import { z } from 'zod';
import { contactFor } from '../contacts/contact-lookup.ts';
import type { Tx } from '../database/database.ts';
import { type ApiContext, found, idFrom, refusedAnswer } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import type { FieldProblem } from '../http/field-problems.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isId, type AccountId } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { readScript } from '../scripts/script-store.ts';
import { listTemplates } from '../templates/template-store.ts';
import { armOf } from './assignment.ts';
import type { Experiment } from './experiment.ts';
import {
  createExperiment,
  decideExperiment,
  onExperiment,
  startExperiment,
  stopExperiment,
} from './experiment-commands.ts';
import {
  assignBody,
  assignmentView,
  createBody,
  decideBody,
  experimentView,
  experimentWithResult,
  sizeQuery,
  sizeView,
} from './experiment-schemas.ts';
import { listExperiments, readExperiment } from './experiment-store.ts';
import { resultOf, viewOf } from './experiment-views.ts';
import { looksOf } from './exposure-store.ts';
import { peoplePerArm } from './plan-size.ts';

const tags = ['experiments'];
const byId = z.object({ id: z.string() });

/** Experiments: planned, started, watched and decided. */
export function registerExperimentRoutes(app: HttpServer, context: ApiContext): void {
  registerPlanning(app, context);
  registerReading(app, context);
  registerMoves(app, context);
  registerAssigning(app, context);
}

function registerPlanning(app: HttpServer, context: ApiContext): void {
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/experiments/size',
    {
      onRequest,
      schema: {
        tags,
        summary: 'How many people an experiment needs',
        querystring: sizeQuery,
        response: { 200: sizeView },
      },
    },
    async (request) => {
      const perArm = peoplePerArm(sized(request.query));
      return { peoplePerArm: perArm, people: perArm * request.query.arms };
    },
  );

  app.post(
    '/v1/experiments',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Plan an experiment; nobody is in it before it is started',
        body: createBody,
        response: { 201: experimentView },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { name, layer, arms, ...plan } = request.body;
      await idempotent(request, reply, context, async (tx) => {
        await checkArms(tx, accountId, arms);
        const perArm = peoplePerArm(sized({ ...plan, arms: arms.length }));
        const weights = arms.map(({ weight }) => weight);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        // The smallest arm has to be large enough; the others are larger by their weights.
        const plannedPeople = Math.ceil((perArm * total) / Math.min(...weights));
        const wish = { accountId, name, layer, arms, plan: { ...plan, plannedPeople } };
        const experiment = await createExperiment(tx, context, wish);
        return { status: 201, body: viewOf(experiment) };
      });
    },
  );
}

function registerReading(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/experiments',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Experiments, newest first',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(experimentView) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const page = { after: afterIdOf(request.query), limit: limit + 1 };
      const rows = await listExperiments(database, accountOf(request).accountId, page);
      return pageOf(rows, limit, viewOf);
    },
  );

  app.get(
    '/v1/experiments/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One experiment with its result so far',
        params: byId,
        response: { 200: experimentWithResult },
      },
    },
    async (request) => {
      const id = idFrom('experiment', request.params.id);
      const { accountId } = accountOf(request);
      const experiment = found(await readExperiment(database, accountId, id), 'experiment');
      const looks = await looksOf(database, id);
      return { ...viewOf(experiment), result: resultOf(experiment, looks) };
    },
  );
}

function registerMoves(app: HttpServer, context: ApiContext): void {
  const onRequest = context.authenticator.authenticate;
  const response = { 200: experimentView };

  app.post(
    '/v1/experiments/:id/start',
    { onRequest, schema: { tags, summary: 'Let people in', params: byId, response } },
    async (request) =>
      moved(context, request, request.params.id, (tx, experiment, actor) =>
        startExperiment(tx, context, experiment, actor),
      ),
  );

  app.post(
    '/v1/experiments/:id/stop',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Let nobody in any more; all get the control',
        params: byId,
        response,
      },
    },
    async (request) =>
      moved(context, request, request.params.id, (tx, experiment, actor) =>
        stopExperiment(tx, context, experiment, actor),
      ),
  );

  app.post(
    '/v1/experiments/:id/decide',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Adopt an arm: from now on everybody gets it',
        params: byId,
        body: decideBody,
        response,
      },
    },
    async (request) =>
      moved(context, request, request.params.id, (tx, experiment, actor) =>
        decideExperiment(tx, context, experiment, { winner: request.body.arm, actor }),
      ),
  );
}

function registerAssigning(app: HttpServer, context: ApiContext): void {
  app.post(
    '/v1/experiments/:id/assignments',
    {
      onRequest: context.authenticator.authenticate,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Which arm a person gets; counted only when they are asked or called',
        params: byId,
        body: assignBody,
        response: { 200: assignmentView },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const id = idFrom('experiment', request.params.id);
      await idempotent(request, reply, context, async (tx) => {
        const experiment = found(await readExperiment(tx, accountId, id), 'experiment');
        const contactId = await contactFor(tx, context, accountId, request.body);
        if (isRefused(contactId)) return refusedAnswer(contactId);
        return { status: 200, body: { experimentId: id, ...armOf(experiment, contactId) } };
      });
    },
  );
}

type Asked = Parameters<typeof accountOf>[0];

async function moved(
  context: ApiContext,
  request: Asked,
  idText: string,
  move: (tx: Tx, experiment: Experiment, actor: string) => Promise<Experiment | Refused>,
) {
  const { accountId, keyId } = accountOf(request);
  const id = idFrom('experiment', idText);
  const after = found(
    await onExperiment(context, accountId, id, (tx, experiment) =>
      move(tx, experiment, `api:${keyId}`),
    ),
    'experiment',
  );
  if (isRefused(after)) throw new RefusalError(after.refused, 409);
  return viewOf(after);
}

type Sized = z.infer<typeof sizeQuery>;

/** A share can lie below 0 or above 1 in one direction, but not in both. */
function sized(wish: Sized): Sized {
  const { baseline, smallestEffect } = wish;
  if (baseline + smallestEffect < 1 || baseline - smallestEffect > 0) return wish;
  throw badField({
    field: 'smallestEffect',
    rule: 'leaves a share between 0 and 1 next to the baseline',
    fix: 'Take a smaller effect: 0.05 is five points.',
  });
}

/** What an arm names must exist now, not only when the first person is drawn into it. */
async function checkArms(
  tx: Tx,
  accountId: AccountId,
  arms: z.infer<typeof createBody>['arms'],
): Promise<void> {
  for (const [index, { overrides }] of arms.entries()) {
    const { template, scriptId } = overrides;
    const field = (name: string): string => `arms.${index}.overrides.${name}`;
    if (template !== undefined) {
      const known = await listTemplates(tx, accountId, { name: template });
      if (known.length === 0) {
        const fix = 'GET /v1/templates lists what there is.';
        throw badField({ field: field('template'), rule: 'names a template that exists', fix });
      }
    }
    if (scriptId !== undefined) {
      const script = isId('script', scriptId) ? await readScript(tx, accountId, scriptId) : null;
      if (script === null) {
        const fix = 'GET /v1/scripts lists what there is.';
        throw badField({ field: field('scriptId'), rule: 'names a script that exists', fix });
      }
    }
  }
}

function badField(problem: FieldProblem): HttpError {
  return new HttpError('invalid_request', `${problem.field} ${problem.rule}.`, {
    fields: [problem],
  });
}
