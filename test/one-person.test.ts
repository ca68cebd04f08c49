import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import { findByHandle } from '../src/contacts/contact-handle-store.ts';
import { findOrCreateContact, readContact } from '../src/contacts/contact-store.ts';
import { numberHandle, userHandle } from '../src/contacts/contact.ts';
import { findLine } from '../src/lines/line-store.ts';
import { makeIds, type AccountId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { PRESET } from '../simulator/simulator.ts';
import { openStory, type Story } from './harness.ts';
import { ask, call, contactOf, getYes, newPerson } from './story-people.ts';

/** One person has a number and a user id; what they say holds, whichever of the two Meta names. */
let story: Story;
let accountId: AccountId;

before(async () => {
  story = await openStory({ seed: 23 });
  const line = await findLine(story.database, PRESET.phoneNumberId);
  assert.ok(line !== null);
  ({ accountId } = line);
});
after(() => story.close());

test('a yes by user id alone answers the request that was sent to the number', async () => {
  const number = newPerson(story, '801', '100');
  story.simulator.setFault({ kind: 'bsuid_only' });
  await getYes(story, number);
  story.simulator.clearFaults();
});

test('a stop by user id alone blocks the number, though they were two contacts', async () => {
  const number = newPerson(story, '802', '100');
  story.simulator.setFault({ kind: 'bsuid_only', times: 1 });
  story.simulator.act(number, { action: 'write', text: 'hello' });
  const { userId } = story.simulator.person(number);
  await story.until('the user id', () =>
    findByHandle(story.database, accountId, userHandle(userId)),
  );
  story.simulator.clearFaults();
  await getYes(story, number);
  story.simulator.setFault({ kind: 'bsuid_only', times: 1 });
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('do not call', async () => (await contactOf(story, number)).doNotCall);
  const answer = await call(story, number);
  assert.ok(isProblem(answer));
});

test('a stop that names both ends the calls of both contacts', async () => {
  const number = newPerson(story, '803', '100');
  story.simulator.setFault({ kind: 'bsuid_only', times: 1 });
  story.simulator.act(number, { action: 'write', text: 'hello' });
  const { userId } = story.simulator.person(number);
  const other = await story.until('the user id', () =>
    findByHandle(story.database, accountId, userHandle(userId)),
  );
  story.simulator.clearFaults();
  await getYes(story, number);
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('both stopped', async () => {
    const mine = await contactOf(story, number);
    const theirs = await readContact(story.database, accountId, other);
    return mine.optedOutAt !== null && theirs?.optedOutAt !== null;
  });
});

test('a request that waits for its next try is not sent after a stop', async () => {
  const number = newPerson(story, '804', '103');
  story.simulator.setFault({ kind: 'server_error', on: 'messages' });
  await ask(story, number);
  await story.pass(200);
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('do not call', async () => (await contactOf(story, number)).doNotCall);
  story.simulator.clearFaults();
  await story.pass(20_000);
  const { messages } = story.simulator.person(number);
  assert.deepEqual(
    messages.filter(({ kind }) => kind === 'permission_request'),
    [],
  );
});

test('callers who know one handle, or both, leave no handle dangling', async () => {
  const { database, clock } = story;
  const ids = makeIds(clock, seededRandom(29));
  for (let round = 0; round < 20; round += 1) {
    const e164 = `+44770090${String(4000 + round)}`;
    const userId = `GB.${round}`;
    const make = (identity: object) =>
      database.transaction((tx) => findOrCreateContact(tx, ids, accountId, identity, clock.now()));
    await Promise.all([make({ e164, userId }), make({ userId }), make({ e164 })]);
    for (const handle of [numberHandle(e164), userHandle(userId)]) {
      const id = await findByHandle(database, accountId, handle);
      assert.ok(id !== null);
      assert.ok((await readContact(database, accountId, id)) !== null, `${handle} leads nowhere`);
    }
  }
});
