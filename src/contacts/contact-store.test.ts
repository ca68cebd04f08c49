import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { statement } from '../database/database.ts';
import { ManualClock } from '../platform/clock.ts';
import { bucketOf, makeIds, type ContactId } from '../platform/ids.ts';
import { seededRandom } from '../platform/random.ts';
import { findByHandle, findByHandles } from './contact-handle-store.ts';
import { findOrCreateContact, lockContacts, readContact, type Identity } from './contact-store.ts';
import { numberHandle, userHandle } from './contact.ts';
import { sealPlainContacts } from './plain-contacts-store.ts';

const clock = new ManualClock(Date.UTC(2026, 0, 5));
const ids = makeIds(clock, seededRandom(3));
const accountId = ids.next('account');
let store: TestDatabase;

before(async () => {
  store = await testDatabase();
});
after(() => store.close());

const make = (identity: Identity): Promise<ContactId> =>
  store.database.transaction((tx) =>
    findOrCreateContact(tx, ids, accountId, identity, clock.now()),
  );

const ROWS = statement<{ row: string }>(
  'test_contact_rows',
  `select c::text || h::text || k::text as row from contacts c
     join contact_handles h on h.contact_id = c.id join contact_keys k on k.contact_id = c.id`,
);

test('number, user id and name are kept sealed, and found by their handles', async () => {
  const id = await make({ e164: '+447700900123', name: 'Ada Lovelace', country: 'GB' });
  assert.equal(await make({ e164: '+447700900123', userId: 'GB.1349120865530' }), id);
  const contact = await readContact(store.database, accountId, id);
  assert.deepEqual(
    [contact?.e164, contact?.userId, contact?.name, contact?.country],
    ['+447700900123', 'GB.1349120865530', 'Ada Lovelace', 'GB'],
  );
  const handles = [numberHandle('+447700900123'), userHandle('GB.1349120865530')];
  const found = await findByHandles(store.database, accountId, [...handles, numberHandle('+1')]);
  assert.deepEqual(
    [...found],
    handles.map((handle) => [handle, id]),
  );
  const text = (await store.database.run(ROWS)).map(({ row }) => row).join('\n');
  for (const trace of ['7700900123', '1349120865530', 'Ada', 'Lovelace']) {
    assert.ok(!text.includes(trace), trace);
    assert.ok(!text.includes(Buffer.from(trace).toString('hex')), `${trace} in hex`);
  }
});

const MAKE_PLAIN = statement(
  'test_contact_make_plain',
  `with handle as (insert into contact_handles_plain values ($1, $3, 'tel:' || $4, $2))
   insert into contacts (bucket, id, account_id, e164, name, created_at)
   values ($1, $2, $3, $4, 'Old Name', now())`,
);
const PLAIN_LEFT = statement<{ left: number }>(
  'test_contact_plain_left',
  `select (select count(*) from contacts where e164 is not null or name is not null)
        + (select count(*) from contact_handles_plain) as left`,
);

test('contacts of an older database are sealed at the start, and keep their handles', async () => {
  const numbers = Array.from({ length: 1_100 }, (_, i) => `+44770090${1_000 + i}`);
  const made = numbers.map((e164) => ({ e164, id: ids.next('contact', 7) }));
  for (const { e164, id } of made) {
    await store.database.run(MAKE_PLAIN, [bucketOf(id), id, accountId, e164]);
  }
  assert.equal(await sealPlainContacts(store.database), made.length);
  assert.equal((await store.database.first(PLAIN_LEFT))?.left, 0);
  for (const { e164, id } of made.slice(0, 20)) {
    assert.equal(await findByHandle(store.database, accountId, numberHandle(e164)), id);
    const contact = await readContact(store.database, accountId, id);
    assert.deepEqual([contact?.e164, contact?.name], [e164, 'Old Name']);
  }
  assert.equal(await sealPlainContacts(store.database), 0, 'the second start has nothing to do');
});

test('a contact without a key gets one with its first lock, and only one', async () => {
  const id = ids.next('contact', 9);
  await store.database.run(MAKE_PLAIN, [9, id, accountId, '+447700900999']);
  const lock = () => store.database.transaction(async (tx) => (await lockContacts(tx, [id]))[0]);
  const [one, two] = await Promise.all([lock(), lock()]);
  assert.ok(one?.key && two?.key);
  assert.equal(two.key.open(one.key.seal('x')), 'x');
});
