import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seedDial, type DialSeed } from '../bench/dial-seed.ts';
import { askThenCallJourney } from '../src/campaigns/ask-then-call.ts';
import { askPreview, createCampaign, onCampaign } from '../src/campaigns/campaign-commands.ts';
import { openCampaignWorker, type CampaignWorker } from '../src/campaigns/campaign-worker.ts';
import type { Campaign } from '../src/campaigns/campaign.ts';
import { readWork } from '../src/campaigns/work-store.ts';
import { statement, type Database } from '../src/database/database.ts';
import { journeySchema } from '../src/journeys/journey.ts';
import { saveJourney } from '../src/journeys/journey-store.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { ManualClock, systemClock } from '../src/platform/clock.ts';
import { makeIds, type AccountId, type LineId } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { isRefused } from '../src/platform/refusal.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { testDatabase, type TestDatabase } from './database.ts';

/**
 * R-09 for campaigns: two workers on one queue, and one of them freezes for longer than its lease,
 * while it gathers or previews. What it comes back with counts for nothing.
 */
const PEOPLE = 520;
const clock = new ManualClock(systemClock.now());
const random = seededRandom(87);
const ids = makeIds(clock, random);
const gate = { packs: makePolicyPacks(), doNotCallKey: random.bytes(32) };
let store: TestDatabase;
let seed: DialSeed;
let line: { id: LineId; account_id: AccountId };
let campaign: Campaign;

const AWAKE = statement(
  'frozen_awake',
  `update accounts set settings = '{"policy": {"lawOverlays": "off", "limits": {}}}'`,
);
const NO_CALLS = statement('frozen_no_calls', 'delete from calls');
const LINE = statement<typeof line>('frozen_line', 'select id, account_id from lines');
/** The minute of a lease, by the clock of the database. */
const LEASE_OVER = statement(
  'frozen_lease_over',
  "update campaign_work set lease_until = now() - interval '1 second'",
);
const ledger = (database: Database) => ({ database, clock, ids, changes: makeChanges() });

before(async () => {
  store = await testDatabase({ poolSize: 12 });
  const { database } = store;
  seed = await seedDial(store.connectionString, database.vault, PEOPLE);
  await database.run(AWAKE);
  // The world comes with a call for each; whoever has one waiting is not taken.
  await database.run(NO_CALLS);
  const found = await database.first(LINE);
  assert.ok(found !== undefined);
  line = found;
  const wish = { template: 'call_permission_request', purpose: 'your order 1042', waitFor: '1h' };
  const document = journeySchema.parse(askThenCallJourney('Frozen', wish, []));
  const now = clock.now();
  const journey = { id: ids.next('journey'), version: 1, readyKey: null, document };
  const made = await database.transaction(async (tx) => {
    const accountId = line.account_id;
    await saveJourney(tx, { ...journey, accountId, createdAt: now, updatedAt: now });
    return createCampaign(tx, ledger(database), {
      accountId,
      name: 'Frozen',
      lineId: line.id,
      journeyId: journey.id,
      journeyVersion: 1,
      audience: {},
      settings: {
        ...{ variables: {}, window: null, priority: null, endAt: null },
        ...{ startsPerMinute: 60_000, callsPerSecond: null, concurrentCalls: null },
      },
      contactIds: null,
      actor: 'test',
    });
  });
  assert.ok(!isRefused(made));
  campaign = made;
});
after(async () => {
  await seed.close();
  await store.close();
});

function worker(owner: string, database: Database = store.database): CampaignWorker {
  return openCampaignWorker({ ...ledger(database), ...gate, prices: null, log: silentLog, owner });
}

/** A worker that stops dead right before the first work of that kind, until it is thawed. */
async function frozenAt(kind: 'transaction' | 'preview') {
  const reached = Promise.withResolvers<void>();
  const thaw = Promise.withResolvers<void>();
  const freeze = async (): Promise<void> => {
    reached.resolve();
    await thaw.promise;
  };
  const { database } = store;
  const frozen = worker('frozen', {
    ...database,
    async run(wanted, values) {
      if (kind === 'preview' && wanted.name === 'campaign_work_counted') await freeze();
      return database.run(wanted, values);
    },
    async transaction(work) {
      if (kind === 'transaction') await freeze();
      return database.transaction(work);
    },
  });
  clock.advance(1_000);
  await reached.promise;
  await store.database.run(LEASE_OVER);
  return {
    async thaw() {
      thaw.resolve();
      await frozen.close();
    },
  };
}

/** The other worker goes on until nothing of that is left to do. */
async function othersFinish(isDone: () => Promise<boolean>): Promise<void> {
  const other = worker('awake');
  for (let look = 0; look < 1_000 && !(await isDone()); look += 1) clock.advance(250);
  await other.close();
  assert.ok(await isDone(), 'the other worker did not get through');
}

async function work() {
  const found = (await readWork(store.database, [campaign.id])).get(campaign.id);
  assert.ok(found !== undefined);
  return found;
}

test('frozen while it gathers: everybody is a member, and nobody gathers for ever', async () => {
  const frozen = await frozenAt('transaction');
  await othersFinish(async () => (await work()).filledAt !== null);
  const before = await work();
  await frozen.thaw();
  assert.deepEqual(await work(), before);
});

test('frozen while it previews: the picture that was finished stays as it is', async () => {
  const ports = ledger(store.database);
  await onCampaign(ports, line.account_id, campaign.id, (tx, held) =>
    askPreview(tx, ports, held, true),
  );
  const frozen = await frozenAt('preview');
  await othersFinish(async () => (await work()).preview?.state === 'done');
  const before = await work();
  assert.equal(before.preview?.looked, PEOPLE);
  await frozen.thaw();
  assert.deepEqual(await work(), before);
});
