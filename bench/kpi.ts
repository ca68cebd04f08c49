import { Client } from 'pg';

import { ensureAccount } from '../src/accounts/account-store.ts';
import type { Database } from '../src/database/database.ts';
import { readItems } from '../src/kpis/kpi-query-store.ts';
import { kpiReport } from '../src/kpis/kpi-report.ts';
import { DAY_MS } from '../src/kpis/kpis.ts';
import { rebuildRollups } from '../src/kpis/rollup-store.ts';
import { systemClock as clock } from '../src/platform/clock.ts';
import { makeIds, type AccountId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { testDatabase, type TestDatabase } from '../test/database.ts';
import { compare, percentile, tell, type BenchResult } from './harness.ts';
import { seedKpis } from './kpi-seed.ts';

/**
 * What the figures' page waits for: all figures of the last 30 days, apart by line, with the
 * trend by day, as `GET /v1/kpis` answers; and the first page of the calls behind a number. The
 * history before those days grows tenfold in between, so that the last figures are a curve: it
 * stays flat. The reference sums up the same 30 days from the rows, as one would without roll-ups.
 *
 *   npm run bench -- kpi                         200,000 requests and calls, a minute
 *   BENCH_KPI_ROWS=10000000 npm run bench -- kpi the curve: 100 k, 1 M, 10 M
 *
 * Seeded by SQL are the counted rows and their roll-ups, not the ledgers behind them; at up to a
 * million rows the product's own rebuild confirms that the roll-ups are those of the rows.
 */
const ROWS = Number(process.env['BENCH_KPI_ROWS'] ?? 200_000);
const LAST_DAYS = 30;
/** Of all rows, so many lie in the days that are asked about; at most so many. */
const RECENT_MAX = 300_000;
const RECENT_SHARE = 0.3;
/** The history before them: so many days are added at each step. */
const OLD_DAYS = 300;
const QUERIES = 60;
const GOAL_MS = 200;
const CONFIRM_MAX = 1_000_000;

type Point = { rows: number; report: number; apart: number; items: number; bare: number };

export async function run(): Promise<BenchResult[]> {
  const store = await testDatabase({ durable: true });
  const client = new Client({ connectionString: store.connectionString });
  await client.connect();
  try {
    return results(await curve(store, client));
  } finally {
    await client.end();
    await store.close();
  }
}

async function curve(store: TestDatabase, client: Client): Promise<Point[]> {
  const ids = makeIds(clock, seededRandom(5));
  const accountId = await store.database.transaction((tx) => ensureAccount(tx, ids, 'Figures'));
  const lines = Array.from({ length: 5 }, () => ids.next('line'));
  const midnight = Math.floor(clock.now() / DAY_MS) * DAY_MS;
  const recent = Math.min(RECENT_MAX, Math.ceil(ROWS * RECENT_SHARE));
  const points: Point[] = [];
  let rows = 0;
  let until = midnight;
  for (const size of [...[100_000, 1_000_000].filter((one) => one < ROWS && one > recent), ROWS]) {
    const isFirst = rows === 0;
    const seed = async (more: number, days: number): Promise<void> => {
      const from = until - days * DAY_MS;
      await seedKpis(client, { accountId, lines, rows: more, first: rows, from, until });
      rows += more;
      until = from;
    };
    tell(`seeding ${size} rows …`);
    if (isFirst) await seed(recent, LAST_DAYS);
    await seed(size - rows, OLD_DAYS);
    await client.query('vacuum analyze kpi_contributions, kpi_rollups');
    points.push({ rows, ...(await measure(store.database, client, accountId, midnight)) });
  }
  if (rows <= CONFIRM_MAX) await confirm(store.database, accountId);
  return points;
}

/** The product itself works all sums out anew; where any differs, the seed was not a real one. */
async function confirm(database: Database, accountId: AccountId): Promise<void> {
  const changed = await database.transaction((tx) => rebuildRollups(tx, accountId));
  if (changed !== 0) throw new Error(`${changed} seeded sums are not those of the rows`);
}

async function measure(
  database: Database,
  client: Client,
  accountId: AccountId,
  midnight: number,
): Promise<Omit<Point, 'rows'>> {
  const span = {
    from: new Date(midnight - LAST_DAYS * DAY_MS).toISOString(),
    until: new Date(midnight).toISOString(),
  };
  const page = { measure: 'requests_granted', after: null, afterBucket: 0, limit: 21 } as const;
  const times = { from: Date.parse(span.from), until: Date.parse(span.until) };
  return {
    report: await p95(() => kpiReport(database, accountId, { ...span, groupBy: 'line' }, midnight)),
    apart: await p95(() =>
      kpiReport(database, accountId, { ...span, groupBy: 'campaign' }, midnight),
    ),
    items: await p95(() => readItems(database, { accountId, ...times, filters: {}, ...page })),
    bare: await p95(
      () =>
        client.query(
          `select line, date_trunc('day', at, 'UTC'), sum(requests_granted), sum(requests_decided)
             from kpi_contributions where account_id = $1 and at >= $2 and at < $3 group by 1, 2`,
          [accountId, new Date(times.from), new Date(times.until)],
        ),
      5,
    ),
  };
}

async function p95(ask: () => Promise<unknown>, queries = QUERIES): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < queries; n += 1) {
    const from = clock.monotonic();
    await ask();
    took.push(clock.monotonic() - from);
  }
  return percentile(took, 0.95);
}

function results(points: readonly Point[]): BenchResult[] {
  const goal = { atMost: GOAL_MS };
  const flat = { unit: 'ms', goal } as const;
  const [first] = points;
  const last = points.at(-1);
  return [
    ...points.flatMap(({ rows, report, apart, items, bare }) => [
      compare({
        name: `p95 of all figures by line, ${rows} rows`,
        value: report,
        ...flat,
        reference: { name: 'two sums from the rows', value: bare },
      }),
      compare({ name: `p95 of all figures by campaign, ${rows} rows`, value: apart, ...flat }),
      compare({ name: `p95 of the calls behind a number, ${rows} rows`, value: items, ...flat }),
    ]),
    ...(first === undefined || last === undefined || first === last
      ? []
      : [
          compare({
            name: `growth of that p95 from ${first.rows} to ${last.rows} rows`,
            value: last.report / first.report,
            unit: 'times',
            goal: { atMost: 2 },
          }),
        ]),
  ];
}
