import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AgentId } from '../src/agents/agent.ts';
import { renewLease } from '../src/agents/agent-store.ts';
import type { AgentMeView } from '../src/agents/agent-views.ts';
import { isProblem, makeApiClient, type ApiClient } from '../src/cli/api-client.ts';
import { systemRandom } from '../src/platform/random.ts';
import { BROWSER_ANSWER } from './fake-sdp.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, getYes, newPerson, placed, reach } from './story-people.ts';

/** What is left of an agent and a call when the gateway dies under them. */

let story: Story;
let agentId: AgentId;
let token = '';
let endpointId = '';
let next = 700;

before(async () => {
  story = await openStory({ seed: 41 });
  const wish = { name: 'Ann', groups: ['desk'] };
  const made = await story.api.post<{ id: AgentId; token: string }>('/v1/agents', wish);
  const agents = { group: 'desk', ringMs: 20_000, wrapUpMs: 0, returnMs: 15_000 };
  const desk = await story.api.post<{ id: string }>('/v1/endpoints', { name: 'desk', agents });
  assert.ok(!isProblem(made) && !isProblem(desk));
  agentId = made.id;
  token = made.token;
  endpointId = desk.id;
  // Her page: the lease lives by the database's clock, which no story moves.
  await renewLease(story.database, agentId, 3_600);
  await say('PUT', '/presence', { presence: 'available' });
});
after(() => story.close());

/** As the agent's page does, to whichever server lives now. */
async function say(method: string, path: string, body: object): Promise<number> {
  const url = `${story.server.url}/v1/agents/me${path}`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return (await fetch(url, { method, headers, body: JSON.stringify(body) })).status;
}
const own = (): ApiClient => makeApiClient(story.server.url ?? '', token, systemRandom);
const me = (): Promise<AgentMeView> => own().get<AgentMeView>('/v1/agents/me');

async function rings(): Promise<string> {
  const number = newPerson(story, String(next++), '101');
  await getYes(story, number);
  const { id } = await placed(story, number, { endpointId });
  await story.until('the ring', async () => (await me()).call?.state === 'ringing');
  return id;
}

test('the gateway dies while an agent talks: the call has one named end, she is free', async () => {
  const id = await rings();
  assert.equal(await say('POST', `/calls/${id}/answer`, { sdp: BROWSER_ANSWER }), 200);
  await reach(story, id, 'bridged');
  await story.crash();
  const view = await reach(story, id, 'ended');
  await assertOneEnd(story, id);
  assert.deepEqual([view.endReason, view.agentId], ['gateway_lost', agentId]);
  await story.until('she is free', async () => (await me()).state === 'available');
  assert.equal((await me()).call, null);
});

test('the gateway dies while a customer is rung for her: nobody else waits for ever', async () => {
  const number = newPerson(story, String(next++), '105');
  await getYes(story, number);
  const { id } = await placed(story, number, { endpointId });
  await reach(story, id, 'ringing');
  assert.equal((await me()).reservedFor, id);
  await story.crash();
  await reach(story, id, 'ended');
  await assertOneEnd(story, id);
  await story.until('she is kept no more', async () => (await me()).reservedFor === null);
  await rings();
});
