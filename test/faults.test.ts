import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FaultDraft } from '../simulator/control-types.ts';
import { openStory, type Story } from './harness.ts';
import {
  assertOneEnd,
  consentStatus,
  eventsOf,
  getYes,
  newPerson,
  placed,
  reach,
} from './story-people.ts';

/** Meta at its worst: whatever happens to webhooks and answers, a call has one true end. */
let story: Story;
let next = 500;

before(async () => {
  story = await openStory({ seed: 7 });
});
after(() => story.close());

const fresh = (like: string): string => newPerson(story, String(next++), like);

const WEBHOOK_FAULTS: FaultDraft[] = [
  { kind: 'duplicate_webhook' },
  { kind: 'reorder_webhooks' },
  { kind: 'delay_webhook', delayMs: 700, probability: 0.5 },
  { kind: 'drop_webhook', times: 2 },
  { kind: 'two_in_one_delivery' },
  { kind: 'unknown_event' },
  { kind: 'missing_contacts' },
  { kind: 'bsuid_only' },
  { kind: 'integer_times' },
  { kind: 'string_times' },
  { kind: 'terminate_before_connect' },
  { kind: 'connect_before_response' },
  { kind: 'setup_actpass' },
];

for (const fault of WEBHOOK_FAULTS) {
  test(`a whole call ends the same with ${fault.kind}`, async () => {
    const number = fresh('101');
    await getYes(story, number);
    story.simulator.setFault(fault);
    const { id } = await placed(story, number);
    const ended = await reach(story, id, 'ended');
    story.simulator.clearFaults();
    await story.pass(3_000);
    // Dropped webhooks come back after 20 s, when this customer has long given up.
    const mayFail = fault.kind === 'terminate_before_connect' || fault.kind === 'drop_webhook';
    const outcome = mayFail ? ['failed', 'completed'] : ['completed'];
    assert.ok(outcome.includes(ended.outcome ?? ''), `${ended.outcome} ${ended.endReason}`);
    await assertOneEnd(story, id);
    assert.equal(story.simulator.person(number).pastCalls.length, 1);
    assert.equal(story.simulator.person(number).call, null);
  });
}

test('a webhook with a wrong signature changes nothing', async () => {
  const number = fresh('101');
  await getYes(story, number);
  story.simulator.setFault({ kind: 'wrong_signature', times: 1, on: 'connect' });
  const { id } = await placed(story, number);
  const ended = await reach(story, id, 'ended');
  assert.ok(ended.outcome === 'completed' || ended.outcome === 'failed');
  await assertOneEnd(story, id);
});

test('a lost answer to the dial is healed by webhooks and never dialled twice', async () => {
  const number = fresh('101');
  await getYes(story, number);
  story.simulator.setFault({ kind: 'lost_answer', times: 1, on: 'calls' });
  const { id } = await placed(story, number);
  const ended = await reach(story, id, 'ended');
  assert.equal(ended.outcome, 'completed');
  assert.equal(story.simulator.person(number).pastCalls.length, 1);
  await assertOneEnd(story, id);
});

for (const kind of ['server_error', 'html_answer'] as const) {
  test(`Meta answers the dial with ${kind}: a named end, one CDR, nobody rung twice`, async () => {
    const number = fresh('101');
    await getYes(story, number);
    story.simulator.setFault({ kind, times: 1, on: 'calls' });
    const { id } = await placed(story, number);
    const ended = await reach(story, id, 'ended');
    assert.ok(ended.endReason !== null && ended.endReason.length > 0);
    assert.notEqual(ended.outcome, 'completed');
    await assertOneEnd(story, id);
    assert.ok(story.simulator.person(number).pastCalls.length <= 1);
    assert.equal(story.simulator.person(number).call, null);
  });
}

for (const kind of ['sdp_without_fingerprint', 'sdp_sha1_fingerprint', 'sdp_garbage'] as const) {
  test(`an answer with ${kind} is refused, and Meta is told to terminate`, async () => {
    const number = fresh('105');
    await getYes(story, number);
    story.simulator.setFault({ kind, times: 1 });
    const { id } = await placed(story, number);
    const ended = await reach(story, id, 'ended');
    assert.deepEqual([ended.outcome, ended.endReason], ['failed', 'meta_sdp_refused']);
    await assertOneEnd(story, id);
    assert.equal(story.simulator.person(number).call, null);
  });
}

test('Meta is down while asking: the message goes out when it is back', async () => {
  const number = fresh('100');
  story.simulator.setFault({ kind: 'server_error', times: 1, on: 'messages' });
  await getYes(story, number);
  const texts = story.simulator.person(number).messages.filter(({ from }) => from === 'business');
  assert.equal(texts.length, 1);
});

test('a customer who cannot be reached ends the call with the reason', async () => {
  const number = fresh('109');
  await getYes(story, number);
  const { id } = await placed(story, number);
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.outcome, ended.endReason], ['failed', 'meta_138020']);
  await assertOneEnd(story, id);
});

test('a customer who revokes while it rings is not put through', async () => {
  const number = fresh('106');
  await getYes(story, number);
  const { id } = await placed(story, number);
  const ended = await reach(story, id, 'ended');
  assert.notEqual(ended.outcome, 'completed');
  await assertOneEnd(story, id);
  assert.ok(!(await eventsOf(story, id)).includes('call.bridged'));
});

test('a customer with too old an app: the request fails and says why', async () => {
  const number = fresh('110');
  const answer = await story.api.post<{ id: string }>('/v1/permission-requests', {
    to: number,
    purpose: 'your order 1042',
  });
  assert.ok('id' in answer);
  const failed = await story.until('the failure', async () => {
    const view = await story.api.get<{ status: string; error: { fix: string } | null }>(
      `/v1/permission-requests/${answer.id}`,
    );
    return view.status === 'failed' ? view : null;
  });
  assert.ok((failed.error?.fix.length ?? 0) > 0);
  assert.equal(await consentStatus(story, number), 'none');
});
