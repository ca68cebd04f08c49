import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { statement, type Database } from '../database/database.ts';
import { ManualClock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { silentLog } from '../platform/log.ts';
import { hash } from 'node:crypto';
import { laneOf } from './intake-lane.ts';
import { openIntake } from './intake.ts';
import {
  CONNECT,
  TERMINATE,
  callStatus,
  delivery,
  permissionReply,
  value,
} from './webhook-fixtures.ts';
import { laneKey, parseWebhook } from './webhook-parse.ts';

const ROWS = statement<{ bucket: number; body: Buffer; body_sha256: Buffer; state: string }>(
  'intake_test_rows',
  'select bucket, body, body_sha256, state from whatsapp_inbox order by body',
);
const CLEAR = statement('intake_test_clear', 'delete from whatsapp_inbox');
const clock = new ManualClock();

let store: TestDatabase;
before(async () => {
  store = await testDatabase();
});
after(() => store.close());

/** A database whose inserts wait until the test lets them go. */
function gated(database: Database): { database: Database; calls: Array<() => void> } {
  const calls: Array<() => void> = [];
  const run: Database['run'] = async (wanted, values) => {
    await new Promise<void>((resolve) => calls.push(resolve));
    return database.run(wanted, values);
  };
  return { database: { ...database, run }, calls };
}

function open(database: Database, onStored: (buckets: readonly number[]) => void = () => {}) {
  return openIntake({ database, log: silentLog, clock, onStored });
}

function body(serial: number): Buffer {
  return delivery('calls', value({ calls: [{ ...CONNECT, id: `wacid.${serial}` }] }));
}

test('an accepted body is in the inbox, byte by byte', async () => {
  await store.database.run(CLEAR);
  const stored: number[] = [];
  const odd = Buffer.from([0, 0xff, 0x5c, 0x27, 0x0a]);
  const intake = open(store.database, (buckets) => stored.push(...buckets));
  await Promise.all([intake.accept(odd), intake.accept(body(1)), intake.accept(Buffer.alloc(0))]);
  const rows = await store.database.run(ROWS);
  assert.equal(rows.length, 3);
  const bodies = rows.map((row) => row.body.toString('hex'));
  assert.ok(bodies.includes(odd.toString('hex')));
  for (const row of rows) {
    assert.deepEqual(row.body_sha256, hash('sha256', row.body, 'buffer'));
    assert.ok(row.bucket >= 0 && row.bucket < 64);
    assert.ok(stored.includes(row.bucket));
    assert.equal(row.state, 'pending');
  }
});

test('the same body is stored once, also inside one statement', async () => {
  await store.database.run(CLEAR);
  const intake = open(store.database);
  await Promise.all(Array.from({ length: 40 }, (_, index) => intake.accept(body(index % 4))));
  await intake.accept(body(0));
  assert.equal((await store.database.run(ROWS)).length, 4);
});

test('two statements are under way at most, and the rest shares the next one', async () => {
  await store.database.run(CLEAR);
  const { database, calls } = gated(store.database);
  const intake = open(database);
  const accepted = Array.from({ length: 300 }, (_, index) => intake.accept(body(index)));
  assert.equal(calls.length, 2);
  calls[0]?.();
  await accepted[0];
  await Promise.resolve();
  assert.equal(calls.length, 3);
  calls[1]?.();
  await accepted[1];
  calls[2]?.();
  // 256 rows went with the third statement, so the fourth carries what is left.
  await accepted[257];
  await Promise.resolve();
  assert.equal(calls.length, 4);
  calls[3]?.();
  await Promise.all(accepted);
  assert.equal((await store.database.run(ROWS)).length, 300);
});

test('more than ten thousand waiting bodies are refused, not piled up', async () => {
  const { database, calls } = gated(store.database);
  const intake = open(database);
  const waiting = Array.from({ length: 10_002 }, (_, index) =>
    intake.accept(Buffer.from(String(index))),
  );
  await assert.rejects(
    intake.accept(body(1)),
    (error) => error instanceof Failure && error.code === 'intake_full',
  );
  const closed = intake.close();
  const release = (): void => {
    for (const call of calls.splice(0)) call();
  };
  const settled = Promise.all(waiting).then(() => true);
  while (!(await Promise.race([settled, Promise.resolve(false)]))) {
    release();
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  await closed;
});

test('a database that fails rejects the bodies, and the next ones are stored', async () => {
  await store.database.run(CLEAR);
  let broken = true;
  const run: Database['run'] = (wanted, values) =>
    broken ? Promise.reject(new Error('gone')) : store.database.run(wanted, values);
  const intake = open({ ...store.database, run });
  await assert.rejects(
    intake.accept(body(1)),
    (error) => error instanceof Failure && error.code === 'intake_store_failed',
  );
  broken = false;
  await intake.accept(body(1));
  assert.equal((await store.database.run(ROWS)).length, 1);
});

test('a closed intake takes nothing more', async () => {
  const intake = open(store.database);
  await intake.close();
  await assert.rejects(intake.accept(body(1)));
});

test('the lane of a delivery is the lane of its first fact', () => {
  const { to: _to, ...withoutNumber } = CONNECT;
  const bodies = [
    body(1),
    delivery('calls', value({ calls: [TERMINATE], errors: [] })),
    delivery('calls', value({ calls: [{ ...CONNECT, direction: 'USER_INITIATED' }] })),
    delivery('calls', value({ calls: [withoutNumber] })),
    delivery('calls', value({ calls: [withoutNumber], contacts: undefined })),
    delivery('calls', value({ calls: [{ id: 'wacid.1', event: 'terminate' }], contacts: [] })),
    delivery('calls', value({ calls: [{ ...CONNECT, from: CONNECT.to, to: CONNECT.from }] })),
    delivery('calls', value({ statuses: [callStatus('RINGING')] })),
    delivery('calls', value({ statuses: [callStatus('RINGING')], contacts: undefined })),
    delivery('messages', value({ messages: [permissionReply({ response: 'accept' })] })),
    delivery('messages', value({ messages: [{ id: 'wamid.1', from: '+16501230000' }] })),
    delivery('messages', {
      ...value({
        messages: [{ id: 'wamid.1', from: '16501230000', text: { body: '"wa_id":"666"' } }],
      }),
      contacts: [],
    }),
    Buffer.from(JSON.stringify(JSON.parse(body(1).toString()), null, 2)),
    delivery('account_update', { event: 'ACCOUNT_RESTRICTION' }),
    Buffer.from('no json'),
    Buffer.from('[]'),
    Buffer.from('{"entry":[null]}'),
  ];
  for (const each of bodies) {
    const fact = parseWebhook(each)[0];
    assert.ok(fact);
    const digest = hash('sha256', laneKey(fact), 'buffer');
    const expected = { bucket: digest.readUInt8(0) % 64, lane: digest.readUIntBE(1, 6) };
    assert.deepEqual(laneOf(each), expected, each.toString());
  }
});
