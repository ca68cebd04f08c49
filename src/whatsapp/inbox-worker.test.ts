import assert from 'node:assert/strict';
import test, { after, before, beforeEach, type TestContext } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { statement } from '../database/database.ts';
import { ManualClock, systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { dueBuckets, leaseLane, purgeInbox, releaseLane } from './inbox-store.ts';
import { openInboxWorker, type InboxWorker, type InboxWorkerOptions } from './inbox-worker.ts';
import { laneOf } from './intake-lane.ts';
import { openIntake } from './intake.ts';
import { CONNECT, TERMINATE, callStatus, delivery, value } from './webhook-fixtures.ts';
import type { WhatsAppFact } from './whatsapp.ts';

const STATES = statement<{ state: string; attempts: number; last_error: string | null }>(
  'inbox_test_states',
  'select state, attempts, last_error from whatsapp_inbox order by id',
);
const CLEAR = statement('inbox_test_clear', 'delete from whatsapp_inbox');
const FREE = statement(
  'inbox_test_free',
  "update whatsapp_inbox_lanes set lease_until = '-infinity'",
);
/** Stands for the passing of time, which here is the database's. */
const AGE = statement(
  'inbox_test_age',
  `update whatsapp_inbox set
     next_attempt_at = next_attempt_at - $1::double precision * interval '1 ms',
     lane_held_until = lane_held_until - $1::double precision * interval '1 ms',
     put_off_since = put_off_since - $1::double precision * interval '1 ms',
     finished_at = finished_at - $1::double precision * interval '1 ms'`,
);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let store: TestDatabase;
before(async () => {
  store = await testDatabase();
});
after(() => store.close());
beforeEach(async () => {
  await store.database.run(CLEAR);
  await store.database.run(FREE);
});

async function arrive(...bodies: Buffer[]): Promise<void> {
  const { database } = store;
  const intake = openIntake({
    database,
    log: silentLog,
    clock: systemClock,
    onStored: () => undefined,
  });
  // One after the other, so that their ids have the order of the list.
  for (const body of bodies) await intake.accept(body);
}

function openWorker(
  t: TestContext,
  handle: InboxWorkerOptions['handle'],
  node = 'node_a',
): InboxWorker {
  const { database } = store;
  const worker = openInboxWorker({
    database,
    clock: new ManualClock(),
    log: silentLog,
    handle,
    node,
  });
  t.after(() => worker.close());
  return worker;
}

async function pass(worker: InboxWorker): Promise<void> {
  worker.wake();
  await worker.settled();
}

function text(person: string, words: string): Buffer {
  const head = { id: `wamid.${person}.${words}`, from: person, timestamp: '1767614400' };
  const items = { messages: [{ ...head, type: 'text', text: { body: words } }], contacts: [] };
  return delivery('messages', value(items));
}

function connect(serial: number, person = '16501230000'): Buffer {
  const call = { ...CONNECT, id: `wacid.${serial}`, to: person, to_user_id: undefined };
  return delivery('calls', value({ calls: [call], contacts: [] }));
}

const words = (fact: WhatsAppFact): string => (fact.kind === 'text' ? fact.text : fact.key);

test('facts of one person are handled in the order in which they came', async (t) => {
  const bodies = Array.from({ length: 80 }, (_, index) => text('16501230000', `t${index}`));
  await arrive(...bodies);
  const seen: string[] = [];
  await pass(openWorker(t, async (fact) => (seen.push(words(fact)), 'done')));
  assert.deepEqual(
    seen,
    bodies.map((_, index) => `t${index}`),
  );
  assert.ok((await store.database.run(STATES)).every((row) => row.state === 'done'));
});

test('what comes with one delivery is done only when all of it is handled', async (t) => {
  const items = { calls: [CONNECT, TERMINATE], statuses: [callStatus('RINGING')] };
  await arrive(delivery('calls', value(items)));
  let known = false;
  const seen: string[] = [];
  const worker = openWorker(t, async (fact) => {
    seen.push(fact.kind);
    return fact.kind === 'callConnect' || known ? 'done' : 'later';
  });
  await pass(worker);
  // The terminate waits, so what follows of the same person waits too.
  assert.deepEqual(seen, ['callConnect', 'callTerminate']);
  assert.equal((await store.database.run(STATES))[0]?.state, 'pending');
  known = true;
  await store.database.run(AGE, [1000]);
  await pass(worker);
  assert.deepEqual(seen.slice(2), ['callConnect', 'callTerminate', 'callStatus']);
  assert.equal((await store.database.run(STATES))[0]?.state, 'done');
});

test('a fact of an unknown call holds back its own person only', async (t) => {
  const [held, free] = sameBucket('16501230000');
  await arrive(connect(1, held), text(held, 'after'), text(free, 'beside'));
  const seen: string[] = [];
  let known = false;
  const worker = openWorker(t, async (fact) => {
    if (fact.kind === 'callConnect' && !known) return 'later';
    seen.push(words(fact));
    return 'done';
  });
  await pass(worker);
  await pass(worker);
  assert.deepEqual(seen, ['beside']);
  known = true;
  await store.database.run(AGE, [1000]);
  await pass(worker);
  assert.deepEqual(seen, ['beside', 'call:wacid.1:connect', 'after']);
});

test('after five seconds a held lane goes on, so that a STOP is never stuck', async (t) => {
  await arrive(connect(1), text('16501230000', 'STOP'));
  const seen: string[] = [];
  const worker = openWorker(t, async (fact) => {
    if (fact.kind === 'callConnect') return 'later';
    seen.push(words(fact));
    return 'done';
  });
  await pass(worker);
  assert.deepEqual(seen, []);
  await store.database.run(AGE, [5001]);
  await pass(worker);
  assert.deepEqual(seen, ['STOP']);
});

test('a fact nobody knows after ten minutes is given up with its reason', async (t) => {
  await arrive(connect(1));
  const worker = openWorker(t, async () => 'later');
  await pass(worker);
  await store.database.run(AGE, [9 * MINUTE]);
  await pass(worker);
  assert.equal((await store.database.run(STATES))[0]?.state, 'pending');
  await store.database.run(AGE, [2 * MINUTE]);
  await pass(worker);
  const [row] = await store.database.run(STATES);
  assert.equal(row?.state, 'failed');
  assert.match(row.last_error ?? '', /callConnect of an unknown call/);
});

test('a row that always throws is tried ten times and then given up', async (t) => {
  await arrive(connect(1), text('16501230000', 'after'));
  const seen: string[] = [];
  const worker = openWorker(t, async (fact) => {
    seen.push(fact.kind);
    if (fact.kind === 'callConnect') throw new Error('poison');
    return 'done';
  });
  for (let attempt = 0; attempt < 12; attempt += 1) {
    await pass(worker);
    await store.database.run(AGE, [2 * MINUTE]);
  }
  const [poison, next] = await store.database.run(STATES);
  assert.deepEqual([poison?.state, poison?.last_error], ['failed', 'poison']);
  assert.equal(next?.state, 'done');
  assert.equal(seen.filter((kind) => kind === 'callConnect').length, 10);
});

test('a body that is no JSON is handled as unknown and done', async (t) => {
  await arrive(Buffer.from('no json'), Buffer.alloc(0));
  const seen: string[] = [];
  await pass(openWorker(t, async (fact) => (seen.push(fact.kind), 'done')));
  assert.deepEqual(seen, ['unknown', 'unknown']);
});

test('two nodes never handle one bucket at the same time', async (t) => {
  await arrive(text('16501230000', 'one'), text('16501230000', 'two'));
  const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const seen: string[] = [];
  const handle = (node: string) => async (fact: WhatsAppFact) => {
    seen.push(`${node} ${words(fact)}`);
    enter();
    await gate;
    return 'done' as const;
  };
  const a = openWorker(t, handle('a'), 'node_a');
  await entered;
  const b = openWorker(t, handle('b'), 'node_b');
  await pass(b);
  assert.deepEqual(seen, ['a one']);
  open();
  await a.settled();
  await pass(b);
  assert.deepEqual(seen, ['a one', 'a two']);
});

test('the rows of a node that died are taken over when its lease ends', async (t) => {
  await arrive(text('16501230000', 'one'));
  const { bucket } = laneOf(text('16501230000', 'one'));
  assert.ok(await leaseLane(store.database, { bucket, owner: 'dead' }, 60_000));
  const seen: string[] = [];
  const worker = openWorker(t, async (fact) => (seen.push(words(fact)), 'done'));
  await pass(worker);
  assert.deepEqual(seen, []);
  assert.equal(await leaseLane(store.database, { bucket, owner: 'node_b' }, 1), false);
  await store.database.run(FREE);
  await pass(worker);
  assert.deepEqual(seen, ['one']);
});

test('a node that lost its lease cannot end rows any more', async (t) => {
  await arrive(text('16501230000', 'one'));
  const { bucket } = laneOf(text('16501230000', 'one'));
  const worker = openWorker(t, async () => {
    await releaseLane(store.database, { bucket, owner: 'node_a' });
    assert.ok(await leaseLane(store.database, { bucket, owner: 'node_b' }, 60_000));
    return 'done';
  });
  await worker.settled();
  assert.equal((await store.database.run(STATES))[0]?.state, 'pending');
});

test('a wake-up while the bucket is busy is not lost', async (t) => {
  await arrive(text('16501230000', 'one'));
  const { bucket } = laneOf(text('16501230000', 'one'));
  const seen: string[] = [];
  const worker: InboxWorker = openWorker(t, async (fact) => {
    seen.push(words(fact));
    if (seen.length === 1) {
      await arrive(text('16501230000', 'two'));
      worker.wake(bucket);
    }
    return 'done';
  });
  await worker.settled();
  assert.deepEqual(seen, ['one', 'two']);
});

test('any order of arrival and any number of wake-ups handle every fact', async (t) => {
  const random = seededRandom(7);
  const bodies = Array.from({ length: 300 }, (_, index) =>
    text(`1650${1_000_000 + random.below(40)}`, `w${index}`),
  );
  await arrive(...bodies);
  const seen = new Map<string, number[]>();
  const worker = openWorker(t, async (fact) => {
    const person = fact.person.waId ?? '';
    seen.set(person, [...(seen.get(person) ?? []), Number(words(fact).slice(1))]);
    return 'done';
  });
  worker.wake();
  await pass(worker);
  await pass(worker);
  assert.equal([...seen.values()].flat().length, 300);
  for (const order of seen.values())
    assert.deepEqual(
      order,
      order.toSorted((x, y) => x - y),
    );
  assert.deepEqual(await dueBuckets(store.database), []);
});

test('handled rows go when their time is over, pending ones stay', async (t) => {
  await arrive(text('16501230000', 'old'));
  await pass(openWorker(t, async () => 'done'));
  await store.database.run(AGE, [6 * DAY]);
  assert.equal(await purgeInbox(store.database, 7 * DAY), 0);
  await store.database.run(AGE, [DAY + MINUTE]);
  await arrive(text('16501230000', 'new'));
  assert.equal(await purgeInbox(store.database, 7 * DAY), 1);
  assert.equal((await store.database.run(STATES)).length, 1);
});

/** Another person whose facts fall into the same bucket. */
function sameBucket(person: string): [string, string] {
  const wanted = laneOf(text(person, 'x')).bucket;
  for (let number = 16_501_230_001; ; number += 1) {
    if (laneOf(text(String(number), 'x')).bucket === wanted) return [person, String(number)];
  }
}
