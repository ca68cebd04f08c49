import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { request } from 'undici';
import { isProblem } from '../src/cli/api-client.ts';
import type { StandingView } from '../src/do-not-call/do-not-call.ts';
import type {
  CallView,
  EligibilityView,
  EventView,
  Page,
  PermissionView,
  Problem,
  TimelineEntry,
} from '../src/http/api-types.ts';
import { assertProblem, secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import {
  PURPOSE,
  assertOneEnd,
  call,
  consentStatus,
  contactOf,
  getYes,
  newPerson,
  person,
  placed,
  reach,
} from './story-people.ts';

let story: Story;

before(async () => {
  story = await openStory({ seed: 31 });
});
after(() => story.close());

async function list(to: string, more: object = {}): Promise<StandingView> {
  const body = { to, reason: 'asked by letter', ...more };
  const answer = await story.api.post<StandingView>('/v1/do-not-call', body);
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer;
}

const unlist = (to: string, more: object = {}): Promise<StandingView | Problem> =>
  story.api.post('/v1/do-not-call/remove', { to, reason: 'wrong number', ...more });

const standing = (to: string): Promise<StandingView> =>
  story.api.get(`/v1/do-not-call?to=${encodeURIComponent(to)}`);

async function mayCall(to: string): Promise<string | null> {
  const query = new URLSearchParams({ to, purpose: PURPOSE });
  const { rules } = await story.api.get<EligibilityView>(`/v1/eligibility?${query.toString()}`);
  return rules.find(({ rule }) => rule === 'do_not_call')?.code ?? null;
}

async function allEvents(): Promise<EventView[]> {
  const all: EventView[] = [];
  for (let after: string | null = ''; after !== null;) {
    const query: string = after === '' ? '' : `&after=${after}`;
    const page: Page<EventView> = await story.api.get(`/v1/events?limit=100${query}`);
    all.push(...page.items);
    after = page.next;
  }
  return all;
}

async function historyOf(number: string): Promise<TimelineEntry[]> {
  const { id } = await contactOf(story, number);
  const path = `/v1/contacts/${id}/timeline?limit=500`;
  return (await story.api.get<Page<TimelineEntry>>(path)).items;
}

test('listing a person takes the permission back, and no call is taken any more', async () => {
  const number = newPerson(story, '401', '101');
  await getYes(story, number);
  const view = await list(number);
  assert.equal(view.listed, true);
  const [entry] = view.entries;
  assert.deepEqual([entry?.list, entry?.reason, entry?.source], ['own', 'asked by letter', 'api']);
  assert.equal(await consentStatus(story, number), 'revoked');
  const { id } = await contactOf(story, number);
  const permissions = await story.api.get<Page<PermissionView>>(`/v1/permissions?contactId=${id}`);
  assert.equal(permissions.items[0]?.revokedBy, 'api');
  const refused = await call(story, number);
  assert.ok(isProblem(refused) && refused.code === 'do_not_call', JSON.stringify(refused));
  const [last] = (await historyOf(number)).filter(({ type }) => type === 'DoNotCallAdded');
  assert.deepEqual(last?.data, { list: 'own' });
  assert.deepEqual(last?.personal, { reason: 'asked by letter', source: 'api' });
});

test('a queued call that is not dialled yet is cancelled by listing the person', async () => {
  const number = newPerson(story, '402', '101');
  await getYes(story, number);
  // Placed and listed before time moves at all, so the dial comes after the list.
  const { id } = await placed(story, number);
  await list(number);
  const ended = await reach(story, id, 'ended');
  assert.ok(ended.outcome === 'canceled' || ended.outcome === 'blocked', ended.outcome ?? '');
  assert.equal(ended.endReason, 'do_not_call');
  assert.equal((await assertOneEnd(story, id)).outcome, ended.outcome);
});

test('a ringing call is hung up within a second when the person is listed', async () => {
  // 105 says yes, and never answers.
  const number = newPerson(story, '403', '105');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'ringing');
  const listedAt = story.clock.now();
  await list(number);
  const hungUp = await story.until('our hang-up', async () =>
    (await historyOf(number)).find(({ type }) => type === 'CallHangUpRequested'),
  );
  assert.ok(Date.parse(hungUp.at) - listedAt <= 1_000);
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.endReason, ended.endedBy], ['do_not_call', 'business']);
  await assertOneEnd(story, id);
});

test('whoever is first, no dial ever comes after the entry that forbids it', async () => {
  const numbers = Array.from({ length: 12 }, (_, index) =>
    newPerson(story, `5${index + 10}`, '105'),
  );
  for (const number of numbers) await getYes(story, number);
  const [first = ''] = numbers;
  await list(first);
  const races = numbers.map((number, index) => {
    const dialing = call(story, number);
    // Each a little later than the one before: before, within and after the dial.
    if (number !== first) story.clock.after(index * 40, () => void list(number));
    return dialing;
  });
  await story.pass(3_000);
  await Promise.all(races);
  let dialed = 0;
  for (const number of numbers) {
    const types = (await historyOf(number)).map(({ type }) => type);
    const listed = types.indexOf('DoNotCallAdded');
    assert.ok(listed >= 0, number);
    assert.ok(types.lastIndexOf('CallDialing') < listed, `${number}: ${types.join()}`);
    if (types.includes('CallDialing')) dialed += 1;
  }
  await story.until('the end of all calls', async () => {
    const { items } = await story.api.get<Page<CallView>>('/v1/calls?limit=100');
    return items.every(({ status }) => status === 'ended');
  });
  assert.ok(dialed < numbers.length, 'some were listed in time');
});

test('a number that nobody has seen is blocked from its first contact on', async () => {
  const number = newPerson(story, '404', '101');
  assert.deepEqual((await list(number)).contactId, null);
  assert.equal(await mayCall(number), 'do_not_call');
  const asked = await story.api.post<object>('/v1/permission-requests', {
    to: number,
    purpose: PURPOSE,
  });
  assert.ok(isProblem(asked) && asked.code === 'do_not_call', JSON.stringify(asked));
  assert.equal((await contactOf(story, number)).doNotCall, true);
});

test('what happens to a number that nobody has seen is on record, by its hash alone', async () => {
  const number = person('410');
  await list(number, { reason: 'wrote a letter' });
  await list(number);
  await unlist(number);
  const { text } = await send(story, 'GET', '/v1/ledger/export');
  const told = text
    .split('\n')
    .filter((line) => line.includes('"entry":"'))
    .map((line) => JSON.parse(line) as TimelineEntry & { data: { entry: string; list: string } });
  const [last] = told.slice(-1);
  const mine = told.filter(({ data }) => data.entry === last?.data.entry);
  assert.deepEqual(
    mine.map(({ type, data }) => [type, data.list]),
    [
      ['DoNotCallAdded', 'own'],
      ['DoNotCallRemoved', 'own'],
    ],
  );
  assert.match(last?.data.entry ?? '', /^[0-9a-f]{64}$/);
  assert.ok(!text.includes(number) && !text.includes('wrote a letter'), 'words are sealed');
  const { items } = await story.api.get<Page<{ userId: string | null }>>('/v1/contacts?limit=100');
  assert.ok(items.every(({ userId }) => !(userId ?? '').startsWith('ZZ.')));
});

test('removing needs a reason, is on record, and gives no permission back', async () => {
  const number = newPerson(story, '405', '101');
  await getYes(story, number);
  await list(number);
  const nameless = await story.api.post('/v1/do-not-call/remove', { to: number });
  assert.ok(isProblem(nameless as object));
  assert.equal((nameless as Problem).fields?.[0]?.field, 'reason');
  const view = await unlist(number);
  assert.ok(!isProblem(view), JSON.stringify(view));
  assert.deepEqual([view.listed, view.entries], [false, []]);
  assert.equal(await mayCall(number), null);
  assert.equal(await consentStatus(story, number), 'revoked');
  const removed = (await historyOf(number)).find(({ type }) => type === 'DoNotCallRemoved');
  assert.deepEqual(removed?.data, { list: 'own' });
  assert.deepEqual(removed?.personal, { reason: 'wrong number' });
  const { id } = await contactOf(story, number);
  const types = (await allEvents()).filter((it) => it.contactId === id).map(({ type }) => type);
  assert.deepEqual(types.slice(-3), ['dnc.added', 'permission.revoked', 'dnc.removed']);
});

test("nobody but the person lifts the person's own stop", async () => {
  const number = newPerson(story, '406', '101');
  await getYes(story, number);
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('the stop', async () => (await contactOf(story, number)).doNotCall);
  const { entries } = await standing(number);
  assert.deepEqual(
    entries.map((entry) => entry.list),
    ['opt_out'],
  );
  for (const more of [{}, { list: 'opt_out' }]) {
    const refused = await unlist(number, more);
    assert.ok(isProblem(refused));
    assert.deepEqual([refused.status, refused.code], [403, 'opt_out_stands']);
  }
  // An own entry beside it may go, when it is named; the stop stands all the same.
  await list(number);
  const view = await unlist(number, { list: 'own' });
  assert.ok(!isProblem(view));
  assert.deepEqual([view.listed, view.entries[0]?.list], [true, 'opt_out']);
  assert.equal(await mayCall(number), 'opted_out');
});

test('listing twice changes nothing; lists that do not exist are refused', async () => {
  const number = newPerson(story, '407', '101');
  await getYes(story, number);
  const first = await list(number);
  const again = await list(number, { reason: 'other words' });
  assert.deepEqual(again, first);
  const added = (await historyOf(number)).filter(({ type }) => type === 'DoNotCallAdded');
  assert.equal(added.length, 1);
  const typo = { to: number, reason: 'x', list: 'nationl' };
  const refused = await send(story, 'POST', '/v1/do-not-call', { body: typo });
  assert.equal(assertProblem(refused, 422).code, 'do_not_call_list_unknown');
  const own = { to: number, reason: 'x', list: 'opt_out' };
  const theirs = await send(story, 'POST', '/v1/do-not-call', { body: own });
  assert.equal(assertProblem(theirs, 400).fields?.[0]?.field, 'list');
  const bad = await send(story, 'POST', '/v1/do-not-call', { body: { to: 'x', reason: 'x' } });
  assert.equal(assertProblem(bad, 422).code, 'number_invalid');
});

test('a list belongs to one account: another one neither sees nor shares it', async () => {
  const number = person('408');
  await list(number);
  const { key } = await secondAccount(story, 'Another business');
  const query = `/v1/do-not-call?to=${encodeURIComponent(number)}`;
  const seen = await send(story, 'GET', query, { key });
  assert.deepEqual(JSON.parse(seen.text), { listed: false, contactId: null, entries: [] });
  const exported = await send(story, 'GET', '/v1/do-not-call/export', { key });
  assert.equal(exported.text, 'hmac,list,reason,source,added_at\r\n');
});

test('the export holds every entry as a hash, never a number, and no formula', async () => {
  const number = person('409');
  await list(number, { reason: '=HYPERLINK("x")' });
  const answer = await request(`${story.server.url}/v1/do-not-call/export`, {
    headers: { authorization: `Bearer ${story.apiKey}` },
  });
  const text = await answer.body.text();
  assert.match(String(answer.headers['content-type']), /^text\/csv/);
  const lines = text.trimEnd().split('\r\n');
  assert.ok(lines.length >= 5);
  for (const line of lines.slice(1)) assert.match(line, /^[0-9a-f]{64},[a-z_]+,/);
  assert.match(text, /,own,"'=HYPERLINK\(""x""\)",api,2026-/);
  assert.ok(!text.includes('7700900'));
  const { items } =
    await story.api.get<Page<{ name: string; entries: number }>>('/v1/do-not-call/lists');
  const counted = items.reduce((sum, { entries }) => sum + entries, 0);
  assert.equal(counted, lines.length - 1);
});
