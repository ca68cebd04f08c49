import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SimulatorState } from '../../simulator/control-types.ts';
import type { CallView, EndpointView, Page, PermissionView, Problem } from '../http/api-types.ts';
import type { Cdr } from '../calls/cdr.ts';
import { delay, systemClock } from '../platform/clock.ts';
import { Failure, errorText } from '../platform/failure.ts';
import { makeLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { readSettings } from '../settings.ts';
import { isProblem, makeApiClient, type ApiClient } from './api-client.ts';
import { openDemoReceiver, type DemoReceiver } from './demo-receiver.ts';
import { startProduct, type Product } from './product.ts';

/** Somebody who says yes after a second, picks up after two and hums 440 Hz until we hang up. */
const CUSTOMER = '+447700900100';
const CUSTOMER_HZ = 440;
const ENDPOINT_HZ = 1000;
const PURPOSE = 'your order 1042';
const DAY_MS = 86_400_000;
const AUDIO_WAIT_MS = 15_000;

/** The last line of `npm run demo -- --json`. */
export type DemoResult = {
  ok: boolean;
  call: { id: string; outcome: string | null; strategy: string } | null;
  permission: { status: string } | null;
  audio: { customerHeardEndpoint: boolean; endpointHeardCustomer: boolean };
  events: string[];
  cdrs: number;
  secondCall: { refused: boolean; code: string | null };
  timingsMs: Record<string, number>;
  error?: string;
};

/**
 * Plays one whole call with real audio in a fresh data folder and proves each step. Returns the
 * exit code. Progress goes to stderr, the result to stdout.
 */
export async function runDemo(options: { json: boolean }): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'askfirst-demo-'));
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const result = emptyResult();
  const receiver = await openDemoReceiver(systemClock);
  let product: Product | null = null;
  try {
    const marks = stopwatch(result, say);
    product = await startProduct({
      settings: readSettings({
        ASKFIRST_MEDIA_PORTS: '42000-42999',
        ...process.env,
        PORT: '0',
        ASKFIRST_DATA_DIR: dataDir,
        ASKFIRST_WEBHOOKS_TO_PRIVATE: 'yes',
      }),
      log: makeLog({ level: process.env['ASKFIRST_LOG_LEVEL'] ?? 'error', name: 'demo' }),
      simulator: { port: 0, pbxPort: 0 },
    });
    marks('started', 'Askfirst, PostgreSQL, the simulated Meta and the demo PBX are up');
    await playCall(product, receiver, result, marks);
  } catch (error) {
    result.error = error instanceof Failure ? `${error.message} ${error.fix}` : errorText(error);
    say(`✗ ${result.error}`);
  } finally {
    await product?.close().catch((error: unknown) => say(`✗ while stopping: ${errorText(error)}`));
    await receiver.close();
    await rm(dataDir, { recursive: true, force: true });
  }
  say(result.ok ? '\nThe whole call works, both ways.' : '\nThe demo failed.');
  const text = options.json ? JSON.stringify(result) : summary(result);
  await new Promise((resolve) => {
    process.stdout.write(`${text}\n`, resolve);
  });
  return result.ok ? 0 : 1;
}

type Mark = (name: string, sentence: string) => void;

async function playCall(
  product: Product,
  receiver: DemoReceiver,
  result: DemoResult,
  mark: Mark,
): Promise<void> {
  const { server, sandbox } = product;
  if (server.url === null || sandbox === null) throw new Error('the demo needs API and simulator');
  const api = makeApiClient(server.url, sandbox.apiKey, systemRandom);
  const hook = await must(
    api.post<{ secret: string }>('/v1/webhook-endpoints', { url: receiver.url }),
  );
  receiver.setSecret(hook.secret);
  const endpoint = await must(
    api.post<EndpointView>('/v1/endpoints', {
      name: 'Tone',
      uri: sandbox.pbxUri(`tone-${ENDPOINT_HZ}`),
    }),
  );

  const ask = { to: CUSTOMER, purpose: PURPOSE, name: 'Cleo' };
  const request = await must(api.post<{ id: string }>('/v1/permission-requests', ask));
  mark('asked', 'permission asked for');
  await receiver.waitFor(({ type }) => type === 'permission.delivered', 'permission.delivered');
  mark('delivered', 'request delivered to the phone');
  const granted = await receiver.waitFor(({ type }) => type === 'permission.granted', 'yes');
  const permission = granted.data['permission'] as PermissionView;
  checkGrant(permission, request.id);
  mark('granted', `customer tapped "Allow calls"; stored, expires ${permission.expiresAt}`);

  const wish = { to: CUSTOMER, purpose: PURPOSE, endpointId: endpoint.id };
  const call = await must(api.post<CallView>('/v1/calls', wish));
  result.call = { id: call.id, outcome: null, strategy: call.strategy };
  for (const [name, sentence] of [
    ['initiated', 'Meta took the call'],
    ['ringing', 'the phone rings'],
    ['answered', 'the customer picked up'],
    ['bridged', 'SIP endpoint answered, audio bridged'],
  ] as const) {
    await receiver.waitFor(({ type }) => type === `call.${name}`, `call.${name}`);
    mark(name, sentence);
  }
  result.audio = await waitForAudio(sandbox.url);
  mark('heard', `audio: ${JSON.stringify(result.audio)}`);
  await hangUpAsCustomer(sandbox.url);
  await receiver.waitFor(({ type }) => type === 'call.ended', 'call.ended');
  mark('ended', 'customer hung up; call.ended delivered and its signature verified');
  await prove(api, receiver, result, { call, permission, wish });
  mark('proven', `second call refused with ${result.secondCall.code}`);
}

/** What must be true at the end, read back through the API. */
async function prove(
  api: ApiClient,
  receiver: DemoReceiver,
  result: DemoResult,
  played: { call: CallView; permission: PermissionView; wish: object },
): Promise<void> {
  const ended = await api.get<CallView>(`/v1/calls/${played.call.id}`);
  result.call = { id: ended.id, outcome: ended.outcome, strategy: ended.strategy };
  const permission = await api.get<PermissionView>(`/v1/permissions/${played.permission.id}`);
  result.permission = { status: permission.status };
  result.cdrs = (await api.get<Page<Cdr>>('/v1/cdrs')).items.length;
  const again = await api.post<CallView>('/v1/calls', played.wish);
  result.secondCall = isProblem(again)
    ? { refused: true, code: again.code }
    : { refused: false, code: null };
  await receiver.waitFor(({ type }) => type === 'call.blocked', 'call.blocked');
  const events = receiver.events();
  result.events = events.map(({ type }) => type);
  const unverified = events.filter(({ verified }) => !verified);
  if (unverified.length > 0) throw new Error(`${unverified.length} events did not verify`);
  result.ok =
    ended.outcome === 'completed' &&
    permission.status === 'used' &&
    result.audio.customerHeardEndpoint &&
    result.audio.endpointHeardCustomer &&
    result.cdrs === 1 &&
    events.filter(({ type }) => type === 'call.ended').length === 1 &&
    result.secondCall.code === 'permission_used';
}

function checkGrant(permission: PermissionView, requestId: string): void {
  const validMs = Date.parse(permission.expiresAt ?? '') - Date.parse(permission.grantedAt);
  if (permission.requestId !== requestId) throw new Error('the yes belongs to another request');
  if (validMs !== DAY_MS) throw new Error(`the permission is valid for ${validMs} ms, not 24 h`);
}

/** Waits until each side has heard the other's tone, or gives what was heard by then. */
async function waitForAudio(simulatorUrl: string): Promise<DemoResult['audio']> {
  const until = systemClock.now() + AUDIO_WAIT_MS;
  for (;;) {
    const state = await readJson<SimulatorState>(`${simulatorUrl}/simulator/state`);
    const person = state.people.find(({ number }) => number === CUSTOMER);
    const pbx = await readJson<{ calls: Array<{ heardHz: number[] }> }>(
      `${simulatorUrl}/simulator/pbx`,
    );
    const audio = {
      customerHeardEndpoint: person?.call?.everHeardHz.includes(ENDPOINT_HZ) ?? false,
      endpointHeardCustomer: pbx.calls.some(({ heardHz }) => heardHz.includes(CUSTOMER_HZ)),
    };
    const isWhole = audio.customerHeardEndpoint && audio.endpointHeardCustomer;
    if (isWhole || systemClock.now() > until) return audio;
    await delay(systemClock, 100);
  }
}

async function hangUpAsCustomer(simulatorUrl: string): Promise<void> {
  const url = `${simulatorUrl}/simulator/people/${encodeURIComponent(CUSTOMER)}/actions`;
  await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'hang_up' }),
  });
}

async function readJson<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  return (await answer.json()) as T;
}

async function must<T extends object>(answer: Promise<T | Problem>): Promise<T> {
  const value = await answer;
  if (isProblem(value)) throw new Error(`${value.code}: ${value.detail} ${value.fix}`);
  return value;
}

function stopwatch(result: DemoResult, say: (line: string) => void): Mark {
  const startedAt = systemClock.monotonic();
  return (name, sentence) => {
    const ms = Math.round(systemClock.monotonic() - startedAt);
    result.timingsMs[name] = ms;
    say(`✓ ${(ms / 1000).toFixed(2).padStart(6)} s  ${sentence}`);
  };
}

function emptyResult(): DemoResult {
  return {
    ok: false,
    call: null,
    permission: null,
    audio: { customerHeardEndpoint: false, endpointHeardCustomer: false },
    events: [],
    cdrs: 0,
    secondCall: { refused: false, code: null },
    timingsMs: {},
  };
}

function summary(result: DemoResult): string {
  const { call, permission, cdrs, events } = result;
  return [
    `call        ${call?.id ?? '-'}  ${call?.outcome ?? '-'}  (${call?.strategy ?? '-'})`,
    `permission  ${permission?.status ?? '-'}`,
    `CDRs        ${cdrs}`,
    `events      ${events.join(' → ')}`,
  ].join('\n');
}
