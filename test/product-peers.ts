import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SimPerson, SimulatorState } from '../simulator/control-types.ts';
import { isProblem, makeApiClient, type ApiClient } from '../src/cli/api-client.ts';
import { startProduct, type Product } from '../src/cli/product.ts';
import type { Page } from '../src/http/api-types.ts';
import { delay, systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { readSettings } from '../src/settings.ts';
import { testDatabase } from './database.ts';

/** What tests of the whole product say to the API and to the simulator, in real time. */
export const PURPOSE = 'your order 1042';

/** The whole product with its simulator, in a data folder of its own that goes with `close`. */
export type LiveProduct = {
  product: Product;
  api: ApiClient;
  dataDir: string;
  close: () => Promise<void>;
};

/** `settings` beside those that every such test needs, above all ASKFIRST_MEDIA_PORTS. */
export async function openLiveProduct(
  settings: Readonly<Record<string, string>>,
): Promise<LiveProduct> {
  const dataDir = await mkdtemp(join(tmpdir(), 'askfirst-live-'));
  // A server of its own would be made, migrated and synced for each file.
  const store = await testDatabase();
  const product = await startProduct({
    settings: readSettings({
      PORT: '0',
      DATABASE_URL: store.connectionString,
      ASKFIRST_DATA_DIR: dataDir,
      ASKFIRST_WEBHOOKS_TO_PRIVATE: 'yes',
      ...settings,
    }),
    log: silentLog,
    simulator: { port: 0, pbxPort: 0 },
  });
  assert.ok(product.server.url !== null && product.sandbox !== null);
  return {
    product,
    dataDir,
    api: makeApiClient(product.server.url, product.sandbox.apiKey, systemRandom),
    async close() {
      await product.close();
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Asks again and again until it holds; the limit is generous, because nothing here tests speed. */
export async function eventually<T>(
  what: string,
  holds: () => Promise<T>,
): Promise<NonNullable<T>> {
  const until = systemClock.now() + 50_000;
  for (;;) {
    const value = await holds();
    if (value !== null && value !== undefined && value !== false) return value;
    if (systemClock.now() > until) throw new Error(`never came: ${what}`);
    await delay(systemClock, 100);
  }
}

/** POSTs and insists on success. */
export async function must<T extends object>(
  api: ApiClient,
  path: string,
  body: object,
): Promise<T> {
  const answer = await api.post<T>(path, body);
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer;
}

/** Makes a customer who behaves like a sentinel person, asks, and waits for the yes. */
export async function newCustomerWithYes(
  api: ApiClient,
  simulatorUrl: string,
  number: string,
  like: string,
): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify({ number, like }) };
  const made = await fetch(`${simulatorUrl}/simulator/people`, init);
  assert.ok(made.ok, await made.text());
  await must(api, '/v1/permission-requests', { to: number, purpose: PURPOSE });
  await eventually('the yes', async () => {
    const path = `/v1/contacts?number=${encodeURIComponent(number)}`;
    const { items } = await api.get<Page<{ consents: Array<{ status: string }> }>>(path);
    return items[0]?.consents[0]?.status === 'granted';
  });
}

export async function personAt(
  simulatorUrl: string,
  number: string,
): Promise<SimPerson | undefined> {
  const state = await readJson<SimulatorState>(`${simulatorUrl}/simulator/state`);
  return state.people.find((person) => person.number === number);
}

export async function readJson<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}
