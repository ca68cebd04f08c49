import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { registerHealthRoutes } from '../src/http/health-routes.ts';
import { makeHttpMetrics } from '../src/http/metrics.ts';
import { openHttpServer } from '../src/http/server.ts';
import { makeIds } from '../src/platform/ids.ts';
import { makeLog, silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { PRESET } from '../simulator/simulator.ts';
import { assertProblem, send } from './api-peer.ts';
import { testDatabase } from './database.ts';
import { FAKE_OFFER } from './fake-sdp.ts';
import { openStory, type Story } from './harness.ts';
import { call, getYes, newPerson, person, placed, reach } from './story-people.ts';

/** What operators and strangers may see: logs, headers, health and metrics of a living server. */
let story: Story;
let ended: string;
const lines: string[] = [];
const people = [person('101'), person('104'), person('100')];

before(async () => {
  const log = makeLog({ level: 'trace', destination: { write: (line) => lines.push(line) } });
  story = await openStory({ seed: 11, log });
});
after(() => story.close());

async function liveThrough(): Promise<void> {
  for (const number of people) {
    await getYes(story, number);
    const { id } = await placed(story, number);
    if (number === person('100')) {
      await reach(story, id, 'bridged');
      await send(story, 'POST', `/v1/calls/${id}/hangup`);
    }
    await reach(story, id, 'ended');
    ended = id;
  }
  await call(story, people[0] ?? '');
  const strange = newPerson(story, '702', '101');
  await send(story, 'GET', `/v1/contacts?number=${encodeURIComponent(strange)}`);
  await send(story, 'GET', `/nowhere/${strange}`);
  await send(story, 'POST', '/v1/calls', { body: `{"to":"${strange}` });
  await send(story, 'POST', '/webhooks/whatsapp', {
    body: { entry: [{ id: strange }] },
    headers: { 'x-hub-signature-256': 'sha256=00' },
  });
}

test('the whole log of a story holds no number, no secret, no SDP and no audio', async () => {
  await liveThrough();
  await story.restart();
  await story.pass(5_000);
  const text = lines.join('');
  assert.ok(lines.length > 50, `only ${lines.length} lines`);
  for (const line of lines) JSON.parse(line);
  for (const number of [...people, person('702')]) {
    assert.ok(!text.includes(number.slice(1)), `the number of ${number} is in the log`);
    const inBase64 = Buffer.from(number.slice(1)).toString('base64').slice(0, 12);
    assert.ok(!text.includes(inBase64), 'a number is in the log in base64');
  }
  const secrets = [PRESET.accessToken, PRESET.appSecret, PRESET.verifyToken, story.apiKey];
  for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} is in the log`);
  assert.doesNotMatch(text, /whsec_[A-Za-z0-9]|Bearer [A-Za-z0-9]|af_test_[A-Za-z0-9]/);
  for (const sdp of FAKE_OFFER.split('\r\n').filter((line) => line.startsWith('a='))) {
    assert.ok(!text.includes(sdp), `${sdp} is in the log`);
  }
  assert.doesNotMatch(text, /a=(ice-pwd|ice-ufrag|fingerprint|crypto)|"type":"Buffer"/);
  assert.ok(!text.includes('your order 1042'), 'why people are called is in the log');
});

const HEADERS: Array<[string, RegExp]> = [
  ['content-security-policy', /default-src 'none'.*frame-ancestors 'none'/],
  ['x-content-type-options', /^nosniff$/],
  ['x-frame-options', /./],
  ['referrer-policy', /^no-referrer$/],
  ['permissions-policy', /microphone=\(self\)/],
  ['cross-origin-opener-policy', /^same-origin$/],
  ['x-request-id', /^req_/],
];

test('every answer has the security headers, and none names the software', async () => {
  for (const path of ['/v1/calls', '/nowhere', '/healthz', '/openapi.json', '/docs/errors']) {
    const { headers } = await send(story, 'GET', path);
    for (const [name, value] of HEADERS) assert.match(String(headers[name]), value, path);
    assert.equal(headers['x-powered-by'], undefined);
    assert.equal(headers['server'], undefined);
  }
});

test('pages of other origins can read nothing: there is no CORS', async () => {
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
  for (const [method, path] of [
    ['OPTIONS', '/v1/calls'],
    ['GET', '/v1/calls'],
    ['GET', '/v1/stream/x'],
  ] as const) {
    const answer = await send(story, method, path, { headers });
    const allowed = Object.keys(answer.headers).filter((name) => name.startsWith('access-control'));
    assert.deepEqual(allowed, []);
  }
});

test('metrics have neither a number nor an id in them', async () => {
  await send(story, 'GET', `/v1/calls/${ended}`);
  const { status, text } = await send(story, 'GET', '/metrics', { key: null });
  assert.equal(status, 200);
  assert.match(text, /route="\/v1\/calls\/:id"/);
  const labels = [...text.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
  for (const label of labels) {
    assert.doesNotMatch(label, /\+?\d{7,}|[a-z]+_[0-9a-f]{8}-|\/nowhere/, label);
  }
  assert.ok(!text.includes(person('101').slice(1)));
});

test('liveness and readiness say one word each', async () => {
  const health = await send(story, 'GET', '/healthz', { key: null });
  assert.deepEqual(JSON.parse(health.text), { ok: true });
  const ready = await send(story, 'GET', '/readyz', { key: null });
  assert.equal(ready.status, 200);
  assert.deepEqual(JSON.parse(ready.text), { ok: true, checks: { database: 'ok' } });
});

test('the webhook handshake takes the right token only, and echoes no markup', async () => {
  const shake = (token: string, challenge: string) => {
    const query = new URLSearchParams({
      'hub.mode': 'subscribe',
      'hub.verify_token': token,
      'hub.challenge': challenge,
    });
    return send(story, 'GET', `/webhooks/whatsapp?${query.toString()}`, { key: null });
  };
  const good = await shake(PRESET.verifyToken, '1158201444');
  assert.deepEqual([good.status, good.text], [200, '1158201444']);
  assert.match(String(good.headers['content-type']), /^text\/plain/);
  for (const [token, challenge] of [
    ['wrong', '1'],
    ['', '1'],
    [PRESET.verifyToken, '<script>alert(1)</script>'],
  ] as const) {
    const answer = await shake(token, challenge);
    assert.equal(answer.status, 403);
    assert.ok(!answer.text.includes('<script>'));
  }
});

test('every refusal carries the title of its code', async () => {
  const answer = await call(story, person('101'));
  assert.ok('code' in answer);
  assert.equal(answer.code, 'permission_used');
  assert.notEqual(answer.title, 'Refused.');
  const body = { to: '07700', purpose: 'order 7' };
  const invalid = assertProblem(await send(story, 'POST', '/v1/calls', { body }), 422);
  assert.equal(invalid.title, 'This is not a phone number.');
});

test('without its database a server is alive, not ready, and says "later"', async () => {
  const testing = await testDatabase();
  const { database } = testing;
  const { clock } = story;
  const metrics = makeHttpMetrics();
  const ids = makeIds(clock, seededRandom(12));
  const app = await openHttpServer({ log: silentLog, clock, ids, metrics });
  registerHealthRoutes(app, { database, clock, metrics });
  app.get('/refused', async () => {
    throw Object.assign(new Error('connect ECONNREFUSED /secret/.s.PGSQL.5432'), {
      code: 'ECONNREFUSED',
    });
  });
  assert.equal((await app.inject({ url: '/readyz' })).statusCode, 200);
  await testing.close();
  assert.equal((await app.inject({ url: '/healthz' })).statusCode, 200);
  const ready = await app.inject({ url: '/readyz' });
  assert.equal(ready.statusCode, 503);
  assert.deepEqual(ready.json(), { ok: false, checks: { database: 'failed' } });
  const later = await app.inject({ url: '/refused' });
  assert.deepEqual([later.statusCode, later.headers['retry-after']], [503, '2']);
  assert.ok(!later.body.includes('secret'));
  await app.close();
});
