import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { ManualClock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { makeIds } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { HTTP_ERRORS } from './http-errors.ts';
import { makeHttpMetrics } from './metrics.ts';
import type { Problem } from './api-types.ts';
import { RefusalError } from './problem.ts';
import { openHttpServer, type HttpServer, type HttpServerOptions } from './server.ts';

async function openTestServer(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const clock = new ManualClock();
  const ids = makeIds(clock, seededRandom(1));
  const app = await openHttpServer({ log: silentLog, clock, ids, ...options });
  app.post(
    '/v1/calls',
    {
      config: { idempotent: true },
      schema: {
        body: z.object({ to: z.string().min(3), tries: z.number().int() }),
        response: { 201: z.object({ to: z.string() }) },
      },
    },
    async (request, reply) => reply.code(201).send({ to: request.body.to }),
  );
  app.get('/v1/calls/:id', async () => {
    throw new RefusalError({
      code: 'permission_used',
      message: 'The permission was used.',
      fix: 'Ask again.',
      rule: 'one_call',
      evidence: { usedBy: 'call_1' },
      allowedAt: Date.UTC(2026, 0, 6),
    });
  });
  return app;
}

function problem(response: { body: string; headers: Record<string, unknown> }): Problem {
  assert.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8');
  const body = JSON.parse(response.body) as Problem;
  assert.equal(body.request_id, response.headers['x-request-id']);
  assert.match(body.request_id, /^req_/);
  assert.ok(body.fix.length > 0 && body.docs_url.endsWith(`#${body.code}`));
  return body;
}

test('a valid request is answered with its request id', async () => {
  const app = await openTestServer();
  const payload = { to: '+4915', tries: 1 };
  const response = await app.inject({ method: 'POST', url: '/v1/calls', payload });
  assert.equal(response.statusCode, 201);
  assert.deepEqual(response.json(), { to: '+4915' });
  assert.match(String(response.headers['x-request-id']), /^req_/);
  await app.close();
});

test('invalid fields are listed with rule and fix, without their values', async () => {
  const app = await openTestServer();
  const payload = { to: 'xq', tries: 'nine-nine' };
  const response = await app.inject({ method: 'POST', url: '/v1/calls', payload });
  const body = problem(response);
  assert.equal(body.status, 400);
  assert.equal(body.code, 'invalid_request');
  assert.deepEqual(
    body.fields?.map(({ field, rule }) => [field, rule]),
    [
      ['to', 'has at least 3 characters'],
      ['tries', 'is a number'],
    ],
  );
  assert.ok(body.fields?.every(({ fix }) => fix.length > 0));
  assert.ok(!response.body.includes('nine-nine'));
  await app.close();
});

test('a refusal keeps its code, rule, evidence, fix and time', async () => {
  const app = await openTestServer();
  const response = await app.inject({ url: '/v1/calls/call_2' });
  const body = problem(response);
  assert.equal(response.statusCode, 409);
  assert.equal(body.code, 'permission_used');
  assert.equal(body.rule, 'one_call');
  assert.equal(body.allowedAt, '2026-01-06T00:00:00.000Z');
  assert.deepEqual(body.evidence, { usedBy: 'call_1' });
  await app.close();
});

const BAD_BODIES: Array<[string, string, string, number, string]> = [
  ['cut JSON', 'application/json', '{"to":', 400, 'malformed_json'],
  ['an empty body', 'application/json', '', 400, 'malformed_json'],
  ['__proto__', 'application/json', '{"__proto__":{"a":1}}', 400, 'malformed_json'],
  ['plain text', 'text/plain', '{"to":"4915","tries":1}', 415, 'unsupported_media_type'],
  ['a form', 'application/x-www-form-urlencoded', 'to=1', 415, 'unsupported_media_type'],
  ['300 kB', 'application/json', `{"to":"${'x'.repeat(300_000)}"}`, 413, 'body_too_large'],
];
for (const [name, type, payload, status, code] of BAD_BODIES) {
  test(`a body of ${name} is answered ${status} ${code}`, async () => {
    const app = await openTestServer();
    const headers = { 'content-type': type };
    const response = await app.inject({ method: 'POST', url: '/v1/calls', headers, payload });
    assert.equal(response.statusCode, status);
    assert.equal(problem(response).code, code);
    await app.close();
  });
}

test('an unknown path names the nearest route, a wrong method the right ones', async () => {
  const app = await openTestServer();
  const missing = await app.inject({ method: 'POST', url: '/v1/cals?x=1' });
  assert.equal(missing.statusCode, 404);
  assert.equal(problem(missing).fix, 'Did you mean POST /v1/calls?');
  const wrong = await app.inject({ method: 'DELETE', url: '/v1/calls' });
  assert.equal(wrong.statusCode, 405);
  assert.equal(problem(wrong).code, 'method_not_allowed');
  assert.equal(wrong.headers.allow, 'POST');
  const far = await app.inject({ url: '/wp-admin/setup.php' });
  assert.equal(problem(far).fix, HTTP_ERRORS.route_not_found.fix);
  const badEscape = await app.inject({ url: '/v1/calls/%E0%A4%A' });
  assert.equal(badEscape.statusCode, 400);
  assert.equal(problem(badEscape).code, 'malformed_request');
  await app.close();
});

test('a 5xx tells nothing of what is inside', async () => {
  const app = await openTestServer();
  app.get('/bug', async () => {
    throw new Error('relation "secret_table" does not exist');
  });
  app.get('/down', async () => {
    throw new Failure({
      code: 'database_unreachable',
      message: 'connect ECONNREFUSED /secret/socket',
      fix: 'Start secret postgres.',
      verdict: 'retryable',
      side: 'server',
    });
  });
  const bug = await app.inject({ url: '/bug' });
  assert.equal(bug.statusCode, 500);
  assert.equal(problem(bug).code, 'internal_error');
  const down = await app.inject({ url: '/down' });
  assert.equal(down.statusCode, 503);
  assert.equal(down.headers['retry-after'], '2');
  assert.equal(problem(down).code, 'database_unreachable');
  assert.ok(!`${bug.body}${down.body}`.includes('secret'));
  await app.close();
});

test('a database that is too busy says "later", not that something broke', async () => {
  const app = await openTestServer();
  const querystring = z.object({ code: z.string() });
  app.get('/busy', { schema: { querystring } }, async ({ query: { code } }) => {
    if (code === 'pool') throw new Error('timeout exceeded when trying to connect');
    throw Object.assign(new Error('canceling statement'), { code });
  });
  for (const code of ['57014', '55P03', '25P03', '40001', '40P01', '53300', 'pool']) {
    const busy = await app.inject({ url: `/busy?code=${code}` });
    assert.equal(busy.statusCode, 503, code);
    assert.equal(problem(busy).code, 'temporarily_unavailable');
    assert.equal(busy.headers['retry-after'], '2');
  }
  assert.equal((await app.inject({ url: '/busy?code=23505' })).statusCode, 500);
  await app.close();
});

test('an upstream failure with unknown outcome never says "send it again"', async () => {
  const app = await openTestServer();
  app.get('/lost', async () => {
    throw new Failure({
      code: 'meta_answer_lost',
      message: 'time-out',
      fix: '-',
      verdict: 'terminal',
      side: 'indeterminate',
    });
  });
  const lost = await app.inject({ url: '/lost' });
  assert.equal(lost.statusCode, 502);
  assert.equal(problem(lost).code, 'meta_answer_lost');
  assert.equal(problem(lost).fix, HTTP_ERRORS.outcome_unknown.fix);
  await app.close();
});

test('too many requests of one key are answered 429, another key goes on', async () => {
  const app = await openTestServer({ requestsPerMinute: 3 });
  const ask = (key: string) =>
    app.inject({ url: '/v1/calls/x', headers: { authorization: `Bearer ${key}` } });
  for (let i = 0; i < 3; i += 1) assert.equal((await ask('one')).statusCode, 409);
  const limited = await ask('one');
  assert.equal(limited.statusCode, 429);
  assert.ok(Number(limited.headers['retry-after']) > 0);
  assert.match(problem(limited).detail, /3 requests a minute/);
  assert.equal((await ask('two')).statusCode, 409);
  await app.close();
});

test('every answer carries the security headers', async () => {
  const app = await openTestServer({ connectOrigins: ['http://127.0.0.1:9'] });
  const { headers } = await app.inject({ url: '/v1/calls/x' });
  const policy = String(headers['content-security-policy']);
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self' http://127.0.0.1:9",
    "frame-ancestors 'none'",
    "form-action 'none'",
  ]) {
    assert.ok(policy.includes(part), part);
  }
  assert.ok(!policy.includes('unsafe'));
  assert.match(String(headers['permissions-policy']), /microphone=\(self\)/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  await app.close();
});

test('the OpenAPI document comes from the schemas and documents every problem', async () => {
  const catalogue = { permission_used: { status: 409, title: 'Used.', fix: 'Ask again.' } };
  const app = await openTestServer({ problemCatalogue: catalogue });
  const document = (await app.inject({ url: '/openapi.json' })).json();
  assert.equal(document.openapi, '3.1.0');
  const operation = document.paths['/v1/calls'].post;
  const body = operation.requestBody.content['application/json'].schema;
  assert.deepEqual(body.required, ['to', 'tries']);
  assert.equal(operation.responses['409'].$ref, '#/components/responses/Problem409');
  assert.ok('201' in operation.responses);
  const [header] = operation.parameters;
  assert.deepEqual([header.in, header.name, header.required], ['header', 'Idempotency-Key', true]);
  const text = JSON.stringify(document.components.responses);
  for (const code of [...Object.keys(HTTP_ERRORS), 'permission_used']) {
    assert.ok(text.includes(`"${code}"`), code);
  }
  await app.close();
});

test('metrics are labelled by the template of the route', async () => {
  const metrics = makeHttpMetrics();
  const app = await openTestServer({ metrics });
  await app.inject({ url: '/v1/calls/call_4915112345678' });
  await app.inject({ url: '/nowhere/4915112345678' });
  const text = await metrics.registry.metrics();
  assert.match(text, /route="\/v1\/calls\/:id",status_class="4xx"/);
  assert.match(text, /route="none"/);
  assert.ok(!text.includes('4915112345678'));
  await app.close();
});
