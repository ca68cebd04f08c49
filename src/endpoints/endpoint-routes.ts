import { z } from 'zod';
import type { Queryable } from '../database/database.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import type { EndpointView } from '../http/api-types.ts';
import { accountOf } from '../http/auth.ts';
import { pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import type { EndpointDesk } from './endpoint-desk.ts';
import { endpointIn } from './endpoint-input-routes.ts';
import { endpointBody, endpointSchema } from './endpoint-schemas.ts';
import {
  listEndpoints,
  readEndpoint,
  saveEndpoint,
  type StoredEndpoint,
} from './endpoint-store.ts';
import { endpointState, type EndpointState } from './health.ts';
import { readHealth } from './health-store.ts';

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
      const wish = endpointIn(request.body, endpointDesk.guardOf(accountId));
      const [view] = await database.transaction(async (tx) => {
        const endpoint = { ...wish, id: ids.next('endpoint'), accountId };
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

/** Endpoints as they are shown, with how their targets are. */
export async function viewsOf(
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
