import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContactImport } from '../src/contacts/contact-import-commands.ts';
import { statement } from '../src/database/database.ts';
import { addChunk, createImport, queueImport, readImport } from '../src/imports/import-store.ts';
import { systemClock as clock } from '../src/platform/clock.ts';
import { makeIds } from '../src/platform/ids.ts';
import { systemRandom } from '../src/platform/random.ts';
import { openVault } from '../src/platform/vault.ts';
import { testDatabase } from './database.ts';
import type { ImportArguments } from './import-main.ts';
import { eventually } from './product-peers.ts';

/**
 * A process that takes a file of contacts is killed with SIGKILL, again and again, wherever it
 * stands: others go on, and in the end everybody is there once.
 */
const MAIN = join(import.meta.dirname, 'import-main.ts');
const ROWS = 4_000;
const KILLS = 3;

const COUNTS = statement<{ contacts: number; handles: number; tags: number; chains: number }>(
  'test_import_counts',
  `select (select count(*) from contacts) as contacts,
     (select count(*) from contact_handles) as handles,
     (select count(*) from contact_tags) as tags,
     (select count(*) from ledger where sequence = 1) as chains`,
);
const LONGEST = statement<{ longest: number }>(
  'test_import_longest_chain',
  'select max(sequence) as longest from ledger',
);

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => void child.once('exit', () => resolve()));
}

test('kill -9 in the middle of a file: it goes on, nobody is lost and nobody twice', async () => {
  const dataKey = Buffer.from(systemRandom.bytes(32));
  const store = await testDatabase({ vault: openVault(dataKey, systemRandom) });
  const { database, connectionString } = store;
  const ids = makeIds(clock, systemRandom);
  const accountId = ids.next('account');
  const id = ids.next('import');
  const children: ChildProcess[] = [];
  const start = (): ChildProcess => {
    const given: ImportArguments = [connectionString, dataKey.toString('hex')];
    const child = spawn(process.execPath, [MAIN, ...given], { stdio: 'ignore' });
    children.push(child);
    return child;
  };
  const rowsNow = async (): Promise<number> => {
    const job = await readImport<ContactImport>(database, accountId, 'contacts', id);
    assert.ok(job !== null);
    return job.rows;
  };
  try {
    const columns = { number: null, name: null, language: null, timeZone: null, externalId: null };
    const wish: ContactImport = { columns, keepsOthers: true, country: null, tag: '' };
    const now = clock.now();
    const job = { id, accountId, kind: 'contacts', wish, dryRun: false, now } as const;
    await createImport(database, job);
    const rows = Array.from(
      { length: ROWS },
      (_, n) => `+4420${70_000_000 + n},Person ${n},c-${n}`,
    );
    const file = Buffer.from(`phone,name,external id\n${rows.join('\n')}\n`);
    await addChunk(database, id, 0, file);
    await database.transaction((tx) => queueImport(tx, id, file.length));

    let before = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = start();
      const reached = before;
      await eventually('some more rows', async () => (await rowsNow()) > reached);
      child.kill('SIGKILL');
      await exited(child);
      before = await rowsNow();
      assert.ok(before < ROWS, 'the file was over before the process was killed');
      // A minute of the lease in no time.
      await database.script(`update imports set lease_until = now() - interval '1 s'`);
    }
    const last = start();
    await exited(last);
    const done = await readImport<ContactImport>(database, accountId, 'contacts', id);
    assert.deepEqual(
      [done?.state, done?.rows, done?.added, done?.changed, done?.already, done?.failed],
      ['done', ROWS, ROWS, 0, 0, 0],
    );
    const counts = await database.first(COUNTS);
    assert.deepEqual(counts, { contacts: ROWS, handles: ROWS, tags: ROWS, chains: ROWS });
    assert.equal((await database.first(LONGEST))?.longest, 1, 'nobody was told of twice');
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(exited));
    await store.close();
  }
});
