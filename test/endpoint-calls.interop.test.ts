import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Cdr } from '../src/calls/cdr.ts';
import type { ApiClient } from '../src/cli/api-client.ts';
import { runEndpointTest } from '../src/cli/endpoint-commands.ts';
import type { Product } from '../src/cli/product.ts';
import type { CallView } from '../src/http/api-types.ts';
import {
  PURPOSE,
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  personAt,
  type LiveProduct,
} from './product-peers.ts';

/** Endpoints with several targets, and with nobody there, over real SIP and real audio. */
let live: LiveProduct | null = null;
let product: Product | null = null;
let api: ApiClient;
let next = 750;

before(async () => {
  live = await openLiveProduct({
    ASKFIRST_MEDIA_PORTS: '46000-46199',
    ASKFIRST_ENDPOINT_CHECK_SECONDS: '1',
  });
  ({ product, api } = live);
});
after(async () => {
  await live?.close();
});

const uriOf = (user: string): string => product?.sandbox?.pbxUri(user) ?? '';
const nobodyListens = 'sip:desk@127.0.0.1:9;transport=tcp';

async function callTo(endpoint: object): Promise<{ id: string; number: string }> {
  const number = `+447700900${next++}`;
  const made = await must<{ id: string }>(api, '/v1/endpoints', { name: number, ...endpoint });
  await newCustomerWithYes(api, product?.sandbox?.url ?? '', number, '+447700900100');
  const wish = { to: number, purpose: PURPOSE, endpointId: made.id };
  const { id } = await must<CallView>(api, '/v1/calls', wish);
  return { id, number };
}

const viewOf = (id: string): Promise<CallView> => api.get<CallView>(`/v1/calls/${id}`);

async function ended(id: string): Promise<Cdr> {
  await eventually('the end', async () => ((await viewOf(id)).status === 'ended' ? true : null));
  return api.get<Cdr>(`/v1/calls/${id}/cdr`);
}

test('dead targets are passed over, and the last one is heard', { timeout: 60_000 }, async () => {
  const targets = [nobodyListens, uriOf('unavailable'), uriOf('tone-1000')];
  const { id, number } = await callTo({
    targets: targets.map((uri, priority) => ({ uri, priority })),
    healthCheck: 'off',
  });
  await eventually('the tone', async () => {
    const person = await personAt(product?.sandbox?.url ?? '', number);
    return person?.call?.everHeardHz.includes(1000) === true ? true : null;
  });
  await api.post(`/v1/calls/${id}/hangup`, {});
  const { endpointAttempts, deadAirMs } = await ended(id);
  assert.deepEqual(
    endpointAttempts.map(({ target, sipStatus }) => [target, sipStatus]),
    targets.map((target, at) => [target, at === 2 ? 200 : 503]),
  );
  assert.ok((deadAirMs ?? -1) >= 0);
});

test('who finds nobody hears something before the end', { timeout: 60_000 }, async () => {
  const whenNobody = { action: 'announce_and_end', maxMs: 10_000 };
  const { id } = await callTo({ uri: uriOf('busy'), whenNobody, meanwhile: 'silence' });
  const { endReason, media } = await ended(id);
  assert.equal(endReason, 'nobody_there');
  // Three beeps with pauses are three seconds of packets.
  assert.ok((media?.whatsapp.packetsOut ?? 0) > 50, JSON.stringify(media?.whatsapp));
});

test(
  'OPTIONS finds who is there, and the command tests with a call',
  { timeout: 60_000 },
  async () => {
    const made = await must<{ id: string }>(api, '/v1/endpoints', {
      name: 'Two desks',
      targets: [{ uri: uriOf('tone-1000') }, { uri: nobodyListens, priority: 1 }],
    });
    await eventually('degraded', async () => {
      const { state } = await api.get<{ state: string }>(`/v1/endpoints/${made.id}/health`);
      return state === 'degraded' ? true : null;
    });
    let text = '';
    const { url } = product?.server ?? { url: '' };
    const key = product?.sandbox?.apiKey ?? '';
    const write = (part: string): void => void (text += part);
    assert.equal(await runEndpointTest('Two desks', { url: url ?? '', key }, write), 1);
    assert.match(text, /ok {6}sip:tone-1000@[^\n]+heard in PCMU|ok {6}sip:tone-1000@[^\n]+opus/);
    assert.match(text, /failed {2}sip:desk@127\.0\.0\.1:9[^\n]+nothing listens[^\n]+\n +fix: /);
    text = '';
    assert.equal(await runEndpointTest('Nowhere', { url: url ?? '', key, json: true }, write), 2);
    assert.equal((JSON.parse(text) as { ok: boolean }).ok, false);
  },
);
