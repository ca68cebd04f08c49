import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeApiClient, type ApiClient } from '../src/cli/api-client.ts';
import { startProduct } from '../src/cli/product.ts';
import type { CallView, Page } from '../src/http/api-types.ts';
import { delay, systemClock } from '../src/platform/clock.ts';
import { errorText } from '../src/platform/failure.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { readSettings } from '../src/settings.ts';
import { PURPOSE, eventually, must, newCustomerWithYes } from '../test/product-peers.ts';
import { compare, tell, type BenchResult } from './harness.ts';

/**
 * Many calls at a time for a long time, each 5 to 30 s long and then another one: does anything
 * pile up? The whole product with real media; the memory of the server and of its media workers
 * is printed as a curve. Two minutes show only that it works; an hour is the proof:
 *
 *   npm run bench -- soak --soak-minutes=60 --soak-calls=40
 */
const MINUTES = Number(process.env['BENCH_SOAK_MINUTES'] ?? 1.5);
const CALLS = Number(process.env['BENCH_SOAK_CALLS'] ?? 40);
const SAMPLES = 20;
const GROWTH_PERCENT = 5;
/** By then everything is compiled and every cache is warm. */
const WARM_SHARE = 0.3;
const TALK_MS = { least: 5_000, more: 25_000 };
const LIKE = '+447700900100';
const PAGE_MB = 4 / 1024;

type Sample = { minute: number; serverMb: number; mediaMb: number };
type Tally = { placed: number; bridged: number; broken: number };

export async function run(): Promise<BenchResult[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'askfirst-bench-soak-'));
  const product = await startProduct({
    settings: readSettings({
      PORT: '0',
      ASKFIRST_DATA_DIR: dataDir,
      ASKFIRST_MEDIA_PORTS: '49000-49999',
      ASKFIRST_MEDIA_WORKERS: '1',
      ASKFIRST_CALLS_PER_WORKER: String(CALLS + 10),
      ASKFIRST_REQUESTS_PER_MINUTE: '1000000',
    }),
    log: silentLog,
    simulator: { port: 0, pbxPort: 0 },
  });
  try {
    const { url } = product.server;
    if (url === null || product.sandbox === null) throw new Error('the product does not listen');
    const api = makeApiClient(url, product.sandbox.apiKey, systemRandom);
    const uri = product.sandbox.pbxUri('tone-1000');
    const desk = await must<{ id: string }>(api, '/v1/endpoints', { name: 'Desk', uri });
    return await soak(api, product.sandbox.url, desk.id);
  } finally {
    await product.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function soak(
  api: ApiClient,
  simulatorUrl: string,
  endpointId: string,
): Promise<BenchResult[]> {
  tell(`${CALLS} at a time for ${MINUTES} min`);
  const end = systemClock.monotonic() + MINUTES * 60_000;
  const tally: Tally = { placed: 0, bridged: 0, broken: 0 };
  const slots = Array.from({ length: CALLS }, async () => {
    while (systemClock.monotonic() < end) {
      tally.placed += 1;
      // Beyond the numbers that stand for fixed behaviour, and none of anybody's.
      const number = `+4479111${String(20_000 + tally.placed).padStart(5, '0')}`;
      try {
        await oneCall(api, simulatorUrl, { number, endpointId, tally });
      } catch (error) {
        tally.broken += 1;
        console.error(`a call broke: ${errorText(error)}`);
      }
    }
  });
  const samples = await curve(end, tally);
  await Promise.all(slots);
  const stuck = await stuckCalls(api);
  return resultsOf(samples, tally, stuck);
}

async function oneCall(
  api: ApiClient,
  simulatorUrl: string,
  { number, endpointId, tally }: { number: string; endpointId: string; tally: Tally },
): Promise<void> {
  await newCustomerWithYes(api, simulatorUrl, number, LIKE);
  const wish = { to: number, purpose: PURPOSE, endpointId };
  const { id } = await must<CallView>(api, '/v1/calls', wish);
  const status = async (): Promise<CallView['status']> =>
    (await api.get<CallView>(`/v1/calls/${id}`)).status;
  const reached = await eventually('the bridge', async () => {
    const now = await status();
    return now === 'bridged' || now === 'ended' ? now : null;
  });
  if (reached === 'bridged') tally.bridged += 1;
  await delay(systemClock, TALK_MS.least + systemRandom.below(TALK_MS.more));
  await api.post(`/v1/calls/${id}/hangup`, {});
  await eventually('the end', async () => (await status()) === 'ended');
}

async function curve(end: number, tally: Tally): Promise<Sample[]> {
  const samples: Sample[] = [];
  const startedAt = systemClock.monotonic();
  for (let sample = 1; sample <= SAMPLES; sample += 1) {
    const due = startedAt + ((end - startedAt) * sample) / SAMPLES;
    await delay(systemClock, Math.max(0, due - systemClock.monotonic()));
    const minute = (systemClock.monotonic() - startedAt) / 60_000;
    const now = { minute, serverMb: residentMb(process.pid), mediaMb: mediaMb() };
    samples.push(now);
    const { placed, bridged } = tally;
    console.error(
      `${minute.toFixed(1).padStart(6)} min  server ${now.serverMb.toFixed(0).padStart(5)} MB  ` +
        `media ${now.mediaMb.toFixed(0).padStart(5)} MB  placed ${placed}  bridged ${bridged}`,
    );
  }
  return samples;
}

/** What has not ended long after everybody hung up. */
async function stuckCalls(api: ApiClient): Promise<number> {
  const { items } = await api.get<Page<CallView>>('/v1/calls?limit=100');
  return items.filter(({ status }) => status !== 'ended').length;
}

function resultsOf(samples: readonly Sample[], tally: Tally, stuck: number): BenchResult[] {
  const warm = samples[Math.floor(samples.length * WARM_SHARE)];
  const last = samples.at(-1);
  const growth = (part: 'serverMb' | 'mediaMb'): number =>
    warm === undefined || last === undefined ? 0 : ((last[part] - warm[part]) / warm[part]) * 100;
  const none = { goal: { atMost: 0 } } as const;
  const flat = { goal: { atMost: GROWTH_PERCENT } } as const;
  return [
    compare({ name: `calls in ${MINUTES} min, ${CALLS} at a time`, value: tally.placed, unit: '' }),
    compare({ name: 'bridged of placed', value: tally.bridged / tally.placed, unit: '' }),
    compare({ name: 'stuck calls', value: stuck, unit: '', ...none }),
    compare({ name: 'calls that broke', value: tally.broken, unit: '', ...none }),
    compare({
      name: 'growth of the server, warm to end',
      value: growth('serverMb'),
      unit: '%',
      ...flat,
    }),
    compare({ name: 'growth of the media worker', value: growth('mediaMb'), unit: '%', ...flat }),
  ];
}

function mediaMb(): number {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isOurWorker(Number(name)))
    .reduce((sum, name) => sum + residentMb(Number(name)), 0);
}

function isOurWorker(pid: number): boolean {
  try {
    const parent = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[1];
    if (Number(parent) !== process.pid) return false;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('media-worker-main');
  } catch {
    // It ended meanwhile.
    return false;
  }
}

function residentMb(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_MB;
  } catch {
    return 0;
  }
}
