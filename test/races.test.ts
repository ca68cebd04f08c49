import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CallView, EndpointView } from '../src/http/api-types.ts';
import { readCall } from '../src/calls/call-store.ts';
import type { CallState } from '../src/calls/call.ts';
import { isProblem } from '../src/cli/api-client.ts';
import type { CallId } from '../src/platform/ids.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, call, consentStatus, getYes, newPerson, placed } from './story-people.ts';

/**
 * Whoever ends a call, and at whatever moment: it ends once, nothing stays up anywhere, and the
 * permission is given back only where no phone can have rung.
 */
let story: Story;
let next = 200;

before(async () => {
  story = await openStory({ seed: 11 });
});
after(() => story.close());

type Moment = 'queued' | 'before the dial' | 'posting' | CallView['status'];
type Ender = 'business' | 'customer' | 'endpoint' | 'media' | 'stop';

const ENDERS: Record<Ender, (id: string, number: string) => Promise<void> | void> = {
  business: async (id) => void (await story.api.post(`/v1/calls/${id}/hangup`, {})),
  customer: (_id, number) => story.simulator.act(number, { action: 'hang_up' }),
  endpoint: () => story.sip.endpointHangsUp(),
  media: (id) => story.media.lose(id),
  stop: (_id, number) => story.simulator.act(number, { action: 'write', text: 'STOP' }),
};

/** Who can end a call when; a customer cannot decline what does not ring yet. */
const CASES: ReadonlyArray<readonly [Moment, readonly Ender[]]> = [
  ['queued', ['business']],
  ['before the dial', ['business', 'stop']],
  ['posting', ['business', 'media', 'stop']],
  ['initiated', ['business', 'media', 'stop']],
  ['ringing', ['business', 'customer', 'media', 'stop']],
  ['answered', ['business', 'customer', 'endpoint', 'media', 'stop']],
  ['bridged', ['business', 'customer', 'endpoint', 'media', 'stop']],
];

for (const [moment, enders] of CASES) {
  for (const ender of enders) {
    test(`${ender} ends a call that is ${moment}: one end, and nothing stays up`, async () => {
      const number = newPerson(story, String(next++), '100');
      await getYes(story, number);
      const { id } = await callUntil(number, moment);
      await ENDERS[ender](id, number);
      const state = await ended(id);
      story.simulator.clearFaults();
      story.media.opening = 'ok';
      // What is late may still come: the answer to a slow dial, an opened media call.
      await story.pass(6_000);
      await assertOneEnd(story, id);
      assert.deepEqual(story.server.gateway?.liveCalls(), []);
      const person = story.simulator.person(number);
      assert.equal(person.call, null, 'a phone still rings');
      // A call just queued may be dialled before the hang-up comes; then it counts as rung.
      const neverRang = person.pastCalls.length === 0;
      if (moment !== 'queued') assert.equal(neverRang, moment === 'before the dial');
      const expected = ender === 'stop' ? 'revoked' : neverRang ? 'granted' : 'used';
      assert.equal(await consentStatus(story, number), expected, state.end.reason);
    });
  }
}

test('the answer to a dial that comes after the end is told to terminate', async () => {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  // Meta's webhooks are late as well, so only the answer itself tells of the ring.
  story.simulator.setFault({ kind: 'slow_answer', times: 1, delayMs: 13_000 });
  story.simulator.setFault({ kind: 'delay_webhook', delayMs: 60_000 });
  const { id } = await placed(story, number);
  await story.until('the dial', () => story.simulator.person(number).call);
  await story.api.post(`/v1/calls/${id}/hangup`, {});
  await ended(id);
  assert.notEqual(story.simulator.person(number).call, null);
  const isLeftAlone = (): boolean => story.simulator.person(number).call === null;
  await story.until('the phone is left alone', isLeftAlone, 5_000);
  story.simulator.clearFaults();
  assert.equal(story.simulator.person(number).pastCalls[0]?.ending, 'business_hung_up');
  await story.pass(60_000);
  await assertOneEnd(story, id);
});

for (const opening of ['fails', 'hangs'] as const) {
  test(`media whose opening ${opening}: nobody is rung, the permission is back`, async () => {
    const number = newPerson(story, String(next++), '100');
    await getYes(story, number);
    story.media.opening = opening;
    const { id } = await placed(story, number);
    const { end } = await ended(id);
    story.media.opening = 'ok';
    assert.equal(end.outcome, 'failed');
    assert.equal(story.simulator.person(number).pastCalls.length, 0);
    assert.equal(await consentStatus(story, number), 'granted');
    await assertOneEnd(story, id);
  });
}

test('media that never closes does not keep the phone ringing or the call alive', async () => {
  const number = newPerson(story, String(next++), '105');
  await getYes(story, number);
  const { id } = await callUntil(number, 'ringing');
  story.media.closing = 'hangs';
  await story.api.post(`/v1/calls/${id}/hangup`, {});
  await story.pass(1_000);
  assert.equal(story.simulator.person(number).call, null, 'rings on while media closes');
  await ended(id);
  story.media.closing = 'ok';
  await assertOneEnd(story, id);
});

test('an agent who takes 45 s is waited for before the customer is dialled', async () => {
  const number = newPerson(story, String(next++), '101');
  await getYes(story, number);
  const agent = await story.api.post<EndpointView>('/v1/endpoints', {
    name: 'slow agent',
    uri: 'sip:late@127.0.0.1:5070',
    strategy: 'agent_first',
    ringTimeoutMs: 60_000,
  });
  assert.ok(!isProblem(agent));
  story.sip.lateMs = 45_000;
  const { id } = await placed(story, number, { endpointId: agent.id });
  const { end } = await ended(id);
  assert.deepEqual([end.outcome, end.reason], ['completed', 'customer_hung_up']);
  await assertOneEnd(story, id);
});

test('a second call waits for nobody: it is refused while the first one lives', async () => {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const [one, two] = await Promise.all([call(story, number), call(story, number)]);
  const refused = [one, two].filter(isProblem);
  assert.equal(refused.length, 1);
  const made = [one, two].find((answer): answer is CallView => !isProblem(answer));
  await story.api.post(`/v1/calls/${made?.id}/hangup`, {});
  await ended(made?.id ?? '');
});

/** Places a call and moves time until it is at that moment. */
async function callUntil(number: string, moment: Moment): Promise<CallView> {
  if (moment === 'before the dial') story.media.opening = 'slow';
  if (moment === 'posting') {
    story.simulator.setFault({ kind: 'slow_answer', times: 1, delayMs: 3_000 });
    story.simulator.setFault({ kind: 'delay_webhook', delayMs: 4_000, on: 'connect' });
    story.simulator.setFault({ kind: 'delay_webhook', delayMs: 4_000, on: 'RINGING' });
  }
  if (moment === 'answered') story.sip.lateMs = 4_000;
  const more = moment === 'answered' ? { endpointId: await lateEndpoint() } : {};
  const made = await placed(story, number, more);
  if (moment === 'queued') return made;
  const status = moment === 'before the dial' || moment === 'posting' ? 'dialing' : moment;
  await story.until(moment, async () => (await read(made.id)).status === status);
  if (moment === 'answered') await story.until('the INVITE', () => story.sip.liveCount() > 0);
  if (moment === 'posting') {
    await story.until('the dial at Meta', () => story.simulator.person(number).call);
  }
  return made;
}

async function lateEndpoint(): Promise<string> {
  const made = await story.api.post<EndpointView>('/v1/endpoints', {
    name: `late ${next}`,
    uri: 'sip:late@127.0.0.1:5070',
  });
  assert.ok(!isProblem(made));
  return made.id;
}

async function read(id: string): Promise<CallState> {
  const state = await readCall(story.database, id as CallId);
  assert.ok(state !== null);
  return state;
}

function ended(id: string): Promise<Extract<CallState, { status: 'ended' }>> {
  return story.until('the end', async () => {
    const state = await read(id);
    return state.status === 'ended' ? state : null;
  });
}
