import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readCall } from '../src/calls/call-store.ts';
import type { CallView, Page } from '../src/http/api-types.ts';
import type { CallId } from '../src/platform/ids.ts';
import { openStory, type Story } from './harness.ts';
import { ask, assertOneEnd, consentStatus, contactOf, newPerson, placed } from './story-people.ts';

/** what nobody knows is not done again, and what was asked twice is done once. */
const RUNS = 100;

let story: Story;

before(async () => {
  story = await openStory({ seed: 19 });
});
after(() => story.close());

test(`${RUNS} dials whose answer is lost: nobody is rung twice, and each call ends`, async () => {
  const numbers = Array.from({ length: RUNS }, (_, index) =>
    newPerson(story, `3${String(index).padStart(2, '0')}`, '101'),
  );
  await Promise.all(numbers.map((number) => ask(story, number)));
  for (const number of numbers) {
    await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
  }
  story.simulator.setFault({ kind: 'lost_answer', on: 'calls' });
  story.simulator.setFault({ kind: 'drop_webhook', on: 'connect', probability: 0.3 });
  const ids: string[] = [];
  for (const number of numbers) {
    ids.push((await placed(story, number)).id);
    await story.pass(20);
  }
  for (const id of ids) {
    await story.until('the end', async () => {
      return (await readCall(story.database, id as CallId))?.status === 'ended';
    });
  }
  story.simulator.clearFaults();
  await story.pass(30_000);
  for (const number of numbers) {
    const person = story.simulator.person(number);
    assert.equal(person.pastCalls.length, 1, `${number} was rung ${person.pastCalls.length} times`);
    assert.equal(person.call, null);
    assert.equal(await consentStatus(story, number), 'used');
  }
  for (const id of ids) await assertOneEnd(story, id);
});

test('100 parallel requests with one key place one call and get one answer', async () => {
  const number = newPerson(story, '600', '100');
  await ask(story, number);
  await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
  const wish = { to: number, purpose: 'your order 1042' };
  const answers = await Promise.all(Array.from({ length: 100 }, () => untilAnswered(wish)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [202]);
  assert.equal(new Set(answers.map(({ body }) => body)).size, 1);
  const contact = await contactOf(story, number);
  const path = `/v1/calls?contactId=${contact.id}`;
  const { items } = await story.api.get<Page<CallView>>(path);
  assert.equal(items.length, 1);
  assert.equal((await send({ ...wish, clientReference: 'another' })).status, 422);
  await story.api.post(`/v1/calls/${items[0]?.id}/hangup`, {});
  await story.pass(15_000);
});

/** As a client should: 409 while the first one still runs means to ask again. */
async function untilAnswered(wish: object): Promise<{ status: number; body: string }> {
  for (;;) {
    const answer = await send(wish);
    const body = await answer.text();
    if (answer.status !== 409) return { status: answer.status, body };
  }
}

function send(wish: object): Promise<Response> {
  return fetch(`${story.server.url}/v1/calls`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${story.apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': 'one-key-for-all',
    },
    body: JSON.stringify(wish),
  });
}
