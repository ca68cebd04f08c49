import { at, statement, type Queryable, type Statement } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import {
  DIMENSIONS,
  MEASURES,
  type Contribution,
  type Dimension,
  type Dimensions,
  type Measure,
  type Measures,
} from './kpis.ts';
import { startOf, type Grain, type RollupDimension } from './rollups.ts';

/** Only what has these values; `hour` is that of the day, `00` to `23`, UTC. */
export type KpiFilters = Partial<Dimensions> & { hour?: string };

/** What is asked: whole hours in [from, until), of whom, and taken apart by what. */
export type KpiQuestion = {
  accountId: AccountId;
  from: number;
  until: number;
  filters: KpiFilters;
  /** `hour` is the hour of the day, UTC. */
  groupBy: Dimension | 'hour' | null;
  /** One row per hour or day (UTC) instead of one for all the time. */
  period: Grain | null;
};

export type Sums = { value: string; at: number | null; measures: Measures };
type SumRow = { value: string; at: number | null } & Record<Measure, string | number>;

const SUMMED = MEASURES.map((name) => `coalesce(sum(${name}), 0)::bigint as ${name}`).join(', ');
const NAMES = MEASURES.join(', ');

/** The start of the hour or day, in UTC, whatever zone the connection is in; null for neither. */
const periodOf = (period: string): string =>
  `case ${period}::text when 'h' then date_trunc('hour', at, 'UTC')
                   when 'd' then date_trunc('day', at, 'UTC') end`;

const HOUR = `lpad(extract(hour from at at time zone 'UTC')::text, 2, '0')`;

const PIECE = (grain: Grain, from: string, until: string): string =>
  `select value, at, ${NAMES} from kpi_rollups
    where account_id = $1 and dimension = $2 and grain = '${grain}' and at >= ${from}
      and at < ${until} and ($7::text is null or value = $7)`;

// Whole days by their own sums, the hours at both ends by theirs: the time asked about may grow
// without the number of rows growing by the hour.
const FROM_ROLLUPS = statement<SumRow>(
  'kpi_sums_of_rollups',
  `select case $8::text when 'value' then value
            when 'hour' then ${HOUR}
            else '' end as value,
          ${periodOf('$9')} as at,
          ${SUMMED}
     from (${PIECE('d', '$5', '$6')} union all ${PIECE('h', '$3', '$5')}
           union all ${PIECE('h', '$6', '$4')}) r
    group by 1, 2 order by 2, 1`,
);

// Two dimensions at once: from the rows themselves, whose number the time asked about bounds.
const FROM_ROWS = statement<SumRow>(
  'kpi_sums_of_rows',
  `select case $4::text
            ${DIMENSIONS.map((name) => `when '${name}' then ${name}`).join(' ')}
            when 'hour' then ${HOUR}
            else '' end as value,
          ${periodOf('$5')} as at,
          ${SUMMED}
     from kpi_contributions
    where account_id = $1 and at >= $2 and at < $3
      and ${filtersFrom(6)}
    group by 1, 2 order by 2, 1`,
);

function filtersFrom(first: number): string {
  const columns = [...DIMENSIONS, HOUR];
  return columns
    .map((column, index) => `($${first + index}::text is null or ${column} = $${first + index})`)
    .join(' and ');
}

/** The sums asked for; from roll-ups wherever one dimension at most plays a part. */
export async function readSums(db: Queryable, question: KpiQuestion): Promise<Sums[]> {
  const { accountId, groupBy, period, filters } = question;
  const from = startOf('h', question.from);
  const until = startOf('h', question.until + 3_599_999);
  const filtered = DIMENSIONS.filter((name) => filters[name] !== undefined);
  const named = groupBy === null || groupBy === 'hour' ? filtered : [...filtered, groupBy];
  const dimensions = new Set<RollupDimension>(named);
  const span = [at(from), at(until)] as const;
  if (dimensions.size > 1 || filters.hour !== undefined) {
    const values = [accountId, ...span, groupBy, period, ...filterValues(filters)];
    return (await db.run(FROM_ROWS, values)).map(toSums);
  }
  const [dimension = 'all'] = dimensions;
  const days = wholeDays(from, until, period === 'h' || groupBy === 'hour');
  const value = filtered[0] === undefined ? null : filters[filtered[0]];
  const group = groupBy === null || groupBy === 'hour' ? groupBy : 'value';
  const values = [accountId, dimension, ...span, ...days.map((day) => at(day)), value];
  return (await db.run(FROM_ROLLUPS, [...values, group, period])).map(toSums);
}

function wholeDays(from: number, until: number, needsHours: boolean): [number, number] {
  const first = startOf('d', from + 86_399_999);
  const last = startOf('d', until);
  return needsHours || first >= last ? [until, until] : [first, last];
}

function filterValues(filters: KpiFilters): Array<string | null> {
  return [...DIMENSIONS, 'hour' as const].map((name) => filters[name] ?? null);
}

function toSums(row: SumRow): Sums {
  const measures = Object.fromEntries(MEASURES.map((name) => [name, Number(row[name])]));
  return { value: row.value, at: row.at, measures: measures as Measures };
}

export type ItemQuestion = Pick<KpiQuestion, 'accountId' | 'from' | 'until' | 'filters'> & {
  measure: Measure;
  after: string | null;
  limit: number;
};

/** One request or call behind a figure, and how much it adds to it. */
export type KpiItem = Pick<Contribution, 'id' | 'contactId' | 'kind' | 'at' | 'dimensions'> & {
  amount: number;
};

type ItemRow = { id: string; contact_id: string; kind: Contribution['kind']; at: number } & {
  amount: number;
} & Dimensions;

const ITEMS = Object.fromEntries(
  MEASURES.map((measure) => [
    measure,
    statement<ItemRow>(
      `kpi_items_${measure}`,
      `select id, contact_id, kind, at, ${measure} as amount, ${DIMENSIONS.join(', ')}
         from kpi_contributions
        where account_id = $1 and at >= $2 and at < $3 and ${measure} <> 0
          and ($4::text is null or (at, id) < (
            select q.at, q.id from kpi_contributions q
             where q.account_id = $1 and q.bucket = $5 and q.id = $4))
          and ${filtersFrom(7)}
        order by at desc, id desc limit $6`,
    ),
  ]),
) as Record<Measure, Statement<ItemRow>>;

/** The requests or calls that a measure counts, latest first. */
export async function readItems(
  db: Queryable,
  question: ItemQuestion & { afterBucket: number },
): Promise<KpiItem[]> {
  const { accountId, measure, after, afterBucket, limit, filters } = question;
  const from = startOf('h', question.from);
  const until = startOf('h', question.until + 3_599_999);
  const values = [accountId, at(from), at(until), after, afterBucket, limit];
  const rows = await db.run(ITEMS[measure], [...values, ...filterValues(filters)]);
  return rows.map((row) => ({
    id: row.id,
    contactId: row.contact_id,
    kind: row.kind,
    at: row.at,
    amount: row.amount,
    dimensions: Object.fromEntries(DIMENSIONS.map((name) => [name, row[name]])) as Dimensions,
  }));
}
