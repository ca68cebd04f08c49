import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Failure } from '../platform/failure.ts';
import { statement, type Database } from './database.ts';

const FOLDER = new URL('./migrations/', import.meta.url);
/** Any number, as long as every node takes the same lock. */
const LOCK_KEY = 4_827_113;

const LOCK = statement('migrate_lock', 'select pg_advisory_xact_lock($1::bigint)');
const APPLIED = statement<{ version: number; sha256: string }>(
  'migrate_applied',
  'select version, sha256 from schema_migrations order by version',
);
const RECORD = statement(
  'migrate_record',
  'insert into schema_migrations (version, name, sha256) values ($1, $2, $3)',
);

export type Migration = { version: number; name: string; text: string; sha256: string };

/** All migration files, in order. */
export function readMigrations(): Migration[] {
  return readdirSync(FOLDER)
    .filter((name) => /^\d{6}\.sql$/.test(name))
    .sort()
    .map((name) => {
      const text = readFileSync(new URL(name, FOLDER), 'utf8');
      const sha256 = createHash('sha256').update(text).digest('hex');
      return { version: Number.parseInt(name, 10), name, text, sha256 };
    });
}

/**
 * Brings the schema up to date. Safe to run twice and from several nodes at once: each migration
 * is one transaction under one lock. A migration that changed after it ran is refused, because
 * two nodes would no longer agree on what the schema is.
 */
export async function migrate(database: Database): Promise<{ applied: number }> {
  await database.transaction(async (tx) => {
    await tx.run(LOCK, [LOCK_KEY]);
    await tx.run({ name: '', text: CREATE_TABLE });
  });
  let applied = 0;
  for (const migration of readMigrations()) {
    applied += await applyOnce(database, migration);
  }
  return { applied };
}

/** DDL cannot be prepared, so these are plain texts and no statements. */
const CREATE_TABLE = `create table if not exists schema_migrations (
  version integer primary key,
  name text not null,
  sha256 text not null,
  applied_at timestamptz not null default now()
)`;

async function applyOnce(database: Database, migration: Migration): Promise<number> {
  return database.transaction(async (tx) => {
    await tx.run(LOCK, [LOCK_KEY]);
    const done = (await tx.run(APPLIED)).find((row) => row.version === migration.version);
    if (done !== undefined) {
      if (done.sha256 !== migration.sha256) throw changed(migration);
      return 0;
    }
    for (const text of splitStatements(migration.text)) {
      await tx.run({ name: '', text });
    }
    await tx.run(RECORD, [migration.version, migration.name, migration.sha256]);
    return 1;
  });
}

/** Migrations hold plain DDL: statements end with a semicolon at the end of a line. */
function splitStatements(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function changed(migration: Migration): Failure {
  return new Failure({
    code: 'migration_changed',
    message: `Migration ${migration.name} differs from the one this database was made with.`,
    fix: 'Restore the released file, or start with a new data folder.',
    verdict: 'terminal',
    side: 'server',
  });
}
