import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client, escapeIdentifier } from 'pg';

import { openDatabase, type Database } from '../src/database/database.ts';
import { startEmbeddedPostgres } from '../src/database/embedded-postgres.ts';
import { migrate, readMigrations } from '../src/database/migrate.ts';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { openVault, type Vault } from '../src/platform/vault.ts';

/**
 * A fresh, migrated database for one test file: a clone of a template that is migrated once per
 * run. `npm test` starts one server for all files and names it in ASKFIRST_TEST_DATABASE; a file
 * that is run alone starts a server of its own, which ends when its last database is closed.
 */
export type TestDatabase = {
  readonly database: Database;
  readonly connectionString: string;
  /** Closes the pool and drops the database; call it in `after`. */
  readonly close: () => Promise<void>;
};

export type TestDatabaseOptions = {
  /** A server of its own that really waits for the disk, as production does; for benchmarks. */
  durable?: boolean;
  poolSize?: number;
  /** One with the same keys in every run unless given. */
  vault?: Vault;
};

type TestServer = { url: string; release(): Promise<void> };

/** Nothing a test writes must survive a power cut, so nothing waits for the disk. */
const CARELESS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
const FOLDER_PREFIX = 'askfirst-test-run-';
const TEMPLATE_LOCK = 7_240_163;

let shared: { server: Promise<TestServer>; users: number } | undefined;
let made = 0;

/** Makes the database; see `TestDatabase`. */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = options.durable === true ? await startServer({}) : await sharedServer();
  try {
    const name = await cloneTemplate(server.url);
    const connectionString = databaseUrl(server.url, name);
    const database = openDatabase({
      connection: connectionString,
      log: silentLog,
      vault: options.vault ?? testVault(),
      ...(options.poolSize === undefined ? {} : { poolSize: options.poolSize }),
    });
    return {
      database,
      connectionString,
      async close() {
        await database.close();
        await asAdmin(server.url, (admin) =>
          admin.query(`drop database if exists ${escapeIdentifier(name)} with (force)`),
        );
        await server.release();
      },
    };
  } catch (error) {
    await server.release();
    throw error;
  }
}

/**
 * Starts a server that all files of one run share. `niceness` as in nice(1): how far it steps
 * back for others on a busy machine.
 */
export function startTestServer(programs?: string, niceness = 0): Promise<TestServer> {
  return startServer(CARELESS, programs, niceness);
}

/** Seeded, so that the same story seals the same bytes. */
function testVault(): Vault {
  return openVault(Buffer.alloc(32, 7), seededRandom(7));
}

async function sharedServer(): Promise<TestServer> {
  const given =
    process.env['ASKFIRST_TEST_DATABASE'] ?? process.env['ASKFIRST_TEST_DATABASE_URL'] ?? '';
  if (given !== '') return { url: given, release: async () => {} };
  shared ??= { server: startServer(CARELESS), users: 0 };
  const mine = shared;
  mine.users += 1;
  const server = await mine.server;
  return {
    url: server.url,
    async release() {
      mine.users -= 1;
      if (mine.users > 0) return;
      if (shared === mine) shared = undefined;
      await server.release();
    },
  };
}

async function startServer(
  settings: Readonly<Record<string, string>>,
  programs?: string,
  niceness = 0,
): Promise<TestServer> {
  await sweepFolders();
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  const server = await startEmbeddedPostgres({
    dataDir: join(folder, 'postgres'),
    log: silentLog,
    clock: systemClock,
    settings: { max_connections: '300', ...settings },
    ...(programs === undefined ? {} : { programs }),
  });
  // Every process of a connection takes it over from the first one.
  const [pid] = (await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
  setPriority(Number(pid), niceness);
  return {
    url: server.connectionString,
    async release() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * A run that was killed leaves its server behind. The folder carries the process number of its run;
 * a server whose folder is gone ends by itself within a minute.
 */
async function sweepFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const pid = Number(name.slice(FOLDER_PREFIX.length).split('-')[0]);
    if (isAlive(pid)) continue;
    // It may be somebody else's, and then it stays.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and it is somebody else's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function cloneTemplate(serverUrl: string): Promise<string> {
  const template = await ensureTemplate(serverUrl);
  made += 1;
  const name = `test_${process.pid}_${made}`;
  await asAdmin(serverUrl, async (admin) => {
    await admin.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);
    await admin.query(
      `create database ${escapeIdentifier(name)} template ${escapeIdentifier(template)}`,
    );
  });
  return name;
}

/** The template carries the hash of all migrations, so a changed migration makes a new one. */
async function ensureTemplate(serverUrl: string): Promise<string> {
  const all = readMigrations().map((migration) => migration.sha256);
  const mark = createHash('sha256').update(all.join()).digest('hex').slice(0, 16);
  const template = `template_${mark}`;
  await asAdmin(serverUrl, async (admin) => {
    // The lock goes with the connection; other files and processes wait here for the first one.
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const found = await admin.query('select 1 from pg_database where datname = $1', [template]);
    if (found.rowCount !== 0) return;
    const unfinished = `${template}_new`;
    await admin.query(`drop database if exists ${escapeIdentifier(unfinished)} with (force)`);
    await admin.query(`create database ${escapeIdentifier(unfinished)} template template0`);
    const database = openDatabase({
      connection: databaseUrl(serverUrl, unfinished),
      log: silentLog,
      vault: testVault(),
    });
    try {
      await migrate(database);
    } finally {
      await database.close();
    }
    await admin.query(
      `alter database ${escapeIdentifier(unfinished)} rename to ${escapeIdentifier(template)}`,
    );
  });
  return template;
}

async function asAdmin<T>(serverUrl: string, work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: serverUrl });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function databaseUrl(serverUrl: string, name: string): string {
  return serverUrl.replace(/\/[^/?]*(\?.*)?$/, `/${name}$1`);
}
