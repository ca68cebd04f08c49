import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { z } from 'zod';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { statement, type Tx } from '../database/database.ts';
import { ManualClock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { makeIds, type AccountId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { canonicalJson } from '../platform/canonical-json.ts';
import { idempotent, type WorkAnswer, type WorkRefused } from './idempotency.ts';
import { purgeIdempotencyKeys, sweepAnswers } from './idempotency-store.ts';
import { openHttpServer, type HttpServer } from './server.ts';

const clock = new ManualClock();
const ids = makeIds(clock, seededRandom(3));
let testing: TestDatabase;
let app: HttpServer;
let work: (tx: Tx, body: object) => Promise<WorkAnswer | WorkRefused>;
let runs = 0;

before(async () => {
  testing = await testDatabase();
  app = await openHttpServer({ log: silentLog, clock, ids, requestsPerMinute: 100_000 });
  app.addHook('onRequest', async (request) => {
    const accountId = String(request.headers['x-account'] ?? 'acct_1') as AccountId;
    request.account = { accountId, keyId: ids.next('apiKey'), mode: 'test' };
  });
  const context = { database: testing.database, clock };
  app.post(
    '/v1/calls',
    { schema: { body: z.object({ to: z.string() }), response: { 201: z.object({}) } } },
    async (request, reply) => idempotent(request, reply, context, (tx) => work(tx, request.body)),
  );
});

beforeEach(() => {
  runs = 0;
  work = async (_tx, body) => {
    runs += 1;
    return { status: 201, body: { id: `call_${runs}`, ...body } };
  };
});

after(async () => {
  await app.close();
  await testing.close();
});

function post(key: string | undefined, payload: object, headers: Record<string, string> = {}) {
  const keyed = key === undefined ? headers : { 'idempotency-key': key, ...headers };
  return app.inject({ method: 'POST', url: '/v1/calls', payload, headers: keyed });
}

const INSERT = {
  name: '',
  text: `insert into accounts (id, name) values ($1, 'x')`,
};
const COUNT = { name: '', text: 'select count(*) as n from accounts where id = $1' };

async function countOf(id: string): Promise<number | undefined> {
  return (await testing.database.first<{ n: number }>(COUNT, [id]))?.n;
}

test('the same key and body get the same answer, and the work is done once', async () => {
  const first = await post('k1', { to: '+49' });
  assert.equal(first.statusCode, 201);
  assert.equal(first.headers['idempotent-replayed'], undefined);
  const again = await post('k1', { to: '+49' });
  assert.equal(again.statusCode, 201);
  assert.equal(again.headers['idempotent-replayed'], 'true');
  assert.equal(again.body, first.body);
  assert.match(String(again.headers['content-type']), /^application\/json/);
  assert.equal(runs, 1);
});

test('another body under the same key is refused with 422', async () => {
  await post('k2', { to: '+49' });
  const other = await post('k2', { to: '+50' });
  assert.equal(other.statusCode, 422);
  assert.equal(other.json().code, 'idempotency_key_reused');
  assert.equal(runs, 1);
});

test('the same key of another account is another key', async () => {
  await post('k3', { to: '+49' });
  const other = await post('k3', { to: '+50' }, { 'x-account': 'acct_2' });
  assert.equal(other.statusCode, 201);
  assert.equal(runs, 2);
});

test('a missing or unusable key is refused with 400 and a fix', async () => {
  assert.equal((await post(undefined, { to: '1' })).json().code, 'idempotency_key_missing');
  for (const key of ['two words', 'ü', 'x'.repeat(256)]) {
    const response = await post(key, { to: '1' });
    assert.equal(response.statusCode, 400);
    assert.equal(response.json().code, 'idempotency_key_invalid');
  }
  assert.equal(runs, 0);
});

test('while the first is running the second gets 409 with Retry-After', async () => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  work = async () => {
    started.resolve();
    await finish.promise;
    return { status: 201, body: { id: 'call_slow' } };
  };
  const first = post('k4', { to: '1' });
  await started.promise;
  const second = await post('k4', { to: '1' });
  assert.equal(second.statusCode, 409);
  assert.equal(second.json().code, 'idempotency_in_flight');
  assert.equal(second.headers['retry-after'], '1');
  finish.resolve();
  assert.equal((await first).statusCode, 201);
  assert.equal((await post('k4', { to: '1' })).json().id, 'call_slow');
});

test('of 100 parallel requests one works; all who come again get its answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => {
      for (;;) {
        const response = await post('k5', { to: '1' });
        if (response.statusCode !== 409) return response.body;
      }
    }),
  );
  assert.equal(runs, 1);
  assert.equal(new Set(answers).size, 1);
});

const REFUSAL = { code: 'permission_used', message: 'Used.', fix: 'Ask again.' };

test('a refusal is remembered with what was written beside it', async () => {
  work = async (tx) => {
    runs += 1;
    await tx.run(INSERT, ['acct_beside']);
    return { refused: REFUSAL };
  };
  const first = await post('k6', { to: '1' });
  assert.equal(first.statusCode, 409);
  assert.match(String(first.headers['content-type']), /^application\/problem\+json/);
  assert.equal(first.json().code, 'permission_used');
  const again = await post('k6', { to: '1' });
  assert.equal(again.body, first.body);
  assert.equal(again.headers['idempotent-replayed'], 'true');
  assert.equal(runs, 1);
  assert.equal(await countOf('acct_beside'), 1);
});

test('a refusal that asks not to be stored is decided afresh', async () => {
  work = async () => {
    runs += 1;
    return { refused: REFUSAL, status: 503, store: false };
  };
  assert.equal((await post('k7', { to: '1' })).statusCode, 503);
  const again = await post('k7', { to: '1' });
  assert.equal(again.headers['idempotent-replayed'], undefined);
  assert.equal(runs, 2);
});

test('a failure rolls everything back and the key stays free', async () => {
  work = async (tx) => {
    await tx.run(INSERT, ['acct_failed']);
    throw new Failure({
      code: 'store_slow',
      message: '-',
      fix: '-',
      verdict: 'retryable',
      side: 'server',
    });
  };
  assert.equal((await post('k8', { to: '1' })).statusCode, 503);
  assert.equal(await countOf('acct_failed'), 0);
  work = async () => ({ status: 201, body: { id: 'call_later' } });
  assert.equal((await post('k8', { to: '1' })).json().id, 'call_later');
});

test('answers are kept for 30 days and then forgotten', async () => {
  await post('k9', { to: '1' });
  assert.equal(await purgeIdempotencyKeys(testing.database, clock.now() + 30 * 86_400_000), 0);
  assert.ok((await purgeIdempotencyKeys(testing.database, clock.now() + 31 * 86_400_000)) > 0);
  assert.equal((await post('k9', { to: '1' })).headers['idempotent-replayed'], undefined);
});

test('the order of keys in the body does not make another request', () => {
  assert.equal(
    canonicalJson({ b: [1, { d: 1, c: 2 }], a: null }),
    '{"a":null,"b":[1,{"c":2,"d":1}]}',
  );
  assert.equal(canonicalJson(undefined), 'null');
});

const STORED = statement<{ account_id: AccountId; response_status: number; response_body: string }>(
  'idempotency_test_stored',
  'select account_id, response_status, response_body from idempotency_keys where key = $1',
);

test('what is stored names nobody, and an erasure empties what speaks of them', async () => {
  for (const [key, id] of [
    ['k20', '447700900777'],
    ['k21', '447700900778'],
  ] as const) {
    work = async () => ({ status: 201, body: { id } });
    await post(key, { to: id });
    const row = await testing.database.first(STORED, [key]);
    assert.ok(row !== undefined && !row.response_body.includes(id), row?.response_body);
  }
  const before = await testing.database.first(STORED, ['k20']);
  assert.ok(before !== undefined);
  const accountIds = [before.account_id];
  const sweep = { accountIds, needles: ['447700900777'], erasedAt: clock.now() + 1 };
  await sweepAnswers(testing.database, sweep);
  assert.equal((await testing.database.first(STORED, ['k20']))?.response_status, 410);
  assert.equal((await testing.database.first(STORED, ['k21']))?.response_status, 201);
  assert.equal((await post('k20', { to: '447700900777' })).json().code, 'contact_erased');
  assert.equal((await post('k21', { to: '447700900778' })).json().id, '447700900778');
});
