import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { fastify, type FastifyInstance } from 'fastify';
import { Failure } from '../platform/failure.ts';
import { silentLog } from '../platform/log.ts';
import { intakeRoutes, WEBHOOK_PATH } from './intake-routes.ts';
import type { Intake } from './intake.ts';
import { sign } from './signature.ts';

const SECRET = 'app-secret';
const THREE_MB = 3 * 1024 * 1024;
const BODY = Buffer.from('{"object":"whatsapp_business_account","entry":[]}');

type Stage = { server: FastifyInstance; url: string; accepted: Buffer[]; statuses: number[] };

async function stage(t: TestContext, accept?: Intake['accept']): Promise<Stage> {
  const accepted: Buffer[] = [];
  const statuses: number[] = [];
  const server = fastify();
  t.after(() => server.close());
  await server.register(intakeRoutes, {
    intake: {
      accept: accept ?? (async (rawBody) => void accepted.push(rawBody)),
      close: async () => undefined,
    },
    log: silentLog,
    lookup: async () => ({ verifyTokens: ['token-1', 'token-2'], appSecrets: ['old', SECRET] }),
    observe: (status) => statuses.push(status),
  });
  server.get('/other', async () => 'other');
  await server.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return { server, url, accepted, statuses };
}

function post(url: string, body: Buffer, headers: Record<string, string>): Promise<Response> {
  return fetch(url + WEBHOOK_PATH, { method: 'POST', body: new Uint8Array(body), headers });
}

test('a signed delivery is taken in byte by byte and answered 200', async (t) => {
  const { url, accepted, statuses } = await stage(t);
  const escaped = Buffer.from('{"name":"\\u00e9\\ud83d\\ude00 é😀"}');
  for (const body of [BODY, escaped, Buffer.alloc(0), Buffer.alloc(THREE_MB, 0x61)]) {
    const answer = await post(url, body, {
      'x-hub-signature-256': sign(body, SECRET),
      'content-type': 'application/json',
    });
    assert.equal(answer.status, 200);
    assert.equal(Buffer.compare(accepted.at(-1) ?? Buffer.of(1), body), 0);
  }
  assert.deepEqual(statuses, [200, 200, 200, 200]);
});

test('every bad signature gets the same answer, and nothing is taken in', async (t) => {
  const { url, accepted } = await stage(t);
  const good = sign(BODY, SECRET);
  const answers = new Set<string>();
  for (const header of [
    undefined,
    'sha256=',
    good.slice(7),
    good.slice(0, -1),
    `${good.slice(0, -1)}g`,
    sign(BODY, 'another-app'),
    sign(Buffer.concat([BODY, Buffer.from(' ')]), SECRET),
    `${good}, ${good}`,
  ]) {
    const answer = await post(
      url,
      BODY,
      header === undefined ? {} : { 'x-hub-signature-256': header },
    );
    answers.add(`${answer.status} ${answer.headers.get('content-type')} ${await answer.text()}`);
  }
  assert.equal(answers.size, 1);
  assert.match([...answers][0] ?? '', /^401 application\/problem\+json.*webhook_signature_invalid/);
  assert.equal(accepted.length, 0);
});

test('one byte more than three megabytes is refused with 413', async (t) => {
  const { url, accepted } = await stage(t);
  const large = Buffer.alloc(THREE_MB + 1, 0x61);
  const answer = await post(url, large, { 'x-hub-signature-256': sign(large, SECRET) });
  assert.equal(answer.status, 413);
  assert.equal(accepted.length, 0);
});

test('an oversized body without a length is cut off', async (t) => {
  const { url, accepted } = await stage(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(`POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
  for (let sent = 0; sent <= THREE_MB; sent += 65_536) {
    socket.write(`10000\r\n${'a'.repeat(65_536)}\r\n`);
  }
  const [head] = (await once(socket, 'data')) as [Buffer];
  assert.match(head.toString(), /^HTTP\/1\.1 413/);
  assert.equal(accepted.length, 0);
});

test('a sender that hangs up in the middle is nobody we wait for', async (t) => {
  const { url, accepted } = await stage(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(`POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf`);
  socket.end();
  await once(socket.resume(), 'close');
  assert.equal((await fetch(`${url}/other`)).status, 200);
  assert.equal(accepted.length, 0);
});

test('a full or broken store answers 503 with Retry-After and tells no details', async (t) => {
  const failure = new Failure({
    code: 'intake_full',
    message: 'secret-host is full',
    fix: 'wait',
    verdict: 'retryable',
    side: 'server',
  });
  for (const reason of [failure, new Error('secret-host refused')]) {
    const { url } = await stage(t, () => Promise.reject(reason));
    const answer = await post(url, BODY, { 'x-hub-signature-256': sign(BODY, SECRET) });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '5');
    assert.doesNotMatch(await answer.text(), /secret-host/);
  }
});

test('other routes go on as before', async (t) => {
  const { url } = await stage(t);
  assert.equal(await (await fetch(`${url}/other`)).text(), 'other');
  assert.equal((await fetch(`${url}/nowhere`)).status, 404);
  assert.equal((await fetch(url + WEBHOOK_PATH, { method: 'PUT' })).status, 404);
});

test('a delivery by way of fastify is treated the same', async (t) => {
  const { server, accepted } = await stage(t);
  const request = { method: 'POST', url: `${WEBHOOK_PATH}?a=b`, payload: BODY } as const;
  const good = await server.inject({
    ...request,
    headers: { 'x-hub-signature-256': sign(BODY, SECRET), 'content-type': 'application/json' },
  });
  assert.equal(good.statusCode, 200);
  assert.equal((await server.inject(request)).statusCode, 401);
  assert.equal(accepted.length, 1);
});

const HANDSHAKES: Array<{ name: string; query: string; status: number }> = [
  {
    name: 'the right token',
    query: 'hub.mode=subscribe&hub.verify_token=token-1&hub.challenge=1158201444',
    status: 200,
  },
  {
    name: 'the token of another line',
    query: 'hub.mode=subscribe&hub.verify_token=token-2&hub.challenge=1',
    status: 200,
  },
  {
    name: 'a challenge beyond 2^53',
    query: 'hub.mode=subscribe&hub.verify_token=token-1&hub.challenge=98765432109876543210',
    status: 200,
  },
  {
    name: 'a challenge with a leading zero',
    query: 'hub.mode=subscribe&hub.verify_token=token-1&hub.challenge=007',
    status: 200,
  },
  {
    name: 'a wrong token',
    query: 'hub.mode=subscribe&hub.verify_token=nope&hub.challenge=1',
    status: 403,
  },
  {
    name: 'an empty token',
    query: 'hub.mode=subscribe&hub.verify_token=&hub.challenge=1',
    status: 403,
  },
  { name: 'no token', query: 'hub.mode=subscribe&hub.challenge=1', status: 403 },
  {
    name: 'another mode',
    query: 'hub.mode=unsubscribe&hub.verify_token=token-1&hub.challenge=1',
    status: 403,
  },
  { name: 'no challenge', query: 'hub.mode=subscribe&hub.verify_token=token-1', status: 403 },
  {
    name: 'HTML in the challenge',
    query: 'hub.mode=subscribe&hub.verify_token=token-1&hub.challenge=%3Cscript%3E1%3C/script%3E',
    status: 403,
  },
  {
    name: 'two challenges',
    query: 'hub.mode=subscribe&hub.verify_token=token-1&hub.challenge=1&hub.challenge=2',
    status: 403,
  },
  {
    name: 'two tokens',
    query: 'hub.mode=subscribe&hub.verify_token=token-1&hub.verify_token=x&hub.challenge=1',
    status: 403,
  },
  { name: 'nothing', query: '', status: 403 },
];

for (const { name, query, status } of HANDSHAKES) {
  test(`handshake with ${name} is answered ${status}`, async (t) => {
    const { url } = await stage(t);
    const answer = await fetch(`${url}${WEBHOOK_PATH}?${query}`);
    assert.equal(answer.status, status);
    const text = await answer.text();
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    if (status === 200) {
      assert.equal(text, new URLSearchParams(query).get('hub.challenge'));
      assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
    } else {
      assert.doesNotMatch(text, /script/);
    }
  });
}
