import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { EventView, Page } from '../src/http/api-types.ts';
import { openStory, type Story } from './harness.ts';
import {
  assertOneEnd,
  call,
  consentStatus,
  contactOf,
  getYes,
  newPerson,
  person,
  placed,
  PURPOSE,
  reach,
} from './story-people.ts';

/** What people write about being called, in all three bands, through the whole product. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 33 });
});

after(() => story.close());

const HOUR = 60 * 60 * 1000;

function write(number: string, text: string): void {
  story.simulator.act(number, { action: 'write', text });
}

/** Texts of ours on the person's phone that hold those words. */
function heard(number: string, words: string): number {
  const { messages } = story.simulator.person(number);
  return messages.filter(({ from, text }) => from === 'business' && text.includes(words)).length;
}

async function eventTypes(number: string): Promise<string[]> {
  const { id } = await contactOf(story, number);
  const { items } = await story.api.get<Page<EventView>>('/v1/events?limit=100');
  return items.filter(({ contactId }) => contactId === id).map(({ type }) => type);
}

async function refusalOfCall(number: string): Promise<string | null> {
  const answer = await call(story, number);
  return isProblem(answer) ? answer.code : null;
}

/** A call from the ring to the customer's hang-up. */
async function talk(number: string): Promise<void> {
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  story.simulator.act(number, { action: 'hang_up' });
  await reach(story, id, 'ended');
}

test('a likely stop blocks calls and requests at once, and asks one question', async () => {
  const number = newPerson(story, '501', '100');
  await getYes(story, number);
  write(number, "please don't call me again, ok?");
  await story.until('the question', () => heard(number, 'Shall we stop') > 0);
  assert.equal(await refusalOfCall(number), 'opt_out_pending');
  const ask = { to: number, purpose: PURPOSE };
  const asked = await story.api.post<object>('/v1/permission-requests', ask);
  assert.ok(isProblem(asked));
  assert.deepEqual([asked.code, asked.status], ['opt_out_pending', 409]);
  assert.equal(await consentStatus(story, number), 'granted');
  assert.ok((await eventTypes(number)).includes('optout.pending'));
  assert.equal(heard(number, 'Shall we stop'), 1);
});

test('YES CALL lifts the block, and the permission there was serves its call', async () => {
  const number = person('501');
  write(number, 'yes');
  await story.pass(2_000);
  assert.equal(await refusalOfCall(number), 'opt_out_pending');
  write(number, 'YES CALL');
  await story.until('the block lifted', async () =>
    (await eventTypes(number)).includes('optout.cleared'),
  );
  await talk(number);
});

test('a likely stop calls off what rings, and a second one is for good', async () => {
  const number = newPerson(story, '502', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'ringing');
  write(number, '🛑');
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.outcome, ended.endReason], ['canceled', 'opt_out_pending']);
  await assertOneEnd(story, id);
  await story.until('the question', () => heard(number, 'Shall we stop') > 0);
  write(number, 'I told you, no more calls');
  await story.until('the confirmation', () => heard(number, 'removed') > 0);
  assert.equal(await refusalOfCall(number), 'opted_out');
});

test('an exact stop while it rings ends the call for good', async () => {
  const number = newPerson(story, '503', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'ringing');
  write(number, 'ＳＴＯＰＰ!');
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.outcome, ended.endReason], ['canceled', 'opted_out']);
  await assertOneEnd(story, id);
  assert.equal(await refusalOfCall(number), 'opted_out');
  assert.equal(heard(number, 'Shall we stop'), 0);
});

test('an unclear message blocks nothing and is shown to a human', async () => {
  const number = newPerson(story, '504', '100');
  await getYes(story, number);
  write(number, 'can I cancel my appointment?');
  await story.until('the flag', async () => (await eventTypes(number)).includes('optout.flagged'));
  assert.equal(heard(number, 'Shall we stop'), 0);
  await talk(number);
});

test('72 hours without an answer count as a stop', async () => {
  const number = newPerson(story, '505', '100');
  await getYes(story, number);
  write(number, 'bitte rufen Sie mich nicht mehr an, danke');
  await story.until('the question', () => heard(number, 'Shall we stop') > 0);
  story.clock.advance(71 * HOUR);
  await story.pass(1_000);
  assert.equal(await refusalOfCall(number), 'opt_out_pending');
  story.clock.advance(HOUR);
  await story.until('the opt-out', async () => (await contactOf(story, number)).doNotCall);
  assert.equal(await refusalOfCall(number), 'opted_out');
  assert.ok((await eventTypes(number)).includes('optout.received'));
});
