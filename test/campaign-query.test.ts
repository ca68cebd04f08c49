import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CampaignView } from '../src/campaigns/campaign-schemas.ts';
import { isoTime } from '../src/platform/clock.ts';
import { statement } from '../src/database/database.ts';
import type { Page } from '../src/http/api-types.ts';
import { assertProblem, secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { must } from './product-peers.ts';
import { ask, consentStatus, contactOf, getYes, newPerson, placed, reach } from './story-people.ts';

/** Whom a campaign is for, by what has been with people so far. */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let story: Story;
const number: Record<string, string> = {};

before(async () => {
  story = await openStory({ seed: 17 });
  const likes = { yes: '101', no: '102', called: '101', missed: '103', fresh: '101' };
  for (const [index, [name, like]] of Object.entries(likes).entries()) {
    number[name] = newPerson(story, String(800 + index), like);
  }
  await imported(`phone,plan\n${number['fresh']},Gold\n${number['yes']},Silver\n`);
  await getYes(story, number['called'] ?? '');
  const call = await placed(story, number['called'] ?? '');
  await reach(story, call.id, 'ended');
  await ask(story, number['no'] ?? '');
  await story.until(
    'a no',
    async () => (await consentStatus(story, number['no'] ?? '')) === 'declined',
  );
  story.clock.advance(10 * DAY);
  await getYes(story, number['yes'] ?? '');
});
after(() => story.close());

async function imported(body: string): Promise<void> {
  const headers = { authorization: `Bearer ${story.apiKey}`, 'content-type': 'text/csv' };
  const url = `${story.server.url}/v1/contact-imports`;
  const answer = await fetch(url, { method: 'POST', headers, body });
  const { id } = (await answer.json()) as { id: string };
  await story.until('the import', async () => {
    const { state } = await story.api.get<{ state: string }>(`/v1/contact-imports/${id}`);
    return state === 'done';
  });
}

async function made(audience: object): Promise<CampaignView> {
  const wish = { template: 'call_permission_request', purpose: 'your order 1042' };
  const body = { name: 'By query', audience, ask: wish };
  const { id } = await must<CampaignView>(story.api, '/v1/campaigns', body);
  return story.until('everybody', async () => {
    const campaign = await story.api.get<CampaignView>(`/v1/campaigns/${id}`);
    return campaign.gathering ? null : campaign;
  });
}

/** Names of those whom a campaign is for. */
async function whomOf(id: string): Promise<string[]> {
  const path = `/v1/campaigns/${id}/members?limit=100`;
  const { items } = await story.api.get<Page<{ contactId: string }>>(path);
  const known = new Set(items.map(({ contactId }) => contactId));
  const names: string[] = [];
  for (const [name, its] of Object.entries(number)) {
    const found = await story.api.get<Page<{ id: string }>>(
      `/v1/contacts?number=${encodeURIComponent(its)}`,
    );
    if (known.has(found.items[0]?.id ?? '')) names.push(name);
  }
  return names;
}

async function whom(audience: object): Promise<string[]> {
  const { id } = await made(audience);
  const names = await whomOf(id);
  await story.api.post(`/v1/campaigns/${id}/stop`, {});
  return names;
}

test('people are found by last call, permission and when they were last met', async () => {
  const before = isoTime(story.clock.now() - 5 * DAY);
  assert.deepEqual(await whom({ lastCall: 'completed' }), ['called']);
  assert.deepEqual(await whom({ lastCall: 'never' }), ['yes', 'no', 'fresh']);
  assert.deepEqual(await whom({ lastCall: 'no_answer' }), []);
  assert.deepEqual(await whom({ permission: 'granted' }), ['yes']);
  assert.deepEqual(await whom({ permission: 'declined' }), ['no']);
  assert.deepEqual(await whom({ permission: 'none' }), ['fresh']);
  assert.deepEqual(await whom({ lastContactBefore: before }), ['no', 'called', 'fresh']);
  assert.deepEqual(await whom({ lastContactAfter: before }), ['yes']);
  assert.deepEqual(await whom({ notReachedDays: 30 }), ['yes', 'no', 'fresh']);
  assert.deepEqual(await whom({ notReachedDays: 5 }), ['yes', 'no', 'called', 'fresh']);
  assert.deepEqual(await whom({ lastCall: 'never', permission: 'declined' }), ['no']);
});

test('a column is compared, and what it says is nowhere in the open', async () => {
  const campaign = await made({ column: { name: 'plan', equals: 'Gold' } });
  assert.deepEqual(await whomOf(campaign.id), ['fresh']);
  assert.equal(campaign.audience.history?.column, 'plan');
  const rows = await story.database.run(
    statement<{ audience: object }>('query_audience', 'select audience from campaigns'),
  );
  assert.ok(!JSON.stringify(rows).includes('Gold'));
  await story.api.post(`/v1/campaigns/${campaign.id}/stop`, {});
});

test('who was in another campaign is found by how it ended with them', async () => {
  const contactIds = [];
  for (const name of ['yes', 'fresh']) {
    contactIds.push((await contactOf(story, number[name] ?? '')).id);
  }
  const first = await made({ contactIds });
  await story.api.post(`/v1/campaigns/${first.id}/stop`, {});
  await story.until('the end of the first', async () => {
    const { people } = await story.api.get<CampaignView>(`/v1/campaigns/${first.id}`);
    return people.skipped === 2;
  });
  assert.deepEqual(await whom({ ofCampaign: { id: first.id } }), ['yes', 'fresh']);
  const stopped = { id: first.id, result: 'campaign_stopped' };
  assert.deepEqual(await whom({ ofCampaign: stopped, permission: 'granted' }), ['yes']);
  assert.deepEqual(await whom({ ofCampaign: { id: first.id, result: 'reached' } }), []);
});

test('a query that names nothing that is, or a list beside it, is refused', async () => {
  const { key } = await secondAccount(story);
  const mine = await made({ permission: 'requested' });
  const wish = { template: 'call_permission_request', purpose: 'your order 1042' };
  const refused = async (audience: object, field: string, as?: string) => {
    const body = { name: 'x', audience, ask: wish };
    const sent = as === undefined ? { body } : { body, key: as };
    const answer = await send(story, 'POST', '/v1/campaigns', sent);
    assertProblem(answer, as === undefined ? 400 : answer.status);
    if (as === undefined) assert.match(answer.text, new RegExp(field));
    else assert.notEqual(answer.status, 201, answer.text);
  };
  await refused({ ofCampaign: { id: 'camp_1' } }, 'ofCampaign');
  await refused({ ofCampaign: { id: mine.id } }, 'ofCampaign', key);
  await refused({ contactIds: ['cont_1'], lastCall: 'never' }, 'contactIds');
  await refused({ lastCall: 'often' }, 'lastCall');
  await refused({ notReachedDays: 0 }, 'notReachedDays');
});
