import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type AccountId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { createApiKey, revokeApiKey } from './api-keys-store.ts';
import { accountOf, makeAuthenticator, type Authenticator } from './auth.ts';
import { openHttpServer, type HttpServer } from './server.ts';

const ACCOUNT = 'acct_1' as AccountId;
const clock = new ManualClock();
const random = seededRandom(7);
const ids = makeIds(clock, random);
let testing: TestDatabase;
let app: HttpServer;
let authenticator: Authenticator;

before(async () => {
  testing = await testDatabase();
  await testing.database.script(`insert into accounts (id, name) values ('acct_1', 'One')`);
  authenticator = makeAuthenticator({ database: testing.database, clock });
  app = await openHttpServer({ log: silentLog, clock, ids });
  await app.register(async (scope) => {
    scope.addHook('onRequest', authenticator.authenticate);
    scope.get('/v1/me', async (request) => accountOf(request));
  });
});

after(async () => {
  await app.close();
  await testing.close();
});

function newKey(mode: 'test' | 'live' = 'test') {
  const spec = { accountId: ACCOUNT, name: 'k', mode, now: clock.now() };
  return createApiKey(testing.database, spec, { ids, random });
}

async function ask(authorization?: string) {
  const headers = authorization === undefined ? {} : { authorization };
  const response = await app.inject({ url: '/v1/me', headers });
  return { status: response.statusCode, body: response.json(), headers: response.headers };
}

test('a key opens its account, and the store holds only its hash', async () => {
  const { id, key } = await newKey('live');
  assert.match(key, /^af_live_[A-Za-z0-9_-]{43}$/);
  const answer = await ask(`Bearer ${key}`);
  assert.deepEqual(answer.body, { accountId: ACCOUNT, keyId: id, mode: 'live' });
  const rows = await testing.database.run<{ text: string }>({
    name: '',
    text: 'select k::text as text from api_keys k',
  });
  assert.ok(rows.every(({ text }) => !text.includes(key.slice(8))));
});

for (const [name, header, code] of [
  ['no header', undefined, 'api_key_missing'],
  ['an empty header', ' ', 'api_key_missing'],
  ['basic auth', 'Basic abc', 'api_key_missing'],
  ['a text that is no key', 'Bearer hunter2', 'api_key_unknown'],
  ['a key nobody has', `Bearer af_test_${'A'.repeat(43)}`, 'api_key_unknown'],
] as const) {
  test(`${name} is answered 401 ${code} with a fix`, async () => {
    const answer = await ask(header);
    assert.equal(answer.status, 401);
    assert.equal(answer.body.code, code);
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
    assert.ok(answer.body.fix.length > 0);
    assert.ok(!JSON.stringify(answer.body).includes('hunter2'));
  });
}

test('a revoked key is refused at once where it was forgotten, elsewhere within 30 s', async () => {
  const { id, key } = await newKey();
  assert.equal((await ask(`Bearer ${key}`)).status, 200);
  assert.equal(await revokeApiKey(testing.database, ACCOUNT, id, clock.now()), true);
  assert.equal((await ask(`Bearer ${key}`)).status, 200, 'still cached');
  clock.advance(30_000);
  assert.equal((await ask(`Bearer ${key}`)).body.code, 'api_key_revoked');
  const other = await newKey();
  assert.equal((await ask(`Bearer ${other.key}`)).status, 200);
  await revokeApiKey(testing.database, ACCOUNT, other.id, clock.now());
  authenticator.forget(other.id);
  assert.equal((await ask(`Bearer ${other.key}`)).status, 401);
});

test('another account cannot revoke a key', async () => {
  const { id } = await newKey();
  const stranger = 'acct_2' as AccountId;
  assert.equal(await revokeApiKey(testing.database, stranger, id, clock.now()), false);
});

test('last use is written at most once a minute', async () => {
  const { id, key } = await newKey();
  const lastUsed = async () =>
    (
      await testing.database.first<{ used: number }>(
        { name: '', text: 'select last_used_at as used from api_keys where id = $1' },
        [id],
      )
    )?.used;
  await ask(`Bearer ${key}`);
  const first = clock.now();
  assert.equal(await lastUsed(), first);
  clock.advance(59_000);
  await ask(`Bearer ${key}`);
  assert.equal(await lastUsed(), first);
  clock.advance(1_000);
  await ask(`Bearer ${key}`);
  assert.equal(await lastUsed(), first + 60_000);
});

test('guessing keys is cut off before the database; keys in use go on', async () => {
  const { key } = await newKey();
  assert.equal((await ask(`Bearer ${key}`)).status, 200);
  const guess = (n: number) => ask(`Bearer af_test_${String(n).padStart(43, 'x')}`);
  let last = await guess(0);
  for (let n = 1; n <= 60; n += 1) last = await guess(n);
  assert.equal(last.status, 429);
  assert.equal(last.body.code, 'too_many_failed_logins');
  assert.ok(Number(last.headers['retry-after']) > 0);
  assert.equal((await ask(`Bearer ${key}`)).status, 200);
  clock.advance(60_000);
  assert.equal((await guess(99)).status, 401);
});
