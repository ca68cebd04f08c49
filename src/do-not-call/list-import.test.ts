import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import type { Database } from '../database/database.ts';
import { makeChanges } from '../ledger/changes.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type AccountId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { makePolicyPacks } from '../policy/policy-packs.ts';
import { addChunk, createImport, queueImport, readImport } from '../imports/import-store.ts';
import { workOffOne, type ImportPorts } from '../imports/import-worker.ts';
import type { ImportId, StoredImport } from '../imports/imports.ts';
import type { ListImport } from './do-not-call.ts';
import { listImports } from './list-import.ts';

const clock = new ManualClock();
const random = seededRandom(17);
const ids = makeIds(clock, random);
const accountId: AccountId = ids.next('account');
const doNotCallKey = random.bytes(32);

let store: TestDatabase;

before(async () => {
  store = await testDatabase();
});
after(() => store.close());

function workOff(owner: string, database: Database = store.database): Promise<boolean> {
  const ledger = { database, clock, ids, changes: makeChanges() };
  const ports: ImportPorts = { ...ledger, log: silentLog, owner };
  return workOffOne(ports, listImports({ ...ledger, packs: makePolicyPacks(), doNotCallKey }));
}

async function queued(numbers: readonly string[]): Promise<ImportId> {
  const id = ids.next('import');
  const { database } = store;
  const now = clock.now();
  await createImport(database, {
    id,
    accountId,
    kind: 'do_not_call',
    wish: { list: 'own', column: null, country: null },
    dryRun: false,
    now,
  });
  const text = Buffer.from(`phone\n${numbers.join('\n')}\n`);
  await addChunk(database, id, 0, text.subarray(0, 5_001));
  await addChunk(database, id, 1, text.subarray(5_001));
  await database.transaction((tx) => queueImport(tx, id, text.length));
  return id;
}

async function stored(id: ImportId): Promise<StoredImport<ListImport>> {
  const job = await readImport<ListImport>(store.database, accountId, 'do_not_call', id);
  assert.ok(job !== null);
  return job;
}

const numbers = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `+4420${70_000_000 + from + index}`);

/** Lets that many transactions through, and is gone from then on, as for a process that dies. */
function dyingAfter(transactions: number): Database {
  let left = transactions;
  return {
    ...store.database,
    async transaction(work) {
      if (left === 0) throw new Error('the connection is gone');
      left -= 1;
      return store.database.transaction(work);
    },
  };
}

const expireLeases = (): Promise<void> =>
  store.database.script(`update imports set lease_until = now() - interval '1 s'`);

test('another worker goes on behind the last batch of one that died', async () => {
  const id = await queued(numbers(0, 2_300));
  await assert.rejects(workOff('first', dyingAfter(2)), /gone/);
  assert.deepEqual([(await stored(id)).state, (await stored(id)).rows], ['running', 400]);
  assert.equal(await workOff('second'), false, 'the lease still holds');
  await expireLeases();
  assert.equal(await workOff('second'), true);
  const { state, rows, added, already, failed } = await stored(id);
  assert.deepEqual([state, rows, added, already, failed], ['done', 2_300, 2_300, 0, 0]);
});

test('a worker that was too slow writes nothing after another has taken the job', async () => {
  const id = await queued(numbers(10_000, 1_200));
  let taken = false;
  const database: Database = {
    ...store.database,
    async transaction(work) {
      const isFarEnough = !taken && (await stored(id)).rows >= 200;
      // The lease runs out between two batches, and somebody else does all of it. The batch
      // beside this one may be here too, or renew the lease once more.
      if (isFarEnough && !taken) {
        taken = true;
        do await expireLeases();
        while (!(await workOff('quick')));
      }
      return store.database.transaction(work);
    },
  };
  assert.equal(await workOff('slow', database), true);
  assert.equal(taken, true);
  const { state, rows, added, already } = await stored(id);
  assert.deepEqual([state, rows, added, already], ['done', 1_200, 1_200, 0]);
});

test('when nothing waits there is nothing to do', async () => {
  assert.equal(await workOff('idle'), false);
});
