import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readCall } from '../src/calls/call-store.ts';
import { entriesOfContact } from '../src/ledger/ledger-store.ts';
import type { CallId, ContactId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { isProblem } from '../src/cli/api-client.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { ask, call, consentStatus, contactOf, newPerson } from './story-people.ts';

/**
 * C-01: a stop races a call through the real HTTP of both, again and again. What the ledger says
 * came first decides: a stop before the dial means no ring; after it, the ring ends within 1 s.
 */
const RUNS = 50;
const ENDS_WITHIN_MS = 1_000;
const STEP_MS = 20;

let story: Story;

before(async () => {
  story = await openStory({ seed: 17 });
  // So many of these people stop that the line would rightly pause.
  const set = await send(story, 'PUT', '/v1/brakes/settings', { body: { enabled: false } });
  assert.equal(set.status, 200, set.text);
});
after(() => story.close());

for (const [batch, opening] of (['ok', 'slow'] as const).entries()) {
  test(`${RUNS} stops race ${RUNS} dials whose media opens ${opening}`, async () => {
    const random = seededRandom(batch + 1);
    const numbers = Array.from({ length: RUNS }, (_, index) =>
      newPerson(story, `${batch + 3}${String(index).padStart(2, '0')}`, '100'),
    );
    await Promise.all(numbers.map((number) => ask(story, number)));
    for (const number of numbers) {
      await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
    }
    story.media.opening = opening;
    const calls = await race(numbers, (limit) => random.below(limit));
    story.media.opening = 'ok';
    await story.pass(15_000);
    for (const number of numbers) await judge(number, calls.get(number) ?? null);
  });
}

/** Each person's call and stop at seeded moments, some at the very same one. */
async function race(
  numbers: readonly string[],
  below: (limit: number) => number,
): Promise<Map<string, string>> {
  const calls = new Map<string, string>();
  const plan = numbers.flatMap((number) => {
    const callAt = below(1_500);
    // Most of the trouble is in the first moments: half the stops fall into a tenth of a second.
    const stopAt = callAt - 60 + (below(2) === 0 ? below(160) : below(4_500));
    const place = async (): Promise<void> => {
      const answer = await call(story, number);
      if (!isProblem(answer)) calls.set(number, answer.id);
    };
    const stop = async (): Promise<void> =>
      story.simulator.act(number, { action: 'write', text: 'STOP' });
    return [
      { at: callAt, act: place },
      { at: Math.max(0, stopAt), act: stop },
    ];
  });
  const acts: Array<Promise<void>> = [];
  for (let at = 0; at < 6_500; at += STEP_MS) {
    for (const due of plan.filter((step) => step.at >= at && step.at < at + STEP_MS)) {
      acts.push(due.act());
    }
    await story.pass(STEP_MS);
    // Virtual time must not outrun the real sockets and disks of a busy machine.
    for (let trip = 0; trip < 8; trip += 1) await story.api.get('/v1/lines');
  }
  await Promise.all(acts);
  return calls;
}

async function judge(number: string, callId: string | null): Promise<void> {
  const contact = await contactOf(story, number);
  const entries = await entriesOfContact(story.database, contact.id as ContactId, 0, 500);
  const stop = entries.find(({ type }) => type === 'DoNotCallAdded');
  const dial = entries.find(({ type }) => type === 'CallDialing');
  assert.ok(stop !== undefined, `${number} said stop and nobody heard it`);
  const person = story.simulator.person(number);
  assert.equal(person.call, null, `${number} still rings`);
  assert.equal(contact.consents[0]?.status, 'revoked');
  if (dial === undefined || stop.sequence < dial.sequence) {
    assert.equal(dial, undefined, `${number} was dialled after the stop`);
    assert.deepEqual(person.pastCalls, [], `${number} was rung after the stop`);
  } else {
    assert.ok(person.pastCalls.length <= 1, `${number} was rung twice`);
    const [ring] = person.pastCalls;
    if (ring !== undefined) {
      assert.ok(Date.parse(ring.endedAt ?? '') - stop.at <= ENDS_WITHIN_MS, `${number} rang on`);
      assert.ok(Date.parse(ring.startedAt) - stop.at <= STEP_MS, `${number} was rung too late`);
    }
  }
  if (callId === null) return;
  const state = await readCall(story.database, callId as CallId);
  assert.equal(state?.status, 'ended');
  assert.equal(entries.filter(({ type }) => type === 'CallEnded').length, 1);
}
