import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Cdr } from '../src/calls/cdr.ts';
import type { ApiClient } from '../src/cli/api-client.ts';
import type { Product } from '../src/cli/product.ts';
import type { CallView } from '../src/http/api-types.ts';
import { openBaresip, type BaresipPeer } from './baresip-peer.ts';
import { needsProgram } from './peers.ts';
import {
  PURPOSE,
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  personAt,
  type LiveProduct,
} from './product-peers.ts';

/** Whole calls whose audio toward the endpoint is encrypted, with baresip as the endpoint. */
const skip = needsProgram('baresip', 'baresip-core');
let live: LiveProduct | null = null;
let product: Product | null = null;
let api: ApiClient;
let next = 800;

before(async () => {
  live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '46000-46999' });
  ({ product, api } = live);
});

after(async () => {
  await live?.close();
});

for (const srtp of ['required', 'preferred'] as const) {
  test(`a PBX that insists on SRTP is heard where it is ${srtp}`, { skip }, () =>
    withBaresip(';mediaenc=srtp-mand', async (pbx) => {
      const cdr = await callUntilHeard(pbx, srtp);
      assert.ok(cdr.media?.srtp, JSON.stringify(cdr.media));
      assert.ok((cdr.media?.endpoint.packetsIn ?? 0) > 0);
    }),
  );
}

test('a PBX without SRTP is called again in plain RTP where it is preferred', { skip }, () =>
  withBaresip('', async (pbx) => {
    const cdr = await callUntilHeard(pbx, 'preferred');
    assert.equal(cdr.media?.srtp, null);
  }),
);

test('a PBX without SRTP fails the call where it is required', { skip }, () =>
  withBaresip('', async (pbx) => {
    const { id } = await placed(pbx, 'required');
    const ended = await eventually('the end', async () => {
      const view = await api.get<CallView>(`/v1/calls/${id}`);
      return view.status === 'ended' ? view : null;
    });
    assert.deepEqual([ended.outcome, ended.endReason], ['failed', 'endpoint_codec_refused']);
  }),
);

/** Plays a call until the customer hears baresip's 440 Hz, hangs up, and gives its record. */
async function callUntilHeard(pbx: BaresipPeer, srtp: string): Promise<Cdr> {
  const { id, number } = await placed(pbx, srtp);
  await eventually('the tone at the customer', async () => {
    const person = await personAt(product?.sandbox?.url ?? '', number);
    return person?.call?.everHeardHz.includes(440);
  });
  await api.post(`/v1/calls/${id}/hangup`, {});
  await eventually('the end', async () => {
    return (await api.get<CallView>(`/v1/calls/${id}`)).status === 'ended';
  });
  return api.get<Cdr>(`/v1/calls/${id}/cdr`);
}

async function placed(pbx: BaresipPeer, srtp: string): Promise<{ id: string; number: string }> {
  const number = `+447700900${next++}`;
  const body = { name: `baresip for ${number}`, uri: pbx.uri, codecs: ['PCMU'], srtp };
  const { id: endpointId } = await must<{ id: string }>(api, '/v1/endpoints', body);
  await newCustomerWithYes(api, product?.sandbox?.url ?? '', number, '+447700900100');
  const wish = { to: number, purpose: PURPOSE, endpointId };
  const { id } = await must<CallView>(api, '/v1/calls', wish);
  return { id, number };
}

async function withBaresip(
  account: string,
  story: (pbx: BaresipPeer) => Promise<void>,
): Promise<void> {
  const pbx = await openBaresip({ account });
  try {
    await story(pbx);
  } finally {
    await pbx.close();
  }
}
