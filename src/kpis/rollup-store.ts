import { at, statement, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { MEASURES, type Measure } from './kpis.ts';
import { GRAIN_MS, ROLLUP_DIMENSIONS, type Grain, type RollupDelta } from './rollups.ts';

const NAMES = MEASURES.join(', ');

const ADD = statement(
  'kpi_rollups_add',
  `insert into kpi_rollups (account_id, dimension, grain, at, value, ${NAMES})
   select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[],
     ${MEASURES.map((_, index) => `$${index + 6}::bigint[]`).join(', ')})
   on conflict (account_id, dimension, grain, at, value) do update
     set ${MEASURES.map((name) => `${name} = kpi_rollups.${name} + excluded.${name}`).join(', ')}`,
);

export type AccountDelta = { accountId: AccountId; delta: RollupDelta };

/** Changes the sums; a row that is not there yet begins at nothing. */
export async function addToRollups(tx: Tx, rows: readonly AccountDelta[]): Promise<void> {
  if (rows.length === 0) return;
  const deltas = rows.map(({ delta }) => delta);
  const column = (name: Measure): number[] => deltas.map(({ measures }) => measures[name]);
  await tx.run(ADD, [
    rows.map(({ accountId }) => accountId),
    deltas.map(({ dimension }) => dimension),
    deltas.map(({ grain }) => grain),
    deltas.map((delta) => at(delta.at)),
    deltas.map(({ value }) => value),
    ...MEASURES.map(column),
  ]);
}

/** One sum of an account anew, from its contributions; `all` has the one value ''. */
function freshSums(dimension: string, grain: Grain): string {
  const seconds = GRAIN_MS[grain] / 1000;
  const value = dimension === 'all' ? `''` : `q.${dimension}`;
  const start = `to_timestamp(floor(extract(epoch from q.at) / ${seconds}) * ${seconds})`;
  return `select ${start} as at, ${value} as value,
      ${MEASURES.map((name) => `sum(q.${name})::bigint as ${name}`).join(', ')}
     from kpi_contributions q where q.account_id = $1 group by 1, 2`;
}

const same = MEASURES.map((name) => `coalesce(k.${name}, 0) = coalesce(f.${name}, 0)`).join(
  ' and ',
);

const REBUILDS = ROLLUP_DIMENSIONS.flatMap((dimension) =>
  (['h', 'd'] as const).map((grain) => ({
    differences: statement<{ differences: number }>(
      `kpi_rollups_differ_${dimension}_${grain}`,
      `with f as (${freshSums(dimension, grain)}),
            k as (select * from kpi_rollups where account_id = $1
                     and dimension = '${dimension}' and grain = '${grain}')
       select count(*) as differences from f full join k on k.at = f.at and k.value = f.value
        where not (${same})`,
    ),
    remove: statement(
      `kpi_rollups_clear_${dimension}_${grain}`,
      `delete from kpi_rollups
        where account_id = $1 and dimension = '${dimension}' and grain = '${grain}'`,
    ),
    insert: statement(
      `kpi_rollups_fresh_${dimension}_${grain}`,
      `insert into kpi_rollups (account_id, dimension, grain, at, value, ${NAMES})
       select $1, '${dimension}', '${grain}', f.* from (${freshSums(dimension, grain)}) f`,
    ),
  })),
);

/** Sums up all contributions anew; returns how many rows had said something else. */
export async function rebuildRollups(tx: Tx, accountId: AccountId): Promise<number> {
  let changed = 0;
  for (const { differences, remove, insert } of REBUILDS) {
    const found = (await tx.first(differences, [accountId]))?.differences ?? 0;
    changed += found;
    if (found === 0) continue;
    await tx.run(remove, [accountId]);
    await tx.run(insert, [accountId]);
  }
  return changed;
}
