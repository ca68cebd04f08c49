import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import { openStory, type Story } from './harness.ts';
import { call, consentStatus, contactOf, getYes, newPerson } from './story-people.ts';

/** People who change number or user id in the simulator: consent and stops go along. */
let story: Story;
before(async () => {
  story = await openStory({ seed: 40 });
});
after(() => story.close());

async function moved(from: string, to: string): Promise<void> {
  const { id } = await contactOf(story, from);
  story.simulator.act(from, { action: 'change_number', newNumber: to });
  await story.until('the new number', async () => {
    const path = `/v1/contacts?number=${encodeURIComponent(to)}`;
    const { items } = await story.api.get<{ items: Array<{ id: string }> }>(path);
    return items[0]?.id === id ? id : null;
  });
}

test('a yes goes along to the new number, and the old one has none', async () => {
  const [old, now] = [newPerson(story, '661', '101'), '+447700900671'];
  await getYes(story, old);
  await moved(old, now);
  assert.equal(await consentStatus(story, now), 'granted');
  const stranger = await call(story, old);
  assert.ok(isProblem(stranger) && stranger.status === 409, JSON.stringify(stranger));
  const placed = await call(story, now);
  assert.ok(!isProblem(placed), JSON.stringify(placed));
});

test('a stop goes along to the new number, and stays upon the old one', async () => {
  const [old, now] = [newPerson(story, '662', '101'), '+447700900672'];
  await getYes(story, old);
  story.simulator.act(old, { action: 'write', text: 'STOP' });
  await story.until('the stop', async () => (await consentStatus(story, old)) === 'revoked');
  await moved(old, now);
  for (const number of [old, now]) {
    const path = `/v1/do-not-call?to=${encodeURIComponent(number)}`;
    assert.equal((await story.api.get<{ listed: boolean }>(path)).listed, true, number);
    assert.ok(isProblem(await call(story, number)), number);
  }
});

test('a new user id changes nothing for the person', async () => {
  const number = newPerson(story, '663', '101');
  await getYes(story, number);
  const { id } = await contactOf(story, number);
  const before = story.simulator.person(number).userId;
  story.simulator.act(number, { action: 'change_user_id' });
  const { userId } = story.simulator.person(number);
  assert.notEqual(userId, before);
  await story.until('the new user id', async () => {
    const path = `/v1/contacts?number=${encodeURIComponent(userId)}`;
    const answer = await story.api.get<{ items?: Array<{ id: string }> }>(path);
    return answer.items?.[0]?.id === id ? id : null;
  });
  assert.equal(await consentStatus(story, number), 'granted');
});
