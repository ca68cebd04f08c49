import type { Client } from 'pg';
import { DIMENSIONS, MEASURES, type Measure } from '../src/kpis/kpis.ts';

/**
 * Rows of figures without the people behind them: requests and calls as the worker would have
 * counted them, spread evenly over a time, and the roll-ups that belong to them. They go in by
 * plain SQL, because ten million histories through the real worker would take hours; that the
 * roll-ups are those of the rows, the rebuild of the product itself has to confirm.
 */
export type KpiSeed = {
  accountId: string;
  lines: readonly string[];
  /** Rows; a half are requests, the others calls. */
  rows: number;
  /** The number of the first row: seeds beside each other must not share any. */
  first: number;
  from: number;
  until: number;
  /** Of a hundred requests so many say yes; 65 unless given. */
  yes?: number;
};

/** A hash of the row's number, so that shares are mixed over lines and hours. */
const DRAW = (salt: number): string => `(abs(hashint4(n + ${salt})) % 100)`;
const isCall = 'n % 2 = 1';
const when = (condition: string): string => `case when ${condition} then 1 else 0 end`;
const request = (condition: string): string => when(`not (${isCall}) and (${condition})`);
const call = (condition: string): string => when(`${isCall} and (${condition})`);
const answered = `${DRAW(3)} < 78`;

const VALUES: Readonly<Record<Measure, string>> = {
  requests: request('true'),
  requests_sent: request('true'),
  requests_decided: request(`${DRAW(1)} < 95`),
  requests_granted: request(`${DRAW(1)} < $8::int`),
  opt_outs: request(`${DRAW(2)} < 2`),
  opt_out_ms: `${request(`${DRAW(2)} < 2`)} * 850`,
  calls: call('true'),
  calls_dialled: call('true'),
  calls_ended: call('true'),
  calls_reached: call('true'),
  calls_answered: call(answered),
  calls_completed: call(`${answered} and ${DRAW(4)} < 92`),
  calls_failed: call(`not (${answered}) and ${DRAW(4)} < 5`),
  pdd_calls: call('true'),
  pdd_ms: `${call('true')} * (1500 + ${DRAW(5)} * 20)`,
  talk_calls: call(answered),
  talk_ms: `${call(answered)} * (30000 + ${DRAW(6)} * 2000)`,
  dead_air_calls: call(answered),
  dead_air_ms: `${call(answered)} * (80 + ${DRAW(7)})`,
  aged_calls: call('true'),
  prompt_calls: call(`${DRAW(8)} < 70`),
  unanswered_calls: call(`not (${answered})`),
  streak_calls: call(`not (${answered}) and ${DRAW(9)} < 30`),
  surveys: call(`${answered} and ${DRAW(10)} < 40`),
  survey_points: `${call(`${answered} and ${DRAW(10)} < 40`)} * (3 + ${DRAW(11)} % 3)`,
};

const OF: Readonly<Record<(typeof DIMENSIONS)[number], string>> = {
  line: '($2::text[])[1 + n % cardinality($2::text[])]',
  template: `'template_' || (n / 2) % 6`,
  template_version: `'template_' || (n / 2) % 6 || '@' || 1 + (n / 12) % 3`,
  purpose: `'purpose_' || lpad(to_hex((n / 7) % 20), 32, '0')`,
  journey: `'jrn_' || (n / 3) % 8`,
  campaign: `'cmp_' || (n / 5) % 30`,
  experiment: `'exp_' || (n / 11) % 3`,
  arm: `'exp_' || (n / 11) % 3 || '/' || chr(97 + (n / 13) % 2)`,
  endpoint: `'end_' || (n / 17) % 5`,
  agent: `'agt_' || (n / 19) % 40`,
  country: `(array['GB', 'DE', 'IN', 'BR', 'ES'])[1 + (n / 23) % 5]`,
};

const INSERT = `
  insert into kpi_contributions (bucket, id, account_id, contact_id, kind, at,
    ${DIMENSIONS.join(', ')}, ${MEASURES.join(', ')})
  select n % 64,
         case when ${isCall} then 'call_' else 'preq_' end || '01990000-0000-7000-' ||
           to_hex(128 + n % 64) || '00-' || lpad(to_hex(n), 12, '0'),
         $1, 'cont_01990000-0000-7000-' || to_hex(128 + n % 64) || '00-' ||
           lpad(to_hex(n / 128), 12, '0'),
         case when ${isCall} then 'call' else 'request' end,
         $3::timestamptz + ($4::timestamptz - $3::timestamptz) * ((n - $5)::float8 / $6::float8),
         ${DIMENSIONS.map((name) => OF[name]).join(', ')},
         ${MEASURES.map((name) => VALUES[name]).join(', ')}
    from generate_series($5::int + $7::int,
                         $5::int + least($6::int, $7::int + $9::int) - 1) n`;

const SUMS = MEASURES.map((name) => `sum(${name})`).join(', ');

/** The sums of a time that no other seed touches, all of one grain and dimension at once. */
function rollupSql(dimension: string, grain: 'hour' | 'day'): string {
  const value = dimension === 'all' ? `''` : dimension;
  return `
    insert into kpi_rollups (account_id, dimension, grain, at, value, ${MEASURES.join(', ')})
    select $1, '${dimension}', '${grain.slice(0, 1)}', date_trunc('${grain}', at, 'UTC'), ${value},
           ${SUMS}
      from kpi_contributions where account_id = $1 and at >= $2 and at < $3 group by 4, 5`;
}

const ROWS_AT_ONCE = 200_000;

/** Whole days only: `from` and `until` are midnights, so that no sum is made of two seeds. */
export async function seedKpis(client: Client, seed: KpiSeed): Promise<void> {
  const { accountId, lines, rows, first, from, until, yes = 65 } = seed;
  const span = [new Date(from), new Date(until)];
  for (let done = 0; done < rows; done += ROWS_AT_ONCE) {
    const values = [accountId, lines, ...span, first, rows, done, yes, ROWS_AT_ONCE];
    await client.query(INSERT, values);
  }
  for (const dimension of ['all', ...DIMENSIONS]) {
    for (const grain of ['hour', 'day'] as const) {
      await client.query(rollupSql(dimension, grain), [accountId, ...span]);
    }
  }
}
