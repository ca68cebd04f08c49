import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { seedDial } from '../../bench/dial-seed.ts';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { lockContacts } from '../contacts/contact-store.ts';
import { statement } from '../database/database.ts';
import type { ContactId } from '../platform/ids.ts';
import { evolve, type CallState } from './call.ts';
import { hangUp } from './call-rules.ts';
import { callRows, cancelledCallRows, readCall, unfinishedCalls } from './call-store.ts';

let store: TestDatabase;
let waiting: CallState[];

const PEOPLE = statement<{ contact_id: ContactId }>(
  'cancelled_calls_test_people',
  'select contact_id from calls order by id',
);

before(async () => {
  store = await testDatabase();
  const seed = await seedDial(store.connectionString, store.database.vault, 4);
  await seed.close();
  const people = await store.database.run(PEOPLE);
  const ids = people.map(({ contact_id: id }) => id);
  waiting = await unfinishedCalls(store.database, ids);
});
after(() => store.close());

const cancelled = (call: CallState): CallState =>
  hangUp(call, 'platform', 'opted_out', 1_000).reduce(evolve, call);

test('a call that is cancelled in its row reads as one that was written anew', async () => {
  const [first, second] = waiting;
  assert.ok(first !== undefined && second !== undefined);
  const { database } = store;
  await database.transaction(async (tx) => {
    await lockContacts(tx, [first.plan.contactId, second.plan.contactId]);
    await cancelledCallRows.saveAll(tx, [cancelled(first)]);
    await callRows.saveAll(tx, [cancelled(second)]);
  });
  for (const call of [first, second]) {
    const stored = await readCall(database, call.plan.id);
    assert.deepEqual(stored, cancelled(call));
    assert.notEqual(stored?.plan.purpose, '', 'what is sealed was lost');
  }
  const left = await unfinishedCalls(database, [first.plan.contactId, second.plan.contactId]);
  assert.deepEqual(left, []);
});

test('a call that left the queue meanwhile is not touched', async () => {
  const [, , call] = waiting;
  assert.ok(call !== undefined);
  const { database } = store;
  const ended = { ...cancelled(call), eventSequence: 7 };
  await database.transaction(async (tx) => {
    await lockContacts(tx, [call.plan.contactId]);
    await callRows.saveAll(tx, [ended]);
    await cancelledCallRows.saveAll(tx, [cancelled(call)]);
  });
  assert.deepEqual(await readCall(database, call.plan.id), ended);
});
