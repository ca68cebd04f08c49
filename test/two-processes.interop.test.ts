import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeApiClient, type ApiClient } from '../src/cli/api-client.ts';
import { startSandbox, type Sandbox } from '../src/cli/sandbox.ts';
import type { CallView, EventView, Page } from '../src/http/api-types.ts';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import {
  PURPOSE,
  eventually,
  must,
  newCustomerWithYes,
  personAt,
  readJson,
} from './product-peers.ts';
import { MAIN, assertOneEnd, exited, furnish } from './server-process.ts';
import { freePort } from './sipp-peer.ts';

/**
 * API and gateway as processes of the operating system that share one database and nothing else:
 * what is asked of the one is dialled and bridged by the other. Then a gateway is killed in the
 * middle of a call while another call waits for room, and the next gateway finds both.
 */
/** What `docs/explanation/how-a-call-flows.md` promises: the lease, and the look after it. */
const ORPHAN_MS = 20_000;
/** For a machine that is busy with other tests. */
const SLACK_MS = 20_000;

let folder: string;
let store: TestDatabase;
let sandbox: Sandbox;
let port: number;
let front: ChildProcess;
let api: ApiClient;
const children: ChildProcess[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'askfirst-two-'));
  store = await testDatabase();
  sandbox = await startSandbox({ port: 0, pbxPort: 0 }, silentLog);
  port = await freePort();
  front = await startProcess('front', { ASKFIRST_ROLES: 'api,worker', PORT: String(port) });
  await eventually('the API and its key', async () => {
    assert.equal(front.exitCode, null, 'the API ended');
    return existsSync(join(folder, 'front', 'api-key'));
  });
  await eventually('its answer', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    return answer?.status === 200;
  });
  const key = (await readFile(join(folder, 'front', 'api-key'), 'utf8')).trim();
  api = makeApiClient(`http://127.0.0.1:${port}`, key, systemRandom);
  await furnish({ api, url: `http://127.0.0.1:${port}`, key }, sandbox);
});

after(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.map(exited));
  await sandbox?.close();
  await store?.close();
  await rm(folder, { recursive: true, force: true });
});

test('asked at the one process, dialled and bridged by the other, told by the first', async () => {
  await startGateway('one', '43800-43819');
  const first = await newCall('+447700900650');
  await reached(first, 'bridged');
  await api.post(`/v1/calls/${first}/hangup`, {});
  await reached(first, 'ended');
  const { endReason, outcome } = await api.get<CallView>(`/v1/calls/${first}`);
  assert.deepEqual([outcome, endReason], ['completed', 'business_hung_up']);
  const types = (await eventsOf(first)).map(({ type }) => type);
  for (const type of ['call.initiated', 'call.answered', 'call.bridged', 'call.ended']) {
    assert.equal(types.filter((told) => told === type).length, 1, `${type} of ${types.join()}`);
  }
});

test('kill -9 of the gateway: the call ends with a name, the next rings who waits', async () => {
  const gateway = children.at(-1);
  assert.ok(gateway !== undefined && gateway !== front);
  const talking = await newCall('+447700900651');
  await reached(talking, 'bridged');
  // That gateway has room for one: this call waits for the next one to have some.
  const waiting = await newCall('+447700900652');
  gateway.kill('SIGKILL');
  await exited(gateway);
  const killedAt = systemClock.now();
  assert.equal((await api.get<CallView>(`/v1/calls/${waiting}`)).status, 'queued');
  await startGateway('two', '43820-43839');
  await reached(talking, 'ended');
  assert.ok(systemClock.now() - killedAt < ORPHAN_MS + SLACK_MS, 'the end came late');
  assert.equal((await api.get<CallView>(`/v1/calls/${talking}`)).endReason, 'gateway_lost');
  await reached(waiting, 'bridged');
  await api.post(`/v1/calls/${waiting}/hangup`, {});
  await reached(waiting, 'ended');
  for (const id of [talking, waiting]) await assertOneEnd(api, id);
  for (const number of ['+447700900651', '+447700900652']) {
    const person = await eventually('no leg left', async () => {
      const found = await personAt(sandbox.url, number);
      return found?.call === null ? found : null;
    });
    assert.equal(person.pastCalls.length, 1, `${number} was rung twice`);
  }
  await eventually('no leg left at the PBX', async () => {
    const pbx = await readJson<{ calls: Array<{ state: string }> }>(`${sandbox.url}/simulator/pbx`);
    return pbx.calls.every(({ state }) => state === 'ended');
  });
});

async function startGateway(name: string, mediaPorts: string): Promise<void> {
  await mkdir(join(folder, name), { mode: 0o700 });
  // One installation has one set of keys, whatever the number of its processes.
  await copyFile(join(folder, 'front', 'secrets.json'), join(folder, name, 'secrets.json'));
  await startProcess(name, {
    ASKFIRST_ROLES: 'gateway',
    ASKFIRST_MEDIA_PORTS: mediaPorts,
    ASKFIRST_CALLS_PER_WORKER: '1',
  });
}

async function startProcess(
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: {
      ...process.env,
      DATABASE_URL: store.connectionString,
      ASKFIRST_NODE: name,
      ASKFIRST_DATA_DIR: join(folder, name),
      ASKFIRST_MEDIA_PORTS: '43840-43849',
      ASKFIRST_MEDIA_WORKERS: '1',
      ASKFIRST_LOG_LEVEL: 'error',
      ...settings,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  return child;
}

async function newCall(number: string): Promise<string> {
  await newCustomerWithYes(api, sandbox.url, number, '+447700900100');
  return (await must<CallView>(api, '/v1/calls', { to: number, purpose: PURPOSE })).id;
}

function reached(id: string, status: string): Promise<boolean> {
  return eventually(status, async () => {
    return (await api.get<CallView>(`/v1/calls/${id}`)).status === status;
  });
}

async function eventsOf(id: string): Promise<EventView[]> {
  return (await api.get<Page<EventView>>(`/v1/events?callId=${id}&limit=100`)).items;
}
