import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { statement } from '../database/database.ts';
import { ManualClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { openMaintenance } from './maintenance.ts';

const DAY_MS = 86_400_000;
const COUNT = statement<{ seen: number; answers: number; events: number; deliveries: number }>(
  'maintenance_test_count',
  `select (select count(*) from seen_facts) as seen,
     (select count(*) from idempotency_keys) as answers, (select count(*) from events) as events,
     (select count(*) from deliveries) as deliveries`,
);

let store: TestDatabase;

before(async () => {
  store = await testDatabase();
});
after(() => store.close());

test('every hour what nobody can ask for any more is forgotten, and nothing else', async () => {
  const clock = new ManualClock(Date.UTC(2026, 5, 3, 12));
  for (const days of [1, 8, 10, 40, 100]) await store.database.script(rowsOf(days, clock.now()));
  const maintenance = openMaintenance({ database: store.database, clock, log: silentLog });
  clock.advance(3_599_999);
  assert.deepEqual(await count(), { seen: 5, answers: 5, events: 5, deliveries: 10 });
  clock.advance(1);
  await maintenance.close();
  // Seen facts stay 9 days, answers 30, and the outbox 90 but for what still waits.
  assert.deepEqual(await count(), { seen: 2, answers: 3, events: 5, deliveries: 9 });
});

async function count(): Promise<object> {
  return { ...(await store.database.first(COUNT)) };
}

function rowsOf(days: number, now: number): string {
  const at = new Date(now - days * DAY_MS).toISOString();
  return `
    insert into seen_facts values (1, 'c', 'key ${days}', '${at}');
    insert into idempotency_keys values ('a', 'key ${days}', '', 200, '{}', '${at}');
    insert into events values (1, 'evt ${days}', 'a', 'c', null, 'call.ended', 1, '{}', '${at}');
    insert into deliveries (bucket, id, event_id, account_id, webhook_id, status, next_attempt_at)
      values (1, 'done ${days}', 'evt ${days}', 'a', 'wh', 'delivered', '${at}'),
        (1, 'waits ${days}', 'evt ${days}', 'a', 'wh', 'pending', '${at}');`;
}
