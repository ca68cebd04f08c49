import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type {
  CallView,
  EndpointView,
  EventView,
  Page,
  PermissionView,
} from '../src/http/api-types.ts';
import { firstBrokenEntry } from '../src/ledger/ledger.ts';
import { entriesOfContact } from '../src/ledger/ledger-store.ts';
import { isoTime } from '../src/platform/clock.ts';
import { isProblem } from '../src/cli/api-client.ts';
import type { ContactId } from '../src/platform/ids.ts';
import { openStory, type Story } from './harness.ts';
import {
  PURPOSE,
  ask,
  assertOneEnd,
  call,
  consentStatus,
  contactOf,
  eventsOf,
  getYes,
  newPerson,
  person,
  placed,
  reach,
} from './story-people.ts';

let story: Story;

before(async () => {
  story = await openStory();
});
after(() => story.close());

async function endpoint(user: string, more: object = {}): Promise<string> {
  const answer = await story.api.post<EndpointView>('/v1/endpoints', {
    name: `${user}${JSON.stringify(more)}`,
    uri: `sip:${user}@127.0.0.1:5070`,
    ...more,
  });
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer.id;
}

test('ask, yes, call, talk, hang up: one CDR, one call.ended, and no second call', async () => {
  const number = person('101');
  await getYes(story, number);
  const contact = await contactOf(story, number);
  const [consent] = contact.consents;
  assert.equal(
    Date.parse(consent?.expiresAt ?? '') - Date.parse(consent?.grantedAt ?? ''),
    86_400_000,
  );
  const { id } = await placed(story, number);
  const ended = await reach(story, id, 'ended');
  assert.equal(ended.outcome, 'completed');
  assert.equal(ended.endedBy, 'customer');
  const cdr = await assertOneEnd(story, id);
  assert.equal(cdr.permissionId, consent?.permissionId);
  assert.ok((cdr.talkMs ?? 0) > 0);
  assert.deepEqual(await eventsOf(story, id), [
    'permission.used',
    'call.initiated',
    'call.ringing',
    'call.answered',
    'call.bridged',
    'call.ended',
  ]);
  const again = await call(story, number);
  assert.ok(isProblem(again));
  assert.equal(again.code, 'permission_used');
  assert.ok(again.fix.length > 0);
  const entries = await entriesOfContact(story.database, contact.id as ContactId, 0, 500);
  assert.equal(firstBrokenEntry(entries), null);
  assert.ok(entries.some(({ type }) => type === 'CallBlocked'));
});

test('the business hangs up and Meta is told to terminate', async () => {
  const number = person('100');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  await story.api.post(`/v1/calls/${id}/hangup`, {});
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.outcome, ended.endedBy], ['completed', 'business']);
  assert.equal(story.simulator.person(number).pastCalls[0]?.ending, 'business_hung_up');
  await assertOneEnd(story, id);
});

test('a customer who declines the request is not called', async () => {
  const number = person('102');
  await ask(story, number);
  await story.until('a no', async () => (await consentStatus(story, number)) === 'declined');
  const answer = await call(story, number);
  assert.ok(isProblem(answer));
  assert.equal(answer.code, 'permission_declined');
});

test('a customer who ignores the request is not called', async () => {
  const number = person('103');
  await ask(story, number);
  await story.pass(5_000);
  const answer = await call(story, number);
  assert.ok(isProblem(answer));
  assert.equal(answer.code, 'permission_pending');
});

test('a rejected ring ends as rejected by the customer', async () => {
  const number = person('104');
  await getYes(story, number);
  const { id } = await placed(story, number);
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.outcome, ended.endedBy], ['rejected', 'customer']);
  await assertOneEnd(story, id);
});

test('a ring that nobody answers ends at our time-out', async () => {
  const number = person('105');
  await getYes(story, number);
  const { id } = await placed(story, number, { ringTimeoutMs: 20_000 });
  const ended = await reach(story, id, 'ended');
  assert.equal(ended.outcome, 'no_answer');
  await assertOneEnd(story, id);
});

test('a permission expires at its moment and the call after it is refused', async () => {
  const number = person('001');
  // Promised for a day later; else the customer would not expect a call so late.
  await ask(story, number, { promisedAt: isoTime(story.clock.now() + 86_400_000) });
  await story.until('the request on the phone', () =>
    story.simulator.person(number).messages.some(({ request }) => request?.state === 'open'),
  );
  story.simulator.act(number, { action: 'allow' });
  await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
  const permissionId = (await contactOf(story, number)).consents[0]?.permissionId;
  const permission = await story.api.get<PermissionView>(`/v1/permissions/${permissionId}`);
  story.clock.advance(Date.parse(permission.expiresAt ?? '') - story.clock.now() - 1);
  const question = new URLSearchParams({ to: number, purpose: PURPOSE });
  const before = `/v1/eligibility?${question.toString()}`;
  assert.equal((await story.api.get<{ allowed: boolean }>(before)).allowed, true);
  story.clock.advance(1);
  assert.equal((await story.api.get<{ allowed: boolean }>(before)).allowed, false);
  await story.until('permission.expired', async () => {
    const { items } = await story.api.get<Page<EventView>>('/v1/events?type=permission.expired');
    return items.length > 0;
  });
  const answer = await call(story, number);
  assert.ok(isProblem(answer));
  assert.equal(answer.code, 'permission_expired');
});

for (const [last3, user, reason] of [
  ['301', 'busy', 'endpoint_busy'],
  ['302', 'unavailable', 'endpoint_unavailable'],
  ['303', 'never', 'endpoint_no_answer'],
] as const) {
  test(`an endpoint that is ${user} fails the call, and nobody is left ringing`, async () => {
    const number = newPerson(story, last3, '100');
    await getYes(story, number);
    const endpointId = await endpoint(user, { ringTimeoutMs: 5_000 });
    const { id } = await placed(story, number, { endpointId });
    const ended = await reach(story, id, 'ended');
    assert.deepEqual([ended.outcome, ended.endReason], ['failed', reason]);
    await assertOneEnd(story, id);
    assert.equal(story.simulator.person(number).call, null);
  });
}

test('agent first: with a busy agent no phone rings; the permission is given back', async () => {
  const number = newPerson(story, '401', '100');
  await getYes(story, number);
  const endpointId = await endpoint('busy', { strategy: 'agent_first' });
  const { id } = await placed(story, number, { endpointId });
  const ended = await reach(story, id, 'ended');
  assert.equal(ended.endReason, 'endpoint_busy');
  assert.equal(story.simulator.person(number).pastCalls.length, 0);
  assert.equal(await consentStatus(story, number), 'granted');
});

test('the endpoint hangs up and the customer is released', async () => {
  const number = newPerson(story, '402', '100');
  await getYes(story, number);
  const { id } = await placed(story, number, { endpointId: await endpoint('hangup-3') });
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.outcome, ended.endedBy], ['completed', 'endpoint']);
  await assertOneEnd(story, id);
});

test('STOP in the chat revokes, blocks, confirms and ends the live call', async () => {
  const number = newPerson(story, '403', '100');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await reach(story, id, 'ended');
  const contact = await contactOf(story, number);
  assert.equal(contact.doNotCall, true);
  await story.until('the confirmation', () =>
    story.simulator
      .person(number)
      .messages.some(({ from, text }) => from === 'business' && text.includes('removed')),
  );
  const answer = await call(story, number);
  assert.ok(isProblem(answer));
  assert.ok(['opted_out', 'do_not_call'].includes(answer.code), answer.code);
  const asked = await story.api.post<object>('/v1/permission-requests', {
    to: number,
    purpose: PURPOSE,
  });
  assert.ok(isProblem(asked));
});

test('somebody who hides the number is one contact: asked, called, and stopped', async () => {
  const number = person('002');
  await ask(story, number);
  await story.until('the request on the phone', () =>
    story.simulator.person(number).messages.some(({ request }) => request?.state === 'open'),
  );
  story.simulator.act(number, { action: 'allow' });
  await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
  story.simulator.act(number, { action: 'write', text: 'stop calls' });
  await story.until('the stop', async () => (await contactOf(story, number)).doNotCall);
  const answer = await call(story, number);
  assert.ok(isProblem(answer));
});

test('a permission that the business takes back allows no call', async () => {
  const number = newPerson(story, '405', '100');
  await getYes(story, number);
  const id = (await contactOf(story, number)).consents[0]?.permissionId;
  const revoked = await story.api.post<PermissionView>(`/v1/permissions/${id}/revoke`, {
    reason: 'order cancelled',
  });
  assert.ok(!isProblem(revoked), JSON.stringify(revoked));
  assert.deepEqual([revoked.status, revoked.revokedBy], ['revoked', 'api']);
  const answer = await call(story, number);
  assert.ok(isProblem(answer));
  assert.equal(answer.code, 'permission_revoked');
  const again = await story.api.post<object>(`/v1/permissions/${id}/revoke`, { reason: 'twice' });
  assert.ok(isProblem(again));
});

test('a customer who revokes while it rings is left in peace at once', async () => {
  const number = newPerson(story, '406', '106');
  await getYes(story, number);
  const { id } = await placed(story, number);
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.outcome, ended.endReason], ['canceled', 'opted_out']);
  await assertOneEnd(story, id);
});

test('the same idempotency key places one call, whatever the number of tries', async () => {
  const number = newPerson(story, '404', '101');
  await getYes(story, number);
  const url = `${story.server.url}/v1/calls`;
  const apiKey = story.apiKey;
  const send = (body: object): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        'idempotency-key': 'one-call',
      },
      body: JSON.stringify(body),
    });
  const wish = { to: number, purpose: PURPOSE };
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(wish)));
  const created = answers.filter(({ status }) => status === 202);
  const waiting = answers.filter(({ status }) => status === 409);
  assert.ok(created.length >= 1);
  assert.equal(created.length + waiting.length, 20);
  const ids = new Set(
    (await Promise.all(created.map((answer) => answer.json() as Promise<CallView>))).map(
      ({ id }) => id,
    ),
  );
  assert.equal(ids.size, 1);
  assert.equal((await send({ ...wish, purpose: 'another' })).status, 422);
  const [id = ''] = ids;
  await reach(story, id, 'ended');
  assert.equal(story.simulator.person(number).pastCalls.length, 1);
});
