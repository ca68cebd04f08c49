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
import {
  addChunk,
  createImport,
  queueImport,
  readImport,
  type ImportId,
  type StoredImport,
} from './import-store.ts';
import { workOffOne, type ImportWorkerPorts } from './import-worker.ts';

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

function worker(owner: string, database: Database = store.database): ImportWorkerPorts {
  const ledger = { database, clock, ids, changes: makeChanges() };
  return { ...ledger, packs: makePolicyPacks(), doNotCallKey, log: silentLog, owner };
}

async function queued(numbers: readonly string[]): Promise<ImportId> {
  const id = ids.next('doNotCallImport');
  const { database } = store;
  const now = clock.now();
  await createImport(database, {
    id,
    accountId,
    list: 'own',
    column: null,
    country: null,
    dryRun: false,
    now,
  });
  const text = Buffer.from(`phone\n${numbers.join('\n')}\n`);
  await addChunk(database, id, 0, text.subarray(0, 5_001));
  await addChunk(database, id, 1, text.subarray(5_001));
  await database.transaction((tx) => queueImport(tx, id, text.length));
  return id;
}

async function stored(id: ImportId): Promise<StoredImport> {
  const job = await readImport(store.database, accountId, id);
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
  store.database.script(`update do_not_call_imports set lease_until = now() - interval '1 s'`);

test('another worker goes on behind the last batch of one that died', async () => {
  const id = await queued(numbers(0, 2_300));
  await assert.rejects(workOffOne(worker('first', dyingAfter(2))), /gone/);
  assert.deepEqual([(await stored(id)).state, (await stored(id)).rows], ['running', 1_000]);
  assert.equal(await workOffOne(worker('second')), false, 'the lease still holds');
  await expireLeases();
  assert.equal(await workOffOne(worker('second')), true);
  const { state, rows, added, already, failed } = await stored(id);
  assert.deepEqual([state, rows, added, already, failed], ['done', 2_300, 2_300, 0, 0]);
});

test('a worker that was too slow writes nothing after another has taken the job', async () => {
  const id = await queued(numbers(10_000, 1_200));
  const slow = worker('slow');
  let taken = false;
  const database: Database = {
    ...store.database,
    async transaction(work) {
      // The lease runs out between two batches, and somebody else does all of it.
      if (!taken && (await stored(id)).rows === 500) {
        taken = true;
        await expireLeases();
        assert.equal(await workOffOne(worker('quick')), true);
      }
      return store.database.transaction(work);
    },
  };
  assert.equal(await workOffOne({ ...slow, database }), true);
  assert.equal(taken, true);
  const { state, rows, added, already } = await stored(id);
  assert.deepEqual([state, rows, added, already], ['done', 1_200, 1_200, 0]);
});

test('when nothing waits there is nothing to do', async () => {
  assert.equal(await workOffOne(worker('idle')), false);
});
