import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { Client } from 'pg';

import { systemClock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { silentLog } from '../platform/log.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';

/** A process of its own, so that it can be killed together with everything it would clean up. */
const START_AND_WAIT = `
  import { Client } from 'pg';
  import { startEmbeddedPostgres } from './embedded-postgres.ts';
  import { systemClock } from '../platform/clock.ts';
  import { silentLog } from '../platform/log.ts';
  const options = { dataDir: process.argv[1], log: silentLog, clock: systemClock };
  const server = await startEmbeddedPostgres(options);
  const client = new Client({ connectionString: server.connectionString });
  await client.connect();
  await client.query('create table kept as select 7 as n');
  process.stdout.write('ready');
`;

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'askfirst test '));
  t.after(() => rm(made, { recursive: true, force: true }));
  return join(made, 'a folder whose name is longer than any unix socket address may be'.repeat(2));
}

const start = (dataDir: string): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres({ dataDir, log: silentLog, clock: systemClock });

async function query(server: EmbeddedPostgres, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: server.connectionString });
  // A server killed by the test takes its connections with it.
  client.on('error', () => {});
  await client.connect();
  const { rows } = await client.query({ text, rowMode: 'array' });
  await client.end();
  return rows.flat();
}

const serverPid = async (dataDir: string): Promise<number> =>
  Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);

test('what was written is there after a stop and a start', async (t) => {
  const dataDir = join(await folder(t), 'postgres');
  const first = await start(dataDir);
  await query(first, 'create table kept (n integer)');
  await query(first, 'insert into kept values (7)');
  await first.stop();
  const second = await start(dataDir);
  assert.deepEqual(await query(second, 'select n from kept'), [7]);
  assert.deepEqual(await query(second, 'show fsync'), ['on']);
  assert.deepEqual(await query(second, 'show listen_addresses'), ['']);
  await second.stop();
});

test('a server left over from a killed run is stopped and its rows are kept', async (t) => {
  const dataDir = join(await folder(t), 'postgres');
  const run = spawn(process.execPath, ['--input-type=module', '--eval', START_AND_WAIT, dataDir], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(run.stdout, 'data');
  const old = await serverPid(dataDir);
  run.kill('SIGKILL');
  await once(run, 'exit');
  const next = await start(dataDir);
  assert.notEqual(await serverPid(dataDir), old);
  assert.deepEqual(await query(next, 'select n from kept'), [7]);
  await next.stop();
});

test('a server that is killed is started again by its supervisor', async (t) => {
  const dataDir = join(await folder(t), 'postgres');
  const server = await start(dataDir);
  await query(server, 'create table kept as select 7 as n');
  process.kill(await serverPid(dataDir), 'SIGKILL');
  const rows = await untilItAnswers(() => query(server, 'select n from kept'));
  assert.deepEqual(rows, [7]);
  await server.stop();
});

test('a data folder half made by a crashed first start is made anew', async (t) => {
  const dataDir = join(await folder(t), 'postgres');
  await mkdir(`${dataDir}.new`, { recursive: true });
  await writeFile(join(`${dataDir}.new`, 'PG_VERSION'), '18\n');
  const server = await start(dataDir);
  assert.deepEqual(await query(server, 'select 1'), [1]);
  await server.stop();
});

test('a data folder of another major version is refused with the fix', async (t) => {
  const dataDir = join(await folder(t), 'postgres');
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, 'PG_VERSION'), '14\n');
  await assert.rejects(start(dataDir), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, 'database_version_mismatch');
    assert.match(error.message, /PostgreSQL 14/);
    assert.match(error.fix, /backup/);
    return true;
  });
});

test('a folder that holds something else is never touched', async (t) => {
  const dataDir = join(await folder(t), 'postgres');
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, 'letter.txt'), 'mine');
  await assert.rejects(start(dataDir), { code: 'database_folder_strange' });
  assert.equal(await readFile(join(dataDir, 'letter.txt'), 'utf8'), 'mine');
});

async function untilItAnswers<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = systemClock.monotonic() + 20_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error;
      await new Promise<void>((resolve) => void systemClock.after(100, resolve));
    }
  }
}
