import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureAccount } from '../src/accounts/account-store.ts';
import {
  makeCheckpoints,
  openCheckpointWorker,
  type CheckpointPorts,
} from '../src/checkpoints/checkpoint-worker.ts';
import { makeCheckpointSigner } from '../src/checkpoints/checkpoints.ts';
import { findOrCreateContact, lockContacts } from '../src/contacts/contact-store.ts';
import { at, statement, type Database } from '../src/database/database.ts';
import { gatherEvidence } from '../src/evidence/evidence.ts';
import { jsonObjectText } from '../src/http/json-stream.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { onContact, type LedgerPorts } from '../src/ledger/contact-unit.ts';
import { systemClock as clock } from '../src/platform/clock.ts';
import { bucketOf, makeIds, type AccountId, type ContactId } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { testDatabase } from '../test/database.ts';
import { writeExport } from './audit-file.ts';
import { compare, median, type BenchResult } from './harness.ts';

/**
 * What the proof costs: entries of the ledger a second, sealed, chained and brought under
 * checkpoints meanwhile, beside the same transactions without seal, chain and checkpoint; the time
 * to verify a whole ledger; the time for a bundle. Writers are measured in turns.
 *
 *   BENCH_AUDIT_EVENTS=100000 BENCH_AUDIT_SECONDS=2 npm run bench -- audit      a quick run
 */
const EVENTS = Number(process.env['BENCH_AUDIT_EVENTS'] ?? 1_000_000);
const SECONDS = Number(process.env['BENCH_AUDIT_SECONDS'] ?? 5);
const ROUNDS = 3;
const WRITERS = 16;
const CONTACTS = 10_000;
const BATCH = 500;
const BUNDLE_ENTRIES = 1_000;

const PLAIN_TABLE = 'create table plain_ledger (like ledger including all)';
const PLAIN_INSERT = statement(
  'bench_audit_insert',
  `insert into plain_ledger (bucket, contact_id, sequence, id, account_id, type, actor, at, data,
                             previous_hash, hash)
   select *, '', '' from unnest($1::smallint[], $2::text[], $3::bigint[], $4::text[], $5::text[],
     $6::text[], $7::text[], $8::timestamptz[], $9::jsonb[])`,
);
const PLAIN_UPDATE = statement(
  'bench_audit_update',
  `update contacts c set ledger_sequence = v.sequence
     from unnest($1::smallint[], $2::text[], $3::bigint[]) v (bucket, id, sequence)
    where c.bucket = v.bucket and c.id = v.id`,
);

export async function run(): Promise<BenchResult[]> {
  const store = await testDatabase({ durable: true, poolSize: WRITERS + 2 });
  const folder = mkdtempSync(join(tmpdir(), 'askfirst-bench-audit-'));
  try {
    const world = await furnish(store.database);
    return [await writes(world), await bundle(world), ...(await verifying(folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await store.close();
  }
}

type World = {
  ledger: LedgerPorts;
  accountId: AccountId;
  contacts: ContactId[];
  checkpoints: CheckpointPorts;
};

async function furnish(database: Database): Promise<World> {
  await database.script(PLAIN_TABLE);
  const ids = makeIds(clock, systemRandom);
  const accountId = await database.transaction((tx) => ensureAccount(tx, ids, 'bench'));
  const contacts: ContactId[] = [];
  for (let made = 0; made < CONTACTS; made += BATCH) {
    await database.transaction(async (tx) => {
      for (let index = made; index < made + BATCH; index += 1) {
        const e164 = `+4477009${String(index).padStart(5, '0')}`;
        const id = await findOrCreateContact(tx, ids, accountId, { e164 }, clock.now());
        contacts.push(id);
      }
    });
  }
  // Plans for tables of this size, not for the empty ones they were.
  await database.script('analyze');
  const signer = makeCheckpointSigner(systemRandom.bytes(32));
  const files = { last: async () => null, append: async () => {} };
  const owner = 'bench/run';
  return {
    ledger: { database, clock, ids, changes: makeChanges() },
    accountId,
    contacts,
    checkpoints: { database, clock, log: silentLog, owner, signer, files },
  };
}

const DATA = { lineId: 'line_bench', code: 'permission_pending', rule: 'permission', attempt: 3 };
const PERSONAL = { purpose: 'your order 1042', text: 'May we call you about your order 1042?' };

async function writes(world: World): Promise<BenchResult> {
  const ours: number[] = [];
  const plain: number[] = [];
  const half = world.contacts.length / 2;
  const [proven, bare] = [world.contacts.slice(0, half), world.contacts.slice(half)];
  await perSecond(proven, (id) => writeEntry(world, id));
  for (let round = 0; round < ROUNDS; round += 1) {
    const worker = openCheckpointWorker(world.checkpoints);
    ours.push(await perSecond(proven, (id) => writeEntry(world, id)));
    await worker.close();
    await makeCheckpoints(world.checkpoints);
    plain.push(await perSecond(bare, (id) => writePlain(world, id)));
  }
  return compare({
    name: `ledger writes per second, ${WRITERS} writers`,
    value: median(ours),
    unit: '/s',
    reference: { name: 'same rows, nothing proven', value: median(plain) },
    goal: { ratioAtLeast: 0.8 },
  });
}

async function perSecond(
  contacts: readonly ContactId[],
  write: (id: ContactId) => Promise<void>,
): Promise<number> {
  const startedAt = clock.monotonic();
  const end = startedAt + SECONDS * 1_000;
  let count = 0;
  const writer = async (nth: number): Promise<void> => {
    for (let at = nth; clock.monotonic() < end; at += WRITERS) {
      const id = contacts[at % contacts.length];
      if (id !== undefined) await write(id);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, nth) => writer(nth)));
  return (count / (clock.monotonic() - startedAt)) * 1_000;
}

async function writeEntry({ ledger }: World, contactId: ContactId): Promise<void> {
  await onContact(ledger, contactId, async (unit) => {
    const entry = { type: 'CallBlocked', actor: 'api:bench', at: unit.now, data: DATA };
    unit.record({ ...entry, personal: PERSONAL });
  });
}

/** The same rows in the same statements, with nothing that proves them. */
async function writePlain({ ledger, accountId }: World, id: ContactId): Promise<void> {
  const bucket = bucketOf(id);
  const { ids, database } = ledger;
  await database.transaction(async (tx) => {
    const [locked] = await lockContacts(tx, [id]);
    const sequence = (locked?.head.sequence ?? 0) + 1;
    const named = [[bucket], [id], [sequence], [ids.next('event', bucket)], [accountId]];
    const data = JSON.stringify({ ...DATA, ...PERSONAL });
    await tx.run(PLAIN_INSERT, [...named, ['CallBlocked'], ['bench'], [at(clock.now())], [data]]);
    await tx.run(PLAIN_UPDATE, [[bucket], [id], [sequence]]);
  });
}

async function bundle(world: World): Promise<BenchResult> {
  const { ledger, accountId, checkpoints } = world;
  const { database, ids } = ledger;
  const contactId = await database.transaction((tx) =>
    findOrCreateContact(tx, ids, accountId, { e164: '+447800900999' }, clock.now()),
  );
  for (let entries = 0; entries < BUNDLE_ENTRIES; entries += 1) {
    await writeEntry(world, contactId);
    // Scattered over the tree, as it is after years.
    if (entries % 20 === 0) await makeCheckpoints(checkpoints);
  }
  await makeCheckpoints(checkpoints);
  const ports = { database, clock, doNotCallKey: systemRandom.bytes(32) };
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = clock.monotonic();
    const evidence = await gatherEvidence(
      { ...ports, checkpointSigner: checkpoints.signer },
      contactId,
    );
    let size = 0;
    for await (const piece of jsonObjectText(evidence)) size += piece.length;
    if (size < BUNDLE_ENTRIES * 500) throw new Error(`a bundle of only ${size} characters`);
    times.push((clock.monotonic() - startedAt) / 1_000);
  }
  return compare({
    name: `bundle with proofs, ${BUNDLE_ENTRIES} entries`,
    value: median(times),
    unit: 's',
    goal: { atMost: 2 },
  });
}

const VERIFY = `
  import { createReadStream } from 'node:fs';
  const { verifyStream } = await import(process.argv[2]);
  const { ok, found, problems } = await verifyStream(createReadStream(process.argv[1]));
  if (!ok) throw new Error(JSON.stringify({ found, problems }));
  console.log(process.resourceUsage().maxRSS / 1024);`;
const READ = `
  import { createReadStream } from 'node:fs';
  import { createInterface } from 'node:readline';
  for await (const line of createInterface(createReadStream(process.argv[1]))) JSON.parse(line);
  console.log(process.resourceUsage().maxRSS / 1024);`;

async function verifying(folder: string): Promise<BenchResult[]> {
  const file = join(folder, 'ledger.ndjson');
  await writeExport(file, EVENTS);
  const reading = timed(READ, file);
  const verifier = timed(VERIFY, file);
  const reference = { name: 'reading and parsing the file' };
  return [
    compare({
      name: `verifying ${EVENTS} events`,
      value: verifier.seconds,
      unit: 's',
      reference: { ...reference, value: reading.seconds },
      goal: { atMost: 60 },
    }),
    compare({
      name: `memory for ${EVENTS} events`,
      value: verifier.megabytes,
      unit: 'MB',
      reference: { ...reference, value: reading.megabytes },
    }),
  ];
}

function timed(script: string, file: string): { seconds: number; megabytes: number } {
  const verifier = join(import.meta.dirname, '../bin/audit-verify.mjs');
  const startedAt = clock.monotonic();
  const args = ['--input-type=module', '-e', script, file, verifier];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { seconds: (clock.monotonic() - startedAt) / 1_000, megabytes: Number(stdout) };
}
