import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { testDatabase } from '../../test/database.ts';
import { declaredStatements } from '../database/database.ts';
import './waiting-store.ts';

/** What a list of waiting calls and a plan read, in a table where nearly every call has ended. */
const MINUTES = [new Date(0), new Date(60_000)];
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  call_waiting_list: [['line_1'], new Date(0), new Date(9e12), new Date(0), '', 26],
  call_booked_in_minutes: [MINUTES, MINUTES, ['line_1'], null, null, 1_000],
};

test('a list of waiting calls and a plan read only what waits, by an index', async () => {
  const { connectionString, close } = await testDatabase();
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(`set session_replication_role = replica;
      insert into calls (bucket, id, account_id, contact_id, line_id, status, state, due_at,
                         created_at)
      select i % 64, 'call_' || i, 'account_1', 'contact_' || i, 'line_' || i % 3,
             case when i % 100 = 0 then 'queued' else 'ended' end, '{}',
             now() + make_interval(secs => i), now()
        from generate_series(1, 20000) i;
      analyze calls;`);
    for (const [name, values] of Object.entries(VALUES)) {
      const found = declaredStatements().find((declared) => declared.name === name);
      assert.ok(found !== undefined, name);
      await client.query('begin');
      const plan = await client.query<{ 'QUERY PLAN': string }>(`explain ${found.text}`, [
        ...values,
      ]);
      await client.query('rollback');
      const lines = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
      assert.match(lines, /Index.* calls_waiting/, `${name}:\n${lines}`);
      assert.doesNotMatch(lines, /Seq Scan on calls/, `${name}:\n${lines}`);
    }
  } finally {
    await client.end();
    await close();
  }
});
