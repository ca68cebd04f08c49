import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { ensureAccount } from '../src/accounts/account-store.ts';
import { findOrCreateContact } from '../src/contacts/contact-store.ts';
import { countAll } from '../src/kpis/counting-commands.ts';
import { readSums } from '../src/kpis/kpi-query-store.ts';
import { DIMENSIONS, type Dimension, type Measures } from '../src/kpis/kpis.ts';
import { purposeIdOf } from '../src/kpis/purposes.ts';
import { rebuildStep } from '../src/kpis/rebuild-commands.ts';
import { askRebuild, readRebuild } from '../src/kpis/rebuild-store.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { onContact } from '../src/ledger/contact-unit.ts';
import { ManualClock } from '../src/platform/clock.ts';
import { bucketOf, makeIds, type AccountId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import { randomDay, type KpiWorld } from './kpi-days.ts';
import { ORACLE, oracleSums, sumsThatSay, type OracleRow } from './kpi-oracle.ts';

/** K-03: `npm run prove -- kpis` has a thousand. */
const DATA_SETS = Number(process.env['ASKFIRST_KPI_SETS'] ?? 12);
const FROM = Date.UTC(2026, 10, 20, 5);
const HOUR = 3_600_000;
const clock = new ManualClock(FROM);
const random = seededRandom(503);
const ids = makeIds(clock, random);

let store: TestDatabase;
let client: Client;
before(async () => {
  store = await testDatabase();
  client = new Client({ connectionString: store.connectionString });
  await client.connect();
});
after(async () => {
  await client.end();
  await store.close();
});

type DataSet = { accountId: AccountId; purposes: Map<string, string> };

/** Histories of a few people, counted at any moment while they are still being written. */
async function dataSet(index: number): Promise<DataSet> {
  const { database } = store;
  const accountId = await database.transaction((tx) => ensureAccount(tx, ids, `set ${index}`));
  const world: KpiWorld = {
    lines: [ids.next('line'), ids.next('line')],
    endpoints: [ids.next('endpoint'), ids.next('endpoint')],
    campaigns: ['cmp_one', 'cmp_two'],
    purposes: ['your order', 'your appointment', 'a refund'],
    from: FROM,
  };
  const ports = { database, clock, ids, changes: makeChanges() };
  const purposes = new Map<string, string>();
  for (let people = 1 + random.below(5); people > 0; people -= 1) {
    const country = random.below(2) === 0 ? '+4477009' : '+4930901';
    const e164 = `${country}${String(index * 10 + people).padStart(5, '0')}` as never;
    const contactId = await database.transaction((tx) =>
      findOrCreateContact(tx, ids, accountId, { e164 }, clock.now()),
    );
    const day = randomDay(random, ids, bucketOf(contactId), world);
    for (const [id, purpose] of day.purposes) purposes.set(id, purpose);
    const cut = random.below(day.entries.length + 1);
    for (const part of [day.entries.slice(0, cut), day.entries.slice(cut)]) {
      await onContact(ports, contactId, async (unit) =>
        part.forEach((entry) => unit.record(entry)),
      );
      if (random.below(2) === 0) await countAll(store);
    }
  }
  await countAll(store);
  return { accountId, purposes };
}

async function expected({ accountId, purposes }: DataSet) {
  const { vault } = store.database;
  const named = [...purposes.values()].map((text) => purposeIdOf(vault, accountId, text));
  const { rows } = await client.query<OracleRow>(ORACLE, [accountId, [...purposes.keys()], named]);
  return oracleSums(rows);
}

async function assertEqual(set: DataSet, told: string): Promise<void> {
  const oracle = await expected(set);
  const span = { accountId: set.accountId, from: FROM - 40 * HOUR, until: FROM + 120 * HOUR };
  assert.ok((oracle.get('')?.get('')?.requests ?? 0) > 0, told);
  const groups: Array<Dimension | 'hour' | null> = [null, 'hour', ...DIMENSIONS];
  for (const groupBy of groups) {
    const sums = await readSums(store.database, { ...span, filters: {}, groupBy, period: null });
    const ours = new Map(sums.map(({ value, measures }) => [value, measures]));
    assert.deepEqual(
      sumsThatSay(ours),
      sumsThatSay(oracle.get(groupBy ?? '')),
      `${told}, by ${groupBy}`,
    );
  }
  const pairs = new Map<string, Measures>();
  for (const line of oracle.get('line')?.keys() ?? []) {
    const question = { ...span, filters: { line }, groupBy: 'template' as const, period: null };
    for (const { value, measures } of await readSums(store.database, question)) {
      pairs.set(`${line} ${value}`, measures);
    }
  }
  assert.deepEqual(sumsThatSay(pairs), sumsThatSay(oracle.get('line,template')), `${told}, by two`);
}

test('every figure equals an independent SQL over the ledger, by every dimension', async () => {
  for (let index = 1; index <= DATA_SETS; index += 1) {
    await assertEqual(await dataSet(index), `set ${index}`);
  }
});

test('a rebuild from the first entry on finds nothing to correct', async () => {
  const set = await dataSet(900_001);
  await askRebuild(store.database, set.accountId, { actor: 'api:test', now: clock.now() });
  await rebuildStep({ database: store.database, clock });
  const done = await readRebuild(store.database, set.accountId);
  assert.equal(done?.changed, 0);
  assert.equal(done.rollupsChanged, 0);
  assert.notEqual(done.finishedAt, null);
});

test('a rebuild corrects what was spoilt, and says how much', async () => {
  const set = await dataSet(900_002);
  await client.query('update kpi_contributions set calls = calls + 7 where account_id = $1', [
    set.accountId,
  ]);
  await client.query(
    `update kpi_rollups set requests = requests + 1 where account_id = $1 and dimension = 'line'`,
    [set.accountId],
  );
  await askRebuild(store.database, set.accountId, { actor: 'api:test', now: clock.now() });
  await rebuildStep({ database: store.database, clock });
  const done = await readRebuild(store.database, set.accountId);
  assert.ok((done?.changed ?? 0) > 0);
  assert.ok((done?.rollupsChanged ?? 0) > 0);
  await assertEqual(set, 'after the rebuild');
});
