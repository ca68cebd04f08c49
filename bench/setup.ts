import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { SimCall } from '../simulator/control-types.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import { makeApiClient, type ApiClient } from '../src/cli/api-client.ts';
import { startProduct, type Product } from '../src/cli/product.ts';
import type { CallStrategy, CallView } from '../src/http/api-types.ts';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { readSettings } from '../src/settings.ts';
import { PURPOSE, eventually, must, newCustomerWithYes, personAt } from '../test/product-peers.ts';
import { compare, percentile, tell, type BenchResult } from './harness.ts';

/**
 * How long people wait: from our API to Meta's `connect`, and from the moment the customer picks
 * up to the first sound of the agent. The whole product with real media against the simulated
 * Meta and the demo PBX on this machine, one call after the other, by each strategy. There is no
 * reference: nobody else does this job.
 *
 *   npm run bench -- setup --setup-calls=2      a quick run
 *   npm run bench -- setup --setup-calls=100    20 minutes: the phone rings for seconds each time
 */
const CALLS = Number(process.env['BENCH_SETUP_CALLS'] ?? 10);
/** People who are asked at a time, before anything is measured. */
const ASKED_TOGETHER = 5;
const STRATEGIES: readonly CallStrategy[] = ['on_answer', 'on_ringing', 'agent_first'];
const GOAL_MS = 60;
const PROGRESS_EVERY = 5;
/** A person of the simulator who picks up, and a desk of the demo PBX that talks at once. */
const LIKE = '+447700900100';
const DESK = 'tone-1000';

type Waits = { connectMs: number; agentMs: number };

export async function run(): Promise<BenchResult[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'askfirst-bench-setup-'));
  const product = await startProduct({
    settings: readSettings({
      PORT: '0',
      ASKFIRST_DATA_DIR: dataDir,
      ASKFIRST_MEDIA_PORTS: '48000-48499',
      ASKFIRST_MEDIA_WORKERS: '1',
      ASKFIRST_REQUESTS_PER_MINUTE: '1000000',
    }),
    log: silentLog,
    simulator: { port: 0, pbxPort: 0 },
  });
  try {
    return await measured(product);
  } finally {
    await product.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measured({ server, sandbox }: Product): Promise<BenchResult[]> {
  if (server.url === null || sandbox === null) throw new Error('the product does not listen');
  const api = makeApiClient(server.url, sandbox.apiKey, systemRandom);
  const uri = sandbox.pbxUri(DESK);
  const { id: endpointId } = await must<{ id: string }>(api, '/v1/endpoints', {
    name: 'Desk',
    uri,
  });
  const people = Array.from(
    { length: CALLS * STRATEGIES.length },
    (_, at) => `+447700900${300 + at}`,
  );
  tell(`asking ${people.length} people`);
  for (let first = 0; first < people.length; first += ASKED_TOGETHER) {
    const together = people.slice(first, first + ASKED_TOGETHER);
    await Promise.all(together.map((to) => newCustomerWithYes(api, sandbox.url, to, LIKE)));
  }
  const results: BenchResult[] = [];
  let lost = 0;
  for (const [round, strategy] of STRATEGIES.entries()) {
    const waits: Waits[] = [];
    for (const [at, number] of people.slice(round * CALLS, (round + 1) * CALLS).entries()) {
      if (at % PROGRESS_EVERY === 0) tell(`${strategy}: call ${at + 1} of ${CALLS}`);
      const wait = await oneCall(api, sandbox.url, { number, endpointId, strategy });
      if (wait === null) lost += 1;
      else waits.push(wait);
    }
    results.push(...resultsOf(strategy, waits));
  }
  const goal = { atMost: 0 };
  return [
    ...results,
    compare({ name: 'calls that were not bridged', value: lost, unit: '', goal }),
  ];
}

async function oneCall(
  api: ApiClient,
  simulatorUrl: string,
  wish: { number: string; endpointId: string; strategy: CallStrategy },
): Promise<Waits | null> {
  const { number, ...how } = wish;
  const askedAt = systemClock.now();
  const { id } = await must<CallView>(api, '/v1/calls', { to: number, purpose: PURPOSE, ...how });
  await eventually('the bridge', async () => {
    const { status } = await api.get<CallView>(`/v1/calls/${id}`);
    return status === 'bridged' || status === 'ended';
  });
  await api.post(`/v1/calls/${id}/hangup`, {});
  await eventually('the end', async () => {
    return (await api.get<CallView>(`/v1/calls/${id}`)).status === 'ended';
  });
  const cdr = await api.get<Cdr>(`/v1/calls/${id}/cdr`);
  const known = await personAt(simulatorUrl, number);
  const phone = known?.call ?? known?.pastCalls[0] ?? null;
  return waitsOf(askedAt, cdr, phone);
}

/** The phone's own clock is this machine's; Meta's times in webhooks are whole seconds. */
function waitsOf(askedAt: number, cdr: Cdr, phone: SimCall | null): Waits | null {
  const heardAt = cdr.media?.endpoint.firstPacketInAt ?? null;
  const answeredAt = phone?.answeredAt ?? null;
  if (phone === null || answeredAt === null || cdr.bridgedAt === null || heardAt === null) {
    tell(`not bridged: ${cdr.outcome}, ${cdr.endReason}`);
    return null;
  }
  return {
    connectMs: Date.parse(phone.startedAt) - askedAt,
    agentMs: Math.max(Date.parse(cdr.bridgedAt), heardAt) - Date.parse(answeredAt),
  };
}

function resultsOf(strategy: CallStrategy, waits: readonly Waits[]): BenchResult[] {
  const connect = waits.map(({ connectMs }) => connectMs);
  const agent = waits.map(({ agentMs }) => agentMs);
  const isEarly = strategy !== 'on_answer';
  return [
    compare({
      name: `API to Meta's connect, p50, ${strategy}`,
      value: percentile(connect, 0.5),
      unit: 'ms',
    }),
    compare({
      name: `API to Meta's connect, p99, ${strategy}`,
      value: percentile(connect, 0.99),
      unit: 'ms',
    }),
    compare({
      name: `pick-up to the agent's sound, p50, ${strategy}`,
      value: percentile(agent, 0.5),
      unit: 'ms',
    }),
    compare({
      name: `pick-up to the agent's sound, p99, ${strategy}`,
      value: percentile(agent, 0.99),
      unit: 'ms',
      ...(isEarly ? { goal: { atMost: GOAL_MS } } : {}),
    }),
  ];
}
