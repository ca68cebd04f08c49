import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { readSums } from '../../src/kpis/kpi-query-store.ts';
import { DIMENSIONS, MEASURES, type Dimension } from '../../src/kpis/kpis.ts';
import { purposeIdOf } from '../../src/kpis/purposes.ts';
import type { Page } from '../../src/http/api-types.ts';
import type { Story } from '../harness.ts';
import { ORACLE, oracleSums, sumsThatSay, type OracleRow } from '../kpi-oracle.ts';
import type { Business } from './cast.ts';

/** From when to when the figures of a day are looked at. */
export type Span = { from: number; until: number };

/**
 * Compares every figure of every business with an independent SQL over the ledger, in total, by
 * the hour and by each dimension; throws at the first that differs. Returns how many it compared.
 */
export async function compareFigures(
  story: Story,
  client: Client,
  businesses: ReadonlySet<Business>,
  span: Span,
): Promise<number> {
  let compared = 0;
  // What lies in JSON has no statistics, and loops within loops are what the planner takes then.
  await client.query(`set enable_nestloop to off; set work_mem to '256MB'`);
  for (const { accountId, api } of businesses) {
    const purposes = [
      ...(await all<{ id: string; purpose: string }>(api, '/v1/permission-requests')),
      ...(await all<{ id: string; purpose: string }>(api, '/v1/calls')),
    ];
    const { vault } = story.database;
    const named = purposes.map(({ purpose }) => purposeIdOf(vault, accountId, purpose));
    const values = [accountId, purposes.map(({ id }) => id), named];
    const oracle = oracleSums((await client.query<OracleRow>(ORACLE, values)).rows);
    assert.ok((oracle.get('')?.get('')?.requests ?? 0) > 0, 'somebody was asked');
    const groups: Array<Dimension | 'hour' | null> = [null, 'hour', ...DIMENSIONS];
    for (const groupBy of groups) {
      const wanted = { accountId, ...span, filters: {}, groupBy, period: null };
      const sums = await readSums(story.database, wanted);
      const ours = new Map(sums.map(({ value, measures }) => [value, measures]));
      const theirs = sumsThatSay(oracle.get(groupBy ?? ''));
      assert.deepEqual(sumsThatSay(ours), theirs, `by ${groupBy}`);
      compared += theirs.length * MEASURES.length;
    }
  }
  return compared;
}

async function all<T>(api: Story['api'], path: string): Promise<T[]> {
  const found: T[] = [];
  for (let after: string | null = ''; after !== null;) {
    const from: string = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
    const page: Page<T> = await api.get<Page<T>>(`${path}?limit=100${from}`);
    found.push(...page.items);
    after = page.next;
  }
  return found;
}
