import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CallView } from '../src/http/api-types.ts';
import { openStory, type Story } from './harness.ts';
import { getYes, newPerson, placed, reach } from './story-people.ts';

/** A deploy: the old process takes nothing new and lets its calls end; the new one goes on. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 33 });
});
after(() => story.close());

test('while draining a live call goes on and a new one waits for the next process', async () => {
  const [talking, waiting] = [newPerson(story, '661', '101'), newPerson(story, '662', '101')];
  await getYes(story, talking);
  await getYes(story, waiting);
  const live = await placed(story, talking);
  await reach(story, live.id, 'bridged');
  let drained = false;
  void story.server.gateway?.drain(600_000).then(() => {
    drained = true;
  });
  const queued = await placed(story, waiting);
  await story.pass(2000);
  const { status } = await story.api.get<CallView>(`/v1/calls/${queued.id}`);
  assert.equal(status, 'queued');
  assert.equal(drained, false);
  const ended = await reach(story, live.id, 'ended');
  assert.notEqual(ended.endReason, 'gateway_stopped');
  await story.until('the drained gateway', () => drained);
  await story.restart();
  await reach(story, queued.id, 'bridged');
});

test('a call that lasts longer than the wait is left to the stop that follows', async () => {
  const number = newPerson(story, '663', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  let drained = false;
  void story.server.gateway?.drain(100).then(() => {
    drained = true;
  });
  await story.until('the end of the wait', () => drained);
  assert.equal((await story.api.get<CallView>(`/v1/calls/${id}`)).status, 'bridged');
});
