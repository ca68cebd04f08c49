import { Client } from 'pg';

import { contactImports, type ContactImport } from '../src/contacts/contact-import-commands.ts';
import { addChunk, createImport, queueImport, readImport } from '../src/imports/import-store.ts';
import { workOffOne } from '../src/imports/import-worker.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { repeat, systemClock as clock } from '../src/platform/clock.ts';
import { makeIds } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { openVault } from '../src/platform/vault.ts';
import { testDatabase } from '../test/database.ts';
import { compare, type BenchResult } from './harness.ts';

/**
 * A file of contacts, from its pieces in the database to people with sealed fields, ledger and
 * tags, and how much memory that takes. The reference writes the same rows in the open, in the same
 * batches and on the same server, by one plain insert each; a second one adds the fields that ours
 * has as rows: handles, keys and ledger. Both are given what takes us the time: numbers that are
 * read, ids and sealed bytes.
 *
 *   npm run bench -- import                              100,000 rows
 *   BENCH_IMPORT_ROWS=5000 npm run bench -- import       a smoke run
 */
const ROWS = Number(process.env['BENCH_IMPORT_ROWS'] ?? 100_000);
const BATCH = 200;
const CHUNK_BYTES = 256 * 1024;
const SAMPLE_MS = 50;

export async function run(): Promise<BenchResult[]> {
  // The vault of the tests is seeded, which costs more than the system's own chance.
  const vault = openVault(systemRandom.bytes(32), systemRandom);
  const store = await testDatabase({ durable: true, vault });
  try {
    // Ours comes first, so that its memory is not the reference's.
    const beforeMb = process.memoryUsage.rss() / 2 ** 20;
    const { seconds, again, peakMb } = await ours(store.database);
    const plain = await bare(store.connectionString, 'open');
    const whole = await bare(store.connectionString, 'whole');
    return [
      compare({
        name: `contacts imported, ${ROWS} rows`,
        value: ROWS / seconds,
        unit: 'rows/s',
        reference: { name: 'plain inserts of the same rows', value: ROWS / plain },
      }),
      compare({
        name: 'the same beside inserts into as many tables',
        value: ROWS / seconds,
        unit: 'rows/s',
        reference: { name: 'contacts, handles, keys, ledger', value: ROWS / whole },
      }),
      compare({
        name: 'seconds for 100,000 rows at that rate',
        value: (seconds / ROWS) * 100_000,
        unit: 's',
        goal: { atMost: 60 },
      }),
      compare({ name: 'the same file again', value: ROWS / again, unit: 'rows/s' }),
      compare({
        name: 'peak memory of the importing process',
        value: peakMb,
        unit: 'MB',
        reference: { name: 'the same process before the import', value: beforeMb },
        goal: { atMost: 256 },
      }),
      compare({ name: 'memory that the import adds', value: peakMb - beforeMb, unit: 'MB' }),
    ];
  } finally {
    await store.close();
  }
}

const HEAD = 'phone,name,language,time zone,external id,order,plan\n';

function line(n: number): string {
  const number = `+4420${70_000_000 + n}`;
  return `${number},Person ${n},en_GB,Europe/London,crm-${n},${1_000 + n},Gold\n`;
}

type Store = Awaited<ReturnType<typeof testDatabase>>['database'];

async function ours(database: Store): Promise<{ seconds: number; again: number; peakMb: number }> {
  const ids = makeIds(clock, systemRandom);
  const accountId = ids.next('account');
  const ledger = { database, clock, ids, changes: makeChanges() };
  let peak = 0;
  const sample = async (): Promise<void> => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const stop = repeat(clock, SAMPLE_MS, sample);
  const columns = { number: null, name: null, language: null, timeZone: null, externalId: null };
  const wish: ContactImport = { columns, keepsOthers: true, country: null, tag: '' };
  const importOnce = async (): Promise<number> => {
    const id = ids.next('import');
    const kind = 'contacts' as const;
    await createImport(database, { id, accountId, kind, wish, dryRun: false, now: clock.now() });
    await upload(database, id);
    const from = clock.monotonic();
    const ports = { ...ledger, log: silentLog, owner: 'bench' };
    await workOffOne(ports, contactImports(ledger));
    const took = (clock.monotonic() - from) / 1_000;
    const job = await readImport(database, accountId, kind, id);
    if (job?.state !== 'done' || job.rows !== ROWS) throw new Error('the file was not taken');
    return took;
  };
  const seconds = await importOnce();
  const again = await importOnce();
  await stop();
  return { seconds, again, peakMb: peak / 2 ** 20 };
}

type FileId = Parameters<typeof addChunk>[1];

async function upload(database: Store, id: FileId): Promise<void> {
  let [text, position, bytes] = [HEAD, 0, 0];
  const store = async (): Promise<void> => {
    bytes += text.length;
    await addChunk(database, id, position++, Buffer.from(text));
    text = '';
  };
  for (let n = 0; n < ROWS; n += 1) {
    text += line(n);
    if (text.length >= CHUNK_BYTES) await store();
  }
  await store();
  await database.transaction((tx) => queueImport(tx, id, bytes));
}

const OPEN = `insert into bench_people select * from unnest($1::text[], $2::text[], $3::bytea[])`;
const WHOLE = `with p as (select * from unnest($1::text[], $2::text[], $3::bytea[])
       v (id, hash, sealed)),
     handles as (insert into bench_handles select hash, id from p),
     keys as (insert into bench_keys select id, sealed from p),
     entries as (insert into bench_entries select id, 1, sealed, '{}' from p)
   insert into bench_people select * from p`;

/** Seconds that the plain rows take, in batches of the same size. */
async function bare(connectionString: string, kind: 'open' | 'whole'): Promise<number> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(`drop table if exists bench_people, bench_handles, bench_keys, bench_entries;
      create table bench_people (id text primary key, name text, sealed bytea);
      create table bench_handles (hash text primary key, id text);
      create table bench_keys (id text primary key, sealed bytea);
      create table bench_entries (id text, n int, sealed bytea, data jsonb, primary key (id, n))`);
    const text = kind === 'open' ? OPEN : WHOLE;
    const from = clock.monotonic();
    for (let first = 0; first < ROWS; first += BATCH) {
      const many = Array.from({ length: Math.min(BATCH, ROWS - first) }, (_, n) => first + n);
      await client.query({
        name: `bench_import_${kind}`,
        text,
        values: [
          many.map((n) => `cont_0199-${n}-0000-7000-8000`),
          many.map((n) => `Person ${n}`),
          many.map((n) => Buffer.from(line(n))),
        ],
      });
    }
    return (clock.monotonic() - from) / 1_000;
  } finally {
    await client.end();
  }
}
