import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeApiClient, type ApiClient } from '../src/cli/api-client.ts';
import { startSandbox, type Sandbox } from '../src/cli/sandbox.ts';
import type { CallView, Page } from '../src/http/api-types.ts';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
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
 * R-01 in the large: the server is killed with SIGKILL in the middle of a real call and started
 * again on the same data folder. The simulated Meta and the PBX live on in a process of their own.
 */
const ORPHAN_MS = 30_000;

let dataDir: string;
let port: number;
let sandbox: Sandbox;
let server: ChildProcess;
let api: ApiClient;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'askfirst-crash-'));
  sandbox = await startSandbox({ port: 0, pbxPort: 0 }, silentLog);
  port = await freePort();
  await start();
  const { items } = await api.get<Page<object>>('/v1/lines');
  assert.equal(items.length, 0);
  await furnish({ api, url: `http://127.0.0.1:${port}`, key: await apiKey() }, sandbox);
});

after(async () => {
  server.kill('SIGTERM');
  await exited(server);
  await sandbox.close();
  await rm(dataDir, { recursive: true, force: true });
});

for (const [index, point] of (['queued', 'initiated', 'ringing', 'bridged'] as const).entries()) {
  test(`kill -9 while the call is ${point}: one end, one CDR, one ring, no leg left`, async () => {
    const number = `+44770090060${index}`;
    // A queued call is dialled after the restart, so its customer must hang up by themselves.
    const like = point === 'queued' ? '+447700900101' : '+447700900100';
    await newCustomerWithYes(api, sandbox.url, number, like);
    const call = await must<CallView>(api, '/v1/calls', { to: number, purpose: PURPOSE });
    if (point !== 'queued') {
      await eventually(point, async () => (await read(call.id)).status === point);
    }
    server.kill('SIGKILL');
    await exited(server);
    await start();
    const upAt = systemClock.now();
    const ended = await eventually('the end', async () => {
      const view = await read(call.id);
      return view.status === 'ended' ? view : null;
    });
    await eventually('no leg left', async () => {
      const person = await personAt(sandbox.url, number);
      const pbx = await readJson<{ calls: Array<{ state: string }> }>(
        `${sandbox.url}/simulator/pbx`,
      );
      return person?.call === null && pbx.calls.every(({ state }) => state === 'ended');
    });
    assert.ok(systemClock.now() - upAt < ORPHAN_MS + 30_000, 'nobody took it over');
    assert.ok(ended.outcome !== null && ended.endReason !== null);
    await assertOneEnd(api, call.id);
    assert.ok(((await personAt(sandbox.url, number))?.pastCalls.length ?? 0) <= 1, 'rung twice');
  });
}

async function start(): Promise<void> {
  server = spawn(process.execPath, [MAIN, 'serve'], {
    env: {
      ...process.env,
      PORT: String(port),
      ASKFIRST_DATA_DIR: dataDir,
      ASKFIRST_MEDIA_PORTS: '44000-44999',
      ASKFIRST_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await eventually('the server', async () => {
    assert.equal(server.exitCode, null, 'the server ended');
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    return answer?.status === 200;
  });
  api = makeApiClient(`http://127.0.0.1:${port}`, await apiKey(), systemRandom);
}

async function apiKey(): Promise<string> {
  return (await readFile(join(dataDir, 'api-key'), 'utf8')).trim();
}

const read = (id: string): Promise<CallView> => api.get<CallView>(`/v1/calls/${id}`);
