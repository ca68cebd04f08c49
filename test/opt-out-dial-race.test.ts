import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seedDial, type DialSeed } from '../bench/dial-seed.ts';
import { openDialer, type Dialer } from '../src/calls/dialer.ts';
import { makeOptOutLatency } from '../src/consent/opt-out-metrics.ts';
import { openOptOutDesk, type OptOutDesk } from '../src/consent/opt-out-desk.ts';
import { statement } from '../src/database/database.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { systemClock as clock } from '../src/platform/clock.ts';
import { makeIds, type ContactId } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { testDatabase, type TestDatabase } from './database.ts';

/**
 * C-01 where it is decided: the transactions of a stop and of a dial meet on one person's lock, on
 * the real database, on many connections. What the ledger has first, was first. A sample runs
 * with all tests; the whole of it takes a minute:
 *
 *   OPT_OUT_RACES=10000 npm test -- opt-out-dial-race
 */
const RACES = Number(process.env['OPT_OUT_RACES'] ?? 320);
/** So few at a time that a stop and the claim of the same call are close together. */
const AT_ONCE = 16;
const DIALERS = 2;

const random = seededRandom(41);
const ids = makeIds(clock, random);
const doNotCallKey = random.bytes(32);
const packs = makePolicyPacks();

let store: TestDatabase;
let seed: DialSeed;
let stops: OptOutDesk;
let dialers: Dialer[];

before(async () => {
  store = await testDatabase({ poolSize: 24 });
  const { database } = store;
  seed = await seedDial(store.connectionString, database.vault, RACES);
  // People of a test are awake at all hours.
  await database.run(AWAKE);
  const ledger = { database, clock, ids, changes: makeChanges() };
  const gate = { packs, doNotCallKey };
  dialers = Array.from({ length: DIALERS }, (_, index) =>
    openDialer({ ...ledger, ...gate, owner: `race/${index}`, leaseSeconds: 3_600 }),
  );
  const optOutLatency = makeOptOutLatency({ clock, log: silentLog, database });
  const rulesOfLine = async () => packs.rulesOf('strict-2026-01');
  stops = openOptOutDesk({ ...ledger, doNotCallKey, rulesOfLine, optOutLatency });
});
after(async () => {
  await seed.close();
  await store.close();
});

const AWAKE = statement(
  'race_awake',
  `update accounts set settings = '{"policy": {"lawOverlays": "off", "limits": {}}}'`,
);
const DUE = statement<{ contact_id: ContactId }>(
  'race_due',
  "select contact_id from calls where status = 'queued' and due_at <= now()",
);
type Outcome = { stop: number; dial: number | null; hang_up: number | null; granted: number };
/** Per person: where in their chain stand the stop, the dial and its end; what is left over. */
const OUTCOMES = statement<Outcome>(
  'race_outcomes',
  `select stop.sequence as stop, dial.sequence as dial, hang_up.sequence as hang_up,
     (select count(*)::int from consents s where s.contact_id = stop.contact_id
        and s.status <> 'revoked') as granted
     from ledger stop
     left join ledger dial on dial.contact_id = stop.contact_id and dial.type = 'CallDialing'
     left join ledger hang_up on hang_up.contact_id = stop.contact_id
       and hang_up.type = 'CallHangUpRequested'
    where stop.type = 'OptedOut'`,
);
const NOTHING = statement('race_nothing', 'select 1');
/** Nobody carries these calls on; they must not count against the limits of the line. */
const GONE = statement(
  'race_gone',
  "update calls set status = 'ended' where due_at <= now() and status <> 'ended'",
);

test(`in ${RACES} races of a stop with a dial nobody is dialled after it`, async (context) => {
  let waitMs = 0;
  for (let raced = 0; raced < RACES; raced += AT_ONCE) {
    await seed.makeDue(Math.min(AT_ONCE, RACES - raced), clock.now() - 1_000, 0);
    const people = (await store.database.run(DUE)).map(({ contact_id: id }) => id);
    const runs = people.map((id) => stopSomewhen(id));
    const claims = dialers.map((dialer) => dialSome(dialer));
    waitMs = Math.max(waitMs, ...(await Promise.all(runs)));
    await Promise.all(claims);
    await store.database.run(GONE);
  }
  const outcomes = await store.database.run(OUTCOMES);
  assert.equal(outcomes.length, RACES);
  const dialled = outcomes.filter(({ dial }) => dial !== null);
  const after = dialled.filter(({ stop, dial }) => (dial ?? 0) > stop);
  assert.deepEqual(after, [], 'dialled after the stop');
  assert.ok(
    outcomes.every(({ granted }) => granted === 0),
    'a permission outlived the stop',
  );
  // Both must win often, or nothing has raced.
  const share = dialled.length / RACES;
  assert.ok(share > 0.05 && share < 0.95, `the dial won ${Math.round(share * 100)} % of the races`);
  assert.ok(waitMs <= 60_000, `a stop took ${waitMs} ms`);
  const stopped = RACES - dialled.length;
  context.diagnostic(`stop first ${stopped}, dial first ${dialled.length}, slowest ${waitMs} ms`);
});

/** Says stop after a random number of round trips; returns how long that took to take effect. */
async function stopSomewhen(contactId: ContactId): Promise<number> {
  for (let trip = random.below(60); trip > 0; trip -= 1) await store.database.run(NOTHING);
  const startedAt = clock.monotonic();
  await stops.stop(contactId, { lineId: null, way: 'api' });
  return clock.monotonic() - startedAt;
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
