import { z } from 'zod';
import { agentsUri } from '../agents/agent.ts';
import type { Queryable } from '../database/database.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import type { EndpointView } from '../http/api-types.ts';
import { accountOf } from '../http/auth.ts';
import type { FieldProblem } from '../http/field-problems.ts';
import { pageSchema } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isRefused } from '../platform/refusal.ts';
import type { EndpointTarget } from './endpoint.ts';
import type { EndpointDesk } from './endpoint-desk.ts';
import { endpointBody, endpointSchema, type EndpointBody } from './endpoint-schemas.ts';
import {
  listEndpoints,
  readEndpoint,
  saveEndpoint,
  type StoredEndpoint,
} from './endpoint-store.ts';
import { endpointState, type EndpointState } from './health.ts';
import { readHealth } from './health-store.ts';
import { guardTarget, type GuardSettings } from './target-guard.ts';

/** Endpoints: where the business talks. */
export function registerEndpointRoutes(
  app: HttpServer,
  context: ApiContext & { endpointDesk: EndpointDesk },
): void {
  const { database, ids, sealer, endpointDesk } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['endpoints'];

  app.get(
    '/v1/endpoints',
    {
      onRequest,
      schema: { tags, summary: 'All endpoints', response: { 200: pageSchema(endpointSchema) } },
    },
    async (request) => {
      const endpoints = await listEndpoints(database, accountOf(request).accountId);
      return { items: await viewsOf(database, endpoints), next: null };
    },
  );

  app.post(
    '/v1/endpoints',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Add an endpoint, or replace the one with this name',
        body: endpointBody,
        response: { 201: endpointSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      await endpointDesk.refresh();
      const targets = targetsOf(request.body, endpointDesk.guardOf(accountId));
      const {
        uri: _uri,
        username: _name,
        password: _password,
        srtp: _srtp,
        ...rest
      } = request.body;
      const { failover, callerId, userToUser, whenNobody, agents, ...plain } = rest;
      const healthCheck = agents === undefined ? plain.healthCheck : 'off';
      const shared = { failover, callerId, userToUser, healthCheck, whenNobody } as const;
      const options = agents === undefined ? shared : { ...shared, agents };
      const [view] = await database.transaction(async (tx) => {
        const endpoint = { ...plain, id: ids.next('endpoint'), accountId, targets, options };
        const id = await saveEndpoint(tx, sealer, endpoint);
        return viewsOf(tx, [found(await readEndpoint(tx, accountId, id), 'endpoint')]);
      });
      return reply.code(201).send(found(view, 'endpoint'));
    },
  );

  app.get(
    '/v1/endpoints/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One endpoint',
        params: z.object({ id: z.string() }),
        response: { 200: endpointSchema },
      },
    },
    async (request) => {
      const stored = await ownEndpoint(context, request, request.params.id);
      const [view] = await viewsOf(database, [stored]);
      return found(view, 'endpoint');
    },
  );
}

/** The endpoint, if the account has it; 404 in the same words for all others. */
export async function ownEndpoint(
  { database }: Pick<ApiContext, 'database'>,
  request: Parameters<typeof accountOf>[0],
  text: string,
): Promise<StoredEndpoint> {
  const id = idFrom('endpoint', text);
  return found(await readEndpoint(database, accountOf(request).accountId, id), 'endpoint');
}

const ONE_TARGET = {
  priority: 0,
  weight: 1,
  username: null,
  password: null,
  srtp: 'off',
} as const;

/** The targets of a body, one or several, all of them past the guard. */
function targetsOf(body: EndpointBody, guard: GuardSettings): EndpointTarget[] {
  const { uri, username = null, password = null, srtp, targets, agents } = body;
  if (agents !== undefined && uri === undefined && targets === undefined) {
    return [{ ...ONE_TARGET, uri: agentsUri(agents.group) }];
  }
  if (agents !== undefined || (uri === undefined) === (targets === undefined)) {
    const rule = 'is given, or `targets`, or `agents`; one of the three';
    const fix = 'Send `uri` for one address, `targets` for several, `agents` for people.';
    throw badFields([{ field: 'uri', rule, fix }]);
  }
  if (uri !== undefined) {
    refuseUnguarded([{ field: 'uri', uri }], guard);
    return [{ ...ONE_TARGET, uri, username, password, srtp }];
  }
  const several = targets ?? [];
  const fields = several.map((target, at) => ({ field: `targets.${at}.uri`, uri: target.uri }));
  refuseUnguarded(fields, guard);
  const twice = fields.find(({ uri: one }, at) => several.findIndex((t) => t.uri === one) < at);
  if (twice !== undefined) {
    const fix = 'Name each address once; `weight` gives it more calls.';
    throw badFields([{ field: twice.field, rule: 'stands in the list once', fix }]);
  }
  return several.map((target) => ({
    ...target,
    username: target.username ?? null,
    password: target.password ?? null,
    srtp: target.srtp ?? srtp,
  }));
}

function refuseUnguarded(
  named: ReadonlyArray<{ field: string; uri: string }>,
  guard: GuardSettings,
): void {
  const problems = named.flatMap(({ field, uri }) => {
    const answer = guardTarget(uri, guard);
    if (!isRefused(answer)) return [];
    const { evidence, message, fix } = answer.refused;
    const rule = evidence?.['rule'];
    return [{ field, rule: typeof rule === 'string' ? rule : message, fix }];
  });
  if (problems.length > 0) throw badFields(problems);
}

function badFields(fields: FieldProblem[]): HttpError {
  return new HttpError('invalid_request', 'The address of the endpoint cannot be used.', {
    fields,
  });
}

async function viewsOf(
  db: Queryable,
  endpoints: readonly StoredEndpoint[],
): Promise<EndpointView[]> {
  const ids = endpoints.map(({ id }) => id);
  const rows = await readHealth(db, ids);
  return endpoints.map((endpoint) => {
    const states = endpoint.targets.map(
      ({ uri }) =>
        rows.find((row) => row.endpointId === endpoint.id && row.uri === uri)?.state ?? 'unknown',
    );
    return endpointView(endpoint, endpointState(states));
  });
}

function endpointView(endpoint: StoredEndpoint, health: EndpointState): EndpointView {
  const { id, name, uri, codecs, strategy, ringTimeoutMs, meanwhile, options } = endpoint;
  const { failover } = options;
  return {
    id,
    name,
    uri,
    targets: endpoint.targets.map(({ password: _password, ...target }) => target),
    codecs: [...codecs],
    strategy,
    ringTimeoutMs,
    srtp: endpoint.targets[0]?.srtp ?? 'off',
    meanwhile,
    ...options,
    agents: options.agents ?? null,
    health,
    failover: { ...failover, on: [...failover.on] },
    maxCalls: endpoint.maxCalls,
    minutesPerDay: endpoint.minutesPerDay,
  };
}
