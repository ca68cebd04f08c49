import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { repeat } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import { AGENT_LIMITS, type AgentId } from './agent.ts';
import { agentOf } from './agent-token-routes.ts';
import type { AgentContext, AgentHook } from './agent-own-routes.ts';
import { readAgent, renewLease } from './agent-store.ts';
import { agentMeView } from './agent-views.ts';

const STREAMS_MAX = 1_000;
/** For what happens in another process; what happens in this one is told at once. */
const LOOK_EVERY_MS = 1_000;
const HEARTBEAT_MS = 15_000;

/**
 * `GET /v1/agents/me/stream`: the agent's own view, whenever it changes (SSE). As long as it is
 * open the agent is there; its end takes them out of the rota within seconds, so that no call
 * rings at a closed browser.
 */
export function registerAgentStream(
  app: HttpServer,
  context: AgentContext,
  onRequest: AgentHook,
): void {
  const { database, clock } = context;
  const open = new Map<AgentId, number>();
  let streams = 0;

  app.get(
    '/v1/agents/me/stream',
    {
      onRequest,
      schema: { tags: ['agents'], summary: 'Be there, and see what changes, as it does (SSE)' },
    },
    async (request, reply) => {
      const { id } = agentOf(request);
      if (streams >= STREAMS_MAX) {
        throw new HttpError('temporarily_unavailable', 'Too many streams are open.', {
          headers: { 'retry-after': '10' },
        });
      }
      await renewLease(database, id, AGENT_LIMITS.leaseSeconds);
      context.agentHints.tell(id);
      streams += 1;
      open.set(id, (open.get(id) ?? 0) + 1);
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      const close = followAgent(context, id, {
        say: (text) => void raw.write(text),
        end: () => raw.end(),
      });
      raw.on('close', () => {
        streams -= 1;
        close();
        const left = (open.get(id) ?? 1) - 1;
        if (left > 0) open.set(id, left);
        else open.delete(id);
        // Their page in another tab goes on renewing it.
        if (left > 0) return;
        renewLease(database, id, AGENT_LIMITS.closedSeconds)
          .then(() => context.agentHints.tell(id))
          .catch((error: unknown) =>
            request.log.warn({ error: errorText(error) }, 'lease of an agent not shortened'),
          );
      });
      clock.after(0, () => context.agentHints.tell(id));
      return reply;
    },
  );
}

/** Says the agent's view each time that it is another one; returns the way to stop. */
function followAgent(
  { database, clock, changes, agentHints }: AgentContext,
  id: AgentId,
  to: { say: (text: string) => void; end: () => void },
): () => void {
  let said = '';
  let callId: string | null = null;
  let saidAt = clock.monotonic();
  let isOver = false;
  let looking = false;
  let again = false;

  const look = async (): Promise<void> => {
    again = true;
    if (looking) return;
    looking = true;
    while (again) {
      again = false;
      // The database may be away for a moment: the next look will do.
      await sayIfNew().catch(errorText);
    }
    looking = false;
  };
  const sayIfNew = async (): Promise<void> => {
    const agent = await readAgent(database, id);
    if (agent === null) return to.end();
    callId = agent.ring?.callId ?? null;
    const text = JSON.stringify(await agentMeView(database, agent, clock.now()));
    const isNew = text !== said;
    const isQuiet = clock.monotonic() - saidAt >= HEARTBEAT_MS;
    if (isOver || (!isNew && !isQuiet)) return;
    said = text;
    saidAt = clock.monotonic();
    to.say(isNew ? `event: me\ndata: ${text}\n\n` : ': still here\n\n');
  };
  const renew = (): Promise<void> =>
    renewLease(database, id, AGENT_LIMITS.leaseSeconds).catch(() => {});
  const stops = [
    repeat(clock, LOOK_EVERY_MS, look),
    repeat(clock, AGENT_LIMITS.renewEveryMs, renew),
    agentHints.subscribe((changed) => void (changed === id && look())),
    changes.subscribe(
      (change) => void (change.callId !== null && change.callId === callId && look()),
    ),
  ];
  return () => {
    isOver = true;
    void Promise.all(stops.map(async (stop) => stop()));
  };
}
