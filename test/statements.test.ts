import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from 'pg';
import { declaredStatements } from '../src/database/database.ts';
import { migrate, readMigrations } from '../src/database/migrate.ts';
import { testDatabase } from './database.ts';

const root = join(import.meta.dirname, '..');

test('every statement of every store can be prepared on the migrated schema', async () => {
  for (const file of globSync('src/**/*-store.ts', { cwd: root })) await import(join(root, file));
  const { connectionString, close } = await testDatabase();
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const statements = declaredStatements();
    assert.ok(statements.length > 50, `only ${statements.length} statements found`);
    for (const { name, text } of statements) {
      await assert.doesNotReject(
        client.query(`prepare "${name}" as ${text}`),
        `statement ${name} cannot be prepared`,
      );
    }
  } finally {
    await client.end();
    await close();
  }
});

test('migrations can run twice, and from two nodes at once', async () => {
  const { database, close } = await testDatabase();
  try {
    const [first, second] = await Promise.all([migrate(database), migrate(database)]);
    assert.equal(first.applied + second.applied, 0);
    assert.ok(readMigrations().length > 0);
  } finally {
    await close();
  }
});

test('bucket stands first in every key of a contact-owned table', async () => {
  const { connectionString, close } = await testDatabase();
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ relation: string; first: string; columns: string }>(`
      select t.relname as relation, a.attname as first,
             (select string_agg(c.attname, ' ') from pg_attribute c
               where c.attrelid = t.oid) as columns
        from pg_index i
        join pg_class t on t.oid = i.indrelid
        join pg_namespace n on n.oid = t.relnamespace and n.nspname = 'public'
        join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
       where i.indisunique`);
    const owned = rows.filter(({ columns }) => /\bbucket\b/.test(columns));
    assert.ok(owned.length >= 10);
    for (const { relation, first } of owned) assert.equal(first, 'bucket', relation);
  } finally {
    await client.end();
    await close();
  }
});
