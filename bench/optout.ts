import { Client } from 'pg';

import { openDialer } from '../src/calls/dialer.ts';
import { openDueWatch } from '../src/calls/due-watch.ts';
import { openOptOutDesk, type OptOutDesk } from '../src/consent/opt-out-desk.ts';
import { makeOptOutLatency } from '../src/consent/opt-out-metrics.ts';
import type { Database } from '../src/database/database.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { delay, systemClock as clock } from '../src/platform/clock.ts';
import { makeIds, type ContactId } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { testDatabase } from '../test/database.ts';
import { benchPacks, seedDial, type DialSeed } from './dial-seed.ts';
import { compare, hold, median, percentile, tell, type BenchResult } from './harness.ts';
import { bareOptOut } from './optout-bare.ts';

/**
 * A stop, from its beginning to the commit that blocks every dial, while 500 calls a second fall
 * due and are dialled beside it: of ordinary people, and of people with 1,000 calls waiting. The
 * reference changes the same rows in plain SQL, in turns with ours. Every size up to the wanted
 * one is measured in a database of its own, so that the last figures are a curve.
 *
 *   npm run bench -- optout                                20,000 calls pending, half a minute
 *   BENCH_OPTOUT_PENDING=3000000 npm run bench -- optout   the whole curve, many minutes
 *
 * With `--hold=FILE` it measures when FILE is there, within the hour that a yes counts for.
 */
const PENDING = Number(process.env['BENCH_OPTOUT_PENDING'] ?? 20_000);
const SIZES = [10_000, 100_000, 1_000_000, 3_000_000].filter((size) => size < PENDING);
const DUE_PER_SECOND = 500;
const SPREAD_MS = Number(process.env['BENCH_OPTOUT_SECONDS'] ?? 6) * 1_000;
const AHEAD_MS = 1_500;
/** Between two stops: far more stops than a business of that size ever hears. */
const PAUSE_MS = 20;
const CROWD = { people: 12, calls: 1_000 };
const CROWD_EVERY = 20;
const CROWD_FROM = 4;
const GOAL = { p50: 5, p99: 100 };

type Samples = { ours: number[]; bare: number[] };
type Round = { size: number; ordinary: Samples; crowd: Samples; dialled: number };

export async function run(): Promise<BenchResult[]> {
  const stages: Stage[] = [];
  const rounds: Round[] = [];
  try {
    for (const size of [...SIZES, PENDING]) stages.push(await openStage(size));
    await hold();
    for (const { size, database, seed, people } of stages) {
      rounds.push({ size, ...(await stopWhileDialling(database, seed, people)) });
    }
  } finally {
    for (const stage of stages) await stage.close();
  }
  const last = rounds.at(-1);
  if (last === undefined) return [];
  return [
    ...figures(`stop with ${last.size} calls pending`, last.ordinary),
    ...figures(`stop of one with ${CROWD.calls} of them`, last.crowd),
    compare({
      name: 'calls dialled beside it',
      value: last.dialled / (SPREAD_MS / 1_000),
      unit: '/s',
      goal: { atLeast: DUE_PER_SECOND * 0.9 },
    }),
    ...rounds.map(({ size, ordinary }) => curvePoint(size, ordinary)),
  ];
}

type Stage = {
  size: number;
  database: Database;
  seed: DialSeed;
  people: People;
  close(): Promise<void>;
};

/** The rows of one size, in a database of their own. */
async function openStage(size: number): Promise<Stage> {
  tell(`writing ${size} calls`);
  const store = await testDatabase({ durable: true });
  const { database } = store;
  const seed = await seedDial(store.connectionString, database.vault, size);
  const admin = new Client({ connectionString: store.connectionString });
  await admin.connect();
  const people = await prepare(admin, size);
  await admin.end();
  const close = async (): Promise<void> => {
    await seed.close();
    await store.close();
  };
  return { size, database, seed, people, close };
}

type People = { ordinary: ContactId[]; crowd: ContactId[] };

/** People from all over the tables, and some of them with a thousand calls more. */
async function prepare(admin: Client, size: number): Promise<People> {
  // Whoever is dialled here is awake at all hours.
  await admin.query(
    `update accounts set settings = '{"policy": {"lawOverlays": "off", "limits": {}}}'`,
  );
  const wanted = Math.ceil(SPREAD_MS / PAUSE_MS) + 2 * CROWD.people;
  const { rows } = await admin.query<{ contact_id: ContactId }>(
    `select contact_id from calls tablesample bernoulli ($1) order by md5(id) limit $2`,
    [Math.min(100, (wanted * 400) / size), wanted],
  );
  const ids = rows.map((row) => row.contact_id);
  const crowd = ids.splice(0, 2 * CROWD.people);
  await admin.query(
    `insert into calls (bucket, id, account_id, contact_id, line_id, status, state, due_at,
       created_at)
     select c.bucket, v.id, c.account_id, c.contact_id, c.line_id, 'queued',
            jsonb_set(c.state, '{plan,id}', to_jsonb(v.id)), c.due_at, now()
       from calls c
       join unnest($1::text[]) with ordinality p (contact_id, n) on p.contact_id = c.contact_id
      cross join generate_series(1, $2) m
      cross join lateral (select left(c.id, -12) || lpad(to_hex(281474000000000 - p.n * 1000 - m),
        12, '0') as id) v`,
    [crowd, CROWD.calls - 1],
  );
  await admin.query('analyze calls');
  return { ordinary: ids, crowd };
}

async function stopWhileDialling(
  database: Database,
  seed: DialSeed,
  people: People,
): Promise<Omit<Round, 'size'>> {
  const ports = portsOf(database);
  const stops = openOptOutDesk(ports.desk);
  const late: number[] = [];
  let fault: unknown = null;
  const count = Math.floor((DUE_PER_SECOND * SPREAD_MS) / 1_000);
  const from = clock.now() + AHEAD_MS;
  await seed.makeDue(count, from, 1_000 / DUE_PER_SECOND);
  const watch = openDueWatch({
    clock,
    dialer: ports.dialer,
    room: () => count,
    adopt: ({ state }) => late.push(clock.now() - state.plan.dueAt),
    onError: (error) => (fault = error),
  });
  await delay(clock, Math.max(0, from - clock.now()));
  const samples = await stopMany(database, stops, people, from + SPREAD_MS);
  await delay(clock, 1_000);
  await watch.close();
  if (fault !== null) throw fault;
  return { ...samples, dialled: late.length };
}

async function stopMany(
  database: Database,
  stops: OptOutDesk,
  people: People,
  until: number,
): Promise<Pick<Round, 'ordinary' | 'crowd'>> {
  const ordinary: Samples = { ours: [], bare: [] };
  const crowd: Samples = { ours: [], bare: [] };
  for (let turn = 0; clock.now() < until; turn += 1) {
    // A pair early in each twenty, so that a busy machine measures some of them too.
    const isCrowd = turn % CROWD_EVERY >= CROWD_FROM && turn % CROWD_EVERY < CROWD_FROM + 2;
    if (isCrowd && people.crowd.length === 0) continue;
    const contactId = (isCrowd ? people.crowd : people.ordinary).pop();
    if (contactId === undefined) break;
    const side = turn % 2 === 0 ? 'ours' : 'bare';
    const startedAt = clock.monotonic();
    if (side === 'ours') await stops.stop(contactId, { lineId: null, way: 'api' });
    else await bareOptOut(database, contactId);
    (isCrowd ? crowd : ordinary)[side].push(clock.monotonic() - startedAt);
    await delay(clock, PAUSE_MS);
  }
  return { ordinary, crowd };
}

function portsOf(database: Database) {
  const ledger = { database, clock, ids: makeIds(clock, systemRandom), changes: makeChanges() };
  const packs = benchPacks();
  const doNotCallKey = systemRandom.bytes(32);
  const lease = { owner: 'bench/run', leaseSeconds: 3_600 };
  const optOutLatency = makeOptOutLatency({ clock, log: silentLog, database });
  const rulesOfLine = async () => packs.rulesOf('strict-2026-01');
  return {
    dialer: openDialer({ ...ledger, packs, doNotCallKey, ...lease }),
    desk: { ...ledger, doNotCallKey, rulesOfLine, optOutLatency },
  };
}

const BARE = 'the same rows in plain SQL';

function figures(name: string, { ours, bare }: Samples): BenchResult[] {
  return (['p50', 'p99'] as const).map((figure) => {
    const of = (samples: number[]): number =>
      figure === 'p50' ? median(samples) : percentile(samples, 0.99);
    // The goal of the median is for ordinary people; a thousand calls have their own last second.
    const isGoal = figure === 'p99' || !name.includes('one with');
    return compare({
      name: `${name}, ${figure}`,
      value: of(ours),
      unit: 'ms',
      reference: { name: BARE, value: of(bare) },
      ...(isGoal ? { goal: { atMost: GOAL[figure] } } : {}),
    });
  });
}

function curvePoint(size: number, { ours, bare }: Samples): BenchResult {
  return compare({
    name: `growth: p50 at ${size}`,
    value: median(ours),
    unit: 'ms',
    reference: { name: BARE, value: median(bare) },
  });
}
