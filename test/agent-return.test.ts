import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AgentId } from '../src/agents/agent.ts';
import { renewLease } from '../src/agents/agent-store.ts';
import type { AgentMeView } from '../src/agents/agent-views.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import { isProblem, makeApiClient } from '../src/cli/api-client.ts';
import type { CallActionView, CallView, Page } from '../src/http/api-types.ts';
import { systemRandom } from '../src/platform/random.ts';
import { BROWSER_ANSWER } from './fake-sdp.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, getYes, newPerson, placed, reach } from './story-people.ts';

/** An agent's page goes in the middle of a call: what the customer hears, and for how long. */
const RETURN_MS = 10_000;

let story: Story;
let agentId: AgentId;
let token = '';
let next = 720;

before(async () => {
  story = await openStory({ seed: 43 });
  const wish = { name: 'Ann', groups: ['desk'] };
  const made = await story.api.post<{ id: AgentId; token: string }>('/v1/agents', wish);
  assert.ok(!isProblem(made));
  ({ id: agentId, token } = made);
  // Her page: the lease lives by the database's clock, which no story moves.
  await renewLease(story.database, agentId, 3_600);
  assert.equal(await say('PUT', '/presence', { presence: 'available' }), 200);
});
after(() => story.close());

/** As the agent's page does. */
async function say(method: string, path: string, body: object = {}): Promise<number> {
  const url = `${story.server.url}/v1/agents/me${path}`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return (await fetch(url, { method, headers, body: JSON.stringify(body) })).status;
}
const me = (): Promise<AgentMeView> =>
  makeApiClient(story.server.url ?? '', token, systemRandom).get<AgentMeView>('/v1/agents/me');
const orders = (id: string): readonly string[] => story.media.ordersOf(id);

/** A call in which she talks, through an endpoint of its own. */
async function talks(more: object = {}, returnMs = RETURN_MS): Promise<string> {
  const name = `desk ${next}`;
  const agents = { group: 'desk', ringMs: 20_000, wrapUpMs: 0, returnMs };
  const desk = await story.api.post<{ id: string }>('/v1/endpoints', { name, agents, ...more });
  assert.ok(!isProblem(desk));
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const { id } = await placed(story, number, { endpointId: desk.id });
  await story.until('the ring', async () => (await me()).call?.state === 'ringing');
  assert.equal((await me()).call?.returning, false);
  assert.equal(await say('POST', `/calls/${id}/answer`, { sdp: BROWSER_ANSWER }), 200);
  await reach(story, id, 'bridged');
  return id;
}

async function over(id: string): Promise<Cdr> {
  await reach(story, id, 'ended');
  await assertOneEnd(story, id);
  const cdr = await story.api.get<Cdr>(`/v1/calls/${id}/cdr`);
  await story.until('she is free', async () => (await me()).call === null);
  assert.equal((await me()).reservedFor, null);
  // Who does not react to a ring is away until they say otherwise.
  await say('PUT', '/presence', { presence: 'available' });
  return cdr;
}

test('she is back in the same call; meanwhile the customer heard music', async () => {
  const id = await talks();
  assert.equal(await say('POST', `/calls/${id}/leave`), 200);
  await story.until('the music', () => orders(id).includes('hold'));
  await story.until('her call', async () => (await me()).call?.returning === true);
  assert.equal(await say('POST', `/calls/${id}/actions`, { action: 'resume' }), 409);
  const endpointId = (await story.api.get<CallView>(`/v1/calls/${id}`)).endpointId;
  const transfer = { action: 'transfer', endpointId };
  await story.api.post(`/v1/calls/${id}/actions`, transfer);
  await story.until('the refusal', async () => {
    const { items } = await story.api.get<Page<CallActionView>>(`/v1/calls/${id}/actions`);
    return items[0]?.code === 'agent_awaited';
  });
  assert.equal(await say('POST', `/calls/${id}/answer`, { sdp: BROWSER_ANSWER }), 200);
  await story.until('no more music', () => orders(id).includes('resume'));
  await story.until('her talk', async () => (await me()).call?.speaks);
  const { call, state } = await me();
  assert.deepEqual([call?.id, call?.state, state], [id, 'answered', 'busy']);
  await story.until('told', async () => (await me()).call?.held === false);
  await story.pass(RETURN_MS * 2);
  assert.equal((await me()).call?.id, id);
  assert.equal(await say('POST', `/calls/${id}/hangup`), 200);
  const cdr = await over(id);
  assert.deepEqual(
    [cdr.endReason, cdr.agentId, cdr.holds.map(({ by, to }) => [by, to !== null])],
    ['endpoint_hung_up', agentId, [['platform', true]]],
  );
});

test('she says that she is away and still comes back; nobody else is rung for it', async () => {
  const id = await talks();
  await say('PUT', '/presence', { presence: 'away' });
  await say('POST', `/calls/${id}/leave`);
  await story.until('her call', async () => (await me()).call?.returning === true);
  await say('POST', `/calls/${id}/answer`, { sdp: BROWSER_ANSWER });
  await story.until('no more music', () => orders(id).includes('resume'));
  await story.api.post(`/v1/calls/${id}/hangup`, {});
  await reach(story, id, 'ended');
  await story.until('she is free', async () => (await me()).call === null);
  assert.equal((await me()).state, 'away');
  await say('PUT', '/presence', { presence: 'available' });
});

test('she does not come back: the music ends in time, and the call with its name', async () => {
  const id = await talks();
  await say('POST', `/calls/${id}/leave`);
  await story.until('the music', () => orders(id).includes('hold'));
  const from = story.clock.now();
  const { endReason, holds } = await over(id);
  assert.ok(story.clock.now() - from < RETURN_MS + 5_000);
  assert.deepEqual([endReason, holds.length], ['agent_media_lost', 1]);
});

test('she does not come back: the endpoint says what the customer hears then', async () => {
  const id = await talks({ whenNobody: { action: 'announce_and_end', maxMs: 5_000 } });
  await say('POST', `/calls/${id}/leave`);
  const { endReason } = await over(id);
  assert.equal(endReason, 'nobody_there');
});

test('where nobody is waited for, the call ends at once', async () => {
  const id = await talks({}, 0);
  await say('POST', `/calls/${id}/leave`);
  const { endReason, holdMs } = await over(id);
  assert.equal(endReason, 'agent_media_lost');
  assert.ok(holdMs < 1_000);
});

test('the customer hangs up while she is waited for: one end, nobody is kept', async () => {
  const id = await talks();
  await say('POST', `/calls/${id}/leave`);
  await story.until('the music', () => orders(id).includes('hold'));
  await story.api.post(`/v1/calls/${id}/hangup`, {});
  const { endReason } = await over(id);
  assert.equal(endReason, 'business_hung_up');
});
