import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import { statement } from '../src/database/database.ts';
import type {
  CallView,
  EndpointView,
  EventView,
  Page,
  Problem,
  TimelineEntry,
} from '../src/http/api-types.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, call, getYes, newPerson, placed, reach } from './story-people.ts';

/** Endpoints in whole stories: several targets, health, caps, guard, headers and routing. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 15, settings: { ASKFIRST_ENDPOINT_CHECK_SECONDS: '30' } });
});
after(() => story.close());

const uriOf = (user: string): string => `sip:${user}@127.0.0.1:5070`;

async function endpoint(name: string, more: object): Promise<EndpointView> {
  const answer = await story.api.post<EndpointView>('/v1/endpoints', { name, ...more });
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer;
}

const targets = (...users: string[]): object => ({
  targets: users.map((user, priority) => ({ uri: uriOf(user), priority })),
});

async function put<T>(path: string, body: object): Promise<T | Problem> {
  const { text } = await send(story, 'PUT', path, { body });
  return JSON.parse(text) as T | Problem;
}

const SPEND = statement(
  'test_spend',
  `update cdrs set record = record || jsonb_build_object('endpointId', $1::text,
     'billableSeconds', 60) where call_id = (select max(call_id) from cdrs)`,
);

let people = 0;
/** Somebody who picks up and talks, and has said yes. */
async function willing(like = '101'): Promise<string> {
  people += 1;
  const number = newPerson(story, `8${String(people).padStart(2, '0')}`, like);
  await getYes(story, number);
  return number;
}

test('the next target takes the call, unheard, and the CDR tells each attempt', async () => {
  const { id: endpointId } = await endpoint('two', targets('unavailable', 'talk'));
  const { id } = await placed(story, await willing(), { endpointId, clientReference: 'a\u00e9' });
  const ended = await reach(story, id, 'ended');
  assert.equal(ended.outcome, 'completed', ended.endReason ?? '');
  const { endpointAttempts, sipStatus } = await assertOneEnd(story, id);
  assert.deepEqual(
    endpointAttempts.map((attempt) => [attempt.target, attempt.sipStatus]),
    [
      [uriOf('unavailable'), 503],
      [uriOf('talk'), 200],
    ],
  );
  assert.equal(sipStatus, 200);
  const invite = story.sip.invites.at(-1);
  assert.equal(invite?.headers['X-WA-Call-Id'], id);
  assert.match(invite?.headers['X-WA-Permission-Id'] ?? '', /^perm_/);
  assert.equal(invite?.headers['X-WA-Customer-Ref'], 'a%C3%A9');
  assert.equal(invite?.headers['User-to-User'], '61c3a9;encoding=hex');
  assert.ok(invite?.mayFollow?.(uriOf('other')));
  assert.equal(invite?.mayFollow?.('sip:other@elsewhere.example'), false);
});

test('busy ends the search, unless the endpoint says otherwise', async () => {
  const plain = await endpoint('busy first', targets('busy', 'talk'));
  const first = await placed(story, await willing(), { endpointId: plain.id });
  assert.equal((await reach(story, first.id, 'ended')).endReason, 'endpoint_busy');
  const failover = { on: ['busy'] };
  const other = await endpoint('busy goes on', { ...targets('busy', 'talk'), failover });
  const second = await placed(story, await willing(), { endpointId: other.id });
  assert.equal((await reach(story, second.id, 'ended')).outcome, 'completed');
});

test('the search is bounded in count', async () => {
  const failover = { maxTargets: 2 };
  const more = { ...targets('unavailable', 'unavailable-2', 'talk'), failover };
  const { id: endpointId } = await endpoint('bounded', more);
  const { id } = await placed(story, await willing(), { endpointId });
  await reach(story, id, 'ended');
  assert.equal((await assertOneEnd(story, id)).endpointAttempts.length, 2);
});

test('From shows the contact and no number where the endpoint asks for an alias', async () => {
  const { id: endpointId } = await endpoint('alias', { uri: uriOf('talk'), callerId: 'alias' });
  const { id, contactId } = await placed(story, await willing(), { endpointId });
  await reach(story, id, 'bridged');
  assert.equal(story.sip.invites.at(-1)?.from.user, contactId);
  await reach(story, id, 'ended');
});

test('targets are checked one by one, and the answer names field, rule and fix', async () => {
  const bad = [{ uri: uriOf('ok') }, { uri: 'sip:+4930123456@carrier.example' }];
  for (const [body, field] of [
    [{ targets: bad }, 'targets.1.uri'],
    [{ targets: [bad[0], bad[0]] }, 'targets.1.uri'],
    [{ uri: uriOf('ok'), targets: [bad[0]] }, 'uri'],
    [{}, 'uri'],
  ] as const) {
    const answer = await story.api.post<EndpointView>('/v1/endpoints', { name: 'bad', ...body });
    assert.ok(isProblem(answer), JSON.stringify(answer));
    const [problem] = answer.fields ?? [];
    assert.equal(problem?.field, field);
    assert.ok((problem?.rule.length ?? 0) > 5 && (problem?.fix.length ?? 0) > 10);
  }
});

test('a full endpoint is refused before anybody is dialled, and takes calls again', async () => {
  const { id: endpointId } = await endpoint('small', { uri: uriOf('talk'), maxCalls: 1 });
  const [one, two] = [await willing(), await willing()];
  const first = await placed(story, one, { endpointId });
  await reach(story, first.id, 'bridged');
  const refused = await call(story, two, { endpointId });
  assert.ok(isProblem(refused));
  assert.equal(refused.code, 'endpoint_full');
  await reach(story, first.id, 'ended');
  const second = await placed(story, two, { endpointId });
  assert.equal((await reach(story, second.id, 'ended')).outcome, 'completed');
});

test('a call that was queued for a full endpoint waits for room at the dial', async () => {
  const { id: endpointId } = await endpoint('tiny', { uri: uriOf('talk'), maxCalls: 1 });
  const scheduledAt = new Date(story.clock.now() + 5_000).toISOString();
  const wish = { endpointId, scheduledAt };
  const calls = [await willing(), await willing()].map((to) => placed(story, to, wish));
  const [one, two] = await Promise.all(calls);
  for (const queued of [one, two]) await reach(story, queued?.id ?? '', 'ended');
  const cdrs = [await assertOneEnd(story, one?.id ?? ''), await assertOneEnd(story, two?.id ?? '')];
  const [early, late] = cdrs.sort((a, b) => (a.dialedAt ?? '').localeCompare(b.dialedAt ?? ''));
  assert.equal(late?.outcome, 'completed');
  assert.ok((late?.dialedAt ?? '') >= (early?.endedAt ?? '~'), JSON.stringify([early, late]));
});

test('used-up minutes are refused with the time from which calls are allowed again', async () => {
  const { id: endpointId } = await endpoint('timed', { uri: uriOf('talk'), minutesPerDay: 1 });
  await story.database.run(SPEND, [endpointId]);
  const refused = await call(story, await willing(), { endpointId });
  assert.ok(isProblem(refused));
  assert.equal(refused.code, 'endpoint_minutes_used');
  assert.equal(refused.allowedAt, '2026-06-04T00:00:00.000Z');
});

test('the guard holds for endpoints that exist, and a key has caps of its own', async () => {
  const { id: endpointId } = await endpoint('guarded', { uri: uriOf('talk') });
  const wish = { endpointId };
  const number = await willing();
  const narrow = await put<object>('/v1/voip-guard', { allowedHosts: ['pbx.example'] });
  assert.ok(!isProblem(narrow), JSON.stringify(narrow));
  const refused = await call(story, number, wish);
  assert.ok(isProblem(refused));
  assert.equal(refused.code, 'target_not_allowed');
  const bad = await put<object>('/v1/voip-guard', { allowedHosts: ['a b'] });
  assert.ok(isProblem(bad) && bad.fields?.[0]?.field.startsWith('allowedHosts'));
  await put('/v1/voip-guard', { keyMaxCalls: 1 });
  const live = await placed(story, number, wish);
  await reach(story, live.id, 'bridged');
  const full = await call(story, await willing(), wish);
  assert.ok(isProblem(full));
  assert.equal(full.code, 'key_calls_full');
  await reach(story, live.id, 'ended');
  await put('/v1/voip-guard', {});
});

test('rules pick the endpoint of a call that names none, and the dry run says why', async () => {
  const orders = await endpoint('orders', { uri: uriOf('talk') });
  const rules = [
    { name: 'brazil', when: { countries: ['BR'] }, endpointId: orders.id },
    { name: 'orders', when: { purposes: ['your order *'] }, endpointId: orders.id },
  ];
  const unknown = [{ ...rules[0], endpointId: 'end_nobody' }];
  const refused = await put<object>('/v1/routing', { rules: unknown });
  assert.ok(isProblem(refused) && refused.fields?.[0]?.field === 'rules.0.endpointId');
  assert.ok(!isProblem(await put<object>('/v1/routing', { rules })));
  const dry = await story.api.post<{ rule: string; verdicts: Array<{ why: string }> }>(
    '/v1/routing/check',
    { purpose: 'your order 1042', country: 'GB' },
  );
  assert.ok(!isProblem(dry));
  assert.equal(dry.rule, 'orders');
  assert.equal(dry.verdicts[0]?.why, 'the country is GB, not BR');
  const made: CallView = await placed(story, await willing());
  assert.equal(made.endpointId, orders.id);
  await reach(story, made.id, 'ended');
  await put('/v1/routing', { rules: [] });
});

test('a target that goes down is told, shown, and called last', async () => {
  const { id } = await endpoint('health', targets('unavailable', 'talk'));
  const health = (): Promise<{ state: string }> => story.api.get(`/v1/endpoints/${id}/health`);
  await story.until('degraded', async () => (await health()).state === 'degraded', 200_000);
  const told = await story.until('the event', async () => {
    const { items } = await story.api.get<Page<EventView>>('/v1/events?type=endpoint.down');
    return items.find(({ data }) => data['endpointId'] === id);
  });
  assert.equal(told.data['uri'], uriOf('unavailable'));
  assert.equal(told.data['targetsUp'], 1);
  const before = story.sip.invites.length;
  const { id: callId } = await placed(story, await willing(), { endpointId: id });
  await reach(story, callId, 'ended');
  const called = story.sip.invites.slice(before).map(({ target }) => target.uri);
  assert.deepEqual(called, [uriOf('talk')]);
  const metrics = await send(story, 'GET', '/metrics', {});
  assert.match(metrics.text, /askfirst_endpoint_targets\{state="down"\} [1-9]/);
});

test('who picked up and finds nobody is told so before the end', async () => {
  const whenNobody = { action: 'announce_and_end' };
  const { id: endpointId } = await endpoint('told', { uri: uriOf('busy'), whenNobody });
  const { id } = await placed(story, await willing('100'), { endpointId });
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.outcome, ended.endReason], ['failed', 'nobody_there']);
  const { sipStatus } = await assertOneEnd(story, id);
  assert.equal(sipStatus, 486);
  const { items } = await story.api.get<Page<TimelineEntry>>(`/v1/calls/${id}/timeline`);
  const entry = items.find(({ type }) => type === 'CallNobodyThere');
  assert.equal(entry?.data['reason'], 'endpoint_busy');
});

test('a queue keeps the customer with music until somebody answers', async () => {
  const whenNobody = { action: 'queue_with_music', maxMs: 60_000 };
  const { id: endpointId } = await endpoint('queue', { uri: uriOf('busy'), whenNobody });
  const { id } = await placed(story, await willing('100'), { endpointId });
  await reach(story, id, 'answered');
  await story.until('the first try', () => story.sip.invites.at(-1)?.target.uri === uriOf('busy'));
  // Somebody comes back to the desk.
  await endpoint('queue', { uri: uriOf('talk'), whenNobody });
  assert.equal((await reach(story, id, 'bridged')).endpointId, endpointId);
  await story.api.post(`/v1/calls/${id}/hangup`, {});
  assert.equal((await reach(story, id, 'ended')).outcome, 'completed');
});

test('a queue ends by itself when nobody comes', async () => {
  const whenNobody = { action: 'queue_with_music', maxMs: 12_000 };
  const { id: endpointId } = await endpoint('empty', { uri: uriOf('busy'), whenNobody });
  const { id } = await placed(story, await willing('100'), { endpointId });
  const ended = await reach(story, id, 'ended');
  // The simulated customer may lose patience before.
  assert.ok(['queue_timed_out', 'customer_left_before_audio'].includes(ended.endReason ?? ''));
  const tried = story.sip.invites.filter(({ headers }) => headers['X-WA-Call-Id'] === id);
  assert.ok(tried.length >= 2, String(tried.length));
  await assertOneEnd(story, id);
});

test('an endpoint replaced by id keeps its password, and goes once nothing uses it', async () => {
  const secret = { uri: uriOf('talk'), username: 'us', password: 'a-secret-of-ours' };
  const made = await endpoint('to be changed', secret);
  const path = `/v1/endpoints/${made.id}`;
  const { password: _password, ...kept } = secret;
  const changed = await put<EndpointView>(path, { name: 'changed', ...kept, maxCalls: 3 });
  assert.ok(!isProblem(changed), JSON.stringify(changed));
  assert.deepEqual([changed.id, changed.name, changed.maxCalls], [made.id, 'changed', 3]);
  const number = await willing();
  const { id } = await placed(story, number, { endpointId: made.id });
  await reach(story, id, 'bridged');
  assert.equal(story.sip.invites.at(-1)?.target.password, secret.password);
  await endpoint('has the name', { uri: uriOf('talk') });
  const taken = await put<EndpointView>(path, { name: 'has the name', uri: uriOf('talk') });
  assert.ok(isProblem(taken) && taken.fields?.[0]?.field === 'name', JSON.stringify(taken));
  await put('/v1/routing', { rules: [{ name: 'mine', when: {}, endpointId: made.id }] });
  const script = {
    name: 'hands over',
    steps: [{ name: 'to', do: 'connect', endpoint: 'changed', onFail: 'end' }],
  };
  const saved = await story.api.post<{ id: string }>('/v1/scripts', script);
  assert.ok(!isProblem(saved), JSON.stringify(saved));
  const refused = await send(story, 'DELETE', path);
  assert.equal(refused.status, 409, refused.text);
  const problem = JSON.parse(refused.text) as Problem & { evidence: object };
  assert.equal(problem.code, 'endpoint_in_use');
  const nobody = { lines: [], journeys: [], campaigns: [] };
  const users = { rules: ['mine'], scripts: ['hands over'], calls: 1, ...nobody };
  assert.deepEqual(problem.evidence, users);
  await reach(story, id, 'ended');
  await put('/v1/routing', { rules: [] });
  const other = { ...script, steps: [{ name: 'bye', do: 'hangup' }] };
  assert.ok(!isProblem(await put<object>(`/v1/scripts/${saved.id}`, other)));
  assert.equal((await send(story, 'DELETE', path)).status, 204);
  assert.equal((await send(story, 'GET', path)).status, 404);
  assert.equal((await send(story, 'DELETE', path)).status, 404);
});

test('a gateway registers, renews in time, says when it cannot, and takes it back', async () => {
  type Health = { targets: Array<{ registrations: Array<{ state: string; status: number }> }> };
  const stateOf = async (id: string): Promise<string | undefined> => {
    const { targets: found } = await story.api.get<Health>(`/v1/endpoints/${id}/health`);
    return found[0]?.registrations[0]?.state;
  };
  const told = async (type: string): Promise<unknown[]> => {
    const { items } = await story.api.get<Page<EventView>>(`/v1/events?type=${type}`);
    return items.map(({ data }) => data['uri']);
  };
  const member = { username: 'member', password: 'p', register: true };
  const made = await endpoint('member of the pbx', { uri: uriOf('talk'), ...member });
  await story.until('registered', async () => (await stateOf(made.id)) === 'registered');
  const isTold = async (type: string, user: string): Promise<boolean> =>
    (await told(type)).includes(uriOf(user));
  await story.until('the event', () => isTold('endpoint.registered', 'talk'));
  const gone = { uri: uriOf('unavailable'), ...member, username: 'lost' };
  const { id: lostId } = await endpoint('no pbx', gone);
  await story.until('trying', async () => (await stateOf(lostId)) === 'trying');
  await story.until('its event', () => isTold('endpoint.registration_lost', 'unavailable'));
  const sent = (what: string): number => story.sip.registered.filter((one) => one === what).length;
  await story.pass(151_000);
  assert.equal(sent('member 300'), 2, 'at half of the five minutes');
  assert.ok(sent('lost 300') >= 4 && sent('lost 300') <= 6, 'ever more rarely');
  await put(`/v1/endpoints/${made.id}`, { name: 'member of the pbx', uri: uriOf('talk') });
  await story.until('the goodbye', () => sent('member 0') === 1);
  assert.equal(await stateOf(made.id), undefined);
  assert.equal((await send(story, 'DELETE', `/v1/endpoints/${lostId}`)).status, 204);
});
