import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CallView, EventView, Page } from '../src/http/api-types.ts';
import { assertProblem, secondAccount, send, type Answer } from './api-peer.ts';
import { toneAt, wavOf } from '../src/prompts/prompt-fixtures.ts';
import { openStory, type Story } from './harness.ts';
import { contactOf, getYes, person, placed, reach } from './story-people.ts';

/**
 * Every route, read from /openapi.json, so that a new one is covered as soon as it exists: works,
 * refused without a key, and blind to what another account owns.
 */
type Operation = {
  operationId?: string;
  summary?: string;
  tags?: string[];
  parameters?: Array<{ in: string; name: string; required?: boolean }>;
  requestBody?: unknown;
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
};
type OpenApi = { openapi: string; paths: Record<string, Record<string, Operation>> };
type Route = { method: string; path: string; operation: Operation };

let story: Story;
let other: { key: string };
let document: OpenApi;
let routes: Route[];
/** By route prefix: the id of something that the first account owns. */
let owned: Record<string, string>;
/** Tokens of an agent of each account: what they open, no API key does. */
let agentToken: string;
let otherAgentToken: string;
/** A report that confirms a switch of packs. */
let reportId: string;
/** Everything by which the other account could recognise the first one's things. */
let traces: string[];

before(async () => {
  story = await openStory({ seed: 3 });
  const shown = await send(story, 'GET', '/openapi.json', { key: null });
  document = JSON.parse(shown.text) as OpenApi;
  routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  await story.api.post('/v1/webhook-endpoints', { url: 'http://127.0.0.1:9/hook' });
  const call = await liveAWhile(person('101'));
  other = await secondAccount(story);
  await learnIds(call);
});
after(() => story.close());

async function liveAWhile(number: string): Promise<CallView> {
  await getYes(story, number);
  const { id } = await placed(story, number, { clientReference: 'crm-77' });
  return reach(story, id, 'ended');
}

async function learnIds(call: CallView): Promise<void> {
  const { consents } = await contactOf(story, person('101'));
  const idOfNew = async (path: string, body: object): Promise<string> =>
    (JSON.parse((await send(story, 'POST', path, { body })).text) as { id: string }).id;
  const firstOf = async (path: string): Promise<string> => {
    const { items } = await story.api.get<Page<{ id: string }>>(path);
    assert.ok(items[0] !== undefined, `nothing under ${path}`);
    return items[0].id;
  };
  const prompt = await send(story, 'POST', '/v1/prompts?name=spare', PROMPT);
  const list = await send(story, 'POST', '/v1/do-not-call/imports', FILE);
  const people = await send(story, 'POST', '/v1/contact-imports', PEOPLE);
  const agent = await newAgent(story.apiKey);
  agentToken = agent.token;
  otherAgentToken = (await newAgent(other.key)).token;
  const journeyId = await idOfNew('/v1/journeys', JOURNEY);
  owned = {
    '/v1/do-not-call/imports': (JSON.parse(list.text) as { id: string }).id,
    '/v1/contact-imports': (JSON.parse(people.text) as { id: string }).id,
    '/v1/agents': agent.id,
    '/v1/agents/me/calls': call.id,
    '/v1/experiments': await idOfNew('/v1/experiments', EXPERIMENT),
    '/v1/cdr-exports': await idOfNew('/v1/cdr-exports', { format: 'csv' }),
    '/v1/journeys': journeyId,
    '/v1/campaigns': await idOfNew('/v1/campaigns', campaignOf(journeyId)),
    '/v1/journey-runs': await idOfNew(`/v1/journeys/${journeyId}/runs`, runFor(person('102'))),
    '/v1/calls': call.id,
    '/v1/contacts': call.contactId,
    '/v1/lines': call.lineId,
    '/v1/pacing-limits': call.lineId,
    '/v1/endpoints': call.endpointId,
    '/v1/permissions': consents[0]?.permissionId ?? '',
    '/v1/permission-requests': consents[0]?.requestId ?? '',
    '/v1/planned-requests': await idOfNew('/v1/permission-requests', planned()),
    '/v1/events': (await story.api.get<Page<EventView>>('/v1/events')).items[0]?.id ?? '',
    '/v1/webhook-endpoints': await firstOf('/v1/webhook-endpoints'),
    '/v1/templates': await idOfNew('/v1/templates', TEMPLATE),
    '/v1/scripts': await idOfNew('/v1/scripts', SCRIPT),
    '/v1/prompts': (JSON.parse(prompt.text) as { id: string }).id,
    '/v1/messages': await firstOf(`/v1/contacts/${call.contactId}/messages`),
  };
  await lookAhead();
  const newest = await story.api.get<{ size: number }>('/v1/ledger/checkpoints/latest');
  QUERIES['/v1/ledger/checkpoints/consistency'] = `?from=${newest.size}`;
  traces = [...Object.values(owned), person('101'), '127.0.0.1:9', 'crm-77', 'Demo Clinic'];
}

async function newAgent(key: string): Promise<{ id: string; token: string }> {
  const body = { name: 'Robin', groups: ['desk'] };
  return JSON.parse((await send(story, 'POST', '/v1/agents', { key, body })).text) as {
    id: string;
    token: string;
  };
}

const TEMPLATE = {
  name: 'own_words',
  language: 'en_US',
  body: 'Hello {{1}}, may we call you on WhatsApp, free over data/WiFi, about {{2}} today?',
  samples: ['Ada', 'your order 1042'],
  nativePermissionRequest: true,
};

const planned = (): object => ({
  to: person('103'),
  purpose: 'order 7',
  sendAt: new Date(story.clock.now() + 86_400_000).toISOString(),
});

const SCRIPT = { name: 'Hello', steps: [{ do: 'play', prompt: 'builtin:beep' }] };
const JOURNEY = {
  name: 'Late order',
  variables: { order: { about: 'Its number' } },
  steps: [
    {
      name: 'ask',
      do: 'ask',
      template: 'call_permission_request',
      purpose: 'your order {{order}}',
    },
    { name: 'yes', do: 'wait', for: 'yes', until: { after: '6h' }, else: 'end' },
    { name: 'call', do: 'call', notAfter: { after: '45m' } },
  ],
};
/** For nobody, so that nobody is asked while it is moved about. */
const campaignOf = (journeyId: string): object => ({
  name: 'Spring',
  audience: { country: 'AQ' },
  journeyId,
  variables: { order: { text: '1042' } },
});
/** It begins long after these tests, so that nobody is asked meanwhile. */
const runFor = (to: string): object => ({
  to,
  variables: { order: '1042' },
  startAt: new Date(story.clock.now() + 100 * 86_400_000).toISOString(),
});
const EXPERIMENT = {
  name: 'Wording',
  layer: 'words',
  arms: [{ name: 'control' }, { name: 'short', overrides: { purpose: 'order 7' } }],
  baseline: 0.3,
  smallestEffect: 0.1,
};
/** A prompt to upload, and lists to import: the bodies that are no JSON. */
const PROMPT = {
  body: wavOf({ samples: toneAt(440, 8_000, 0.1), rate: 8_000 }),
  headers: { 'content-type': 'audio/wav' },
};
const FILE = { body: '+447700900555\n', headers: { 'content-type': 'text/csv' } };

const PEOPLE = { ...FILE, body: 'number,name\n+447700900557,Ada\n' };

function ownedFor(path: string): string {
  const prefix = path.slice(0, path.indexOf('/{'));
  const id = owned[prefix];
  assert.ok(id !== undefined && id !== '', `teach this test an id for ${prefix}`);
  return id;
}

/** What stands in an address and is no id: names that are the same in every account. */
const NAMES: Readonly<Record<string, string>> = {
  '{metric}': 'grant_rate',
  '{key}': 'delivery-update',
  '{scope}': 'line',
};

const hasId = ({ path }: Route): boolean => path.includes('{id}');
const filled = (path: string, id: string): string =>
  path.replace('{id}', id).replace(/\{\w+\}/, (name) => NAMES[name] ?? name);

const isStream = (path: string): boolean => path.endsWith('/stream');
const isAgentsOwn = (path: string): boolean => path.startsWith('/v1/agents/me');
/** To an agent, every call that does not ring at them is the same, whosever it is. */
const isOfRing = (path: string): boolean =>
  path.startsWith('/v1/agents/me/calls/') && !path.endsWith('/outcome');

function assertNotFound(answer: Answer, { method, path }: Route, what: string): void {
  const problem = assertProblem(answer);
  const name = `${method} ${path} ${what}: ${problem.status} ${problem.code}`;
  if (isOfRing(path) && problem.code === 'ring_gone') return;
  assert.equal(problem.status, 404, name);
  assert.match(problem.code, /not_found$/, name);
}

/** Bodies with which each POST would work, so that only the account or the id is at fault. */
function bodyFor(path: string): object {
  const number = person('101');
  const line = {
    name: 'Second',
    displayNumber: '+442079460011',
    phoneNumberId: '300000000000001',
    wabaId: '300000000000002',
    graphBaseUrl: story.simulator.url,
    accessToken: 'line-token-secret',
    appSecret: 'line-app-secret',
    verifyToken: 'line-verify-secret',
  };
  const bodies: Record<string, object> = {
    ...callBodies(number),
    '/v1/permission-requests': { to: number, purpose: 'order 7', lineId: owned['/v1/lines'] },
    '/v1/lines': { ...line, defaultEndpointId: owned['/v1/endpoints'] },
    '/v1/endpoints': { name: 'desk', uri: 'sip:desk@127.0.0.1', password: 'endpoint-secret' },
    '/v1/endpoints/{id}': { name: 'Reception', uri: 'sip:talk@127.0.0.1' },
    '/v1/webhook-endpoints': { url: 'http://127.0.0.1:9/other' },
    '/v1/webhook-endpoints/{id}/recover': { since: '2026-06-03T00:00:00Z' },
    '/v1/lines/{id}': { optOutKey: '9' },
    '/v1/lines/{id}/calling': { enabled: true },
    '/v1/lines/{id}/key-exchange': { keyExchange: 'dtls' },
    '/v1/lines/{id}/brake/resume': { reason: 'The template was mended.' },
    '/v1/templates': { ...TEMPLATE, name: 'more_words', lineId: owned['/v1/lines'] },
    '/v1/templates/lint': TEMPLATE,
    '/v1/scripts': SCRIPT,
    '/v1/scripts/{id}': SCRIPT,
    '/v1/scripts/check': { script: SCRIPT },
    '/v1/scripts/import': { name: 'Moved', document: { callflow: [{ action: 'hangup' }] } },
    '/v1/templates/sync': { lineId: owned['/v1/lines'] },
    '/v1/call-buttons': { to: number, lineId: owned['/v1/lines'], ...INVITATION },
    '/v1/do-not-call': { to: '+447700900555', reason: 'asked by letter' },
    '/v1/do-not-call/check': { to: '+447700900555' },
    '/v1/contacts/search': { number: '+447700900555' },
    '/v1/eligibility': { to: '+447700900555', purpose: 'order 1042' },
    '/v1/diagnose': { problem: 'low_grant_rate' },
    '/v1/permissions/{id}/revoke': { reason: 'asked by phone' },
    '/v1/policy/switch-report': { lineId: owned['/v1/lines'] },
    '/v1/lines/{id}/policy-pack': { policyPack: 'strict-2026-01', reportId },
    '/v1/contacts/{id}': { language: 'en_GB' },
    '/v1/contacts/{id}/erase': { confirm: owned['/v1/contacts'] },
    '/v1/routing': { rules: [{ name: 'all', when: {}, endpointId: owned['/v1/endpoints'] }] },
    '/v1/recording-settings': { retentionDays: 30 },
    '/v1/routing/check': { purpose: 'order 1042' },
    '/v1/contacts/{id}/opt-out': { reason: 'asked by letter' },
    '/v1/opt-outs': { to: '+447700900556', reason: 'asked by phone' },
    '/v1/practices': {},
    '/v1/surveys/settings': { enabled: true },
    '/v1/agents': { name: 'Kim', groups: ['desk'] },
    '/v1/agents/{id}': { groups: ['night'] },
    '/v1/agents/me/presence': { presence: 'available' },
    '/v1/agents/me/calls/{id}/answer': { sdp: 'v=0\r\n' },
    '/v1/agents/me/calls/{id}/actions': { action: 'hold' },
    '/v1/experiments': { ...EXPERIMENT, layer: 'more' },
    '/v1/experiments/{id}/decide': { arm: 'short' },
    '/v1/experiments/{id}/assignments': { to: number },
    '/v1/journeys': JOURNEY,
    '/v1/journeys/{id}': JOURNEY,
    '/v1/journeys/check': { journey: JOURNEY },
    '/v1/journeys/{id}/dry-run': { variables: { order: '1042' } },
    '/v1/journeys/{id}/runs': { ...runFor(number), lineId: owned['/v1/lines'] },
    '/v1/pacing-limits/{scope}/{id}': { callsPerSecond: 5, concurrentCalls: 100 },
    '/v1/do-not-call/remove': { to: '+447700900555', reason: 'asked by mistake' },
  };
  return bodies[path] ?? {};
}

const campaignBodies = (): Record<string, object> => ({
  '/v1/campaigns': {
    ...campaignOf(owned['/v1/journeys'] ?? ''),
    lineId: owned['/v1/lines'],
  },
  '/v1/campaigns/{id}': { name: 'Autumn', startsPerMinute: 5 },
});

const callBodies = (to: string): Record<string, object> => ({
  ...campaignBodies(),
  '/v1/calls': { to, purpose: 'your order 1042', lineId: owned['/v1/lines'] },
  '/v1/calls/{id}/actions': { action: 'hold' },
  '/v1/calls/{id}/opt-out': { reason: 'said so' },
  '/v1/call-outcomes': { items: [{ code: 'resolved', label: 'Resolved' }] },
  '/v1/calls/{id}/reschedule': { scheduledAt: '2026-06-03T12:30:00Z' },
  '/v1/calling-times': { to, purpose: 'your order 1042', lineId: owned['/v1/lines'] },
});

const INVITATION = { template: 'call_invitation', variables: ['Ada', 'your order 1042'] };

const RAW: Readonly<Record<string, typeof FILE | typeof PROMPT>> = {
  '/v1/contact-imports': PEOPLE,
  '/v1/contact-imports/columns': PEOPLE,
  '/v1/do-not-call/imports': FILE,
  '/v1/prompts': PROMPT,
};

/** What a request must say in its address. */
const QUERIES: Record<string, string> = {
  '/v1/prompts': '?name=hello',
  '/v1/contacts/{id}/inclusion': '?sequence=1',
  '/v1/contacts/{id}/calling-times': '?purpose=order%201042',
  '/v1/eligibility': '?to=%2B447700900555&purpose=order%201042',
  '/v1/do-not-call': '?to=%2B447700900555',
  '/v1/diagnose': '?problem=low_grant_rate',
  '/v1/experiments/size': '?baseline=0.3&smallestEffect=0.1',
  '/v1/policy/diff': '?from=meta-2025-11&to=strict-2026-01',
};

async function ask(
  { method, path }: Route,
  id: string,
  sent: { key?: string | null } = {},
): Promise<Answer> {
  const query = QUERIES[path] ?? '';
  const json = ['POST', 'PATCH', 'PUT'].includes(method) ? { body: bodyFor(path) } : {};
  const raw = method === 'POST' ? RAW[path] : undefined;
  const body = raw ?? json;
  const key = isAgentsOwn(path) ? agentKeyFor(sent.key) : sent.key;
  const address = `${filled(path, id)}${query}`;
  const answer = send(story, method, address, { ...(key !== undefined && { key }), ...body });
  // A test call rings and listens in the story's time.
  if (path !== '/v1/endpoints/{id}/test') return answer;
  let isIn = false;
  void answer.finally(() => (isIn = true));
  await story.until('the answer of the test call', () => isIn, 60_000);
  return answer;
}

/** Where an API key would be right, the token of an agent of its account. */
function agentKeyFor(key: string | null | undefined): string | null {
  if (key === undefined) return agentToken;
  return key === other.key ? otherAgentToken : key;
}

test('there are routes, and each says what it is for', () => {
  assert.ok(routes.length >= 25, `${routes.length} routes`);
  assert.match(document.openapi, /^3\.1\./);
  const names = routes.map(({ operation }) => operation.operationId);
  assert.equal(new Set(names).size, routes.length, 'operation ids are unique');
  for (const { method, path, operation } of routes) {
    const name = `${method} ${path}`;
    assert.match(operation.operationId ?? '', /^[a-z][A-Za-z]+$/, name);
    assert.ok((operation.summary ?? '').length > 5, `${name} has no summary`);
    assert.ok((operation.tags ?? []).length > 0, `${name} has no tag`);
    const success = Object.entries(operation.responses).filter(([status]) => status < '300');
    if (isStream(path)) continue;
    assert.equal(success.length, 1, `${name} has one success`);
    const [status, answer] = success[0] ?? ['', {}];
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    const isDescribed = status === '204' || path.endsWith('/export') || schema !== undefined;
    assert.ok(isDescribed, `${name} has no response schema`);
    for (const wanted of [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])) {
      const known = operation.parameters?.some((it) => it.in === 'path' && it.name === wanted);
      assert.ok(known, `${name} does not describe {${wanted}}`);
    }
  }
});

test('the document refers to nothing that is not in it', () => {
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(references.length > 0);
  for (const reference of new Set(references)) {
    const target = reference
      .split('/')
      .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document);
    assert.ok(target !== undefined, `#/${reference} leads nowhere`);
  }
});

test('routes that send or dial want an Idempotency-Key, in the document and in truth', async () => {
  for (const path of ['/v1/calls', '/v1/permission-requests']) {
    const header = document.paths[path]?.['post']?.parameters?.find((it) => it.in === 'header');
    assert.deepEqual([header?.name, header?.required], ['Idempotency-Key', true]);
    const headers = { 'idempotency-key': '' };
    const answer = await send(story, 'POST', path, { headers, body: bodyFor(path) });
    assert.equal(assertProblem(answer, 400).code, 'idempotency_key_missing');
  }
});

test('no route answers without a key, or with a wrong or a malformed one', async () => {
  const bad = [null, 'wrong', `af_test_${'x'.repeat(43)}`];
  for (const route of routes) {
    for (const key of bad) {
      const answer = await ask(route, hasId(route) ? ownedFor(route.path) : '', { key });
      const problem = assertProblem(answer, 401);
      assert.match(problem.code, /^api_key_/, route.path);
      assert.match(problem.fix, /key|Authorization/);
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
    }
    // Sixty wrong keys a minute make an address wait; this test is not about that.
    story.clock.advance(61_000);
  }
});

test('another account finds nothing under any id of this one', async () => {
  for (const route of routes.filter(hasId)) {
    const answer = await ask(route, ownedFor(route.path), { key: other.key });
    assertNotFound(answer, route, 'of another account');
  }
});

test('the token of an agent opens what is its own, and an API key nothing of it', async () => {
  for (const route of routes) {
    const id = hasId(route) ? ownedFor(route.path) : '';
    const key = isAgentsOwn(route.path) ? story.apiKey : agentToken;
    const answer = await ask(route, id, { key });
    assert.match(assertProblem(answer, 401).code, /^api_key_/, route.path);
    story.clock.advance(61_000);
  }
});

/** What comes with the product. */
const EVERYBODYS = [
  '/v1/policy/packs',
  '/v1/events/types',
  '/v1/scripts/samples',
  '/v1/journeys/ready',
  '/v1/call-outcomes',
  '/v1/agents/me/outcomes',
];

test('another account sees nothing of this one in any list', async () => {
  for (const route of routes.filter((it) => it.method === 'GET' && !hasId(it))) {
    if (isStream(route.path) || EVERYBODYS.includes(route.path)) continue;
    const answer = await ask(route, '', { key: other.key });
    for (const trace of traces) assert.ok(!answer.text.includes(trace), `${route.path}: ${trace}`);
    // A download says whose it is and that it is empty, in its own form.
    if (!isJson(answer)) continue;
    if (route.path === '/v1/eligibility') assertProblem(answer, 400);
    else if (/checkpoints\/(latest|consistency)$/.test(route.path)) assertProblem(answer, 404);
    // The other account has an agent too.
    else if (answer.text.startsWith('{"items"') && route.path !== '/v1/agents') {
      assert.deepEqual(JSON.parse(answer.text), { items: [], next: null }, route.path);
    } else assert.equal(answer.status, 200, `${route.path} ${answer.text}`);
  }
  for (const query of [`contactId=${owned['/v1/contacts']}`, `callId=${owned['/v1/calls']}`]) {
    for (const path of ['/v1/calls', '/v1/events', '/v1/permissions', '/v1/permission-requests']) {
      const answer = await send(story, 'GET', `${path}?${query}`, { key: other.key });
      assert.deepEqual(JSON.parse(answer.text), { items: [], next: null }, `${path}?${query}`);
    }
  }
});

test('another account cannot use the line or the endpoint of this one', async () => {
  for (const path of ['/v1/calls', '/v1/permission-requests', '/v1/lines']) {
    const answer = await send(story, 'POST', path, { key: other.key, body: bodyFor(path) });
    assertProblem(answer, 404);
    for (const trace of traces) assert.ok(!answer.text.includes(trace), `${path}: ${trace}`);
  }
});

test('the same Idempotency-Key in two accounts is two keys', async () => {
  const headers = { 'idempotency-key': 'shared-between-accounts' };
  const body = bodyFor('/v1/permission-requests');
  const mine = await send(story, 'POST', '/v1/permission-requests', { headers, body });
  const theirs = await send(story, 'POST', '/v1/permission-requests', {
    headers,
    body,
    key: other.key,
  });
  assert.notEqual(mine.text, theirs.text);
  assert.equal(theirs.headers['idempotent-replayed'], undefined);
});

const isJson = ({ headers }: Answer): boolean =>
  /json/.test(String(headers['content-type'])) && headers['content-disposition'] === undefined;

const STRANGE_IDS = [
  'x',
  '0',
  '%00',
  '%2e%2e%2fcalls',
  "'%20or%201=1--",
  '%F0%9F%98%80',
  'call_01900000-0000-7000-8000-00000000000G',
  'a'.repeat(190),
];

test('an id that is unknown, malformed or of another kind is a clear 404', async () => {
  for (const route of routes.filter(hasId)) {
    const right = ownedFor(route.path);
    const unknown = right.replace(/.{12}$/, '0123456789ab');
    const otherKind = right.replace(/^[a-z]+_/, 'acct_');
    for (const id of [unknown, otherKind, right.toUpperCase(), ...STRANGE_IDS]) {
      assertNotFound(await ask(route, id), route, id);
    }
  }
});

/** "lint" and "search" are ids like any other to the routes of one template or contact. */
function takenAsId(method: string, path: string): boolean {
  const isLike = (it: Route): boolean =>
    it.method === method && new RegExp(`^${it.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  return routes.some((it) => it.path !== path && isLike(it));
}

test('a method that a route does not take is answered 405 with those that it takes', async () => {
  for (const path of Object.keys(document.paths)) {
    const taken = Object.keys(document.paths[path] ?? {}).map((method) => method.toUpperCase());
    for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'GET', 'OPTIONS']) {
      if (taken.includes(method)) continue;
      if (takenAsId(method, path)) continue;
      const answer = await send(story, method, filled(path, 'x'));
      assertProblem(answer, 405);
      const allowed = String(answer.headers['allow']).split(', ');
      for (const one of taken) assert.ok(allowed.includes(one), `${method} ${path}`);
    }
  }
});

/** The report that a switch of packs wants to have been read. */
async function lookAhead(): Promise<void> {
  const body = { lineId: owned['/v1/lines'] };
  const report = await send(story, 'POST', '/v1/policy/switch-report', { body });
  reportId = (JSON.parse(report.text) as { id: string }).id;
}

test('every route works for the account that owns what it names', async () => {
  const isLast = ({ method, path }: Route): boolean =>
    method === 'DELETE' || /\/eras(e|ure)$/.test(path);
  const last = routes.filter(isLast);
  // A new token of the agent ends the one that these requests bring.
  const first = routes.filter(({ path }) => isAgentsOwn(path));
  const sooner = routes.filter((route) => !isLast(route) && !isAgentsOwn(route.path));
  for (const route of [...first, ...sooner, ...last]) {
    if (isStream(route.path)) continue;
    // It holds for an hour, and other tests let days pass.
    if (route.path.endsWith('/policy-pack')) await lookAhead();
    const answer = await ask(route, hasId(route) ? ownedFor(route.path) : '');
    const name = `${route.method} ${route.path}: ${answer.status} ${answer.text}`;
    const refusals = [
      '/v1/calls',
      '/v1/calls/{id}/actions',
      '/v1/calls/{id}/reschedule',
      '/v1/permission-requests',
      '/v1/permissions/{id}/revoke',
    ];
    // The agent of these tests has had no call; those who have are in the tests of agents.
    if (route.path.startsWith('/v1/agents/me/calls/')) assertNotFound(answer, route, 'not rung');
    // The line of this account leads there.
    else if (name.startsWith('DELETE /v1/endpoints/{id}')) assert.equal(answer.status, 409, name);
    else if (refusals.includes(route.path) && route.method === 'POST') {
      // What has served its call, and a second request in one day, are refused: also a work.
      assert.ok(answer.status < 300 || answer.status === 409, name);
    } else assert.ok(answer.status < 300, name);
    assert.doesNotMatch(answer.text, /line-\w+-secret|endpoint-secret/, name);
  }
});

test('lists never show a secret of a line, an endpoint or a webhook', async () => {
  for (const path of ['/v1/lines', '/v1/endpoints', '/v1/webhook-endpoints']) {
    const { text } = await send(story, 'GET', path);
    assert.doesNotMatch(text, /secret"|token|password|whsec_/i, path);
  }
});
