import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { seedDial } from '../bench/dial-seed.ts';
import { seedKpis } from '../bench/kpi-seed.ts';
import { lookAtLine } from '../src/brakes/brake-commands.ts';
import { openDialer } from '../src/calls/dialer.ts';
import { statement } from '../src/database/database.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { systemClock } from '../src/platform/clock.ts';
import { makeIds, type AccountId, type LineId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { testDatabase } from './database.ts';

/** A pause races dials: whatever the gateway does, no call is dialled once the pause stands. */
const RUNS = 6;
const CALLS = 64;
const DAY_MS = 86_400_000;
const AWAKE = statement(
  'brake_race_awake',
  `update accounts set settings = '{"policy": {"lawOverlays": "off", "limits": {}}}'`,
);
const LINE = statement<{ id: LineId; account_id: AccountId }>(
  'brake_race_line',
  'select id, account_id from lines',
);
const COUNTS = statement<{ dialled: number; blocked: number }>(
  'brake_race_counts',
  `select count(*) filter (where phase = 'live')::int as dialled,
          count(*) filter (where state -> 'end' ->> 'reason' = 'line_paused')::int as blocked
     from calls where due_at <= now() and not (status = 'ended' and state ->> 'status' <> 'ended')`,
);
const RESET = [
  statement('brake_race_gone', "update calls set status = 'ended' where due_at <= now()"),
  statement('brake_race_lifted', 'delete from line_brakes'),
];

test(`in ${RUNS} races of a pause with ${CALLS} dials no call is dialled after it`, async () => {
  const random = seededRandom(85);
  const store = await testDatabase({ poolSize: 24 });
  const { database } = store;
  const seed = await seedDial(store.connectionString, database.vault, RUNS * CALLS);
  await database.run(AWAKE);
  const [line] = await database.run(LINE);
  assert.ok(line !== undefined);
  await makeHopeless(store.connectionString, line);
  const ids = makeIds(systemClock, random);
  const ports = { database, clock: systemClock, ids, changes: makeChanges() };
  const gate = { packs: makePolicyPacks(), doNotCallKey: random.bytes(32) };
  const dialer = openDialer({ ...ports, ...gate, owner: 'pause/1', leaseSeconds: 3_600 });
  let both = 0;
  for (let run = 0; run < RUNS; run += 1) {
    await seed.makeDue(CALLS, systemClock.now() - 1_000, 0);
    const drain = async (): Promise<void> => {
      for (let turn = 0; turn < CALLS / 2; turn += 1) {
        assert.deepEqual((await dialer.claim(2 + run)).errors, []);
      }
    };
    const pausing = async (): Promise<number> => {
      // So many statements before the pause: another moment in each run, and no clock.
      for (let turn = 0; turn < run * 4; turn += 1) await database.run(COUNTS);
      assert.equal(await lookAtLine(ports, line.account_id, line.id), true);
      return (await database.first(COUNTS))?.dialled ?? 0;
    };
    const [, dialledBefore] = await Promise.all([drain(), pausing()]);
    const left = await database.first(COUNTS);
    assert.equal(left?.dialled, dialledBefore, 'a call was dialled after the pause');
    if (left.dialled > 0 && left.blocked > 0) both += 1;
    for (const reset of RESET) await database.run(reset);
  }
  await seed.close();
  await store.close();
  assert.ok(both > 0, 'the pause never came in the middle of the dials');
});

/** Nearly everybody who was asked on this line said no. */
async function makeHopeless(
  connectionString: string,
  { id, account_id: accountId }: { id: LineId; account_id: AccountId },
): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  const midnight = Math.floor(systemClock.now() / DAY_MS) * DAY_MS;
  const span = { from: midnight - DAY_MS, until: midnight + DAY_MS };
  await seedKpis(client, { accountId, lines: [id], rows: 2_000, first: 0, ...span, yes: 2 });
  await client.end();
}
