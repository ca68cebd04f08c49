import type { EventType } from './webhooks.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { createApiKey } from '../http/api-keys-store.ts';
import { makeAuthenticator } from '../http/auth.ts';
import { openHttpServer, type HttpServer } from '../http/server.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type AccountId, type CallId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { makeSealer } from '../platform/sealing.ts';
import { makeDeliveryWorker } from './delivery-worker.ts';
import { makeEgress, type Egress } from './egress.ts';
import { registerEventRoutes } from './event-routes.ts';
import { announceAll } from './outbox-store.ts';
import { verify } from './signing.ts';
import { registerWebhookRoutes } from './webhook-routes.ts';

const clock = new ManualClock();
const random = seededRandom(4);
const ids = makeIds(clock, random);
const sealer = makeSealer(random.bytes(32), random);
const CALL = ids.next('call', 7);
let testing: TestDatabase;
let app: HttpServer;
let worker: ReturnType<typeof makeDeliveryWorker>;
let wakes = 0;
let posts: Array<{ headers: Record<string, string>; body: string }> = [];
let answerStatus = 200;
const keys: Record<string, string> = {};

before(async () => {
  testing = await testDatabase();
  const { database } = testing;
  await database.script(`insert into accounts (id, name) values ('acct_1', 'A'), ('acct_2', 'B')`);
  for (const name of ['acct_1', 'acct_2']) {
    const accountId = name as AccountId;
    const spec = { accountId, name, mode: 'test', now: clock.now() } as const;
    keys[name] = (await createApiKey(database, spec, { ids, random })).key;
  }
  const real = makeEgress({ clock, allowPrivate: false });
  const egress: Egress = {
    refuse: real.refuse,
    close: real.close,
    ask: real.ask,
    post: async (_url, headers, body) => {
      posts.push({ headers: { ...headers }, body });
      return { status: answerStatus, error: null, retryAfter: null };
    },
  };
  const ports = { database, clock, random, sealer, egress, log: silentLog, owner: 'node_a' };
  worker = makeDeliveryWorker(ports);
  app = await openHttpServer({ log: silentLog, clock, ids });
  const authenticator = makeAuthenticator({ database, clock });
  const wakeDeliveries = (): void => void (wakes += 1);
  const context = { database, clock, ids, random, sealer, authenticator, egress, wakeDeliveries };
  registerWebhookRoutes(app, context);
  registerEventRoutes(app, context);
});

after(async () => {
  await app.close();
  await testing.close();
});

beforeEach(async () => {
  posts = [];
  wakes = 0;
  answerStatus = 200;
  await testing.database.script('truncate deliveries, events, webhook_endpoints');
});

async function api(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  payload?: object,
  as = 'acct_1',
) {
  const headers = { authorization: `Bearer ${keys[as]}` };
  const response = await app.inject({
    method,
    url,
    headers,
    ...(payload === undefined ? {} : { payload }),
  });
  const body = response.body === '' ? undefined : response.json();
  return { status: response.statusCode, body };
}

async function announce(types: EventType[]): Promise<void> {
  const announcements = types.map((type, n) => ({
    bucket: 7,
    accountId: 'acct_1' as AccountId,
    contactId: ids.next('contact', 7),
    callId: type.startsWith('call.') ? (CALL as CallId) : null,
    type,
    sequence: n + 1,
    data: { n },
    at: clock.now(),
  }));
  await testing.database.transaction((tx) => announceAll(tx, ids, announcements));
}

async function newEndpoint(body: object = { url: 'https://example.com/hook' }) {
  const made = await api('POST', '/v1/webhook-endpoints', body);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

test('an endpoint is made with a secret that is shown once and stored sealed', async () => {
  const made = await newEndpoint({ url: 'https://example.com/hook', eventTypes: ['call.ended'] });
  assert.match(made.secret, /^whsec_/);
  assert.match(made.id, /^wh_/);
  const list = await api('GET', '/v1/webhook-endpoints');
  assert.deepEqual(list.body.items[0].eventTypes, ['call.ended']);
  assert.ok(!JSON.stringify(list.body).includes('whsec_'));
  const rows = await testing.database.run<{ secret: Buffer }>({
    name: '',
    text: 'select secret from webhook_endpoints',
  });
  assert.ok(!rows[0]?.secret.toString('latin1').includes(made.secret.slice(6)));
  assert.equal(sealer.open(rows[0]?.secret ?? Buffer.alloc(0)), made.secret);
});

test('a URL into a private network, an unknown type or field is refused with the fix', async () => {
  const url = 'http://169.254.169.254/latest';
  const refused = await api('POST', '/v1/webhook-endpoints', { url });
  assert.equal(refused.status, 422);
  assert.equal(refused.body.code, 'webhook_url_forbidden_address');
  for (const body of [
    { url: 'https://example.com', eventTypes: ['call.hung_up'] },
    { url: 'https://example.com', typo: 1 },
    {},
  ]) {
    const answer = await api('POST', '/v1/webhook-endpoints', body);
    assert.equal(answer.status, 400);
    assert.ok(answer.body.fields.length > 0);
  }
});

test('an account has at most 20 endpoints', async () => {
  for (let n = 0; n < 20; n += 1) await newEndpoint();
  const more = await api('POST', '/v1/webhook-endpoints', { url: 'https://example.com' });
  assert.equal(more.body.code, 'webhook_endpoint_limit');
});

test('without a key nothing answers, and another account sees and changes nothing', async () => {
  const { id } = await newEndpoint();
  await announce(['call.ended']);
  const event = (await api('GET', '/v1/events')).body.items[0];
  assert.equal((await app.inject({ url: '/v1/events' })).statusCode, 401);
  const foreign = [
    await api('DELETE', `/v1/webhook-endpoints/${id}`, undefined, 'acct_2'),
    await api('POST', `/v1/webhook-endpoints/${id}/test`, undefined, 'acct_2'),
    await api('POST', `/v1/webhook-endpoints/${id}/enable`, undefined, 'acct_2'),
    await api('POST', `/v1/webhook-endpoints/${id}/disable`, undefined, 'acct_2'),
    await api('PATCH', `/v1/webhook-endpoints/${id}`, { eventTypes: [] }, 'acct_2'),
    await api('POST', `/v1/webhook-endpoints/${id}/rotate-secret`, undefined, 'acct_2'),
    await api('GET', `/v1/webhook-endpoints/${id}/deliveries`, undefined, 'acct_2'),
    await api('POST', `/v1/events/${event.id}/redeliver`, undefined, 'acct_2'),
    await api('GET', `/v1/events/${event.id}`, undefined, 'acct_2'),
  ];
  assert.deepEqual(
    foreign.map((answer) => answer.status),
    foreign.map(() => 404),
  );
  assert.deepEqual((await api('GET', '/v1/events', undefined, 'acct_2')).body.items, []);
  assert.equal((await api('GET', '/v1/webhook-endpoints')).body.items.length, 1);
});

test('a test event is signed, sent at once and not stored', async () => {
  const { id, secret } = await newEndpoint();
  answerStatus = 500;
  const tried = await api('POST', `/v1/webhook-endpoints/${id}/test`);
  assert.deepEqual(tried.body, { delivered: false, status: 500, error: null, ms: 0 });
  const [post] = posts;
  assert.ok(post !== undefined);
  assert.equal(verify([secret], { ...post, now: clock.now() }).ok, true);
  assert.equal(JSON.parse(post.body).type, 'webhook.test');
  assert.deepEqual((await api('GET', '/v1/events')).body.items, []);
});

test('address and types are changed apart; what waits goes to the new address', async () => {
  const { id } = await newEndpoint({ url: 'https://example.com/old', eventTypes: ['call.ended'] });
  await announce(['call.ended']);
  const at = `/v1/webhook-endpoints/${id}`;
  const moved = await api('PATCH', at, { url: 'https://example.com/new' });
  assert.deepEqual(
    [moved.body.url, moved.body.eventTypes],
    ['https://example.com/new', ['call.ended']],
  );
  const widened = await api('PATCH', at, { eventTypes: [] });
  assert.deepEqual([widened.body.url, widened.body.eventTypes], ['https://example.com/new', []]);
  const refused = await api('PATCH', at, { url: 'http://127.0.0.1/x' });
  assert.deepEqual([refused.status, refused.body.fields[0].field], [422, 'url']);
  assert.equal((await api('PATCH', '/v1/webhook-endpoints/wh_1', { eventTypes: [] })).status, 404);
  await worker.drain();
  assert.equal(posts.length, 1);
});

test('a disabled endpoint gets nothing, keeps its first reason, and recovers', async () => {
  const { id } = await newEndpoint();
  const at = `/v1/webhook-endpoints/${id}`;
  const off = await api('POST', `${at}/disable`, { reason: 'The receiver moves.' });
  assert.deepEqual([off.body.enabled, off.body.disabledReason], [false, 'The receiver moves.']);
  const again = await api('POST', `${at}/disable`);
  assert.equal(again.body.disabledReason, 'The receiver moves.');
  await announce(['call.ended']);
  await worker.drain();
  assert.equal(posts.length, 0);
  await api('POST', `${at}/enable`);
  const since = new Date(clock.now() - 60_000).toISOString();
  assert.equal((await api('POST', `${at}/recover`, { since })).body.queued, 1);
  await worker.drain();
  assert.equal(posts.length, 1);
});

test('every type of event is listed with its meaning', async () => {
  const { items } = (await api('GET', '/v1/events/types')).body;
  const ended = items.find(({ type }: { type: string }) => type === 'call.ended');
  assert.match(ended.when, /call/);
  assert.equal((await app.inject({ url: '/v1/events/types' })).statusCode, 401);
});

test('deliveries show what happened, page by page', async () => {
  const { id } = await newEndpoint();
  await announce(['call.initiated', 'call.ringing', 'call.ended']);
  answerStatus = 503;
  await worker.drain();
  const first = await api('GET', `/v1/webhook-endpoints/${id}/deliveries?limit=2`);
  assert.equal(first.body.items.length, 2);
  const rest = `/v1/webhook-endpoints/${id}/deliveries?limit=2&after=${first.body.next}`;
  const second = await api('GET', rest);
  assert.equal(second.body.items.length, 1);
  assert.equal(second.body.next, null);
  const [row] = second.body.items;
  assert.deepEqual([row.status, row.attempts, row.lastStatus], ['pending', 1, 503]);
  assert.equal(row.eventType, 'call.initiated');
  assert.equal(row.eventAt, new Date(clock.now()).toISOString());
  assert.ok(row.nextAttemptAt > new Date(clock.now()).toISOString());
  const done = await api('GET', `/v1/webhook-endpoints/${id}/deliveries?status=delivered`);
  assert.deepEqual(done.body.items, []);
});

test('events come in order, from a known id on, of one type or one call', async () => {
  await announce(['permission.granted', 'call.initiated', 'call.ended']);
  const types = async (query: string) =>
    (await api('GET', `/v1/events${query}`)).body.items.map((item: { type: string }) => item.type);
  assert.deepEqual(await types(''), ['permission.granted', 'call.initiated', 'call.ended']);
  assert.deepEqual(await types('?order=desc&limit=1'), ['call.ended']);
  assert.deepEqual(await types('?type=permission.granted'), ['permission.granted']);
  assert.deepEqual(await types(`?callId=${CALL}`), ['call.initiated', 'call.ended']);
  assert.deepEqual(await types('?callId=nonsense'), []);
  const page = await api('GET', '/v1/events?limit=1');
  assert.deepEqual(await types(`?after=${page.body.next}`), ['call.initiated', 'call.ended']);
  const known = page.body.items[0].id;
  assert.deepEqual(await types(`?after=${known}`), ['call.initiated', 'call.ended']);
  const one = await api('GET', `/v1/events/${known}`);
  assert.equal(one.body.type, 'permission.granted');
  assert.equal((await api('GET', '/v1/events?after=x')).status, 400);
  assert.equal((await api('GET', '/v1/events/evt_1')).status, 404);
});

test('sending again and recovering queue deliveries and wake the worker', async () => {
  const { id } = await newEndpoint();
  await announce(['call.initiated', 'call.ended']);
  await worker.drain();
  const event = (await api('GET', '/v1/events')).body.items[0];
  const again = await api('POST', `/v1/events/${event.id}/redeliver`);
  assert.deepEqual([again.status, again.body.queued, wakes], [202, 1, 1]);
  const named = { webhookEndpointId: id };
  const toOne = await api('POST', `/v1/events/${event.id}/redeliver`, named);
  assert.equal(toOne.body.queued, 1);
  await worker.drain();
  assert.equal(posts.length, 3);
  const since = new Date(clock.now() - 60_000).toISOString();
  const recovered = await api('POST', `/v1/webhook-endpoints/${id}/recover`, { since });
  assert.equal(recovered.body.queued, 0, 'all of them arrived');
});

test('rotating gives a new secret, deleting ends deliveries', async () => {
  const { id, secret } = await newEndpoint();
  const rotated = await api('POST', `/v1/webhook-endpoints/${id}/rotate-secret`);
  assert.notEqual(rotated.body.secret, secret);
  assert.match(rotated.body.previousUntil, /Z$/);
  await announce(['call.ended']);
  assert.equal((await api('DELETE', `/v1/webhook-endpoints/${id}`)).status, 204);
  assert.equal((await api('DELETE', `/v1/webhook-endpoints/${id}`)).status, 404);
  await worker.drain();
  assert.equal(posts.length, 0);
});
