import type { Database } from '../database/database.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { AccountId, CallId, Ids } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { SavedDialog, SipCall, SipCallEvent } from '../sip/sip.ts';
import type { AgentOptions, RingId } from './agent.ts';
import { AgentCall } from './agent-call.ts';
import type { AgentHints } from './agent-hints.ts';
import { clearRing, readRings, renewRings } from './agent-store.ts';

/**
 * Calls to people in their browsers, told as a SIP call is: so that everything which works with a
 * phone works with them. The rows carry what the two sides say to each other, the gateway here and
 * the browser behind the API, which may be another process.
 */
export type AgentLines = {
  /** Rings one agent of the group after the other; ends in one of `failed` or `ended`. */
  ring(wish: RingOrder, onEvent: (event: SipCallEvent) => void): SipCall;
  /** Frees the agent of a call that another run left behind; anything else is ignored. */
  endLost(saved: SavedDialog): void;
  close(): Promise<void>;
};

export type RingOrder = {
  accountId: AccountId;
  callId: CallId;
  options: AgentOptions;
  /** Our SDP for the browser, with ICE as it is for this call. */
  offer: string;
  /** How long all agents together. */
  ringTimeoutMs: number;
};

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
    async close() {
      for (const call of calls) call.hangUp();
      await Promise.all(stops.map(async (stop) => stop()));
    },
  };
}
