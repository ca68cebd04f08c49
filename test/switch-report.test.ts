import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { benchPacks, seedDial, type DialSeed } from '../bench/dial-seed.ts';
import { readLines, type StoredLine } from '../src/lines/line-store.ts';
import { systemClock } from '../src/platform/clock.ts';
import { makeSwitchReport } from '../src/rulebook/switch-report.ts';
import { testDatabase, type TestDatabase } from './database.ts';

/**
 * The report before a switch of packs, over as many people as one likes: every figure is known
 * beforehand, each person is counted once, and a million need no more memory than a thousand.
 */
const PEOPLE = Number(process.env['ASKFIRST_SWITCH_PEOPLE'] ?? 300);
const HOUR_MS = 3_600_000;
const EXAMPLES = 10;
/** One call in so many is due in two hours, when only the easier pack still allows it. */
const ONE_IN = 8;
let testing: TestDatabase;
let seed: DialSeed;

before(async () => {
  testing = await testDatabase();
  seed = await seedDial(testing.connectionString, testing.database.vault, PEOPLE);
});

after(async () => {
  await seed.close();
  await testing.close();
});

test(`a report over ${PEOPLE} people counts each of them once and right`, async (t) => {
  const late = Math.floor(PEOPLE / ONE_IN);
  const now = systemClock.now();
  await seed.makeDue(late, now + 2 * HOUR_MS, 0);
  const line = await seededLine();
  const ports = { packs: benchPacks(), doNotCallKey: Buffer.alloc(32, 1) };
  const begun = process.cpuUsage();
  const heaps: number[] = [];
  const report = await makeSwitchReport(testing.database, ports, {
    before: { ...line, policyPack: 'meta-2026-06' },
    after: { ...line, policyPack: 'strict-2026-01' },
    now,
    examplesMax: EXAMPLES,
    isAbandoned: () => {
      heaps.push(process.memoryUsage().heapUsed);
      return false;
    },
  });
  const { user, system } = process.cpuUsage(begun);
  const mb = Math.round(Math.max(...heaps) / 2 ** 20);
  const told = `${((user + system) / 1e6).toFixed(1)} s of CPU in this process, at most ${mb} MB`;
  t.diagnostic(`${told}, ${heaps.length} pages`);
  assert.ok(report !== null);
  const { contactsChecked, permissions, calls, contacts } = report;
  assert.equal(contactsChecked, PEOPLE);
  // The yes ends a day after it was given under the strict pack; it was promised a bit longer.
  assert.deepEqual([permissions.earlier, permissions.endAtOnce], [PEOPLE, 0]);
  assert.equal(permissions.examples.length, Math.min(EXAMPLES, PEOPLE));
  // Two hours after the yes is too late under the strict pack.
  assert.deepEqual([calls.refused, calls.byRule], [late, { promise_kept: late }]);
  assert.equal(calls.examples.length, Math.min(EXAMPLES, late));
  assert.deepEqual([contacts.barred, contacts.freed], [0, 0]);
});

test('that Meta is asked only right before a dial is no change that a switch brings', async () => {
  const line = await seededLine();
  const ports = { packs: benchPacks(), doNotCallKey: Buffer.alloc(32, 1) };
  const question = { now: systemClock.now(), examplesMax: 1, isAbandoned: () => false };
  const report = await makeSwitchReport(testing.database, ports, {
    ...question,
    before: { ...line, policyPack: 'meta-2025-11' },
    after: { ...line, policyPack: 'meta-2026-06' },
  });
  assert.deepEqual([report?.calls.refused, report?.contacts.delayed], [0, 0]);
});

async function seededLine(): Promise<StoredLine> {
  const ids = seed.owners.map(({ lineId }) => lineId);
  const [line] = await readLines(testing.database, ids);
  assert.ok(line !== undefined);
  return line;
}
