import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { AgentView } from '../src/agents/agent-views.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import type { CallView } from '../src/http/api-types.ts';
import { openAgent, type AgentPeer } from './agent-peer.ts';
import { openMetaPeer } from './meta-peer.ts';
import {
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  PURPOSE,
  type LiveProduct,
} from './product-peers.ts';
import { everyFrame, until } from './real-time.ts';

/** Agents in their browsers, with real WebRTC on both sides of the bridge. */
let live: LiveProduct;
let made = 0;

before(async () => {
  live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '46600-46799' });
});
after(() => live.close());

const anAgent = (t: TestContext, group: string): Promise<AgentPeer> => openAgent(t, live, group);

async function aCall(group: string, endpoint: object = {}): Promise<string> {
  made += 1;
  const number = `+4477009006${String(made).padStart(2, '0')}`;
  const { id: endpointId } = await must<{ id: string }>(live.api, '/v1/endpoints', {
    name: group,
    agents: { group, ringMs: 20_000, wrapUpMs: 60_000 },
    ...endpoint,
  });
  await newCustomerWithYes(live.api, live.product.sandbox?.url ?? '', number, '+447700900100');
  const wish = { to: number, purpose: PURPOSE, endpointId, clientReference: 'order-1042' };
  return (await must<CallView>(live.api, '/v1/calls', wish)).id;
}

const reaches = (id: string, status: string): Promise<CallView> =>
  eventually(`${id} ${status}`, async () => {
    const view = await live.api.get<CallView>(`/v1/calls/${id}`);
    if (view.status === 'ended' && status !== 'ended') throw new Error(view.endReason ?? '');
    return view.status === status ? view : null;
  });

test('an agent answers in the browser, talks in Opus, and pauses after it', async (t) => {
  const agent = await anAgent(t, 'talk');
  const id = await aCall('talk');
  const call = await agent.ringing();
  assert.deepEqual([call.purpose, call.reference], [PURPOSE, 'order-1042']);
  assert.ok(call.asked !== null);
  const peer = await agent.answer();
  await reaches(id, 'bridged');
  await everyFrame(60, () => peer.sendAudio(Uint8Array.of(0xfc, 1, 2, 3, 4, 5, 6)));
  await until(() => peer.received.length > 20);
  assert.equal((await agent.me()).state, 'busy');
  assert.equal((await agent.send('POST', `/calls/${id}/actions`, { action: 'hold' })).status, 200);
  await eventually('the hold', async () => (await agent.me()).call?.held);
  await agent.send('POST', `/calls/${id}/actions`, { action: 'resume' });
  assert.equal((await agent.send('POST', `/calls/${id}/hangup`)).status, 200);
  const ended = await reaches(id, 'ended');
  assert.deepEqual([ended.outcome, ended.endReason], ['completed', 'endpoint_hung_up']);
  const { media, deadAirMs } = await live.api.get<Cdr>(`/v1/calls/${id}/cdr`);
  assert.deepEqual([media?.codec, media?.transcoded, media?.srtp], ['opus', false, 'DTLS_SRTP']);
  assert.ok((media?.whatsapp.packetsOut ?? 0) > 0 && (deadAirMs ?? -1) >= 0);
  const after = await agent.me();
  assert.deepEqual([after.state, after.call, after.lastCallId], ['wrap_up', null, id]);
  const written = { outcome: 'resolved', note: 'All is well.' };
  assert.equal((await agent.send('PUT', `/calls/${id}/outcome`, written)).status, 200);
});

test('who declines is passed over, and only the one it rings at can answer', async (t) => {
  const agents = [await anAgent(t, 'pass'), await anAgent(t, 'pass')];
  const id = await aCall('pass');
  const ringsAt = (): Promise<AgentPeer> =>
    eventually('a ring', async () => {
      for (const agent of agents) if ((await agent.me()).state === 'ringing') return agent;
      return null;
    });
  const first = await ringsAt();
  const [other] = agents.filter((agent) => agent !== first);
  assert.ok(other !== undefined);
  const peer = await openMetaPeer((await first.ringing()).offer);
  t.after(() => peer.close());
  const stolen = await other.send('POST', `/calls/${id}/answer`, { sdp: peer.answer });
  assert.equal(stolen.status, 409);
  await first.send('POST', `/calls/${id}/decline`);
  await other.answer();
  await reaches(id, 'bridged');
  assert.equal((await first.me()).state, 'available');
  const late = await first.send('POST', `/calls/${id}/answer`, { sdp: peer.answer });
  assert.equal(late.status, 409);
  await live.api.post(`/v1/calls/${id}/hangup`, {});
  await reaches(id, 'ended');
});

test('nobody answers: the endpoint says what the customer hears', async (t) => {
  const whenNobody = { action: 'announce_and_end', maxMs: 5_000 };
  const agent = await anAgent(t, 'unwilling');
  const id = await aCall('unwilling', { whenNobody });
  await agent.ringing();
  await agent.send('POST', `/calls/${id}/decline`);
  assert.equal((await reaches(id, 'ended')).endReason, 'nobody_there');
});

test('a closed tab takes an agent out of the rota, and ends what was talked there', async (t) => {
  const agent = await anAgent(t, 'tab');
  const agents = { group: 'tab', ringMs: 20_000, wrapUpMs: 60_000, returnMs: 0 };
  const id = await aCall('tab', { agents });
  const peer = await agent.answer();
  await reaches(id, 'bridged');
  agent.leave();
  // What a browser says when its tab is closed; werift leaves without it.
  await peer.sendRaw(Buffer.from([21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4]));
  assert.equal((await reaches(id, 'ended')).endReason, 'agent_media_lost');
  await eventually('gone', async () => {
    const { state } = await live.api.get<AgentView>(`/v1/agents/${agent.id}`);
    return state === 'gone';
  });
});

test('agent_first: the customer is called once an agent is there', async (t) => {
  const agent = await anAgent(t, 'first');
  const id = await aCall('first', { strategy: 'agent_first' });
  const call = await agent.ringing();
  assert.equal(call.customerAnsweredAt, null);
  await agent.answer();
  await reaches(id, 'bridged');
  await live.api.post(`/v1/calls/${id}/hangup`, {});
  await reaches(id, 'ended');
});

test('the token of an agent opens nothing else, and an API key is no agent', async (t) => {
  const agent = await anAgent(t, 'narrow');
  for (const path of ['/calls', '/contacts', '/agents', '/endpoints']) {
    const answer = await agent.send('GET', `/../..${path}`);
    assert.equal(answer.status, 401, path);
  }
  const { code } = await live.api.get<{ code: string }>('/v1/agents/me');
  assert.equal(code, 'api_key_unknown');
});
