import { openDialer, type Dialer } from '../src/calls/dialer.ts';
import { openDueWatch } from '../src/calls/due-watch.ts';
import type { Database } from '../src/database/database.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { delay, systemClock as clock } from '../src/platform/clock.ts';
import { makeIds } from '../src/platform/ids.ts';
import { systemRandom } from '../src/platform/random.ts';
import { testDatabase } from '../test/database.ts';
import { openBareDialer, type BareDialer } from './dial-bare.ts';
import { benchPacks, seedDial, type DialSeed } from './dial-seed.ts';
import { compare, median, percentile, type BenchResult } from './harness.ts';

/**
 * The dial transaction with a million calls waiting: how many calls a second leave the queue when
 * plenty are due, and how late a call is when they fall due one by one. The reference takes calls
 * from the same table and writes one row for each, and nothing else: no lock on a person, no
 * gate, no permission, no chained ledger, no outbox. The two are measured in turns.
 *
 *   BENCH_DIAL_PENDING=50000 npm run bench -- dial      a quick run
 */
const PENDING = Number(process.env['BENCH_DIAL_PENDING'] ?? 1_000_000);
const ROUNDS = 3;
const BURST = Math.min(5_000, Math.floor(PENDING / 25));
const RATES = [500, 1_000] as const;
const SPREAD_MS = 5_000;
/** Time to make the calls due before the first of them is. */
const AHEAD_MS = 4_000;
const PATIENCE_MS = 60_000;
const GOAL = { perSecond: 1_000, p50: 10, p99: 100 };

type Lateness = { p50: number; p99: number };
type Side = { burst: number[]; late: Map<number, Lateness[]> };

export async function run(): Promise<BenchResult[]> {
  const store = await testDatabase({ durable: true });
  const seed = await seedDial(store.connectionString, store.database.vault, PENDING);
  const dialer = openOurDialer(store.database);
  const bare = openBareDialer(store.database, clock);
  const ours: Side = { burst: [], late: new Map() };
  const reference: Side = { burst: [], late: new Map() };
  try {
    await burst(seed, () => drain(dialer, BURST));
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.burst.push(await burst(seed, () => drain(dialer, BURST)));
      reference.burst.push(await burst(seed, () => bare.drain()));
      for (const rate of RATES) {
        keep(ours, rate, await latenessOfOurs(seed, dialer, rate));
        keep(reference, rate, await latenessOfBare(seed, bare, rate));
      }
    }
  } finally {
    await seed.close();
    await store.close();
  }
  return [burstResult(ours, reference), ...RATES.flatMap((r) => lateResults(ours, reference, r))];
}

function openOurDialer(database: Database): Dialer {
  return openDialer({
    database,
    clock,
    ids: makeIds(clock, systemRandom),
    changes: makeChanges(),
    packs: benchPacks(),
    doNotCallKey: systemRandom.bytes(32),
    owner: 'bench/run',
    leaseSeconds: 3_600,
  });
}

/** Calls a second, with all of them due at once. */
async function burst(seed: DialSeed, dispatch: () => Promise<number>): Promise<number> {
  await seed.makeDue(BURST, clock.now() - 1_000, 0);
  const startedAt = clock.monotonic();
  const count = await dispatch();
  if (count !== BURST) throw new Error(`${count} of ${BURST} due calls were dispatched`);
  return (BURST / (clock.monotonic() - startedAt)) * 1_000;
}

async function drain(dialer: Dialer, count: number): Promise<number> {
  let dialed = 0;
  while (dialed < count) {
    const claim = await dialer.claim(count - dialed);
    if (claim.dialed.length === 0) throw claim.errors[0] ?? new Error('a due call was not dialled');
    dialed += claim.dialed.length;
  }
  return dialed;
}

async function latenessOfOurs(seed: DialSeed, dialer: Dialer, rate: number): Promise<Lateness> {
  const late: number[] = [];
  const count = await spread(seed, rate);
  let broken: unknown = null;
  const watch = openDueWatch({
    clock,
    dialer,
    room: () => count - late.length,
    adopt: ({ state }) => late.push(clock.now() - state.plan.dueAt),
    onError: (error) => (broken = error),
  });
  await allOf(count, late, () => broken);
  await watch.close();
  return { p50: median(late), p99: percentile(late, 0.99) };
}

async function latenessOfBare(seed: DialSeed, bare: BareDialer, rate: number): Promise<Lateness> {
  const late: number[] = [];
  const count = await spread(seed, rate);
  let broken: unknown = null;
  const stop = bare.watch((dueAt) => late.push(clock.now() - dueAt));
  stop.failed.catch((error: unknown) => (broken = error));
  await allOf(count, late, () => broken);
  await stop.stop();
  return { p50: median(late), p99: percentile(late, 0.99) };
}

/** Makes calls due one after the other, evenly, from a few seconds on; returns how many. */
async function spread(seed: DialSeed, rate: number): Promise<number> {
  const count = Math.min(BURST, Math.floor((rate * SPREAD_MS) / 1_000));
  const from = clock.now() + AHEAD_MS;
  await seed.makeDue(count, from, 1_000 / rate);
  if (clock.now() > from) throw new Error('this machine is too busy to prepare the next round');
  return count;
}

async function allOf(count: number, late: readonly number[], fault: () => unknown): Promise<void> {
  const end = clock.now() + PATIENCE_MS;
  while (late.length < count) {
    if (fault() !== null) throw fault();
    if (clock.now() > end) throw new Error(`only ${late.length} of ${count} calls were dispatched`);
    await delay(clock, 50);
  }
}

function keep(side: Side, rate: number, lateness: Lateness): void {
  side.late.set(rate, [...(side.late.get(rate) ?? []), lateness]);
}

const BARE = 'bare claim and one insert';

function burstResult(ours: Side, reference: Side): BenchResult {
  return compare({
    name: `calls dispatched per second, ${PENDING} pending`,
    value: median(ours.burst),
    unit: '/s',
    reference: { name: BARE, value: median(reference.burst) },
    goal: { atLeast: GOAL.perSecond },
  });
}

function lateResults(ours: Side, reference: Side, rate: number): BenchResult[] {
  const middle = (side: Side, figure: keyof Lateness): number =>
    median((side.late.get(rate) ?? []).map((lateness) => lateness[figure]));
  return (['p50', 'p99'] as const).map((figure) =>
    compare({
      name: `lateness at ${rate} due a second, ${figure}`,
      value: middle(ours, figure),
      unit: 'ms',
      reference: { name: BARE, value: middle(reference, figure) },
      goal: { atMost: GOAL[figure] },
    }),
  );
}
