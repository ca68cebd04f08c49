import { openDialer } from '../src/calls/dialer.ts';
import { openDueDesk } from '../src/calls/due-desk.ts';
import { openDueWatch } from '../src/calls/due-watch.ts';
import { declaredStatements, statement, type Database } from '../src/database/database.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { delay, systemClock as clock } from '../src/platform/clock.ts';
import { bucketOf, makeIds, type AccountId } from '../src/platform/ids.ts';
import { systemRandom } from '../src/platform/random.ts';
import { testDatabase } from '../test/database.ts';
import { benchPacks, seedDial, type DialSeed } from './dial-seed.ts';
import { compare, hold, percentile, tell, type BenchResult } from './harness.ts';
import { openJobQueue, type JobQueue } from './schedule-jobs.ts';

/**
 * The schedule at size: calls of ten accounts that fall due within a minute, while many more wait.
 * Four ways to take them, in the same run on the same PostgreSQL: the schedule alone (who is next,
 * and the lease), the whole dial (lock, gate, permission, chained ledger, outbox), and
 * graphile-worker with as many jobs (bench/schedule-jobs.ts), whose handler does nothing, or
 * changes the rows of a dial in plain SQL. Only the last one does work like that of the whole dial.
 *
 *   npm run bench -- schedule --schedule-pending=1000000 --schedule-bursts=10000,100000 \
 *     --schedule-window=60000
 *
 * Without settings it is a quick run, which says little about size.
 */
const PENDING = Number(process.env['BENCH_SCHEDULE_PENDING'] ?? 20_000);
const BURSTS = (process.env['BENCH_SCHEDULE_BURSTS'] ?? '1500').split(',').map(Number);
const WINDOW_MS = Number(process.env['BENCH_SCHEDULE_WINDOW'] ?? 5_000);
const ACCOUNTS = 10;
const DAY_MS = 86_400_000;
/** Time to make a burst due before the first of it is: of each row, until one burst tells. */
const AHEAD_MS = 3_000;
const AHEAD_EACH_MS = 1.5;
/** A burst that is not over by then is counted as far as it came. */
const PATIENCE_MS = 180_000;
const GOAL = { rate: 2, lateness: 0.1, share: 0.8 };

type Outcome = {
  perSecond: number;
  p50: number;
  p99: number;
  /** Of the first half that was taken, the worst account's part of its fair share. */
  worstShare: number;
  /** Lateness (p99) of the account that waited longest. */
  worstP99: number;
};

type Take = (owner: number, dueAt: number) => void;
type Watch = { stop(): Promise<void> };
type Side = {
  makeDue(count: number, from: number): Promise<void>;
  watch(count: number, taken: Take): Promise<Watch> | Watch;
  /** Twice what a row of its last burst took to be made due. */
  aheadEachMs?: number;
};

export async function run(): Promise<BenchResult[]> {
  const store = await testDatabase({ durable: true, poolSize: 20 });
  const { database, connectionString } = store;
  const opened: Array<{ close(): Promise<void> }> = [store];
  try {
    const total = Math.max(PENDING, 4 * BURSTS.reduce((sum, burst) => sum + burst, 0));
    tell(`writing ${total} calls of ${ACCOUNTS} accounts`);
    const seed = await seedDial(connectionString, database.vault, total, ACCOUNTS);
    opened.unshift(seed);
    await explain(database);
    tell(`writing ${total} jobs`);
    const accounts = seed.owners.map(({ accountId }) => accountId);
    const queue = await openJobQueue(connectionString, accounts);
    opened.unshift(queue);
    await queue.fill(total, clock.now() + DAY_MS);
    await hold();
    const schedule = scheduleAlone(seed, database);
    const dial = wholeDial(seed, database);
    const results: BenchResult[] = [];
    for (const burst of BURSTS) {
      const taken = await measure(`${burst} by the schedule`, schedule, burst);
      const dialled = await measure(`${burst} by the dial`, dial, burst);
      const jobs = await measure(`${burst} by graphile-worker`, jobsOf(queue), burst);
      const dials = await measure(`${burst} dials by graphile-worker`, dialsOf(seed, queue), burst);
      const name = `${burst} due in ${WINDOW_MS / 1_000} s beside ${total} pending`;
      results.push(...resultsOf(`taken, ${name}`, taken, jobs));
      results.push(...resultsOf(`dialled, ${name}`, dialled, jobs));
      results.push(...resultsOf(`dialled beside jobs that dial, ${name}`, dialled, dials, DIALS));
    }
    return results;
  } finally {
    for (const each of opened) await each.close();
  }
}

const TAKE = statement<{ account_id: AccountId; due_at: number }>(
  'bench_schedule_take',
  `update calls c set status = 'dialing', lease_owner = 'bench',
          lease_until = now() + interval '1 hour'
     from unnest($1::smallint[], $2::text[]) v (bucket, id)
    where c.bucket = v.bucket and c.id = v.id and c.phase = 'queued'
   returning c.account_id, c.due_at`,
);

/** The schedule without the dial: who is next, and one statement that takes them. */
function scheduleAlone(seed: DialSeed, database: Database): Side {
  return {
    makeDue: (count, from) => makeDueEvenly(seed, count, from),
    watch(count, taken) {
      const desk = openDueDesk({ database, clock, owner: 'bench/run' });
      const accounts = seed.owners.map(({ accountId }) => accountId);
      let left = count;
      const loop = async (): Promise<void> => {
        while (left > 0) {
          const { due, lookAgainAt } = await desk.pick(256, []);
          if (due.length === 0) {
            await delay(clock, Math.min(250, Math.max(1, (lookAgainAt ?? Infinity) - clock.now())));
            continue;
          }
          const ids = due.map(({ id }) => id);
          const rows = await database.run(TAKE, [ids.map((id) => bucketOf(id)), ids]);
          for (const row of rows) taken(accounts.indexOf(row.account_id), row.due_at);
          left -= rows.length;
        }
      };
      const done = loop();
      // Kept until the stop, which is where it is told.
      done.catch(() => undefined);
      return {
        async stop() {
          left = 0;
          await done;
        },
      };
    },
  };
}

/** All that a gateway does until the call may leave for Meta. */
function wholeDial(seed: DialSeed, database: Database): Side {
  const dialer = openDialer({
    database,
    clock,
    ids: makeIds(clock, systemRandom),
    changes: makeChanges(),
    packs: benchPacks(),
    doNotCallKey: systemRandom.bytes(32),
    owner: 'bench/run',
    leaseSeconds: 3_600,
  });
  const accounts = seed.owners.map(({ accountId }) => accountId);
  return {
    makeDue: (count, from) => makeDueEvenly(seed, count, from),
    watch(count, taken) {
      let left = count;
      const watch = openDueWatch({
        clock,
        dialer,
        room: () => left,
        adopt: ({ state: { plan } }) => {
          left -= 1;
          taken(accounts.indexOf(plan.accountId), plan.dueAt);
        },
        onError: (error) => {
          throw error;
        },
      });
      return { stop: () => watch.close() };
    },
  };
}

function jobsOf(queue: JobQueue): Side {
  return {
    makeDue: (count, from) => queue.makeDue(count, from, WINDOW_MS / count),
    watch: (_count, taken) => queue.watch(taken),
  };
}

/** The same queue, each of its jobs changing the rows of a dial. */
function dialsOf(seed: DialSeed, queue: JobQueue): Side {
  return {
    async makeDue(count, from) {
      await makeDueEvenly(seed, count, from);
      await queue.addDials(from, from + WINDOW_MS);
    },
    watch: (_count, taken) => queue.watch(taken),
  };
}

/** The accounts' calls fall due in turns. */
async function makeDueEvenly(seed: DialSeed, count: number, from: number): Promise<void> {
  const spacing = WINDOW_MS / count;
  for (let owner = 0; owner < ACCOUNTS; owner += 1) {
    const first = Math.round(from + owner * spacing);
    await seed.makeDue(count / ACCOUNTS, first, spacing * ACCOUNTS, owner);
  }
}

async function measure(what: string, side: Side, count: number): Promise<Outcome> {
  tell(what);
  const began = clock.now();
  const from = Math.round(began + AHEAD_MS + (side.aheadEachMs ?? AHEAD_EACH_MS) * count);
  await side.makeDue(count, from);
  side.aheadEachMs = (2 * (clock.now() - began)) / count;
  if (clock.now() > from) throw new Error('this machine is too busy to prepare the next burst');
  const late: number[] = [];
  const owners: number[] = [];
  let lastAt = from;
  const watch = await side.watch(count, (owner, dueAt) => {
    lastAt = clock.now();
    late.push(lastAt - dueAt);
    owners.push(owner);
  });
  const until = from + WINDOW_MS + PATIENCE_MS;
  while (late.length < count && clock.now() < until) await delay(clock, 50);
  await watch.stop();
  if (late.length < count) tell(`${what}: only ${late.length} of ${count} in time`);
  return outcomeOf(late, owners, lastAt - from);
}

function outcomeOf(late: readonly number[], owners: readonly number[], tookMs: number): Outcome {
  const half = owners.slice(0, Math.ceil(owners.length / 2));
  const each = Array.from({ length: ACCOUNTS }, (_, owner) => ({
    share: (half.filter((one) => one === owner).length * ACCOUNTS) / half.length,
    p99: percentile(
      late.filter((_ms, index) => owners[index] === owner),
      0.99,
    ),
  }));
  return {
    perSecond: (late.length / Math.max(1, tookMs)) * 1_000,
    p50: percentile(late, 0.5),
    p99: percentile(late, 0.99),
    worstShare: Math.min(...each.map(({ share }) => share)),
    worstP99: Math.max(...each.map(({ p99 }) => p99)),
  };
}

const IDLE = 'graphile-worker, a job that does nothing';
const DIALS = 'graphile-worker, a job that changes the rows of a dial';

function resultsOf(name: string, ours: Outcome, theirs: Outcome, reference = IDLE): BenchResult[] {
  const beside = (value: number) => ({ name: reference, value });
  const late = { ratioAtMost: GOAL.lateness };
  return [
    compare({
      name: `per second ${name}`,
      value: ours.perSecond,
      unit: '/s',
      reference: beside(theirs.perSecond),
      goal: { ratioAtLeast: GOAL.rate },
    }),
    compare({
      name: `lateness p50 ${name}`,
      value: ours.p50,
      unit: 'ms',
      reference: beside(theirs.p50),
      goal: late,
    }),
    compare({
      name: `lateness p99 ${name}`,
      value: ours.p99,
      unit: 'ms',
      reference: beside(theirs.p99),
      goal: late,
    }),
    compare({
      name: `p99 of the account that waited longest, ${name}`,
      value: ours.worstP99,
      unit: 'ms',
      reference: beside(theirs.worstP99),
    }),
    compare({
      name: `the worst account's part of its fair share, ${name}`,
      value: ours.worstShare,
      unit: '',
      reference: beside(theirs.worstShare),
      goal: { atLeast: GOAL.share },
    }),
  ];
}

/** Tells by which index the schedule's questions are answered at this size. */
async function explain(database: Database): Promise<void> {
  const [first] = await database.run<{ lane: string; rank: number }>({
    name: '',
    text: 'select lane::text as lane, rank from calls limit 1',
  });
  const values: Readonly<Record<string, unknown[]>> = {
    call_lane_heads: ['-9223372036854775808', -1, 512],
    call_lane_due: [[first?.lane], [first?.rank], new Date(clock.now()), 256],
    call_lapsed: [new Date(clock.now()), 64],
  };
  for (const { name, text } of declaredStatements()) {
    if (values[name] === undefined) continue;
    const asked = { name: '', text: `explain (analyze, buffers off) ${text}` };
    const rows = await database.run<{ 'QUERY PLAN': string }>(asked, values[name]);
    const lines = rows.map((row) => row['QUERY PLAN'].trim());
    const scans = lines
      .filter((line) => line.includes(' on calls'))
      .map((line) => line.slice(0, 60));
    tell(`${name}: ${scans.join('; ')}; ${lines.at(-1) ?? ''}`);
  }
}
