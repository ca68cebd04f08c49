import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { declaredStatements } from '../database/database.ts';
import { claimDeliveries, dueWebhooks } from './deliveries-store.ts';
import type { WebhookEndpointId } from './webhook-endpoints-store.ts';

/** What looking for due deliveries costs is counted in pages read: that no machine changes. */
const NOW = Date.UTC(2026, 0, 5, 12);
const PAGES_MAX = 120;
let testing: TestDatabase;
let client: Client;

before(async () => {
  testing = await testDatabase();
  client = new Client({ connectionString: testing.connectionString });
  await client.connect();
});

after(async () => {
  await client.end();
  await testing.close();
});

/** Deliveries of one receiver, due one after another, the last of them at `dueAt`. */
async function waiting(webhook: string, count: number, dueAt: number): Promise<void> {
  await client.query(
    `insert into deliveries (bucket, id, event_id, account_id, webhook_id, status, next_attempt_at)
     select i % 64, 'dlv_' || $1 || i, 'evt_' || i, 'acct_1', $1, 'pending',
            $3::timestamptz - make_interval(secs => $2 - i)
       from generate_series(1, $2::int) i`,
    [webhook, count, new Date(dueAt)],
  );
}

/** Pages that a statement of the store touches, in its generic plan as in production. */
async function pagesOf(name: string, values: readonly string[]): Promise<number> {
  const found = declaredStatements().find((declared) => declared.name === name);
  assert.ok(found !== undefined, name);
  await client.query('set plan_cache_mode = force_generic_plan');
  await client.query(`prepare counted as ${found.text}`);
  await client.query('begin');
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    `explain (analyze, buffers, format json) execute counted (${values.join(', ')})`,
  );
  await client.query('rollback');
  await client.query('deallocate counted');
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  return (plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Shared Read Blocks'] ?? 0);
}

test('what waits for a busy receiver costs nothing, however much it is', async (t) => {
  const busy = `'{whk_busy}'`;
  const now = `'${new Date(NOW).toISOString()}'`;
  await waiting('whk_good', 4, NOW);
  await waiting('whk_later', 500, NOW + 3_600_000);
  const counted: number[] = [];
  for (const count of [100, 20_000]) {
    await client.query(`delete from deliveries where webhook_id = 'whk_busy'`);
    await waiting('whk_busy', count, NOW - 60_000);
    await client.query('vacuum analyze deliveries');
    counted.push(await pagesOf('deliveries_due_webhooks', [now, busy]));
    counted.push(await pagesOf('deliveries_claim', [`'whk_good'`, now, `'node_a'`, '60']));
  }
  const told = `pages to look and to claim, with 100 and with 20,000: ${counted.join(', ')}`;
  t.diagnostic(told);
  assert.ok(Math.max(...counted) <= PAGES_MAX, told);
});

test('who waits longest is first, a busy receiver and what is not due are left out', async () => {
  await client.query('truncate deliveries');
  await waiting('whk_a', 3, NOW);
  await waiting('whk_b', 3, NOW - 10_000);
  await waiting('whk_c', 3, NOW - 20_000);
  await waiting('whk_d', 1, NOW + 1);
  const due = (busy: string[]) => dueWebhooks(testing.database, NOW, busy);
  assert.deepEqual(await due([]), ['whk_c', 'whk_b', 'whk_a']);
  assert.deepEqual(await due(['whk_c', 'whk_x']), ['whk_b', 'whk_a']);
  const claim = { now: NOW - 1_500, owner: 'node_a' };
  const webhookId = 'whk_a' as WebhookEndpointId;
  const claimed = await claimDeliveries(testing.database, { ...claim, webhookId });
  assert.deepEqual(
    claimed.map(({ id, attempts, url }) => [id, attempts, url]),
    [['dlv_whk_a1', 1, null]],
  );
  const rest = await claimDeliveries(testing.database, { ...claim, now: NOW, webhookId });
  assert.deepEqual(
    rest.map(({ id }) => id),
    ['dlv_whk_a2', 'dlv_whk_a3'],
    'the rest, once',
  );
});
