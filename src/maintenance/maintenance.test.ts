import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { readCampaigns } from '../campaigns/campaign-store.ts';
import type { CampaignId } from '../campaigns/campaign.ts';
import { countMembers } from '../campaigns/member-list-store.ts';
import { findOrCreateContact, readContact } from '../contacts/contact-store.ts';
import { addToDoNotCall, doNotCallIds } from '../contacts/do-not-call-store.ts';
import { statement } from '../database/database.ts';
import { makeChanges } from '../ledger/changes.ts';
import { onContact } from '../ledger/contact-unit.ts';
import { entriesOfContact } from '../ledger/ledger-store.ts';
import { firstBrokenEntry } from '../ledger/ledger.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type ContactId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { openRecordingDesk } from '../recording/recording-desk.ts';
import { openMaintenance, type MaintenancePorts } from './maintenance.ts';

const DAY_MS = 86_400_000;
const COUNT = statement<Record<string, number>>(
  'maintenance_test_count',
  `select (select count(*) from seen_facts) as seen,
     (select count(*) from idempotency_keys) as answers, (select count(*) from events) as events,
     (select count(*) from deliveries) as deliveries, (select count(*) from messages) as messages,
     (select count(*) from external_ids) as names`,
);

const clock = new ManualClock(Date.UTC(2026, 5, 3, 12));
const ids = makeIds(clock, seededRandom(4));
const doNotCallKey = seededRandom(5).bytes(32);
const accountId = ids.next('account');
let store: TestDatabase;

before(async () => {
  store = await testDatabase();
});
after(() => store.close());

function ports(): MaintenancePorts {
  const ledger = { database: store.database, clock, ids, changes: makeChanges() };
  return {
    ...ledger,
    recordingDesk: openRecordingDesk({ ...ledger, recordings: { folder: '/dev/null', node: 'a' } }),
    log: silentLog,
    doNotCallKey,
    rulesOfLine: async () => assert.fail('nobody here has a consent'),
    retention: {
      contactsMs: 1_826 * DAY_MS,
      campaignsMs: 365 * DAY_MS,
      messagesMs: 90 * DAY_MS,
      recordingsDays: 90,
      eventsMs: 90 * DAY_MS,
      webhooksMs: 7 * DAY_MS,
    },
  };
}

async function anHour(): Promise<void> {
  const maintenance = openMaintenance(ports());
  clock.advance(3_600_000);
  await maintenance.close();
}

test('every hour what nobody can ask for any more is forgotten, and nothing else', async () => {
  for (const days of [1, 8, 10, 40, 100]) await store.database.script(rowsOf(days, clock.now()));
  const maintenance = openMaintenance(ports());
  clock.advance(3_599_999);
  const all = { seen: 5, answers: 5, events: 5, deliveries: 10, messages: 10, names: 5 };
  assert.deepEqual(await count(), all);
  clock.advance(1);
  await maintenance.close();
  // Facts stay 9 days, answers 30, messages and the outbox 90 but for what still waits.
  const kept = { seen: 2, answers: 3, events: 5, deliveries: 9, messages: 9, names: 4 };
  assert.deepEqual(await count(), kept);
});

test('a contact with whom nothing happened for five years is erased and blocked', async () => {
  const numbers = ['+447700900001', '+447700900002', '+447700900003'];
  const [silent, heard, listed] = await Promise.all(numbers.map(make));
  assert.ok(silent !== undefined && heard !== undefined && listed !== undefined);
  await note(silent);
  await store.database.transaction(async (tx) => {
    const contact = await readContact(tx, accountId, listed);
    assert.ok(contact !== null);
    const entry = { list: 'own', reason: 'asked by Ada', source: 'api', now: clock.now() };
    await addToDoNotCall(tx, doNotCallKey, contact, entry);
  });
  clock.advance(1_800 * DAY_MS);
  await note(heard);
  clock.advance(30 * DAY_MS);
  await anHour();
  assert.equal((await readContact(store.database, accountId, heard))?.e164, numbers[1]);
  assert.equal((await readContact(store.database, accountId, silent))?.e164, null);
  const entries = await entriesOfContact(store.database, silent, 0, 10);
  assert.deepEqual(
    entries.map(({ type, actor, personal }) => [type, actor, personal]),
    [
      ['Noted', 'platform', null],
      ['ContactErased', 'retention', null],
    ],
  );
  assert.equal(firstBrokenEntry(entries), null);
  // Whoever comes back under the number is somebody new, and may still not be called.
  const again = await make(numbers[2] ?? '');
  assert.notEqual(again, listed);
  const contact = await readContact(store.database, accountId, again);
  assert.ok(contact !== null);
  assert.deepEqual([...(await doNotCallIds(store.database, doNotCallKey, [contact]))], [again]);
});

const PEOPLE = statement<{ campaign_id: string; people: number }>(
  'maintenance_test_people',
  `select campaign_id, count(*)::int as people from campaign_members
    group by campaign_id order by campaign_id`,
);

test('a year after a campaign it is forgotten who was in it, and not how many', async () => {
  const { database } = store;
  const ended = new Map([
    ['camp_a', 366],
    ['camp_b', 364],
    ['camp_c', 400],
  ]);
  await database.script(`
    insert into accounts (id, name) values ('acc_past', 'past');
    insert into journeys values ('j', 'acc_past', 'j', 1, null, now(), now());`);
  for (const [id, days] of ended) await database.script(pastCampaign(id, days));
  // Whoever is still on the way has an end to come.
  await database.script(
    `update campaign_members set state = 'running'
      where campaign_id = 'camp_c' and contact_id = 'c1'`,
  );
  const ids = [...ended.keys()] as CampaignId[];
  const before = await countMembers(database, ids);
  await anHour();
  assert.deepEqual(await database.run(PEOPLE), [
    { campaign_id: 'camp_b', people: 5 },
    { campaign_id: 'camp_c', people: 5 },
  ]);
  const sorted = (counts: typeof before) =>
    ids.map((id) =>
      (counts.get(id) ?? []).map(({ reason, people }) => `${reason} ${people}`).sort(),
    );
  assert.deepEqual(sorted(await countMembers(database, ids)), sorted(before));
  const since = (await readCampaigns(database, ids)).map((one) => [one.id, one.peopleForgottenAt]);
  assert.deepEqual(Object.fromEntries(since), {
    camp_a: clock.now(),
    camp_b: null,
    camp_c: null,
  });
});

function pastCampaign(id: string, days: number): string {
  const at = new Date(clock.now() - days * DAY_MS).toISOString();
  return `
    insert into campaigns (id, account_id, name, state, line_id, journey_id, journey_version,
        audience, settings, created_at, ended_at)
      values ('${id}', 'acc_past', 'p', 'done', 'l', 'j', 1, '{}', '{}', '${at}', '${at}');
    insert into campaign_members
        (bucket, campaign_id, contact_id, account_id, state, reason, updated_at)
      select n, '${id}', 'c' || n, 'acc_past', 'done',
             case when n < 3 then 'reached' else 'declined' end, '${at}'
        from generate_series(0, 4) n;`;
}

function make(e164: string): Promise<ContactId> {
  return store.database.transaction((tx) =>
    findOrCreateContact(tx, ids, accountId, { e164, country: 'GB' }, clock.now()),
  );
}

function note(contactId: ContactId): Promise<void> {
  return onContact(ports(), contactId, async (unit) => {
    const personal = { text: 'a word' };
    unit.record({ type: 'Noted', actor: 'platform', at: unit.now, data: {}, personal });
  });
}

async function count(): Promise<object> {
  return { ...(await store.database.first(COUNT)) };
}

function rowsOf(days: number, now: number): string {
  const at = new Date(now - days * DAY_MS).toISOString();
  const made = makeIds(new ManualClock(now - days * DAY_MS), seededRandom(days));
  const event = made.next('event', 1);
  const delivery = `dlv${event.slice(3)}`;
  return `
    insert into seen_facts values (1, 'c', 'key ${days}', '${at}');
    insert into idempotency_keys values ('a', 'key ${days}', '', 200, '{}', '${at}');
    insert into external_ids values (1, 'wamid ${days}', 'msg ${days}', '${at}');
    insert into messages (bucket, id, account_id, contact_id, line_id, kind, content, status,
        due_at, created_at)
      values
        (1, '${made.next('message', 1)}', 'a', 'c', 'l', 'text', '{}', 'sent', '${at}', '${at}'),
        (1, '${made.next('message', 1)}', 'a', 'c', 'l', 'text', '{}', 'queued', '${at}', '${at}');
    insert into events values (1, '${event}', 'a', 'c', null, 'call.ended', 1, '{}', '${at}');
    insert into deliveries (bucket, id, event_id, account_id, webhook_id, status, next_attempt_at)
      values (1, '${delivery}_1', '${event}', 'a', 'wh', 'delivered', '${at}'),
        (1, '${delivery}_2', '${event}', 'a', 'wh', 'pending', '${at}');`;
}
