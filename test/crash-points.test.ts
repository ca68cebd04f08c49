import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readCall } from '../src/calls/call-store.ts';
import type { CallStatus } from '../src/http/api-types.ts';
import type { CallId } from '../src/platform/ids.ts';
import { openStory, type Story } from './harness.ts';
import { ask, assertOneEnd, consentStatus, getYes, newPerson, placed } from './story-people.ts';

/**
 * R-01 in the small: the server is abandoned at a point of a call and another run takes over the
 * rows. What was acknowledged holds, the call ends once, and nobody is rung twice.
 */
let story: Story;
let next = 700;

before(async () => {
  story = await openStory({ seed: 13 });
});
after(() => story.close());

type Point = CallStatus | 'posting' | 'hanging up' | 'stopped by the customer';

const POINTS: readonly Point[] = [
  'queued',
  'dialing',
  'posting',
  'initiated',
  'ringing',
  'answered',
  'bridged',
  'hanging up',
  'stopped by the customer',
  'ended',
];

for (const point of POINTS) {
  test(`a crash while the call is ${point}: one end, one CDR, at most one ring`, async () => {
    const like = point === 'queued' || point === 'ended' ? '101' : '100';
    const number = newPerson(story, String(next++), like);
    await getYes(story, number);
    const { id } = await placed(story, number);
    await reach(id, number, point);
    await story.crash();
    await story.until('the end', async () => (await statusOf(id)) === 'ended');
    story.simulator.clearFaults();
    // Orphan legs have 30 s; late webhooks and repeated deliveries come in as well.
    await story.pass(30_000);
    await assertOneEnd(story, id);
    const person = story.simulator.person(number);
    assert.equal(person.call, null, 'a phone still rings');
    assert.ok(person.pastCalls.length <= 1, 'rung twice');
    assert.deepEqual(story.server.gateway?.liveCalls(), []);
    const consent = await consentStatus(story, number);
    assert.notEqual(consent, 'granted', 'a phone may have rung on this permission');
    if (point === 'stopped by the customer') assert.equal(consent, 'revoked');
  });
}

test('a crash while Meta is asked: the request goes out once, and the answer counts', async () => {
  const number = newPerson(story, String(next++), '100');
  story.simulator.setFault({ kind: 'slow_answer', times: 1, delayMs: 2_000, on: 'messages' });
  await ask(story, number);
  await story.until('the request', () => story.simulator.person(number).messages.length > 0);
  await story.crash();
  await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
  const { messages } = story.simulator.person(number);
  assert.equal(messages.filter(({ kind }) => kind === 'permission_request').length, 1);
});

test('three crashes in one call are as good as one', async () => {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await story.until('ringing', async () => (await statusOf(id)) === 'ringing');
  for (let times = 0; times < 3; times += 1) {
    await story.crash();
    await story.pass(40);
  }
  await story.until('the end', async () => (await statusOf(id)) === 'ended');
  await story.pass(30_000);
  await assertOneEnd(story, id);
  assert.equal(story.simulator.person(number).pastCalls.length, 1);
});

/** Moves time until the call is at that point. */
async function reach(id: string, number: string, point: Point): Promise<void> {
  switch (point) {
    case 'queued':
      return;
    case 'dialing':
      // Else it may be over between two looks.
      story.simulator.setFault({ kind: 'slow_answer', times: 1, delayMs: 3_000 });
      await story.until(point, async () => (await statusOf(id)) === point);
      return;
    case 'posting':
      story.simulator.setFault({ kind: 'slow_answer', times: 1, delayMs: 3_000 });
      await story.until('the dial at Meta', () => story.simulator.person(number).call);
      return;
    case 'hanging up':
      await story.until('bridged', async () => (await statusOf(id)) === 'bridged');
      await story.api.post(`/v1/calls/${id}/hangup`, {});
      return;
    case 'stopped by the customer':
      await story.until('ringing', async () => (await statusOf(id)) === 'ringing');
      story.simulator.act(number, { action: 'write', text: 'STOP' });
      await story.until('revoked', async () => (await consentStatus(story, number)) === 'revoked');
      return;
    default:
      await story.until(point, async () => (await statusOf(id)) === point);
  }
}

async function statusOf(id: string): Promise<CallStatus | undefined> {
  return (await readCall(story.database, id as CallId))?.status;
}
