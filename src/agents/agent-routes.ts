import { z } from 'zod';
import { found, idFrom, type ApiContext } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import type { Refused } from '../platform/refusal.ts';
import { AGENT_LIMITS } from './agent.ts';
import type { AgentHints } from './agent-hints.ts';
import { makeAgentToken } from './agent-token-routes.ts';
import {
  addAgent,
  countAgents,
  listAgents,
  readAgent,
  removeAgent,
  updateAgent,
} from './agent-store.ts';
import { agentSchema, agentView, groupsSchema } from './agent-views.ts';

const tags = ['agents'];
const byId = z.object({ id: z.string() });
const withToken = agentSchema.extend({
  token: z.string().describe('Shown once. It opens the page /agent, and /v1/agents/me, only.'),
});
const newAgent = z.strictObject({
  name: oneLine(100).describe('Unique in the account.'),
  groups: groupsSchema.describe('Endpoints with `agents.group` ring whoever is in that group.'),
});

type Context = ApiContext & { agentHints: AgentHints };

/** People who answer in the browser, as the business sees and makes them. */
export function registerAgentRoutes(app: HttpServer, context: Context): void {
  registerReading(app, context);
  registerTokens(app, context);
  const { database, clock, ids, random, agentHints } = context;
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/agents',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Add an agent; the token comes with the answer, once',
        body: newAgent,
        response: { 201: withToken },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { name, groups } = request.body;
      await idempotent(request, reply, context, async (tx) => {
        if ((await countAgents(tx, accountId)) >= AGENT_LIMITS.agentsMax) return full();
        const { token, tokenHash } = makeAgentToken(random);
        const now = clock.now();
        const id = ids.next('agent');
        if (!(await addAgent(tx, { id, accountId, name, groups, tokenHash, now }))) return taken();
        const agent = found(await readAgent(tx, id), 'agent');
        return { status: 201, body: { ...agentView(agent, now), token } };
      });
    },
  );

  app.delete(
    '/v1/agents/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Remove an agent: the token opens nothing more, a call there ends',
        params: byId,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const id = idFrom('agent', request.params.id);
      const removed = await removeAgent(database, accountId, id, clock.now());
      found(removed ? id : null, 'agent');
      agentHints.tell(id);
      return reply.code(204).send(null);
    },
  );
}

function registerReading(app: HttpServer, { database, clock, authenticator }: Context): void {
  const onRequest = authenticator.authenticate;

  app.get(
    '/v1/agents',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Agents and whether they can take a call, oldest first',
        querystring: z.object({ ...pageQuery }),
        response: { 200: pageSchema(agentSchema) },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { limit } = request.query;
      const after = afterIdOf(request.query) ?? '';
      const agents = await listAgents(database, accountId, after, limit + 1);
      return pageOf(agents, limit, (agent) => agentView(agent, clock.now()));
    },
  );

  app.get(
    '/v1/agents/:id',
    {
      onRequest,
      schema: { tags, summary: 'One agent', params: byId, response: { 200: agentSchema } },
    },
    async (request) => {
      const agent = await readAgent(database, idFrom('agent', request.params.id));
      const { accountId } = accountOf(request);
      return agentView(found(agent?.accountId === accountId ? agent : null, 'agent'), clock.now());
    },
  );
}

function registerTokens(app: HttpServer, context: Context): void {
  const { database, clock, random, agentHints } = context;
  const onRequest = context.authenticator.authenticate;

  app.patch(
    '/v1/agents/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Put an agent into other groups',
        params: byId,
        body: z.strictObject({ groups: groupsSchema }),
        response: { 200: agentSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const id = idFrom('agent', request.params.id);
      const { groups } = request.body;
      const isOwn = await updateAgent(database, accountId, id, { groups, tokenHash: null });
      const agent = found(isOwn ? await readAgent(database, id) : null, 'agent');
      agentHints.tell(id);
      return agentView(agent, clock.now());
    },
  );

  app.post(
    '/v1/agents/:id/token',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Make a new token; the old one opens nothing more',
        params: byId,
        response: { 201: withToken },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const id = idFrom('agent', request.params.id);
      await idempotent(request, reply, context, async (tx) => {
        const { token, tokenHash } = makeAgentToken(random);
        const isOwn = await updateAgent(tx, accountId, id, { groups: null, tokenHash });
        const agent = found(isOwn ? await readAgent(tx, id) : null, 'agent');
        return { status: 201, body: { ...agentView(agent, clock.now()), token } };
      });
    },
  );
}

function taken(): Refused {
  const message = 'The account has an agent of this name.';
  const fix = 'Choose another name, or make a new token: POST /v1/agents/{id}/token.';
  return { refused: { code: 'agent_name_taken', message, fix } };
}

function full(): Refused {
  const message = `The account has ${AGENT_LIMITS.agentsMax} agents already.`;
  return { refused: { code: 'agents_full', message, fix: 'Remove those who answer no more.' } };
}
