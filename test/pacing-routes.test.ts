import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { statement } from '../src/database/database.ts';
import type { CallView, EndpointView, LineView, Page } from '../src/http/api-types.ts';
import { clearPace, setPace } from '../src/schedule/pacing-commands.ts';
import type { AccountId } from '../src/platform/ids.ts';
import { assertProblem, secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { getYes, newPerson, placed, reach } from './story-people.ts';

/** Limits of pace as the API has them: set, shown, replaced, taken away, one account's alone. */
type LimitView = {
  scope: string;
  id: string;
  callsPerSecond: number | null;
  concurrentCalls: number | null;
  setBy: string;
  reason: string | null;
  liveCalls: number | null;
  hasRoom: boolean;
};

const LINE_OF = statement<{ account_id: AccountId }>(
  'test_pacing_account',
  'select account_id from lines where id = $1',
);
const CAMPAIGN = 'camp_01920000-0000-7000-8000-000000000001';

type PacedEntry = { scope: string; id: string; callsPerSecond?: number | null };

let story: Story;
let lineId: string;
let endpointId: string;

before(async () => {
  story = await openStory({ seed: 71 });
  lineId = (await story.api.get<Page<LineView>>('/v1/lines')).items[0]?.id ?? '';
  endpointId = (await story.api.get<Page<EndpointView>>('/v1/endpoints')).items[0]?.id ?? '';
});
after(() => story.close());

const limits = async (query = ''): Promise<Page<LimitView>> =>
  story.api.get<Page<LimitView>>(`/v1/pacing-limits${query}`);

async function put(scope: string, id: string, body: object): Promise<LimitView> {
  const answer = await send(story, 'PUT', `/v1/pacing-limits/${scope}/${id}`, { body });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text) as LimitView;
}

test('limits are set for whatever dials, shown by pages, and taken away', async () => {
  await put('line', lineId, { callsPerSecond: 5 });
  const line = await put('line', lineId, { callsPerSecond: 2.5, concurrentCalls: 40 });
  assert.deepEqual([line.callsPerSecond, line.concurrentCalls, line.setBy], [2.5, 40, 'operator']);
  await put('endpoint', endpointId, { concurrentCalls: 3 });
  await put('campaign', CAMPAIGN, { callsPerSecond: 0.5 });
  await put('account', 'own', { concurrentCalls: 500 });

  const seen: string[] = [];
  let next: string | null = '';
  while (next !== null) {
    const page = await limits(`?limit=1${next === '' ? '' : `&after=${next}`}`);
    seen.push(...page.items.map(({ scope }) => scope));
    next = page.next;
  }
  assert.deepEqual(seen, ['account', 'campaign', 'endpoint', 'line']);

  for (const [scope, id] of [
    ['line', lineId],
    ['endpoint', endpointId],
    ['campaign', CAMPAIGN],
    ['account', 'own'],
  ]) {
    const answer = await send(story, 'DELETE', `/v1/pacing-limits/${scope}/${id}`);
    assert.equal(answer.status, 204);
  }
  assert.deepEqual((await limits()).items, []);
  assertProblem(await send(story, 'DELETE', `/v1/pacing-limits/line/${lineId}`), 404);
});

test('who set a pace and who took it away stands in the ledger, once for each', async () => {
  const { text } = await send(story, 'GET', '/v1/ledger/export');
  const entries = text
    .split('\n')
    .filter((line) => line.includes('"Pace'))
    .map((line) => JSON.parse(line) as { type: string; actor: string; data: PacedEntry });
  const said = entries.map(
    ({ type, data }) => `${type} ${data.scope} ${data.callsPerSecond ?? ''}`,
  );
  assert.deepEqual(said.slice(0, 2), ['PaceSet line 5', 'PaceSet line 2.5']);
  assert.equal(said.filter((each) => each.startsWith('PaceTakenAway')).length, 4);
  assert.equal(said.length, 9, 'a limit that was not there was not taken away');
  assert.ok(entries.every(({ actor }) => actor.startsWith('api:key_')));
  assert.equal(entries.at(1)?.data.id, lineId);
});

test('what a brake sets stands beside what the operator set, and goes alone', async () => {
  const { accountId } = await accountOfStory();
  await put('line', lineId, { callsPerSecond: 20 });
  const wish = { scope: 'line', id: lineId, concurrentCalls: null } as const;
  const brake = { ...wish, callsPerSecond: 1, setBy: 'brake', reason: 'answer_rate' } as const;
  await story.database.transaction((tx) => setPace(tx, accountId, brake));
  const both = (await limits()).items.map(({ setBy, callsPerSecond, reason }) => ({
    setBy,
    callsPerSecond,
    reason,
  }));
  assert.deepEqual(both, [
    { setBy: 'brake', callsPerSecond: 1, reason: 'answer_rate' },
    { setBy: 'operator', callsPerSecond: 20, reason: null },
  ]);
  await story.database.transaction((tx) => clearPace(tx, accountId, wish, 'brake'));
  assert.deepEqual(
    (await limits()).items.map(({ setBy }) => setBy),
    ['operator'],
  );
  await send(story, 'DELETE', `/v1/pacing-limits/line/${lineId}`);
});

test('a limit that limits nothing, or that is no number of calls, is refused', async () => {
  for (const body of [
    {},
    { callsPerSecond: 0 },
    { callsPerSecond: -1 },
    { concurrentCalls: 0 },
    { concurrentCalls: 1.5 },
    { callsPerSecond: 100_000 },
  ]) {
    assertProblem(await send(story, 'PUT', `/v1/pacing-limits/line/${lineId}`, { body }), 400);
  }
  assertProblem(await send(story, 'GET', '/v1/pacing-limits?after=bm9uZQ'), 400);
});

test('a call that a limit holds back says so, and the limit says that it is full', async () => {
  await put('line', lineId, { concurrentCalls: 1 });
  const [first, second] = [newPerson(story, '801', '100'), newPerson(story, '802', '100')];
  for (const number of [first, second]) await getYes(story, number);
  // Gateways see a limit within two seconds.
  await story.pass(2_100);
  const talking = await placed(story, first);
  await reach(story, talking.id, 'bridged');
  const held = await placed(story, second);
  await story.pass(1_000);
  const waiting = await story.api.get<CallView>(`/v1/calls/${held.id}`);
  assert.deepEqual([waiting.status, waiting.waitsFor], ['queued', 'held_by_pacing']);
  const { items } = await story.api.get<Page<CallView>>('/v1/scheduled-calls');
  assert.equal(items.find(({ id }) => id === held.id)?.waitsFor, 'held_by_pacing');
  const [full] = (await limits()).items;
  assert.deepEqual([full?.liveCalls, full?.hasRoom], [1, false]);
  await story.api.post(`/v1/calls/${talking.id}/hangup`, {});
  await reach(story, talking.id, 'ended');
  await reach(story, held.id, 'bridged');
  await send(story, 'DELETE', `/v1/pacing-limits/line/${lineId}`);
});

test('an account neither sees nor sets the limits of another', async () => {
  const other = await secondAccount(story);
  await put('line', lineId, { callsPerSecond: 5 });
  const asOther = { key: other.key };
  const seen = await send(story, 'GET', '/v1/pacing-limits', asOther);
  assert.deepEqual(JSON.parse(seen.text), { items: [], next: null });
  const body = { callsPerSecond: 9 };
  const { accountId } = await accountOfStory();
  for (const path of [`line/${lineId}`, `endpoint/${endpointId}`, `account/${accountId}`]) {
    const url = `/v1/pacing-limits/${path}`;
    assertProblem(await send(story, 'PUT', url, { ...asOther, body }), 404);
    assertProblem(await send(story, 'DELETE', url, asOther), 404);
  }
  assert.equal((await limits()).items[0]?.callsPerSecond, 5);
});

async function accountOfStory(): Promise<{ accountId: AccountId }> {
  const row = await story.database.first(LINE_OF, [lineId]);
  assert.ok(row !== undefined);
  return { accountId: row.account_id };
}
