import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SimCall } from '../simulator/control-types.ts';
import type { DemoPbxCall } from '../simulator/pbx/pbx.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import type { ApiClient } from '../src/cli/api-client.ts';
import type { Product } from '../src/cli/product.ts';
import type { CallView, LineView, Page } from '../src/http/api-types.ts';
import {
  PURPOSE,
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  personAt,
  readJson,
  type LiveProduct,
} from './product-peers.ts';

/** The whole product on a line with SDES: real SRTP by werift on Meta's side, SIP, RTP and Opus. */
let live: LiveProduct | null = null;
let product: Product | null = null;
let api: ApiClient;
let next = 800;

before(async () => {
  live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '46000-46199' });
  ({ product, api } = live);
  const { items } = await api.get<Page<LineView>>('/v1/lines');
  const path = `/v1/lines/${items[0]?.id}/key-exchange`;
  const set = await must<LineView>(api, path, { keyExchange: 'sdes' });
  assert.equal(set.keyExchange, 'sdes');
});
after(() => live?.close());

test('customer and endpoint hear each other over SDES, and the record proves it', async () => {
  const { id, end, look } = await dial('100', 'tone-1000');
  await eventually('tones both ways', async () => heardBothWays(await look()));
  const cdr = await end();
  const steps = cdr.mediaProof.map(({ step }) => step);
  assert.deepEqual(
    steps.filter((step) => /connected|keyed/.test(step)),
    ['sdes_keyed'],
  );
  for (const leg of ['whatsapp', 'endpoint'] as const) {
    for (const what of ['packet_in', 'packet_out', 'sound_in'] as const) {
      assert.ok(steps.includes(`${leg}_first_${what}`), `${leg} ${what} in ${steps.join()}`);
    }
  }
  // Meta waits for our first packet, so it must be there before the pick-up.
  assert.ok(steps.indexOf('whatsapp_first_packet_out') < steps.indexOf('answered'));
  assert.deepEqual(
    [cdr.outcome, cdr.media?.whatsappSrtp, cdr.media?.iceConnectedAt, cdr.media?.codec],
    ['completed', 'AES_CM_128_HMAC_SHA1_80', null, 'PCMU'],
  );
  assert.ok((cdr.media?.whatsapp.mos ?? 0) > 3);
  const timeline = await readText(`/v1/calls/${id}/timeline`);
  assert.doesNotMatch(timeline, /inline:|a=crypto/);
});

test('keys, hold and transfer pass over this leg as over any', async () => {
  const { id, end, look } = await dial('107', 'tone-1000');
  await eventually('the keys', async () => (await look()).pbx?.digits === '123#');
  const order = (body: object) => must(api, `/v1/calls/${id}/actions`, body);
  await order({ action: 'hold' });
  await eventually('hold', async () => (await look()).view.holds.some(({ to }) => to === null));
  await order({ action: 'resume' });
  const other = await endpointFor('tone-1200');
  await order({ action: 'transfer', endpointId: other });
  await eventually('the other tone', async () => {
    const { phone } = await look();
    return phone?.everHeardHz.includes(1200) ?? false;
  });
  const cdr = await end();
  assert.deepEqual(
    cdr.transfers.map(({ outcome }) => outcome),
    ['transferred'],
  );
  assert.equal(cdr.outcome, 'completed');
});

type Seen = { view: CallView; phone: SimCall | null; pbx: DemoPbxCall | undefined };

function heardBothWays({ phone, pbx }: Seen): boolean {
  const customerHears = phone?.everHeardHz.includes(1000) ?? false;
  return customerHears && (pbx?.heardHz.includes(440) ?? false);
}

async function endpointFor(user: string): Promise<string> {
  const uri = product?.sandbox?.pbxUri(user) ?? '';
  const name = `${user} ${next}`;
  const made = await must<{ id: string }>(api, '/v1/endpoints', { name, uri, codecs: ['PCMU'] });
  return made.id;
}

/** Asks, calls, and gives the ways to look at the call and to end it. */
async function dial(like: string, user: string) {
  const number = `+447700900${next++}`;
  const url = product?.sandbox?.url ?? '';
  const endpointId = await endpointFor(user);
  await newCustomerWithYes(api, url, number, `+447700900${like}`);
  const { id } = await must<CallView>(api, '/v1/calls', {
    to: number,
    purpose: PURPOSE,
    endpointId,
  });
  const look = async (): Promise<Seen> => {
    const view = await api.get<CallView>(`/v1/calls/${id}`);
    const person = await personAt(url, number);
    const { calls } = await readJson<{ calls: DemoPbxCall[] }>(`${url}/simulator/pbx`);
    const pbx = calls.find(({ headers }) => headers['x-wa-call-id'] === id);
    return { view, phone: person?.call ?? person?.pastCalls[0] ?? null, pbx };
  };
  const end = async (): Promise<Cdr> => {
    await api.post(`/v1/calls/${id}/hangup`, {});
    await eventually('the end', async () => (await look()).view.status === 'ended');
    return api.get<Cdr>(`/v1/calls/${id}/cdr`);
  };
  return { id, look, end };
}

async function readText(path: string): Promise<string> {
  return JSON.stringify(await api.get<object>(path));
}
