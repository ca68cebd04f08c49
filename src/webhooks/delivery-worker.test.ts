import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type AccountId, type CallId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { makeSealer } from '../platform/sealing.ts';
import {
  claimDeliveries,
  dueWebhooks,
  listDeliveries,
  settleDelivery,
} from './deliveries-store.ts';
import { makeDeliveryWorker } from './delivery-worker.ts';
import { listEvents, recoverEvents, redeliverEvent } from './events-store.ts';
import { announceAll } from './outbox-store.ts';
import { makeSecret, verify } from './signing.ts';
import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  enableWebhookEndpoint,
  readWebhookEndpoint,
  rotateSecret,
} from './webhook-endpoints-store.ts';
import { JITTER_SHARE, RETRY_SCHEDULE_MS, type AttemptResult, type EventType } from './webhooks.ts';

const HOUR = 3_600_000;
const ACCOUNT = 'acct_1' as AccountId;
const random = seededRandom(9);
const sealer = makeSealer(random.bytes(32), random);
let testing: TestDatabase;
let clock: ManualClock;
let ids: ReturnType<typeof makeIds>;

type Post = { url: string; headers: Record<string, string>; body: string; at: number };
let posts: Post[];
/** What receivers answer, by URL; 200 where nothing is said. */
let answers: Map<string, (post: Post) => AttemptResult | Promise<AttemptResult>>;

const status = (code: number, retryAfter: string | null = null): AttemptResult => ({
  status: code,
  error: null,
  retryAfter,
});

before(async () => {
  testing = await testDatabase();
  await testing.database.script(`insert into accounts (id, name) values ('acct_1', 'One')`);
});

after(() => testing.close());

beforeEach(async () => {
  clock = new ManualClock();
  ids = makeIds(clock, random);
  posts = [];
  answers = new Map();
  await testing.database.script('truncate deliveries, events, webhook_endpoints');
});

function worker(owner = 'node_a') {
  const egress = {
    async post(url: string, headers: Readonly<Record<string, string>>, body: string) {
      const post = { url, headers: { ...headers }, body, at: clock.now() };
      posts.push(post);
      return (answers.get(url) ?? (() => status(200)))(post);
    },
  };
  const { database } = testing;
  return makeDeliveryWorker({ database, clock, random, sealer, egress, log: silentLog, owner });
}

async function endpoint(url: string, eventTypes: string[] = []) {
  const secret = makeSecret(random);
  const spec = { accountId: ACCOUNT, url, eventTypes, secret, now: clock.now() };
  const made = await createWebhookEndpoint(testing.database, spec, { ids, sealer });
  return { id: made.id, secret };
}

async function announce(count = 1, type: EventType = 'call.ended'): Promise<void> {
  await testing.database.transaction((tx) =>
    announceAll(
      tx,
      ids,
      Array.from({ length: count }, (_, n) => ({
        bucket: n % 64,
        accountId: ACCOUNT,
        contactId: ids.next('contact', n % 64),
        callId: ids.next('call', n % 64) as CallId,
        type,
        sequence: 1,
        data: { n, ä: '🛑' },
        at: clock.now(),
      })),
    ),
  );
}

async function deliveriesOf(webhookId: string) {
  const query = { webhookId, before: null, status: null, limit: 100 };
  return listDeliveries(testing.database, query);
}

async function readEndpoint(id: string) {
  return (await readWebhookEndpoint(testing.database, ACCOUNT, id))?.endpoint;
}

test('an event goes signed to each endpoint that wants it, once', async () => {
  const all = await endpoint('http://a');
  await endpoint('http://b', ['permission.granted']);
  await announce();
  await worker().drain();
  await worker().drain();
  assert.equal(posts.length, 1);
  const [post] = posts;
  assert.ok(post !== undefined);
  const message = { headers: post.headers, body: post.body, now: clock.now() };
  assert.deepEqual(verify([all.secret], message), { ok: true });
  const body = JSON.parse(post.body);
  assert.equal(body.id, post.headers['webhook-id']);
  assert.deepEqual([body.type, body.sequence, body.data], ['call.ended', 1, { n: 0, ä: '🛑' }]);
  const [row] = await deliveriesOf(all.id);
  assert.deepEqual([row?.status, row?.attempts, row?.last_status], ['delivered', 1, 200]);
  assert.equal(row?.delivered_at, clock.now());
});

/** Moves the clock to the next due moment until nothing waits any more. */
async function playOut(webhookId: string): Promise<void> {
  const one = worker();
  for (;;) {
    await one.drain();
    const [row] = await deliveriesOf(webhookId);
    if (row === undefined || row.status !== 'pending') return;
    clock.advance(row.next_attempt_at - clock.now() - 1);
    const before = posts.length;
    await one.drain();
    assert.equal(posts.length, before, 'a millisecond early is too early');
    clock.advance(1);
  }
}

test('a receiver that is down is tried ten times in three days under one id', async () => {
  const { id } = await endpoint('http://down');
  answers.set('http://down', () => status(500));
  await announce();
  await playOut(id);
  assert.equal(posts.length, 10);
  for (let n = 1; n < 10; n += 1) {
    const wait = RETRY_SCHEDULE_MS[n] ?? 0;
    const gap = (posts[n]?.at ?? 0) - (posts[n - 1]?.at ?? 0);
    assert.ok(Math.abs(gap - wait) <= wait * JITTER_SHARE + 1, `wait ${n}: ${gap}`);
  }
  assert.equal(new Set(posts.map((post) => post.headers['webhook-id'])).size, 1);
  assert.equal(new Set(posts.map((post) => post.body)).size, 1);
  const timestamps = posts.map((post) => Number(post.headers['webhook-timestamp']));
  assert.deepEqual(
    timestamps,
    posts.map((post) => Math.floor(post.at / 1_000)),
  );
  const [row] = await deliveriesOf(id);
  assert.deepEqual([row?.status, row?.attempts, row?.last_status], ['failed', 10, 500]);
  assert.equal((await readEndpoint(id))?.enabled, true, 'three days are not five');
});

test('tries end with the first 2xx, and Retry-After puts the next one off', async () => {
  const { id } = await endpoint('http://busy');
  const script = [status(503, '7200'), status(301), status(204)];
  answers.set('http://busy', () => script.shift() ?? status(500));
  await announce();
  await playOut(id);
  assert.equal(posts.length, 3);
  assert.equal((posts[1]?.at ?? 0) - (posts[0]?.at ?? 0), 7_200_000);
  assert.equal((await deliveriesOf(id))[0]?.status, 'delivered');
});

test('410 switches the endpoint off; switching it on lets the rest be sent', async () => {
  const { id } = await endpoint('http://gone');
  await announce(1);
  answers.set('http://gone', () => status(410));
  await worker().drain();
  assert.equal((await readEndpoint(id))?.enabled, false);
  assert.match(String((await readEndpoint(id))?.disabledReason), /410/);
  await announce(3);
  assert.equal((await deliveriesOf(id)).length, 1, 'nothing more is queued for it');
  answers.delete('http://gone');
  await testing.database.transaction((tx) => enableWebhookEndpoint(tx, id, clock.now()));
  const recover = {
    accountId: ACCOUNT,
    webhookId: id,
    since: clock.now() - HOUR,
    now: clock.now(),
  };
  const queued = await recoverEvents(testing.database, recover);
  assert.equal(queued, 4);
  await worker().drain();
  assert.equal((await deliveriesOf(id)).filter((row) => row.status === 'delivered').length, 4);
});

test('an endpoint that took nothing for five days is switched off with the reason', async () => {
  const { id } = await endpoint('http://dead');
  answers.set('http://dead', () => ({ status: null, error: 'ECONNREFUSED', retryAfter: null }));
  await announce();
  clock.advance(48 * HOUR);
  await announce();
  const one = worker();
  for (let hours = 48; hours < 140; hours += 1) {
    await one.drain();
    clock.advance(HOUR);
  }
  const found = await readEndpoint(id);
  assert.equal(found?.enabled, false);
  assert.match(String(found?.disabledReason), /5 days/);
});

test('one dead receiver with thousands waiting does not delay the others', async () => {
  const dead = await endpoint('http://hangs', ['call.initiated']);
  await endpoint('http://good', ['call.ended']);
  const release = Promise.withResolvers<AttemptResult>();
  let hanging = 0;
  answers.set('http://hangs', () => {
    hanging += 1;
    return release.promise;
  });
  await announce(3_000, 'call.initiated');
  await announce(200, 'call.ended');
  let good = 0;
  const allGood = Promise.withResolvers<void>();
  answers.set('http://good', () => {
    good += 1;
    if (good === 200) allGood.resolve();
    return status(200);
  });
  const one = worker();
  one.wake();
  await allGood.promise;
  assert.ok(hanging < 8, `${hanging} slots for the dead one`);
  await testing.database.transaction((tx) => deleteWebhookEndpoint(tx, ACCOUNT, dead.id));
  release.resolve(status(500));
  await one.stop();
});

test('two workers never share a delivery; what a dead one held comes back', async () => {
  const { id } = await endpoint('http://a');
  await announce(100);
  await Promise.all([worker('node_a').drain(), worker('node_b').drain()]);
  assert.equal(posts.length, 100);
  assert.equal(new Set(posts.map((post) => post.headers['webhook-id'])).size, 100);

  await announce(1);
  const claim = { webhookId: id, now: clock.now(), owner: 'node_dead' };
  const [held] = await claimDeliveries(testing.database, claim);
  assert.ok(held !== undefined);
  await worker().drain();
  assert.equal(posts.length, 100, 'leased: left alone');
  assert.deepEqual(await dueWebhooks(testing.database, clock.now(), []), []);
  await testing.database.script(`update deliveries set lease_until = now() - interval '1 second'
    where lease_owner = 'node_dead'`);
  await worker().drain();
  assert.equal(posts.length, 101);
  const late = { bucket: 0, id: held.id, owner: 'node_dead' };
  const outcome = {
    status: 'failed',
    nextAttemptAt: null,
    lastStatus: 500,
    lastError: null,
  } as const;
  const settled = await settleDelivery(testing.database, late, { ...outcome, deliveredAt: null });
  assert.equal(settled, false, 'who lost the lease cannot write');
  assert.ok((await deliveriesOf(id)).every((row) => row.status === 'delivered'));
});

test('sending again keeps the id and counts from the start', async () => {
  const { id } = await endpoint('http://a');
  await announce(2);
  await worker().drain();
  const query = { accountId: ACCOUNT, after: null, type: null, callId: null, limit: 10 } as const;
  const [first, second] = await listEvents(testing.database, { ...query, order: 'asc' });
  assert.ok(first !== undefined && second !== undefined && first.id < second.id);
  const again = { accountId: ACCOUNT, eventId: first.id, webhookId: null, now: clock.now() };
  assert.equal(await redeliverEvent(testing.database, again), 1);
  const strangers = { ...again, accountId: 'acct_2' as AccountId };
  assert.equal(await redeliverEvent(testing.database, strangers), 0);
  await worker().drain();
  assert.equal(posts.length, 3);
  assert.equal(posts[2]?.headers['webhook-id'], first.id);
  assert.equal((await deliveriesOf(id)).length, 2, 'no second row');
});

test('a new secret and the one before sign together for a day', async () => {
  const { id, secret } = await endpoint('http://a');
  const fresh = makeSecret(random);
  const spec = { accountId: ACCOUNT, id, secret: fresh, now: clock.now() };
  const previousUntil = clock.now() + 24 * HOUR;
  await testing.database.transaction((tx) => rotateSecret(tx, { ...spec, previousUntil }, sealer));
  const verified = (which: string) => {
    const post = posts.at(-1);
    assert.ok(post !== undefined);
    return verify([which], { headers: post.headers, body: post.body, now: post.at }).ok;
  };
  await announce();
  await worker().drain();
  assert.deepEqual([verified(fresh), verified(secret)], [true, true]);
  clock.advance(24 * HOUR);
  await announce();
  await worker().drain();
  assert.deepEqual([verified(fresh), verified(secret)], [true, false]);
});

test('the worker looks by itself once a second and stops cleanly', async () => {
  await endpoint('http://a');
  const arrived = Promise.withResolvers<void>();
  answers.set('http://a', () => {
    arrived.resolve();
    return status(200);
  });
  const one = worker();
  one.start();
  await one.drain();
  await announce();
  clock.advance(1_000);
  await arrived.promise;
  await one.stop();
  assert.equal(clock.pendingTimers, 0);
});
