import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { ensureAccount, saveAccountPolicy } from '../accounts/account-store.ts';
import { keepApiKey } from './first-key.ts';
import type { Database } from '../database/database.ts';
import { saveEndpoint } from '../endpoints/endpoint-store.ts';
import { installReady } from '../journeys/journey-desk.ts';
import { READY_JOURNEYS } from '../journeys/ready-journeys.ts';
import { saveLine } from '../lines/line-store.ts';
import { systemClock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import type { Ids } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { makeSealer } from '../platform/sealing.ts';
import { planSync } from '../templates/sync-store.ts';
import { addBuiltInTemplates } from '../templates/template-store.ts';

/** The simulator and the demo PBX in a process of their own, where they slow nobody. */
export type Sandbox = {
  url: string;
  pbxUri: (user: string) => string;
  close(): Promise<void>;
};

const PROGRAM = fileURLToPath(new URL('../../simulator/simulator-main.ts', import.meta.url));
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;
/** What the simulator has from the start; the same values as its PRESET. */
const PRESET = {
  phoneNumberId: '100000000000001',
  wabaId: '200000000000001',
  displayNumber: '+442079460000',
  businessName: 'Askfirst Demo Clinic',
  accessToken: 'sim-token',
  appSecret: 'sim-app-secret',
  verifyToken: 'sim-verify-token',
};

export async function startSandbox(
  ports: { port: number; pbxPort: number },
  log: Log,
): Promise<Sandbox> {
  const child = fork(PROGRAM, [], {
    env: {
      ...process.env,
      SIMULATOR_PORT: String(ports.port),
      SIMULATOR_PBX_PORT: String(ports.pbxPort),
      ASKFIRST_LOG_LEVEL: log.level,
    },
    // A Ctrl-C goes to the whole group; the simulator waits for the server to let go first.
    detached: true,
  });
  const ready = await readyMessage(child);
  return {
    url: ready.url,
    pbxUri: (user) => `sip:${user}@127.0.0.1:${ready.pbxPort}`,
    close: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        const timer = systemClock.after(STOP_TIMEOUT_MS, () => child.kill('SIGKILL'));
        child.once('exit', () => {
          timer.cancel();
          resolve();
        });
        if (child.connected) child.disconnect();
        return undefined;
      }),
  };
}

type Ready = { url: string; pbxPort: number };

function readyMessage(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL');
      reject(
        new Failure({
          code: 'simulator_not_started',
          message: `The simulator did not start: ${why}.`,
          fix:
            'Most often its port (8090) or that of the demo PBX (5070) is taken: choose others ' +
            'with ASKFIRST_SIMULATOR_PORT or ASKFIRST_PBX_PORT.',
          verdict: 'terminal',
          side: 'server',
        }),
      );
    };
    const timer = systemClock.after(START_TIMEOUT_MS, () => fail('it took longer than 20 s'));
    child.once('message', (message) => {
      timer.cancel();
      resolve(message as Ready);
    });
    child.once('exit', (code) => {
      timer.cancel();
      fail(`it ended with code ${code}`);
    });
  });
}

/** Makes the sandbox's account, key, endpoint and line, or finds them from the last start. */
export async function seedSandbox(
  ports: {
    database: Database;
    ids: Ids;
    secrets: { dataKey: Uint8Array };
    dataDir: string;
  },
  sandbox: Sandbox,
): Promise<string> {
  const { database, ids } = ports;
  const sealer = makeSealer(ports.secrets.dataKey, systemRandom);
  return database.transaction(async (tx) => {
    const accountId = await ensureAccount(tx, ids, 'Sandbox');
    // Simulated people are awake at all hours, and no law protects them.
    await saveAccountPolicy(tx, accountId, { lawOverlays: 'off', limits: {} });
    const endpointId = await saveEndpoint(tx, sealer, {
      id: ids.next('endpoint'),
      accountId,
      name: 'Demo PBX',
      uri: sandbox.pbxUri('talk'),
      username: null,
      password: null,
      codecs: ['PCMU', 'PCMA'],
      strategy: 'on_answer',
      ringTimeoutMs: 30_000,
      srtp: 'off',
      meanwhile: 'ringing',
    });
    await saveLine(tx, sealer, {
      id: ids.next('line'),
      accountId,
      name: PRESET.businessName,
      displayNumber: PRESET.displayNumber,
      country: 'GB',
      policyPack: 'strict-2026-01',
      defaultEndpointId: endpointId,
      access: {
        graphBaseUrl: sandbox.url,
        graphVersion: 'v23.0',
        phoneNumberId: PRESET.phoneNumberId,
        wabaId: PRESET.wabaId,
        accessToken: PRESET.accessToken,
      },
      appSecret: PRESET.appSecret,
      verifyToken: PRESET.verifyToken,
    });
    const owner = { accountId, wabaId: PRESET.wabaId };
    // The simulated Meta has them approved from its start, every time.
    const now = systemClock.now();
    await addBuiltInTemplates(tx, ids, owner, { approved: true, now });
    for (const ready of READY_JOURNEYS) await installReady(tx, { ids, now }, accountId, ready);
    // Templates of one's own did not survive the simulator.
    await planSync(tx, owner, now);
    const keyPorts = { tx, ids, dataDir: ports.dataDir };
    return keepApiKey(keyPorts, { accountId, name: 'Sandbox', mode: 'test' });
  });
}

/** Tells the simulated Meta where our webhook is; it checks the verify token as Meta does. */
export async function connectSandbox(sandbox: Sandbox, serverUrl: string): Promise<void> {
  const answer = await request(`${sandbox.url}/simulator/webhook`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      url: `${serverUrl}/webhooks/whatsapp`,
      verifyToken: PRESET.verifyToken,
    }),
  });
  const text = await answer.body.text();
  if (answer.statusCode === 200) return;
  throw new Failure({
    code: 'webhook_not_registered',
    message: `The simulator could not register our webhook: ${text.slice(0, 200)}`,
    fix: 'Check that nothing stands between the simulator and PORT on loopback.',
    verdict: 'terminal',
    side: 'server',
  });
}
