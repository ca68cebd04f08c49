import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seedDial, type DialSeed } from '../bench/dial-seed.ts';
import { askThenCallJourney } from '../src/campaigns/ask-then-call.ts';
import {
  askPreview,
  createCampaign,
  moveCampaign,
  onCampaign,
} from '../src/campaigns/campaign-commands.ts';
import { openCampaignWorker, type CampaignWorker } from '../src/campaigns/campaign-worker.ts';
import type { Campaign } from '../src/campaigns/campaign.ts';
import { readWork } from '../src/campaigns/work-store.ts';
import { statement, type Database } from '../src/database/database.ts';
import { readLine } from '../src/lines/line-store.ts';
import { addVersion, saveTemplate } from '../src/templates/template-store.ts';
import { BUILT_IN_TEMPLATES as TEMPLATES } from '../src/templates/template.ts';
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
 * while it gathers, previews or takes people. What it comes back with counts for nothing.
 */
const NAME = 'call_permission_request';
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
  const wish = { template: NAME, purpose: 'your order 1042', waitFor: '1h' };
  await approveTemplate(database);
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

/** A template that may be sent: without one people would only wait. */
async function approveTemplate(database: Database): Promise<void> {
  const stored = await readLine(database, line.account_id, line.id);
  const words = TEMPLATES.find(({ name, language }) => name === NAME && language === 'en_US');
  assert.ok(stored !== null && words !== undefined);
  const { name, language, ...content } = words;
  const owner = { accountId: line.account_id, wabaId: stored.sealed.wabaId };
  const id = ids.next('template');
  await database.transaction(async (tx) => {
    const at = { statusAt: clock.now(), createdAt: clock.now(), deletedAt: null };
    const none = { reason: null, advice: null, quality: null, comingCategory: null };
    const { category } = content;
    const known = { status: 'approved', origin: 'own', metaId: '1', metaVersion: 1 } as const;
    const named = { ...owner, id, name, language, category, version: 1 };
    await saveTemplate(tx, { ...named, ...known, ...none, ...at });
    await addVersion(tx, id, { version: 1, content, actor: 'test', createdAt: clock.now() });
  });
}

/** A worker that stops dead right before the first work of that kind, until it is thawed. */
async function frozenAt(kind: 'transaction' | 'preview' | 'pace') {
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
      if (kind !== 'pace') return database.transaction(work);
      // With the locks of those whom it takes, and all that it did for them not yet committed.
      return database.transaction((tx) => {
        const run: typeof tx.run = async (wanted, values) => {
          if (wanted.name === 'campaign_work_paced') await freeze();
          return tx.run(wanted, values);
        };
        return work(Object.assign(Object.create(tx) as typeof tx, { run }));
      });
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

const TAKEN = statement<{ state: string; people: number; runs: number }>(
  'frozen_taken',
  `select m.state, count(*)::int as people, count(distinct r.id)::int as runs
     from campaign_members m left join journey_runs r
       on r.bucket = m.bucket and r.contact_id = m.contact_id
    group by m.state order by m.state`,
);
const BEGUN = statement<{ entries: number; people: number }>(
  'frozen_begun',
  `select count(*)::int as entries, count(distinct contact_id)::int as people
     from ledger where type = 'RunStarted'`,
);
const taken = (): Promise<Array<{ state: string; people: number; runs: number }>> =>
  store.database.run(TAKEN);

test('frozen while it takes people: everybody begins once, and nobody is lost', async () => {
  const ports = ledger(store.database);
  await onCampaign(ports, line.account_id, campaign.id, (tx, held) =>
    moveCampaign(tx, ports, held, { move: 'start', actor: 'test' }),
  );
  for (let batch = 0; batch < 5; batch += 1) clock.advance(1_000);
  const frozen = await frozenAt('pace');
  // Those whom it holds cannot be taken by anybody; all others are.
  const held = 100;
  await othersFinish(async () => {
    const waiting = (await taken()).find(({ state }) => state === 'waiting')?.people ?? 0;
    return waiting <= held;
  });
  await frozen.thaw();
  await othersFinish(async () => (await taken()).every(({ state }) => state !== 'waiting'));
  assert.deepEqual(await taken(), [{ state: 'running', people: PEOPLE, runs: PEOPLE }]);
  assert.deepEqual(await store.database.first(BEGUN), { entries: PEOPLE, people: PEOPLE });
});
