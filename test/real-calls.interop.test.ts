import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { SimCall, SimulatorState } from '../simulator/control-types.ts';
import type { DemoPbxCall } from '../simulator/pbx/pbx.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import type { ApiClient } from '../src/cli/api-client.ts';
import type { Product } from '../src/cli/product.ts';
import type { CallView } from '../src/http/api-types.ts';
import { systemClock } from '../src/platform/clock.ts';
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

/** The whole product with real ICE, DTLS, SRTP, Opus, SIP and RTP, one call after the other. */

let live: LiveProduct | null = null;
let product: Product | null = null;
let api: ApiClient;
let next = 700;

before(async () => {
  live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '47000-47999' });
  ({ product, api } = live);
});

after(async () => {
  await live?.close();
});

type Played = { view: CallView; cdr: Cdr; phone: SimCall; pbx: DemoPbxCall | undefined };

test('Opus goes through untouched when the endpoint takes it', async () => {
  const played = await play('100', 'tone-1000-opus', {
    codecs: ['opus', 'PCMU'],
    until: heardBothWays,
  });
  assert.equal(played.view.outcome, 'completed');
  assert.deepEqual([played.cdr.media?.codec, played.cdr.media?.transcoded], ['opus', false]);
});

test('PCMA is transcoded, both sides hear the other', async () => {
  const played = await play('100', 'tone-1000', { codecs: ['PCMA'], until: heardBothWays });
  assert.equal(played.view.outcome, 'completed');
  assert.deepEqual([played.cdr.media?.codec, played.cdr.media?.transcoded], ['PCMA', true]);
  assert.ok((played.cdr.deadAirMs ?? -1) >= 0);
  assert.ok((played.cdr.media?.whatsapp.packetsIn ?? 0) > 0);
  assertProven(played.cdr);
});

test("the customer's key presses arrive at the endpoint", async () => {
  const played = await play('107', 'tone-1000', {
    until: ({ pbx }) => pbx?.digits === '123#',
  });
  assert.equal(played.pbx?.digits, '123#');
});

test('SIP over TCP carries a call as well', async () => {
  const played = await play('100', 'tone-1000;transport=tcp', { until: heardBothWays });
  assert.equal(played.view.outcome, 'completed');
});

test('an endpoint that rings for three seconds is waited for', async () => {
  const played = await play('100', 'ring-3', { until: ({ view }) => view.status === 'bridged' });
  assert.ok((played.cdr.deadAirMs ?? 0) >= 2_000);
  assert.ok(played.phone.everHeardHz.includes(425), 'the customer heard it ring meanwhile');
});

test('a hold by the endpoint and its end leave the call up', async () => {
  const played = await play('100', 'hold-2', {
    until: ({ pbx, view }) =>
      view.status === 'bridged' && (pbx?.packetsIn ?? 0) > 300 && pbx?.onHold === false,
  });
  assert.equal(played.view.outcome, 'completed');
});

for (const [user, reason] of [
  ['busy', 'endpoint_busy'],
  ['unavailable', 'endpoint_unavailable'],
  ['never', 'endpoint_no_answer'],
  ['garbage', 'endpoint_no_answer'],
  ['bad-sdp', 'endpoint_codec_refused'],
] as const) {
  test(`an endpoint that is "${user}" fails the call as ${reason}`, async () => {
    const played = await play('100', user, { ringTimeoutMs: 4_000 });
    assert.deepEqual([played.view.outcome, played.view.endReason], ['failed', reason]);
  });
}

test('the endpoint hangs up first', async () => {
  const played = await play('100', 'hangup-3', {});
  assert.deepEqual([played.view.outcome, played.view.endedBy], ['completed', 'endpoint']);
});

test('a customer whose media dies ends by what Meta says of it', async () => {
  const played = await play('108', 'tone-1000', {});
  assert.ok(['failed', 'completed'].includes(played.view.outcome ?? ''));
  assert.ok((played.view.endReason ?? '').length > 0);
});

test('a customer whose media never connects ends by a named reason', async () => {
  const played = await play('113', 'tone-1000', {});
  assert.equal(played.view.outcome, 'failed');
  assert.match(played.view.endReason ?? '', /^(media_|meta_)/);
});

test('a media worker that is killed ends its calls by name, within five seconds', async () => {
  let killedAt = 0;
  const played = await play('100', 'tone-1000', {
    until: (seen) => {
      if (killedAt === 0 && heardBothWays(seen)) {
        killedAt = systemClock.now();
        for (const pid of mediaWorkers()) process.kill(pid, 'SIGKILL');
      }
      return false;
    },
  });
  assert.ok(killedAt > 0);
  assert.deepEqual([played.view.outcome, played.view.endReason], ['failed', 'media_worker_died']);
  const tookMs = Date.parse(played.cdr.endedAt) - killedAt;
  assert.ok(tookMs < 5_000, `${tookMs} ms`);
});

test('nothing is left: no call, no leg, no media', async () => {
  const state = await readJson<SimulatorState>(`${product?.sandbox?.url}/simulator/state`);
  assert.ok(state.people.every(({ call }) => call === null));
  assert.deepEqual(product?.server.gateway?.liveCalls(), []);
});

/** Every step of the proof is there, in order, and the figures are those of a good line. */
function assertProven({ mediaProof, media }: Cdr): void {
  const steps = mediaProof.map(({ step }) => step);
  for (const leg of ['whatsapp', 'endpoint'] as const) {
    for (const what of ['packet_in', 'packet_out', 'sound_in'] as const) {
      assert.ok(steps.includes(`${leg}_first_${what}`), `${leg} ${what} in ${steps.join()}`);
    }
    assert.ok((media?.[leg].mos ?? 0) > 3, JSON.stringify(media));
  }
  assert.ok(steps.indexOf('ice_connected') <= steps.indexOf('dtls_connected'));
  assert.deepEqual(
    mediaProof.map(({ at }) => at),
    mediaProof.map(({ at }) => at).toSorted(),
  );
}

/** Children of this process that carry media. */
function mediaWorkers(): number[] {
  const children = `/proc/${process.pid}/task/${process.pid}/children`;
  return readFileSync(children, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '')
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('media-worker-main'))
    .map(Number);
}

type Seen = { view: CallView; phone: SimCall | null; pbx: DemoPbxCall | undefined };

function heardBothWays({ phone, pbx }: Seen): boolean {
  const customerHears = phone?.everHeardHz.includes(1000) ?? false;
  return customerHears && (pbx?.heardHz.includes(440) ?? false);
}

/** Asks, calls, waits until `until` holds (then the business hangs up) or the call ends. */
async function play(
  like: string,
  user: string,
  options: { codecs?: string[]; ringTimeoutMs?: number; until?: (seen: Seen) => boolean },
): Promise<Played> {
  const number = `+447700900${next++}`;
  const url = product?.sandbox?.url ?? '';
  const endpoint = await must<{ id: string }>(api, '/v1/endpoints', {
    name: `${user} for ${number}`,
    uri: endpointUri(user),
    codecs: options.codecs ?? ['PCMU', 'PCMA'],
    ringTimeoutMs: options.ringTimeoutMs ?? 20_000,
  });
  await newCustomerWithYes(api, url, number, `+447700900${like}`);
  const wish = { to: number, purpose: PURPOSE, endpointId: endpoint.id };
  const { id } = await must<CallView>(api, '/v1/calls', wish);
  const look = async (): Promise<Seen> => {
    const view = await api.get<CallView>(`/v1/calls/${id}`);
    const person = await personAt(url, number);
    return { view, phone: person?.call ?? person?.pastCalls[0] ?? null, pbx: await pbxCall(id) };
  };
  const reached = await eventually(`${user} with ${like}`, async () => {
    const seen = await look();
    return seen.view.status === 'ended' || options.until?.(seen) === true ? seen : null;
  });
  if (reached.view.status !== 'ended') await api.post(`/v1/calls/${id}/hangup`, {});
  const ended = await eventually('the end', async () => {
    const seen = await look();
    return seen.view.status === 'ended' && (await personAt(url, number))?.call === null
      ? seen
      : null;
  });
  const cdr = await api.get<Cdr>(`/v1/calls/${id}/cdr`);
  assert.ok(ended.phone !== null);
  return { view: ended.view, cdr, phone: ended.phone, pbx: reached.pbx ?? ended.pbx };
}

function endpointUri(user: string): string {
  const [name = '', parameters] = user.split(';');
  const uri = product?.sandbox?.pbxUri(name) ?? '';
  return parameters === undefined ? uri : `${uri};${parameters}`;
}

async function pbxCall(callId: string): Promise<DemoPbxCall | undefined> {
  const { calls } = await readJson<{ calls: DemoPbxCall[] }>(
    `${product?.sandbox?.url}/simulator/pbx`,
  );
  return calls.find(({ headers }) => headers['x-wa-call-id'] === callId);
}
