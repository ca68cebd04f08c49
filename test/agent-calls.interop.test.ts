import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { CallView, Page, TimelineEntry } from '../src/http/api-types.ts';
import { delay, systemClock } from '../src/platform/clock.ts';
import { openAgent, type AgentPeer } from './agent-peer.ts';
import type { MetaPeer } from './meta-peer.ts';
import {
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  PURPOSE,
  type LiveProduct,
} from './product-peers.ts';

/** What goes with a phone goes with an agent's browser: handing on, listening in, recording. */
let live: LiveProduct;
let made = 0;

before(async () => {
  live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '46800-46999' });
});
after(() => live.close());

async function aDesk(group: string, more: object = {}): Promise<string> {
  const agents = { group, ringMs: 20_000, wrapUpMs: 0 };
  const desk = { name: `desk of ${group}`, agents, ...more };
  return (await must<{ id: string }>(live.api, '/v1/endpoints', desk)).id;
}

const newNumber = (): string => `+4477009008${String((made += 1)).padStart(2, '0')}`;
const simulator = (): string => live.product.sandbox?.url ?? '';

async function aCall(endpointId: string): Promise<string> {
  const to = newNumber();
  await newCustomerWithYes(live.api, simulator(), to, '+447700900100');
  return (await must<CallView>(live.api, '/v1/calls', { to, purpose: PURPOSE, endpointId })).id;
}

function becomes(id: string, what: string, holds: (view: CallView) => boolean): Promise<CallView> {
  return eventually(`${id} ${what}`, async () => {
    const view = await live.api.get<CallView>(`/v1/calls/${id}`);
    if (view.status === 'ended' && what !== 'ended') throw new Error(view.endReason ?? '');
    return holds(view) ? view : null;
  });
}
const bridged = (id: string) => becomes(id, 'bridged', ({ status }) => status === 'bridged');
const ended = (id: string) => becomes(id, 'ended', ({ status }) => status === 'ended');

/** Talks until packets of the other side have come. */
async function hears(peer: MetaPeer, packets = 20): Promise<void> {
  const goal = peer.received.length + packets;
  await eventually('sound', async () => {
    for (let frame = 0; frame < 5; frame += 1) {
      peer.sendAudio(Uint8Array.of(0xfc, frame, 1, 2, 3, 4, 5, 6));
      await delay(systemClock, 20);
    }
    return peer.received.length >= goal;
  });
}

async function twoAgents(t: TestContext, name: string): Promise<[AgentPeer, AgentPeer, string]> {
  const first = await openAgent(t, live, `${name}-first`);
  const second = await openAgent(t, live, `${name}-second`);
  return [first, second, await aDesk(`${name}-second`)];
}

test('an agent hands the customer on, and the call is the other’s from then on', async (t) => {
  const [first, second, endpointId] = await twoAgents(t, 'blind');
  const id = await aCall(await aDesk('blind-first'));
  await first.answer();
  assert.equal((await bridged(id)).agentId, first.id);
  const wish = { action: 'transfer', mode: 'blind', endpointId };
  assert.equal((await first.send('POST', `/calls/${id}/actions`, wish)).status, 200);
  const peer = await second.answer();
  await becomes(id, 'handed on', ({ agentId }) => agentId === second.id);
  await hears(peer);
  await eventually('the first is free', async () => (await first.me()).call === null);
  assert.equal((await second.me()).call?.speaks, true);
  await second.send('POST', `/calls/${id}/hangup`);
  const view = await ended(id);
  assert.deepEqual([view.endReason, view.agentId], ['endpoint_hung_up', second.id]);
  const { items } = await live.api.get<Page<TimelineEntry>>(`/v1/calls/${id}/timeline`);
  const told = items.flatMap(({ type, data }) =>
    data['agentId'] === undefined ? [] : [[type, data['agentId']]],
  );
  assert.deepEqual(told, [
    ['EndpointAnswered', first.id],
    ['CallTransferred', second.id],
  ]);
});

test('an agent speaks with a colleague first, and comes back to the customer', async (t) => {
  const [first, second, endpointId] = await twoAgents(t, 'attended');
  const id = await aCall(await aDesk('attended-first'));
  const peer = await first.answer();
  await bridged(id);
  const wish = { action: 'transfer', mode: 'attended', endpointId };
  await first.send('POST', `/calls/${id}/actions`, wish);
  await second.answer();
  await eventually('the consultation', async () => (await first.me()).call?.transfer?.answered);
  assert.equal((await second.me()).call?.speaks, false);
  await first.send('POST', `/calls/${id}/actions`, { action: 'cancel_transfer' });
  await eventually('the colleague is free', async () => (await second.me()).call === null);
  await hears(peer);
  assert.equal((await live.api.get<CallView>(`/v1/calls/${id}`)).agentId, first.id);
  await live.api.post(`/v1/calls/${id}/hangup`, {});
  await ended(id);
});

test('a colleague listens in, may not lead, and leaves without harm', async (t) => {
  const [first, second, endpointId] = await twoAgents(t, 'listen');
  const id = await aCall(await aDesk('listen-first'));
  await first.answer();
  await bridged(id);
  await must(live.api, `/v1/calls/${id}/actions`, { action: 'add_listener', endpointId });
  const listener = await second.answer();
  await becomes(id, 'listened to', ({ listeners }) => listeners.length === 1);
  await hears(listener);
  const held = await second.send('POST', `/calls/${id}/actions`, { action: 'hold' });
  assert.equal(held.status, 409);
  await second.send('POST', `/calls/${id}/hangup`);
  await becomes(id, 'alone again', ({ listeners }) => listeners[0]?.to !== null);
  const view = await live.api.get<CallView>(`/v1/calls/${id}`);
  assert.deepEqual([view.status, view.agentId], ['bridged', first.id]);
  await live.api.post(`/v1/calls/${id}/hangup`, {});
  await ended(id);
});

test('on_ringing: the agent is rung beside the customer, and the talk is recorded', async (t) => {
  const agent = await openAgent(t, live, 'ringing');
  const id = await aCall(await aDesk('ringing', { strategy: 'on_ringing' }));
  const peer = await agent.answer();
  await bridged(id);
  await must(live.api, `/v1/calls/${id}/actions`, { action: 'start_recording' });
  type Recording = { startedAt: string | null; durationMs: number | null; state: string };
  const recording = async (): Promise<Recording | undefined> =>
    (await live.api.get<Page<Recording>>(`/v1/calls/${id}/recording`)).items[0];
  // The announcement comes first.
  await eventually('its begin', async () => (await recording())?.startedAt);
  await hears(peer, 50);
  await live.api.post(`/v1/calls/${id}/hangup`, {});
  await ended(id);
  const recorded = await eventually('the recording', async () => {
    const one = await recording();
    return one?.state === 'ready' ? one : null;
  });
  assert.ok((recorded.durationMs ?? 0) > 0, JSON.stringify(recorded));
});

test('support callback: the agent who asks from the chat is the one who calls', async (t) => {
  const ann = await openAgent(t, live, 'ann');
  const bob = await openAgent(t, live, 'bob');
  await aDesk('ann');
  await aDesk('bob');
  const to = newNumber();
  const person = JSON.stringify({ number: to, like: '+447700900100' });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${simulator()}/simulator/people`, { method: 'POST', headers, body: person });
  const ready = await live.api.get<Page<{ id: string; readyKey: string | null }>>('/v1/journeys');
  const journey = ready.items.find(({ readyKey }) => readyKey === 'support-callback');
  assert.ok(journey !== undefined, JSON.stringify(ready));
  const variables = { issue: 'your account set-up', agent: 'desk of ann' };
  const run = await must<{ id: string }>(live.api, `/v1/journeys/${journey.id}/runs`, {
    to,
    variables,
  });
  const call = await ann.ringing();
  assert.match(call.purpose, /account set-up/);
  await ann.answer();
  assert.equal((await bridged(call.id)).agentId, ann.id);
  assert.equal((await bob.me()).call, null);
  await ann.send('POST', `/calls/${call.id}/hangup`);
  await ended(call.id);
  const helped = await eventually('the end of the run', async () => {
    const view = await live.api.get<{ status: string; end: string | null }>(
      `/v1/journey-runs/${run.id}`,
    );
    return view.end;
  });
  assert.equal(helped, 'helped');
});
