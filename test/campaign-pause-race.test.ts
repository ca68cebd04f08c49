import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seedDial, type DialSeed } from '../bench/dial-seed.ts';
import { openDialer, type Dialer } from '../src/calls/dialer.ts';
import { moveCampaign, onCampaign } from '../src/campaigns/campaign-commands.ts';
import type { CampaignId, CampaignMove } from '../src/campaigns/campaign.ts';
import { at, statement } from '../src/database/database.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { ManualClock, systemClock } from '../src/platform/clock.ts';
import { makeIds, type AccountId, type LineId } from '../src/platform/ids.ts';
import { isRefused } from '../src/platform/refusal.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { testDatabase, type TestDatabase } from './database.ts';

/**
 * Pauses and stops of a campaign race the dials of two gateways, on the real database. Once the
 * answer is there nothing of the campaign is dialled; a resume loses nobody and dials nobody
 * twice. A sample runs with all tests; `npm run prove -- campaign-pause` takes any size.
 */
const CAMPAIGNS = Math.max(2, Number(process.env['ASKFIRST_PAUSE_RACES'] ?? 8) >> 2);
const CALLS = 64;
/** Of each campaign, before it is left to its end or stopped. */
const PAUSES = 3;
/** Longer than a call that rests waits for its next look. */
const REST_MS = 6_000;

const clock = new ManualClock(systemClock.now());
const random = seededRandom(86);
const ids = makeIds(clock, random);
const journeyId = ids.next('journey');
let store: TestDatabase;
let seed: DialSeed;
let dialers: Dialer[];
let line: { id: LineId; account_id: AccountId };

before(async () => {
  store = await testDatabase({ poolSize: 24 });
  const { database } = store;
  seed = await seedDial(store.connectionString, database.vault, CAMPAIGNS * CALLS);
  await database.run(AWAKE);
  const found = await database.first(LINE);
  assert.ok(found !== undefined);
  line = found;
  await database.run(JOURNEY, [journeyId, line.account_id]);
  const gate = { packs: makePolicyPacks(), doNotCallKey: random.bytes(32) };
  dialers = ['rest/1', 'rest/2'].map((owner) =>
    openDialer({ ...ledger(), ...gate, owner, leaseSeconds: 3_600 }),
  );
});
after(async () => {
  await seed.close();
  await store.close();
});

const ledger = () => ({ database: store.database, clock, ids, changes: makeChanges() });

const AWAKE = statement(
  'rest_race_awake',
  `update accounts set settings = '{"policy": {"lawOverlays": "off", "limits": {}}}'`,
);
const LINE = statement<typeof line>('rest_race_line', 'select id, account_id from lines');
const JOURNEY = statement(
  'rest_race_journey',
  `insert into journeys (id, account_id, name, version, created_at, updated_at)
   values ($1, $2, 'race', 1, now(), now())`,
);
const CAMPAIGN = statement(
  'rest_race_campaign',
  `insert into campaigns (id, account_id, name, state, line_id, journey_id, journey_version,
     audience, settings, resumed_at, created_at, started_at)
   values ($1, $2, 'race', 'running', $3, $4, 1, '{}', '{"window": null, "priority": null}',
     $5, $5, $5)`,
);
const WORK = statement(
  'rest_race_work',
  'insert into campaign_work (campaign_id, rank, filled_at) values ($1, 4, $2)',
);
const BELONGS = statement(
  'rest_race_belongs',
  `update calls set state = jsonb_set(state, '{plan,attribution}',
     jsonb_build_object('campaignId', $1::text)) where due_at = $2 and status = 'queued'`,
);
type Counts = { dialled: number; queued: number; stopped: number; twice: number };
const COUNTS = statement<Counts>(
  'rest_race_counts',
  `select count(*) filter (where phase = 'live')::int as dialled,
          count(*) filter (where phase = 'queued')::int as queued,
          count(*) filter (where state -> 'end' ->> 'reason' = 'campaign_stopped')::int as stopped,
          count(*) filter (where (select count(*) from ledger l where l.bucket = c.bucket
            and l.contact_id = c.contact_id and l.type = 'CallDialing') > 1)::int as twice
     from calls c where state -> 'plan' -> 'attribution' ->> 'campaignId' = $1`,
);
const NOTHING = statement('rest_race_nothing', 'select 1');
/** Nobody carries these calls on; they must not count against the limits of the line. */
const GONE = statement(
  'rest_race_gone',
  "update calls set status = 'ended' where state -> 'plan' -> 'attribution' ->> 'campaignId' = $1",
);

test(`in ${CAMPAIGNS} campaigns of ${CALLS} nobody is dialled after a pause`, async (context) => {
  let inTheMiddle = 0;
  for (let round = 0; round < CAMPAIGNS; round += 1) {
    const id = await campaignOfDueCalls();
    for (let pause = 0; pause < PAUSES; pause += 1) {
      const { dialled, queued } = await race(id, 'pause');
      assert.equal(dialled + queued, CALLS, 'a pause ended a call');
      if (dialled > 0 && queued > 0) inTheMiddle += 1;
      clock.advance(REST_MS);
      await move(id, 'resume');
    }
    const isStopped = round % 2 === 1;
    if (isStopped) await race(id, 'stop');
    await Promise.all(dialers.map((dialer) => dialSome(dialer)));
    const { dialled, stopped, twice } = await counts(id);
    assert.equal(twice, 0, 'somebody was dialled twice');
    assert.deepEqual([dialled + stopped, isStopped || stopped === 0], [CALLS, true], 'lost');
    await store.database.run(GONE, [id]);
  }
  assert.ok(inTheMiddle > 0, 'no pause came in the middle of the dials');
  context.diagnostic(`${inTheMiddle} of ${CAMPAIGNS * PAUSES} pauses came amid the dials`);
});

async function campaignOfDueCalls(): Promise<CampaignId> {
  const { database } = store;
  const id = ids.next('campaign');
  const now = clock.now();
  await database.run(CAMPAIGN, [id, line.account_id, line.id, journeyId, at(now)]);
  await database.run(WORK, [id, at(now)]);
  const dueAt = now - 1_000;
  await seed.makeDue(CALLS, dueAt, 0);
  await database.run(BELONGS, [id, at(dueAt)]);
  return id;
}

/** Moves it amid the dials; what was dialled when the answer came is all that ever is. */
async function race(id: CampaignId, name: CampaignMove): Promise<Counts> {
  const moving = async (): Promise<Counts> => {
    for (let trip = random.below(80); trip > 0; trip -= 1) await store.database.run(NOTHING);
    await move(id, name);
    return counts(id);
  };
  const dials = dialers.map((dialer) => dialSome(dialer));
  const [atAnswer] = await Promise.all([moving(), ...dials]);
  const later = await counts(id);
  assert.equal(later.dialled, atAnswer.dialled, `dialled after the ${name}`);
  return later;
}

async function move(id: CampaignId, name: CampaignMove): Promise<void> {
  const ports = ledger();
  const moved = await onCampaign(ports, line.account_id, id, (tx, campaign) =>
    moveCampaign(tx, ports, campaign, { move: name, actor: 'test' }),
  );
  assert.ok(moved !== null && !isRefused(moved), JSON.stringify(moved));
}

async function counts(id: CampaignId): Promise<Counts> {
  const row = await store.database.first(COUNTS, [id]);
  assert.ok(row !== undefined);
  return row;
}

/** Claims until nothing is due, a few at a time and not at once, as busy gateways do. */
async function dialSome(dialer: Dialer): Promise<void> {
  for (;;) {
    for (let trip = random.below(4); trip > 0; trip -= 1) await store.database.run(NOTHING);
    const { lookAgainAt, errors } = await dialer.claim(1 + random.below(4));
    assert.deepEqual(errors, []);
    if (lookAgainAt === null || lookAgainAt > clock.now() + 1_000) return;
  }
}
