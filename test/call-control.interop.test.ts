import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SimCall } from '../simulator/control-types.ts';
import type { DemoPbxCall } from '../simulator/pbx/pbx.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import { makeApiClient, type ApiClient } from '../src/cli/api-client.ts';
import { startProduct, type Product } from '../src/cli/product.ts';
import type { CallActionView, CallView, Page } from '../src/http/api-types.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { readSettings } from '../src/settings.ts';
import { openBaresip } from './baresip-peer.ts';
import { needsProgram } from './peers.ts';
import {
  PURPOSE,
  eventually,
  must,
  newCustomerWithYes,
  personAt,
  readJson,
} from './product-peers.ts';

/**
 * Orders to live calls with real audio: every desk hums a tone of its own, so who hears whom is
 * measured at the customer's ear and at each desk's. The customer hums 440 Hz.
 */
const CUSTOMER = 440;
let dataDir: string;
let product: Product | null = null;
let api: ApiClient;
let next = 750;
const desks = new Map<string, string>();

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'askfirst-control-'));
  product = await startProduct({
    settings: readSettings({
      PORT: '0',
      ASKFIRST_DATA_DIR: dataDir,
      ASKFIRST_MEDIA_WORKERS: '1',
      ASKFIRST_MEDIA_PORTS: '46000-46399',
      ASKFIRST_WEBHOOKS_TO_PRIVATE: 'yes',
    }),
    log: silentLog,
    simulator: { port: 0, pbxPort: 0 },
  });
  assert.ok(product.server.url !== null && product.sandbox !== null);
  api = makeApiClient(product.server.url, product.sandbox.apiKey, systemRandom);
  for (const user of ['tone-1000', 'tone-1200', 'tone-784', 'busy']) {
    await addDesk(user, product.sandbox.pbxUri(user));
  }
});

after(async () => {
  await product?.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function addDesk(name: string, uri: string): Promise<void> {
  const body = { name, uri, codecs: ['PCMU'] };
  desks.set(name, (await must<{ id: string }>(api, '/v1/endpoints', body)).id);
}

const simulatorUrl = (): string => product?.sandbox?.url ?? '';

/** A customer who talks to that desk. */
type Live = {
  id: string;
  /** What the customer hears right now, in Hz. */
  ear: () => Promise<SimCall>;
  order: (body: object) => Promise<CallActionView>;
  /** Waits until the customer hears that desk and none of the others. */
  hearsOnly: (hz: number, ...not: number[]) => Promise<void>;
  end: () => Promise<Cdr>;
};

async function talkTo(desk: string): Promise<Live> {
  const number = `+447700900${next++}`;
  await newCustomerWithYes(api, simulatorUrl(), number, '+447700900100');
  const wish = { to: number, purpose: PURPOSE, endpointId: desks.get(desk) };
  const { id } = await must<CallView>(api, '/v1/calls', wish);
  const ear = async (): Promise<SimCall> => {
    const person = await personAt(simulatorUrl(), number);
    const call = person?.call ?? person?.pastCalls[0];
    assert.ok(call !== undefined);
    return call;
  };
  await eventually('a bridged call', async () => (await view(id)).status === 'bridged');
  return {
    id,
    ear,
    order: (body) => ordered(id, body),
    hearsOnly: (hz, ...not) =>
      eventually(`${hz} Hz at the customer, and not ${not.join(', ')}`, async () => {
        const { heardHz } = await ear();
        return heardHz.includes(hz) && !not.some((other) => heardHz.includes(other));
      }).then(() => undefined),
    end: async () => {
      await api.post(`/v1/calls/${id}/hangup`, {});
      await eventually('the end', async () => (await view(id)).status === 'ended');
      return api.get<Cdr>(`/v1/calls/${id}/cdr`);
    },
  };
}

const view = (id: string): Promise<CallView> => api.get<CallView>(`/v1/calls/${id}`);

async function ordered(id: string, body: object): Promise<CallActionView> {
  const asked = await must<CallActionView>(api, `/v1/calls/${id}/actions`, body);
  return eventually(`the outcome of ${JSON.stringify(body)}`, async () => {
    const { items } = await api.get<Page<CallActionView>>(`/v1/calls/${id}/actions`);
    const found = items.find((action) => action.id === asked.id);
    return found?.status === 'done' || found?.status === 'failed' ? found : null;
  });
}

/** The newest call that a desk of the demo PBX has had. */
async function deskCall(user: string): Promise<DemoPbxCall | undefined> {
  const { calls } = await readJson<{ calls: DemoPbxCall[] }>(`${simulatorUrl()}/simulator/pbx`);
  return calls
    .filter((call) => call.user === user)
    .toSorted((a, b) => b.startedAt - a.startedAt)[0];
}

async function deskHears(user: string, ...hz: number[]): Promise<void> {
  await eventually(`${hz.join(' and ')} Hz at ${user}`, async () => {
    const call = await deskCall(user);
    return call !== undefined && hz.every((tone) => call.heardHz.includes(tone));
  });
}

test('on hold the customer hears music instead of the desk, and back; mute and keys', async () => {
  const live = await talkTo('tone-1000');
  await live.hearsOnly(1000);
  await live.order({ action: 'hold' });
  const packets = (await live.ear()).packetsIn;
  await eventually('music, no desk', async () => {
    const { heardHz, packetsIn } = await live.ear();
    return !heardHz.includes(1000) && packetsIn > packets + 25;
  });
  await live.order({ action: 'resume' });
  await live.hearsOnly(1000);
  await live.order({ action: 'mute' });
  await eventually('a silent desk', async () => !(await live.ear()).heardHz.includes(1000));
  await live.order({ action: 'unmute' });
  await live.hearsOnly(1000);
  await live.order({ action: 'send_dtmf', digits: '58#' });
  await eventually('the keys', async () => (await live.ear()).digitsHeard === '58#');
  const cdr = await live.end();
  assert.equal(cdr.holds.length, 1);
  assert.ok(cdr.holdMs > 0);
});

test('a blind transfer: the other desk and the customer hear each other, the first is gone', async () => {
  const live = await talkTo('tone-1000');
  await live.hearsOnly(1000);
  const outcome = await live.order({ action: 'transfer', endpointId: desks.get('tone-1200') });
  assert.equal(outcome.status, 'done', JSON.stringify(outcome));
  await live.hearsOnly(1200, 1000);
  await deskHears('tone-1200', CUSTOMER);
  assert.equal((await deskCall('tone-1000'))?.state, 'ended');
  const busy = await live.order({ action: 'transfer', endpointId: desks.get('busy') });
  assert.equal(busy.code, 'endpoint_busy');
  await live.hearsOnly(1200);
  const cdr = await live.end();
  assert.deepEqual(
    cdr.transfers.map(({ outcome: how }) => how),
    ['transferred', 'endpoint_busy'],
  );
});

test('an attended transfer: the desks speak apart, then the customer is handed over', async () => {
  const live = await talkTo('tone-1000');
  await live.hearsOnly(1000);
  await deskHears('tone-1000', CUSTOMER);
  await live.order({ action: 'transfer', mode: 'attended', endpointId: desks.get('tone-1200') });
  await deskHears('tone-1000', 1200);
  await deskHears('tone-1200', 1000);
  const { heardHz } = await live.ear();
  assert.ok(!heardHz.includes(1000) && !heardHz.includes(1200), heardHz.join());
  assert.ok(!(await deskCall('tone-1200'))?.heardHz.includes(CUSTOMER), 'the customer was heard');
  await live.order({ action: 'complete_transfer' });
  await live.hearsOnly(1200, 1000);
  await deskHears('tone-1200', CUSTOMER);
  await live.end();
});

test('listeners hear both; only a whisper is heard by the desk, only a barge by all', async () => {
  const live = await talkTo('tone-1000');
  await live.hearsOnly(1000);
  const endpointId = desks.get('tone-784');
  await live.order({ action: 'add_listener', endpointId, mode: 'listen' });
  await deskHears('tone-784', CUSTOMER, 1000);
  assert.ok(!(await deskCall('tone-1000'))?.heardHz.includes(784), 'a listener was heard');
  await live.order({ action: 'add_listener', endpointId, mode: 'whisper' });
  await deskHears('tone-1000', 784);
  assert.ok(!(await live.ear()).everHeardHz.includes(784), 'a whisper was heard by the customer');
  await live.order({ action: 'add_listener', endpointId, mode: 'barge' });
  await eventually('the barge', async () => (await live.ear()).heardHz.includes(784));
  await live.order({ action: 'remove_listener', endpointId });
  await live.hearsOnly(1000, 784);
  const cdr = await live.end();
  assert.deepEqual(
    cdr.listeners.map(({ mode, to }) => [mode, to !== null]),
    [['barge', true]],
  );
});

const skip = needsProgram('baresip', 'baresip-core');

test(
  'baresip holds, resumes, and transfers by REFER: the customer goes along',
  { skip },
  async () => {
    const phone = await openBaresip();
    try {
      await addDesk('baresip', phone.uri);
      const live = await talkTo('baresip');
      await live.hearsOnly(440);
      await phone.control('hold');
      await eventually('its hold', async () => (await view(live.id)).holds[0]?.by === 'endpoint');
      await phone.control('resume');
      await eventually('its end', async () => (await view(live.id)).holds[0]?.to);
      await live.hearsOnly(440);
      await phone.control(`transfer ${product?.sandbox?.pbxUri('tone-1200')}`);
      await live.hearsOnly(1200);
      await deskHears('tone-1200', CUSTOMER);
      const { transfers } = await view(live.id);
      assert.deepEqual([transfers[0]?.by, transfers[0]?.outcome], ['endpoint', 'transferred']);
      await eventually('the end at baresip', async () => /session closed/.test(phone.output()));
      await live.end();
    } finally {
      await phone.close();
    }
  },
);

test('nothing is left of all that', async () => {
  assert.deepEqual(product?.server.gateway?.liveCalls(), []);
  const { calls } = await readJson<{ calls: DemoPbxCall[] }>(`${simulatorUrl()}/simulator/pbx`);
  assert.ok(calls.every(({ state }) => state === 'ended'));
});
