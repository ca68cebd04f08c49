import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { entriesOfContact } from '../src/ledger/ledger-store.ts';
import type { ContactId } from '../src/platform/ids.ts';
import { openStory, type Story } from './harness.ts';
import { contactOf, getYes, newPerson, placed, reach } from './story-people.ts';

/**
 * The ledger is append-only and chained, so what is in it stays: no number, no SDP with its keys,
 * and no SIP dialog, whose addresses carry the number.
 */
let story: Story;

before(async () => {
  story = await openStory({ seed: 12 });
});
after(() => story.close());

test('the ledger of a whole call names the customer by id alone', async () => {
  const number = newPerson(story, '641', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'ended');
  const contact = await contactOf(story, number);
  const entries = await entriesOfContact(story.database, contact.id as ContactId, 0, 500);
  assert.ok(entries.some(({ type }) => type === 'EndpointAnswered'));
  for (const { type, data } of entries) {
    const text = JSON.stringify(data);
    assert.doesNotMatch(text, new RegExp(number.replace(/\D/g, '')), `${type} has the number`);
    assert.doesNotMatch(text, /"(sdp|dialog)"/, `${type} has what only the call's row may hold`);
  }
});
