import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { benchPacks, seedDial, type DialSeed } from '../bench/dial-seed.ts';
import { CALL_LIMITS } from '../src/calls/call-rules.ts';
import { openDialer, type Dialer } from '../src/calls/dialer.ts';
import { declaredStatements, statement, type Database } from '../src/database/database.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { ManualClock, systemClock } from '../src/platform/clock.ts';
import { makeIds, type AccountId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { setPace } from '../src/schedule/pacing-commands.ts';
import type { PacedId } from '../src/schedule/schedule.ts';
import { testDatabase, type TestDatabase } from './database.ts';

/**
 * Who is dialled next on the real database: accounts and campaigns share, limits of pace hold for
 * all gateways together, and what a frozen gateway took is given back. The pace goes by the
 * database's clock, so a test that lets time pass moves the rows instead.
 */
const ACCOUNTS = 10;
const EACH = 310;
const CAMPAIGN = 'camp_01920000-0000-7000-8000-000000000001';

const clock = new ManualClock(systemClock.now());
const random = seededRandom(41);
const ids = makeIds(clock, random);
const packs = benchPacks();
const doNotCallKey = random.bytes(32);

let store: TestDatabase;
let seed: DialSeed;
let accounts: AccountId[];

before(async () => {
  store = await testDatabase({ poolSize: 20 });
  seed = await seedDial(store.connectionString, store.database.vault, ACCOUNTS * EACH, ACCOUNTS);
  accounts = seed.owners.map(({ accountId }) => accountId);
});
after(async () => {
  await seed.close();
  await store.close();
});

function dialerOf(owner: string, database: Database = store.database): Dialer {
  const changes = makeChanges();
  return openDialer({
    database,
    clock,
    ids,
    changes,
    packs,
    doNotCallKey,
    owner: `${owner}/run`,
    leaseSeconds: 600,
  });
}

/** The accounts of the calls that one claim dialled, in their order. */
async function claim(dialer: Dialer, room: number): Promise<number[]> {
  const { dialed, errors } = await dialer.claim(room);
  assert.deepEqual(errors, []);
  return dialed.map(({ state }) => accounts.indexOf(state.plan.accountId));
}

const pace = async (
  owner: number,
  named: Pick<PacedId, 'scope'> & { id?: string },
  limit: { callsPerSecond?: number | null; concurrentCalls?: number | null },
): Promise<void> => {
  const account = seed.owners[owner];
  assert.ok(account !== undefined);
  const { accountId, lineId, endpointId } = account;
  const known = { account: accountId, line: lineId, endpoint: endpointId, campaign: CAMPAIGN };
  const id = named.id ?? known[named.scope];
  const wish = { scope: named.scope, id, callsPerSecond: null, concurrentCalls: null, ...limit };
  await store.database.transaction((tx) => setPace(tx, accountId, wish));
  // Dialers see what others set within two seconds.
  clock.advance(2_001);
};

const due = async (owner: number, count: number, agoMs = 1_000): Promise<void> => {
  await seed.makeDue(count, clock.now() - agoMs, 0, owner);
};

const CLEAR = statement(
  'test_pacing_clear',
  `update calls set status = 'ended' where status <> 'ended' and due_at < $1`,
);
const COUNTS = statement<{ live: number; twice: number; used: number }>(
  'test_pacing_counts',
  `select (select count(*) from calls where phase = 'live')::int as live,
          (select count(*) from ledger where type = 'PermissionUsed')::int as used,
          (select count(*) from (select 1 from ledger where type = 'PermissionUsed'
             group by data ->> 'callId' having count(*) > 1) v)::int as twice`,
);
const REST = statement(
  'test_pacing_rest',
  `update pacing_limits set paced_until = paced_until - make_interval(secs => $1)`,
);
const EXPIRE = statement(
  'test_pacing_expire',
  `update pacing_holds set until = until - interval '60 seconds'`,
);
const HOLDS = statement<{ holds: number }>(
  'test_pacing_holds',
  'select count(*)::int as holds from pacing_holds',
);

/** Ends what is under way, so that each test begins with an empty queue. */
async function settle(): Promise<void> {
  await store.database.run(CLEAR, [new Date(clock.now() + 3_600_000)]);
}

const counts = async (): Promise<{ live: number; twice: number; used: number }> => {
  const row = await store.database.first(COUNTS);
  assert.ok(row !== undefined);
  return row;
};

test('an older burst of one account lets the few calls of nine others pass', async () => {
  await due(0, 300, 60_000);
  for (let owner = 1; owner < ACCOUNTS; owner += 1) await due(owner, 10);
  const dialer = dialerOf('fair');
  const dialed: number[] = [];
  while (dialed.filter((owner) => owner > 0).length < 90) dialed.push(...(await claim(dialer, 16)));
  const ofBurst = dialed.filter((owner) => owner === 0).length;
  assert.ok(ofBurst <= 10 + 16, `${ofBurst} calls of the burst went before the last of the others`);
  // Alone it gets all the room there is.
  assert.equal((await claim(dialer, 16)).length, 16);
  await settle();
});

const JOIN_CAMPAIGN = statement(
  'test_pacing_join_campaign',
  `update calls set state = jsonb_set(state, '{plan,attribution}', $3)
    where account_id = $1 and phase = 'queued' and due_at <= $2`,
);

test('a campaign with many due calls lets ten calls of the same account pass', async () => {
  await due(1, 200, 60_000);
  const campaign = JSON.stringify({ campaignId: CAMPAIGN });
  await store.database.run(JOIN_CAMPAIGN, [accounts[1], new Date(clock.now()), campaign]);
  await due(1, 10);
  const dialer = dialerOf('campaigns');
  const plans = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const { dialed } = await dialer.claim(8);
    plans.push(...dialed.map(({ state }) => state.plan));
  }
  const others = plans.filter(({ attribution }) => attribution === undefined);
  assert.equal(others.length, 10);
  await settle();
});

test('gateways that claim side by side never pass a limit of calls at a time', async () => {
  await pace(2, { scope: 'line' }, { concurrentCalls: 25 });
  await due(2, 100);
  const dialers = ['a', 'b', 'c', 'd'].map((name) => dialerOf(name));
  for (let turn = 0; turn < 4; turn += 1) {
    await Promise.all(dialers.map((dialer) => claim(dialer, 20)));
    assert.ok((await counts()).live <= 25);
  }
  assert.deepEqual([(await counts()).live, (await counts()).twice], [25, 0]);
  const { dialed, lookAgainAt } = await dialerOf('e').claim(10);
  assert.deepEqual(dialed, []);
  assert.ok(lookAgainAt !== null && lookAgainAt > clock.now());
  assert.equal((await store.database.first(HOLDS))?.holds, 0);
  await settle();
});

test('a limit that is raised while calls wait holds for them at once', async () => {
  await pace(3, { scope: 'endpoint' }, { concurrentCalls: 2 });
  await due(3, 12);
  const dialer = dialerOf('raised');
  assert.equal((await claim(dialer, 20)).length, 2);
  assert.equal((await claim(dialer, 20)).length, 0);
  await pace(3, { scope: 'endpoint' }, { concurrentCalls: 7 });
  assert.equal((await claim(dialer, 20)).length, 5);
  await pace(3, { scope: 'endpoint' }, {});
  assert.equal((await claim(dialer, 20)).length, 5);
  await settle();
});

test('a pace lets one call pass at a time, and says when the next one may', async () => {
  await pace(4, { scope: 'account' }, { callsPerSecond: 0.1 });
  await due(4, 5);
  const [one, two] = [dialerOf('one'), dialerOf('two')];
  const both = await Promise.all([claim(one, 10), claim(two, 10)]);
  assert.equal(both.flat().length, 1);
  const { dialed, lookAgainAt } = await one.claim(10);
  assert.deepEqual(dialed, []);
  const waitMs = (lookAgainAt ?? 0) - clock.now();
  assert.ok(waitMs > 1_000 && waitMs <= 10_000, `${waitMs} ms`);
  // Ten seconds of the database later there is room for one more, and not for what was missed.
  await store.database.run(REST, [30]);
  assert.equal((await claim(two, 10)).length, 1);
  assert.equal((await claim(two, 10)).length, 0);
  await settle();
});

test('a call that is held back until its latest time ends so, and uses no permission', async () => {
  await pace(5, { scope: 'campaign' }, { concurrentCalls: 1 });
  await due(5, 3);
  const campaign = JSON.stringify({ campaignId: CAMPAIGN });
  await store.database.run(JOIN_CAMPAIGN, [accounts[5], new Date(clock.now()), campaign]);
  await store.database.run(KEEP_TIME, [accounts[5], new Date(clock.now() + CALL_LIMITS.lateMs)]);
  const dialer = dialerOf('lapse');
  const before = (await counts()).used;
  assert.equal((await claim(dialer, 10)).length, 1);
  assert.equal((await claim(dialer, 10)).length, 0);
  clock.advance(CALL_LIMITS.lateMs + 1_000);
  assert.equal((await claim(dialer, 10)).length, 0);
  const ends = await store.database.run(ENDS, [accounts[5]]);
  assert.deepEqual(
    ends.map(({ reason }) => reason),
    ['held_by_pacing', 'held_by_pacing'],
  );
  assert.equal((await counts()).used, before + 1);
  await settle();
});

const KEEP_TIME = statement(
  'test_pacing_keep_time',
  `update calls set latest_at = $2 where account_id = $1 and phase = 'queued' and due_at <= $2`,
);
const ENDS = statement<{ reason: string }>(
  'test_pacing_ends',
  `select state -> 'end' ->> 'reason' as reason from calls
    where account_id = $1 and state -> 'end' is not null`,
);

/** A database of which one transaction, counted from now, waits until it is let go on. */
function freezing(nth: number): { database: Database; frozen: Promise<void>; thaw: () => void } {
  const stop = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let count = 0;
  const database: Database = {
    ...store.database,
    async transaction(work) {
      count += 1;
      if (count === nth) {
        reached.resolve();
        await stop.promise;
      }
      return store.database.transaction(work);
    },
  };
  return { database, frozen: reached.promise, thaw: () => stop.resolve() };
}

test('a gateway that freezes before its dial: nothing is dialled twice, nothing lost', async () => {
  await due(6, 40);
  const { database, frozen, thaw } = freezing(1);
  const asleep = claim(dialerOf('asleep', database), 20);
  await frozen;
  const awake = dialerOf('awake');
  const dialed = [...(await claim(awake, 40))];
  clock.advance(60_000);
  thaw();
  dialed.push(...(await asleep));
  dialed.push(...(await claim(awake, 40)));
  assert.equal(dialed.length, 40);
  assert.equal((await counts()).twice, 0);
  await settle();
});

test('a frozen gateway loses the room it took, and finds so before it dials', async () => {
  await pace(7, { scope: 'line' }, { concurrentCalls: 6 });
  await due(7, 20);
  // Its first transaction takes the room; the second one would dial.
  const { database, frozen, thaw } = freezing(2);
  const asleep = claim(dialerOf('asleep', database), 4);
  await frozen;
  const awake = dialerOf('awake');
  assert.equal((await claim(awake, 10)).length, 2, 'the frozen one holds four of six');
  await store.database.run(EXPIRE);
  assert.equal((await claim(awake, 10)).length, 4, 'after its time they are free again');
  thaw();
  assert.deepEqual(await asleep, []);
  assert.deepEqual(await claim(dialerOf('later'), 10), []);
  const { live, twice } = await counts();
  assert.deepEqual([live, twice], [6, 0]);
  await settle();
});

test('what is due is found by the index of its lanes, however much waits beside it', async () => {
  const first = ['-9223372036854775808', -1, 512];
  const text = (name: string): string => {
    const found = declaredStatements().find((each) => each.name === name);
    assert.ok(found !== undefined, name);
    return found.text;
  };
  for (const [name, values, index] of [
    ['call_lane_heads', first, 'calls_by_lane'],
    ['call_lane_due', [['1'], [4], new Date(clock.now()), 10], 'calls_by_lane'],
    ['call_lapsed', [new Date(clock.now()), 64], 'calls_lapse'],
  ] as const) {
    const explained = { name: '', text: `explain ${text(name)}` };
    const rows = await store.database.run<{ 'QUERY PLAN': string }>(explained, values);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    assert.match(plan, new RegExp(`Index (Only )?Scan using ${index} on calls`), plan);
    assert.doesNotMatch(plan, /Seq Scan on calls/, plan);
  }
});
