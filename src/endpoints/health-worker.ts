import { Gauge } from 'prom-client';
import type { Database } from '../database/database.ts';
import { recordInRegister } from '../do-not-call/register-commands.ts';
import type { LedgerPorts } from '../ledger/contact-unit.ts';
import { repeat } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { SipUserAgent } from '../sip/sip.ts';
import { sipTarget } from './endpoint.ts';
import {
  openTarget,
  pageOfEndpoints,
  type StoredEndpoint,
  type StoredTarget,
} from './endpoint-store.ts';
import { afterCheck, type TargetHealth } from './health.ts';
import { countHealth, readHealth, saveHealth } from './health-store.ts';

/**
 * Asks every target of every endpoint by OPTIONS how it is, remembers it, and tells the business
 * when one goes down or comes back. A target that is down is called last, never left out.
 */
export type HealthWatch = {
  isDown(endpointId: string, uri: string): boolean;
  close(): Promise<void>;
};

export type HealthPorts = LedgerPorts & {
  log: Log;
  sealer: Sealer;
  sip: Pick<SipUserAgent, 'options'>;
  /** 0: nobody is asked. */
  everyMs: number;
};

const PAGE = 200;
/** Checks under way at a time: they must not crowd out calls. */
const AT_ONCE = 16;
/** Endpoints beyond this are not checked: a round has to end. */
const ENDPOINTS_MAX = 5_000;

export function openHealthWatch(ports: HealthPorts): HealthWatch {
  const known = new Map<string, TargetHealth>();
  const { log, everyMs } = ports;
  const round = async (): Promise<void> => {
    try {
      await checkAll(ports, known);
    } catch (error) {
      log.error({ error: errorText(error) }, 'checking endpoints failed');
    }
  };
  const stop = everyMs === 0 ? async () => {} : repeat(ports.clock, everyMs, round);
  return {
    isDown: (endpointId, uri) => known.get(keyOf(endpointId, uri))?.state === 'down',
    close: stop,
  };
}

/** How many targets are up, down and not known, read when metrics are asked for. */
export function makeHealthGauge(database: Database): Gauge {
  return new Gauge({
    name: 'askfirst_endpoint_targets',
    help: 'Targets of endpoints by what SIP OPTIONS found last.',
    labelNames: ['state'] as const,
    registers: [],
    async collect() {
      const counts = await countHealth(database).catch(
        () => new Map<TargetHealth['state'], number>(),
      );
      for (const state of ['up', 'down', 'unknown'] as const)
        this.set({ state }, counts.get(state) ?? 0);
    },
  });
}

async function checkAll(ports: HealthPorts, known: Map<string, TargetHealth>): Promise<void> {
  const seen = new Set<string>();
  let after = '';
  for (let checked = 0; checked < ENDPOINTS_MAX; checked += PAGE) {
    const page = await pageOfEndpoints(ports.database, after, PAGE);
    const asked = page.filter(({ options }) => options.healthCheck === 'options');
    await recall(ports, asked, known);
    const jobs = asked.flatMap((endpoint) =>
      endpoint.targets.map((target) => ({ endpoint, target })),
    );
    for (const { endpoint, target } of jobs) seen.add(keyOf(endpoint.id, target.uri));
    for (let from = 0; from < jobs.length; from += AT_ONCE) {
      const some = jobs.slice(from, from + AT_ONCE);
      const changes = await Promise.all(some.map((job) => checkOne(ports, job, known)));
      await keep(ports, some, known);
      for (const change of changes) if (change !== null) await tell(ports, change, known);
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.id ?? '';
  }
  // Of endpoints that were changed or taken away.
  for (const key of known.keys()) if (!seen.has(key)) known.delete(key);
}

/** After a restart: what was known stays known, so that nothing is told twice. */
async function recall(
  { database }: HealthPorts,
  endpoints: readonly StoredEndpoint[],
  known: Map<string, TargetHealth>,
): Promise<void> {
  const fresh = endpoints.filter(({ id, targets }) =>
    targets.some(({ uri }) => !known.has(keyOf(id, uri))),
  );
  if (fresh.length === 0) return;
  const rows = await readHealth(
    database,
    fresh.map(({ id }) => id),
  );
  for (const { endpointId, uri, ...health } of rows) {
    const key = keyOf(endpointId, uri);
    if (!known.has(key)) known.set(key, { ...health, against: 0 });
  }
}

type Job = { endpoint: StoredEndpoint; target: StoredTarget };

/** Returns the job where the target went down, or came back from having been down. */
async function checkOne(
  { sip, clock, sealer }: HealthPorts,
  { endpoint, target }: Job,
  known: Map<string, TargetHealth>,
): Promise<(Job & { health: TargetHealth }) | null> {
  const key = keyOf(endpoint.id, target.uri);
  const before = known.get(key) ?? null;
  const outcome = await sip.options(sipTarget(openTarget(target, sealer)));
  const health = afterCheck(before, { ...outcome, at: clock.now() });
  known.set(key, health);
  const wentDown = health.state === 'down' && before?.state !== 'down';
  const cameBack = health.state === 'up' && before?.state === 'down';
  return wentDown || cameBack ? { endpoint, target, health } : null;
}

async function keep(
  { database }: HealthPorts,
  jobs: readonly Job[],
  known: ReadonlyMap<string, TargetHealth>,
): Promise<void> {
  const rows = jobs.flatMap(({ endpoint, target }) => {
    const health = known.get(keyOf(endpoint.id, target.uri));
    return health === undefined ? [] : [{ endpointId: endpoint.id, uri: target.uri, ...health }];
  });
  await saveHealth(database, rows);
}

async function tell(
  ports: HealthPorts,
  { endpoint, target, health }: Job & { health: TargetHealth },
  known: ReadonlyMap<string, TargetHealth>,
): Promise<void> {
  const { id: endpointId, accountId, name, targets } = endpoint;
  const isUp = health.state === 'up';
  const { status, reason } = health;
  const down = targets.filter(({ uri }) => known.get(keyOf(endpointId, uri))?.state === 'down');
  const data = {
    endpointId,
    name,
    uri: target.uri,
    status,
    reason,
    targetsUp: targets.length - down.length,
    targets: targets.length,
  };
  ports.log.warn({ endpointId, uri: target.uri, status }, isUp ? 'endpoint up' : 'endpoint down');
  await ports.database.transaction((tx) =>
    recordInRegister(tx, ports, accountId, {
      type: isUp ? 'EndpointUp' : 'EndpointDown',
      actor: 'platform',
      data,
      announce: { type: isUp ? 'endpoint.up' : 'endpoint.down', callId: null, sequence: 0, data },
    }),
  );
}

const keyOf = (endpointId: string, uri: string): string => `${endpointId} ${uri}`;
