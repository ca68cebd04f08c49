import { z } from 'zod';
import { campaignsThatCall } from '../campaigns/uses-store.ts';
import type { Tx } from '../database/database.ts';
import { RUN_FAILURES } from '../failure-codes.ts';
import { type ApiContext, found } from '../http/api-context.ts';
import { RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { journeysThatCall } from '../journeys/journey-uses-store.ts';
import { listLines } from '../lines/line-store.ts';
import { scriptsThatConnect } from '../scripts/script-store.ts';
import type { EndpointDesk } from './endpoint-desk.ts';
import { badFields, endpointIn } from './endpoint-input-routes.ts';
import { ownEndpoint, viewsOf } from './endpoint-routes.ts';
import { endpointBody, endpointSchema } from './endpoint-schemas.ts';
import {
  deleteEndpoint,
  openEndpoint,
  readEndpoint,
  replaceEndpoint,
  type StoredEndpoint,
} from './endpoint-store.ts';
import { openCallsTo } from './endpoint-usage-store.ts';
import { readRouting } from './routing-store.ts';

const params = z.object({ id: z.string() });

/** Endpoints that are there: replaced by id, taken away. */
export function registerEndpointChangeRoutes(
  app: HttpServer,
  context: ApiContext & { endpointDesk: EndpointDesk },
): void {
  const { database, sealer, endpointDesk } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['endpoints'];

  app.put(
    '/v1/endpoints/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Replace an endpoint, its name too; a password that is left out stays',
        params,
        body: endpointBody,
        response: { 200: endpointSchema },
      },
    },
    async (request) => {
      const stored = await ownEndpoint(context, request, request.params.id);
      const { id, accountId } = stored;
      await endpointDesk.refresh();
      const kept = openEndpoint(stored, sealer).targets;
      const wish = endpointIn(request.body, endpointDesk.guardOf(accountId), kept);
      const [view] = await database.transaction(async (tx) => {
        const isDone = await replaceEndpoint(tx, sealer, { ...wish, id, accountId });
        if (!isDone) throw nameTaken();
        return viewsOf(tx, [found(await readEndpoint(tx, accountId, id), 'endpoint')]);
      });
      return found(view, 'endpoint');
    },
  );

  app.delete(
    '/v1/endpoints/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Take away an endpoint that nothing leads to',
        params,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const stored = await ownEndpoint(context, request, request.params.id);
      await database.transaction(async (tx) => {
        const users = await usersOf(tx, stored);
        if (users !== null) throw inUse(users);
        await deleteEndpoint(tx, stored);
      });
      return reply.code(204).send(null);
    },
  );
}

type Users = {
  lines: string[];
  rules: string[];
  scripts: string[];
  journeys: string[];
  campaigns: string[];
  calls: number;
};

/** What leads to an endpoint; null where nothing does. */
async function usersOf(tx: Tx, endpoint: StoredEndpoint): Promise<Users | null> {
  const { id, accountId } = endpoint;
  const lines = (await listLines(tx, accountId)).filter((line) => line.defaultEndpointId === id);
  const { rules, defaultEndpointId } = await readRouting(tx, accountId);
  const leading = rules.filter(({ endpointId }) => endpointId === id).map(({ name }) => name);
  const users = {
    lines: lines.map(({ name }) => name),
    rules: defaultEndpointId === id ? [...leading, '(default)'] : leading,
    scripts: await scriptsThatConnect(tx, accountId, endpoint),
    journeys: await journeysThatCall(tx, accountId, endpoint),
    campaigns: await campaignsThatCall(tx, accountId, endpoint),
    calls: await openCallsTo(tx, accountId, id),
  };
  const { calls, ...lists } = users;
  return calls === 0 && Object.values(lists).every(({ length }) => length === 0) ? null : users;
}

function inUse(evidence: Users): RefusalError {
  const { title, fix } = found(RUN_FAILURES['endpoint_in_use'], 'failure');
  return new RefusalError({ code: 'endpoint_in_use', message: title, fix, evidence }, 409);
}

function nameTaken(): Error {
  const rule = 'is the name of another endpoint';
  const fix = 'Give it another name, or change that endpoint.';
  return badFields([{ field: 'name', rule, fix }]);
}
