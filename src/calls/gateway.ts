import type { Database } from '../database/database.ts';
import { sipTarget, targetOf } from '../endpoints/endpoint.ts';
import type { Changes } from '../ledger/changes.ts';
import { repeat } from '../platform/clock.ts';
import { Failure, errorText } from '../platform/failure.ts';
import type { CallId } from '../platform/ids.ts';
import type { CallState } from './call.ts';
import { CallSession, type SessionPorts, type SessionTarget } from './call-session.ts';
import { callVersions, leaseCalls, orphanedCalls } from './call-store.ts';
import type { DialedCall, Dialer } from './dialer.ts';
import { lostDialogs } from './lost-dialogs.ts';
import { openDueWatch } from './due-watch.ts';

/**
 * The gateway role: claims due calls, holds a session for each, keeps their leases, and takes
 * over the calls of a gateway that died. It never dials a call a second time.
 */
export type Gateway = {
  /** Looks for due calls now instead of at the next poll. */
  wake(): void;
  liveCalls(): CallId[];
  /**
   * From now on takes no new calls: they stay queued for the next process. Resolves when the
   * live ones have ended by themselves, or after `waitMs`; then `close` ends what is left.
   */
  drain(waitMs: number): Promise<void>;
  /** Takes no new calls, hangs up the live ones and waits until they have ended. */
  close(): Promise<void>;
};

export type GatewayPorts = SessionPorts & {
  database: Database;
  changes: Changes;
  dialer: Dialer;
  /** Opens the secrets of line and endpoint. */
  openTarget: (dialed: Omit<DialedCall, 'state'>) => SessionTarget;
  /** Finds contact, line and endpoint of a call; null when one of them is gone. */
  targetOf: (state: CallState) => Promise<SessionTarget | null>;
  /** Stable name of this node, and the name of this very run: `node/run`. */
  nodeName: string;
  owner: string;
  maxCalls: number;
};

export const LEASE_SECONDS = 15;
/** RFC 3326: why the endpoint's leg ends; Q.850 cause 41 is a temporary failure. */
const GATEWAY_LOST = 'Q.850;cause=41;text="gateway lost"';
const LEASE_EVERY_MS = 5_000;
const WATCH_EVERY_MS = 250;
const CLOSE_WAIT_MS = 8_000;

export function openGateway(ports: GatewayPorts): Gateway {
  const sessions = new Map<CallId, CallSession>();
  let closing = false;
  let onEmpty: (() => void) | null = null;
  const empty = (waitMs: number): Promise<void> => {
    if (sessions.size === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = ports.clock.after(waitMs, resolve);
    onEmpty = () => {
      timer.cancel();
      resolve();
    };
    return promise;
  };

  const adopt = (state: CallState, target: SessionTarget, recovered: boolean): void => {
    const { id } = state.plan;
    const onDone = (): void => {
      sessions.delete(id);
      if (target.endpoint.options.agents !== undefined) ports.agents?.release(id);
      if (sessions.size === 0) onEmpty?.();
    };
    const session = new CallSession(ports, target, state, { recovered, onDone });
    sessions.set(id, session);
    session.poke();
  };

  /** One call whose secrets cannot be opened must not take the others of its claim with it. */
  const adoptDialed = async (dialed: DialedCall): Promise<void> => {
    try {
      adopt(dialed.state, ports.openTarget(dialed), false);
    } catch (error) {
      const reason = error instanceof Failure ? error.code : 'dial_failed';
      ports.log.error({ callId: dialed.state.plan.id, reason }, 'call cannot be dialled');
      // Should this fail too, its lease runs out and it is recovered like any orphan.
      await ports.desk
        .endUnrung(dialed.state.plan.id, reason, null)
        .catch((cause: unknown) => ports.log.error({ error: errorText(cause) }, 'not ended'));
    }
  };

  const watch = openDueWatch({
    clock: ports.clock,
    dialer: ports.dialer,
    room: () => (closing ? 0 : ports.maxCalls - sessions.size),
    adopt: (dialed) => void adoptDialed(dialed),
    onError: (error) => ports.log.error({ error: errorText(error) }, 'claiming calls failed'),
  });

  ports.dialer.onReady?.(() => watch.wake());

  const recover = guarded('recovering calls', async () => {
    if (closing) return;
    const orphans = await orphanedCalls(ports.database, ports.nodeName, ports.owner);
    for (const state of orphans.filter(({ plan }) => !sessions.has(plan.id))) {
      const { id } = state.plan;
      ports.log.warn({ callId: id, status: state.status }, 'taking over an orphaned call');
      await leaseCalls(ports.database, [id], ports.owner, LEASE_SECONDS);
      await ports.desk.hangUp(id, 'platform', 'gateway_lost', 'platform');
      const target = await ports.targetOf(state).catch((error: unknown) => {
        ports.log.error({ callId: id, error: errorText(error) }, 'orphan has no usable target');
        return null;
      });
      if (target === null) {
        // Nobody can speak for it any more, but it ends all the same, as soon as its time is up.
        await ports.desk.wake(id, null);
        continue;
      }
      await endLostLegs(ports, state, target);
      adopt(state, target, true);
    }
  });

  const keep = guarded('keeping leases', async () => {
    const ids = [...sessions.keys()];
    if (ids.length > 0) await leaseCalls(ports.database, ids, ports.owner, LEASE_SECONDS);
    for (const session of sessions.values()) session.poke();
  });

  // Another process may have changed a row: a stop must reach the phone within a second. What
  // happens in this process comes by `changes`, so this costs one look-up and finds nothing.
  const watchRows = guarded('watching calls', async () => {
    for (const [id, version] of await callVersions(ports.database, [...sessions.keys()])) {
      const session = sessions.get(id);
      if (session?.version !== version) session?.poke();
    }
  });

  function guarded(what: string, task: () => Promise<void>): () => Promise<void> {
    return async () => {
      try {
        await task();
      } catch (error) {
        ports.log.error({ error: errorText(error) }, `${what} failed`);
      }
    };
  }

  const stops = [
    ports.changes.subscribe((change) => {
      if (change.type === 'CallRequested') watch.wake();
      else if (change.callId !== null) sessions.get(change.callId)?.poke();
    }),
    repeat(ports.clock, LEASE_EVERY_MS, keep),
    repeat(ports.clock, LEASE_EVERY_MS, recover),
    repeat(ports.clock, WATCH_EVERY_MS, watchRows),
  ];
  void recover();

  return {
    wake: () => watch.wake(),
    liveCalls: () => [...sessions.keys()],
    async drain(waitMs) {
      closing = true;
      await empty(waitMs);
    },
    async close() {
      closing = true;
      // A claim under way may still bring calls; they are hung up with the others.
      await watch.close();
      for (const id of sessions.keys()) {
        await guarded('hanging up', async () => {
          await ports.desk.hangUp(id, 'platform', 'gateway_stopped', 'platform');
          sessions.get(id)?.poke();
        })();
      }
      await empty(CLOSE_WAIT_MS);
      await Promise.all(stops.map(async (stop) => stop()));
      await Promise.all([...sessions.values()].map((session) => session.letGo()));
    },
  };
}

/** The legs that a dead gateway left up ring or talk on by themselves until somebody says BYE. */
async function endLostLegs(
  { sip, agents, endpointOf }: GatewayPorts,
  state: CallState,
  { endpoint: planned }: SessionTarget,
): Promise<void> {
  for (const { endpointId, target, dialog } of lostDialogs(state)) {
    agents?.endLost(dialog);
    const isPlanned = endpointId === planned.id;
    const endpoint = isPlanned ? planned : await endpointOf(state.plan, endpointId);
    const called = targetOf(endpoint ?? planned, target);
    sip.endLost(dialog, sipTarget(called), GATEWAY_LOST);
  }
}
