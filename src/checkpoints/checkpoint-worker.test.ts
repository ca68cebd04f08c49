import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { ensureAccount } from '../accounts/account-store.ts';
import { findOrCreateContact } from '../contacts/contact-store.ts';
import { statement, type Database, type Tx } from '../database/database.ts';
import { makeChanges } from '../ledger/changes.ts';
import { onContact, withContact } from '../ledger/contact-unit.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type AccountId, type ContactId } from '../platform/ids.ts';
import { silentLog, type Log } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { openCheckpointFiles } from './checkpoint-files.ts';
import { checkpointsAfter, claimCheckpoints, latestCheckpoint } from './checkpoint-store.ts';
import {
  CHECKPOINT_EVERY_MS,
  makeCheckpoints,
  openCheckpointWorker,
  type CheckpointPorts,
} from './checkpoint-worker.ts';
import { makeCheckpointSigner } from './checkpoints.ts';

const clock = new ManualClock();
const random = seededRandom(23);
const ids = makeIds(clock, random);
const signer = makeCheckpointSigner(random.bytes(32));

let store: TestDatabase;
let folder: string;
let accountId: AccountId;

before(async () => {
  store = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'askfirst-checkpoints-'));
  accountId = await store.database.transaction((tx) => ensureAccount(tx, ids, 'one'));
});
after(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

function ports(owner: string, more: Partial<CheckpointPorts> = {}): CheckpointPorts {
  const { database } = store;
  const files = openCheckpointFiles(folder);
  return { database, clock, log: silentLog, owner, signer, files, ...more };
}

const ledger = () => ({ database: store.database, clock, ids, changes: makeChanges() });

let people = 0;
function newContact(): Promise<ContactId> {
  people += 1;
  const e164 = `+44770090${String(people).padStart(4, '0')}` as never;
  return store.database.transaction((tx) =>
    findOrCreateContact(tx, ids, accountId, { e164 }, clock.now()),
  );
}

async function write(contactId: ContactId, entries = 1): Promise<void> {
  await onContact(ledger(), contactId, async (unit) => {
    for (let index = 0; index < entries; index += 1) {
      unit.record({ type: 'CallBlocked', actor: 'api:test', at: unit.now, data: { index } });
    }
  });
}

type Covered = { contact_id: ContactId; sequence: number; leaf: number };
const LEAVES = statement<Covered>(
  'test_checkpoint_leaves',
  `select r.contact_id, s.sequence, r.first_leaf + s.sequence - r.first_sequence as leaf
     from ledger_runs r, lateral generate_series(r.first_sequence,
            r.first_sequence + r.entries - 1) s (sequence) order by leaf`,
);
const ROWS = statement<{ rows: number }>('test_ledger_rows', 'select count(*) as rows from ledger');

/** Every row of the ledger is exactly one leaf, the leaves have no gaps, and chains keep order. */
async function assertEachOnce(): Promise<void> {
  const leaves = await store.database.run(LEAVES);
  const rows = (await store.database.first(ROWS))?.rows ?? 0;
  assert.equal(leaves.length, rows);
  assert.deepEqual(
    leaves.map(({ leaf }) => leaf),
    leaves.map((_, index) => index),
  );
  const last = new Map<string, number>();
  for (const { contact_id: id, sequence } of leaves) {
    assert.equal(sequence, (last.get(id) ?? 0) + 1);
    last.set(id, sequence);
  }
  assert.equal((await latestCheckpoint(store.database, accountId))?.size, leaves.length);
}

test('a minute after a change it stands under a signed checkpoint, also outside', async () => {
  const worker = openCheckpointWorker(ports('one'));
  const contact = await newContact();
  await write(contact, 3);
  for (let second = 0; second <= CHECKPOINT_EVERY_MS / 1_000 + 1; second += 1) {
    clock.advance(1_000);
    await store.database.run(ROWS);
  }
  await worker.close();
  const made = await latestCheckpoint(store.database, accountId);
  assert.equal(made?.size, 3);
  const [text = '', line = ''] = made.note.split('\n\n');
  const signature = Buffer.from(line.trim().split(' ')[2] ?? '', 'base64').subarray(4);
  const key = createPublicKey(signer.publicKeyPem);
  assert.ok(verify(null, Buffer.from(`${text}\n`), key, signature));
  assert.match(text, new RegExp(`^askfirst/${accountId}\\n3\\n[\\w+/]{43}=\\ntime 2026-\\S+Z$`));
  assert.equal(await readFile(join(folder, `${accountId}.txt`), 'utf8'), `${made.note}\n`);
});

test('the key of a log has the form that other tools take', () => {
  const key = signer.verifierKey(accountId);
  const [name, id, typed = ''] = key.split('+');
  assert.equal(name, `askfirst/${accountId}`);
  assert.match(id ?? '', /^[0-9a-f]{8}$/);
  const bytes = Buffer.from(typed, 'base64');
  assert.equal(bytes[0], 1);
  const spki = createPublicKey(signer.publicKeyPem).export({ format: 'der', type: 'spki' });
  assert.deepEqual(bytes.subarray(1), spki.subarray(-32));
});

test('entries that commit late and out of order are each covered exactly once', async () => {
  const contacts = await Promise.all(Array.from({ length: 12 }, newContact));
  const gates = contacts.map(() => Promise.withResolvers<void>());
  const open = contacts.map((contact, index) =>
    store.database.transaction(async (tx: Tx) => {
      await withContact(ledger(), tx, contact, async (unit) => {
        unit.record({ type: 'CallBlocked', actor: 'api:test', at: unit.now, data: {} });
      });
      await gates[index]?.promise;
    }),
  );
  // They commit from the last to the first, with a round between each two of them.
  for (let index = contacts.length - 1; index >= 0; index -= 1) {
    gates[index]?.resolve();
    await open[index];
    if (index % 2 === 0) await makeCheckpoints(ports('one'));
  }
  await makeCheckpoints(ports('one'));
  await assertEachOnce();
});

test('while many write, rounds of two nodes cover everything once', async () => {
  const contacts = await Promise.all(Array.from({ length: 8 }, newContact));
  const writing = { goesOn: true };
  const writers = contacts.map(async (contact) => {
    for (let round = 0; round < 15; round += 1) await write(contact, 1 + random.below(3));
  });
  const makers = ['one', 'two'].map(async (owner) => {
    while (writing.goesOn) await makeCheckpoints(ports(owner));
  });
  await Promise.all(writers);
  writing.goesOn = false;
  await Promise.all(makers);
  await store.database.run(FREE_LEASE);
  await makeCheckpoints(ports('one'));
  await assertEachOnce();
});

const FREE_LEASE = statement(
  'test_checkpoint_free_lease',
  `update ledger_checkpointer set lease_until = '-infinity'`,
);

test('who lost the lease without noticing covers nothing', async () => {
  await write(await newContact());
  const { database } = store;
  let isRobbed = false;
  const robbed: Database = {
    ...database,
    async transaction(work) {
      // Between its claim and its round, another node takes over.
      if (!isRobbed) {
        isRobbed = true;
        await database.run(FREE_LEASE);
        assert.ok((await claimCheckpoints(database, 'two', 30)) !== null);
      }
      return database.transaction(work);
    },
  };
  assert.equal(await makeCheckpoints(ports('one', { database: robbed })), 0);
  assert.equal(await makeCheckpoints(ports('one')), 0, 'the other one has the lease');
  assert.equal(await makeCheckpoints(ports('two')), 1);
  await assertEachOnce();
});

test('a round that fails leaves everything to the next', async () => {
  await write(await newContact(), 2);
  const broken = { ...signer, sign: () => assert.fail('no key') };
  await assert.rejects(makeCheckpoints(ports('two', { signer: broken })), /no key/);
  assert.equal(await makeCheckpoints(ports('two')), 2);
  await assertEachOnce();
});

test('checkpoints never go back in time, whatever the clock does', async () => {
  const back = new ManualClock(clock.now() - 3_600_000);
  await write(await newContact());
  await makeCheckpoints(ports('two', { clock: back }));
  const all = await checkpointsAfter(store.database, accountId, 0, 1_000);
  for (const [index, { at }] of all.entries()) assert.ok(at >= (all[index - 1]?.at ?? 0));
});

test('half a note at the end of the file is replaced by the whole one', async () => {
  const path = join(folder, `${accountId}.txt`);
  const whole = await readFile(path, 'utf8');
  await appendFile(path, `askfirst/${accountId}\n99`);
  await write(await newContact());
  await makeCheckpoints(ports('two'));
  const last = await latestCheckpoint(store.database, accountId);
  assert.equal(await readFile(path, 'utf8'), `${whole}${last?.note}\n`);
});

test('a file that was lost or lags behind gets what it lacks', async () => {
  const path = join(folder, `${accountId}.txt`);
  const whole = await readFile(path, 'utf8');
  await rm(path);
  await write(await newContact());
  await makeCheckpoints(ports('two'));
  const last = await latestCheckpoint(store.database, accountId);
  assert.equal(await readFile(path, 'utf8'), `${whole}${last?.note}\n`);
});

test('when the file knows another history, nothing more is signed, and it is said', async () => {
  const path = join(folder, `${accountId}.txt`);
  const whole = await readFile(path, 'utf8');
  const size = 1_000_000;
  const root = random.bytes(32);
  await writeFile(path, `${whole}${signer.sign({ accountId, size, root, at: clock.now() })}\n`);
  await write(await newContact());
  const said: string[] = [];
  const log = { ...silentLog, error: (_: object, text: string) => void said.push(text) } as Log;
  const before = await latestCheckpoint(store.database, accountId);
  const worker = openCheckpointWorker(ports('two', { log }));
  for (let second = 0; second < 70; second += 1) {
    clock.advance(1_000);
    for (let turn = 0; turn < 5; turn += 1) await store.database.run(ROWS);
  }
  await worker.close();
  assert.match(said.join(), /contradicts the database/);
  const later = await latestCheckpoint(store.database, accountId);
  assert.equal(later?.size, before?.size);
});
