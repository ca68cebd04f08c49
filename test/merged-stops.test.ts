import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import { findOrCreateContact, readContact } from '../src/contacts/contact-store.ts';
import { addToDoNotCall } from '../src/contacts/do-not-call-store.ts';
import { saveMerge } from '../src/identity/identity-store.ts';
import { mergePeople } from '../src/identity/merge-commands.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { findLine } from '../src/lines/line-store.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { makeIds, type AccountId, type ContactId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { PRESET } from '../simulator/simulator.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, call, contactOf, getYes, newPerson, placed, reach } from './story-people.ts';

/** Two contacts turned out to be one person: a stop said under either ends the calls of both. */
let story: Story;
let accountId: AccountId;

before(async () => {
  story = await openStory({ seed: 29 });
  const line = await findLine(story.database, PRESET.phoneNumberId);
  assert.ok(line !== null);
  ({ accountId } = line);
});
after(() => story.close());

type Stopped = { contactId: string; optedOutAt: string; endedCalls: string[] };
type Link = { url: string };

/** A person with a yes, and with a second contact of a time when Meta told the user id alone. */
async function joined(
  last3: string,
): Promise<{ number: string; absorbed: ContactId; link: string }> {
  const { clock, database, api } = story;
  const number = newPerson(story, last3, '105');
  await getYes(story, number);
  const ids = makeIds(clock, seededRandom(Number(last3)));
  const userId = `GB.${last3}`;
  const absorbed = await database.transaction((tx) =>
    findOrCreateContact(tx, ids, accountId, { userId }, clock.now()),
  );
  const made = await api.post<Link>(`/v1/contacts/${absorbed}/self-service-link`, {});
  assert.ok(!isProblem(made), JSON.stringify(made));
  await merge(absorbed, (await contactOf(story, number)).id);
  return { number, absorbed, link: made.url };
}

function merge(absorbed: string, survivor: string): Promise<void> {
  return story.database.transaction((tx) =>
    saveMerge(tx, { id: absorbed as ContactId, absorbed: [] }, survivor as ContactId),
  );
}

async function ringing(number: string): Promise<string> {
  const { id } = await placed(story, number);
  await reach(story, id, 'ringing');
  return id;
}

const ENDED_WITHIN_MS = 1_000;

async function assertHungUp(number: string, callId: string): Promise<void> {
  const ended = await reach(story, callId, 'ended');
  const { optedOutAt } = await contactOf(story, number);
  assert.equal(ended.endReason, 'opted_out');
  const took = Date.parse(ended.endedAt ?? '') - Date.parse(optedOutAt ?? '');
  assert.ok(took <= ENDED_WITHIN_MS, `it took ${took} ms`);
  await assertOneEnd(story, callId);
  const again = await call(story, number);
  assert.ok(isProblem(again) && again.code === 'opted_out');
}

test('a stop written down for the absorbed contact ends the ringing call', async () => {
  const { number, absorbed } = await joined('811');
  const callId = await ringing(number);
  const body = { reason: 'told me at the desk' };
  const done = await story.api.post<Stopped>(`/v1/contacts/${absorbed}/opt-out`, body);
  assert.ok(!isProblem(done), JSON.stringify(done));
  assert.deepEqual(done.endedCalls, [callId]);
  assert.equal(done.contactId, (await contactOf(story, number)).id);
  await assertHungUp(number, callId);
});

test('a link made before the contact was absorbed stops, shows it, and takes it back', async () => {
  const { number, link } = await joined('812');
  const callId = await ringing(number);
  const stopped = await press(link, 'stop');
  assert.ok(stopped.includes('do-not-call list'));
  await assertHungUp(number, callId);
  await story.pass(2_000);
  const open = await press(link, 'again');
  assert.ok(open.includes('Stop all calls'));
  assert.equal((await contactOf(story, number)).optedOutAt, null);
});

async function press(url: string, wish: 'stop' | 'again'): Promise<string> {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams({ wish }) });
  return answer.text();
}

/** A contact with a call that goes on, absorbed by another while it does. */
async function absorbedInCall(last3: string, other: string) {
  const [caller, survivor] = [newPerson(story, last3, '100'), newPerson(story, other, '100')];
  await getYes(story, caller);
  await getYes(story, survivor);
  const { id: callId } = await placed(story, caller);
  await reach(story, callId, 'bridged');
  const [a, b] = [await contactOf(story, caller), await contactOf(story, survivor)];
  await merge(a.id, b.id);
  return { survivor, absorbed: a.id as ContactId, callId };
}

test('a stop by message ends a call that was made to the absorbed contact', async () => {
  const { survivor, absorbed, callId } = await absorbedInCall('813', '814');
  story.simulator.act(survivor, { action: 'write', text: 'STOP' });
  await assertHungUp(survivor, callId);
  const stump = await readContact(story.database, accountId, absorbed);
  assert.equal(stump?.optedOutAt, null, 'the stop stands at the one who goes on');
});

test('a likely stop ends it too, before the question is answered', async () => {
  const { survivor, callId } = await absorbedInCall('815', '816');
  story.simulator.act(survivor, { action: 'write', text: 'please no more calls' });
  assert.equal((await reach(story, callId, 'ended')).endReason, 'opt_out_pending');
});

test('a do-not-call entry ends a call that was made to the absorbed contact', async () => {
  const { survivor, callId } = await absorbedInCall('817', '818');
  const entry = { to: survivor, reason: 'asked by letter' };
  const listed = await story.api.post<object>('/v1/do-not-call', entry);
  assert.ok(!isProblem(listed), JSON.stringify(listed));
  assert.equal((await reach(story, callId, 'ended')).endReason, 'do_not_call');
  await assertOneEnd(story, callId);
});

test('a do-not-call entry of the absorbed contact alone ends the ringing call', async () => {
  const { clock, database } = story;
  const number = newPerson(story, '829', '105');
  await getYes(story, number);
  const random = seededRandom(829);
  const ids = makeIds(clock, random);
  const doNotCallKey = random.bytes(32);
  const { id: survivor } = await contactOf(story, number);
  const absorbed = await database.transaction(async (tx) => {
    const id = await findOrCreateContact(tx, ids, accountId, { userId: 'GB.829' }, clock.now());
    const contact = await readContact(tx, accountId, id);
    assert.ok(contact !== null);
    const entry = { list: 'own', reason: 'asked by letter', source: 'api', now: clock.now() };
    await addToDoNotCall(tx, doNotCallKey, contact, entry);
    return id;
  });
  const callId = await ringing(number);
  const rulesOfLine = async () => makePolicyPacks().rulesOf('strict-2026-01');
  const ports = { clock, ids, changes: makeChanges(), doNotCallKey, rulesOfLine };
  const both = [survivor as ContactId, absorbed] as const;
  await database.transaction((tx) => mergePeople(ports, tx, both, clock.now()));
  const ended = await reach(story, callId, 'ended');
  assert.equal(ended.endReason, 'do_not_call');
  await assertOneEnd(story, callId);
  const { consents } = await contactOf(story, number);
  assert.ok(consents.every(({ status }) => status !== 'granted'));
});
