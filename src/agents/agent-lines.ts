import type { Database } from '../database/database.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Ids } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { AgentLines, RingId } from './agent.ts';
import { AgentCall } from './agent-call.ts';
import type { AgentHints } from './agent-hints.ts';
import { clearRing, readRings, renewRings } from './agent-store.ts';
import { releaseAgents } from './reservation-store.ts';

export type AgentLinePorts = {
  database: Database;
  clock: Clock;
  ids: Ids;
  log: Log;
  hints: AgentHints;
  /** `node/run`: whose rings they are. */
  owner: string;
};

/** For browsers at another process; those of this one are told of by hints. */
const LOOK_EVERY_MS = 500;
const RENEW_EVERY_MS = 5_000;

export function openAgentLines(ports: AgentLinePorts): AgentLines {
  const { database, clock, hints, log, owner } = ports;
  const calls = new Set<AgentCall>();
  let looking = false;
  let again = false;

  const look = async (): Promise<void> => {
    again = true;
    if (looking) return;
    looking = true;
    try {
      while (again && calls.size > 0) {
        again = false;
        const rings = new Map((await readRings(database, owner)).map((one) => [one.ringId, one]));
        for (const call of calls) call.onRings(rings);
      }
    } catch (error) {
      log.error({ error: errorText(error) }, 'rings of agents not read');
    }
    looking = false;
  };

  const stops = [
    hints.subscribe(() => void look()),
    repeat(clock, LOOK_EVERY_MS, look),
    repeat(clock, RENEW_EVERY_MS, async () => {
      if (calls.size === 0) return;
      await renewRings(database, owner).catch((error: unknown) =>
        log.error({ error: errorText(error) }, 'rings of agents not kept'),
      );
    }),
  ];

  return {
    ring(order, onEvent) {
      const call = new AgentCall(ports, order, { onEvent, onDone: () => calls.delete(call) });
      calls.add(call);
      return call;
    },
    endLost(saved) {
      const ringId = saved['agentRing'];
      if (typeof ringId !== 'string') return;
      const how = { wrapUpMs: 0, toAway: false, only: null, now: clock.now() };
      clearRing(database, ringId as RingId, how).then(
        (agentId) => agentId !== null && hints.tell(agentId),
        (error: unknown) => log.error({ error: errorText(error) }, 'lost ring not cleared'),
      );
    },
    release(callId) {
      releaseAgents(database, callId).then(
        (agentIds) => agentIds.forEach((agentId) => hints.tell(agentId)),
        // It ends by itself after its time.
        (error: unknown) => log.error({ error: errorText(error) }, 'kept agent not released'),
      );
    },
    async close() {
      for (const call of calls) call.hangUp();
      await Promise.all(stops.map(async (stop) => stop()));
    },
  };
}
