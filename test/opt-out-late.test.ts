import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seedDial, type DialSeed } from '../bench/dial-seed.ts';
import { openOptOutDesk, type OptOutDesk } from '../src/consent/opt-out-desk.ts';
import { makeOptOutLatency, type OptOutLatency } from '../src/consent/opt-out-metrics.ts';
import { statement } from '../src/database/database.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { systemClock as clock } from '../src/platform/clock.ts';
import { makeIds, type ContactId } from '../src/platform/ids.ts';
import { makeLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { testDatabase, type TestDatabase } from './database.ts';

/** The alarm of the page's promise: a stop takes effect within one minute. */
const random = seededRandom(9);
const lines: string[] = [];

let store: TestDatabase;
let seed: DialSeed;
let stops: OptOutDesk;
let latency: OptOutLatency;

before(async () => {
  store = await testDatabase();
  const { database } = store;
  seed = await seedDial(store.connectionString, database.vault, 2);
  const log = makeLog({ level: 'info', destination: { write: (line) => lines.push(line) } });
  latency = makeOptOutLatency({ clock, log, database });
  const rulesOfLine = async () => makePolicyPacks().rulesOf('strict-2026-01');
  const ledger = { database, clock, ids: makeIds(clock, random), changes: makeChanges() };
  const ports = { ...ledger, doNotCallKey: random.bytes(32), rulesOfLine };
  stops = openOptOutDesk({ ...ports, optOutLatency: latency });
});
after(async () => {
  await seed.close();
  await store.close();
});

const PEOPLE = statement<{ id: ContactId }>('late_people', 'select id from contacts order by id');
const EVENTS = statement<{ type: string }>(
  'late_events',
  "select type from events where contact_id = $1 and type like 'optout.%' order by id",
);

/** Histograms give several values, and prom-client's types do not say how they are told apart. */
type Value = { value: number; metricName?: string };

async function figure(name: string): Promise<number | undefined> {
  const metric = latency.metrics.find((it) => 'name' in it && it.name === name);
  const values: readonly Value[] = (await metric?.get())?.values ?? [];
  return values.find(({ metricName }) => metricName === undefined || metricName.endsWith('_count'))
    ?.value;
}

test('a stop that took over a minute is an event, an error in the log and a count', async () => {
  const [quick, slow] = await store.database.run(PEOPLE);
  assert.ok(quick !== undefined && slow !== undefined);
  const stop = { lineId: null, way: 'key_press' } as const;
  await stops.stop(quick.id, { ...stop, waitedMs: 1_000 });
  assert.equal(await figure('askfirst_opt_outs_late_total'), 0);
  await stops.stop(slow.id, { ...stop, waitedMs: 61_000 });
  const told = (await store.database.run(EVENTS, [slow.id])).map(({ type }) => type);
  assert.deepEqual(told, ['optout.received', 'optout.late']);
  assert.equal((await store.database.run(EVENTS, [quick.id])).length, 1);
  assert.equal(await figure('askfirst_opt_outs_late_total'), 1);
  assert.equal(await figure('askfirst_opt_out_latency_seconds'), 2);
  assert.ok(lines.some((line) => line.includes('opt_out_late')));
});

const STUCK = statement(
  'late_stuck',
  `insert into whatsapp_inbox (bucket, lane, body, body_sha256, received_at)
   values (1, 1, '', '', now() - interval '90 seconds')`,
);

test('a webhook that nobody reads shows its age, for a stop may be in it', async () => {
  assert.equal(await figure('askfirst_inbox_oldest_seconds'), 0);
  await store.database.run(STUCK);
  assert.ok(((await figure('askfirst_inbox_oldest_seconds')) ?? 0) >= 90);
});
