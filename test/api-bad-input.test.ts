import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { EligibilityView, Problem } from '../src/http/api-types.ts';
import { assertProblem, send, type Answer } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { forAll, OWN_BODIES, OWN_STRINGS } from './hostile-input.ts';
import { call, consentStatus, newPerson, reach } from './story-people.ts';

/**
 * Whatever a stranger sends, the answer is a problem that names field, rule and fix: never a 5xx,
 * never a stack; and what is taken comes back as it was sent.
 */
const CORPORA = new URL('../../shared/corpora/', import.meta.url);
const STRINGS = new URL('naughty-strings.json', CORPORA);

let story: Story;

before(async () => {
  story = await openStory({ seed: 5 });
});
after(() => story.close());

function assertTakenOrRefused(answer: Answer): void {
  if (answer.status >= 300) assertProblem(answer);
}

function assertFieldProblem(answer: Answer, field: string, status?: number): void {
  const problem = assertProblem(answer, status);
  const named = problem.fields?.find((it) => it.field === field);
  assert.ok(named !== undefined, `${field} is not named: ${answer.text.slice(0, 400)}`);
}

const ask = (number: string, purpose = 'order 7', more: object = {}): Promise<Answer> =>
  send(story, 'POST', '/v1/permission-requests', { body: { to: number, purpose, ...more } });

const mayI = (to: string): Promise<Answer> =>
  send(
    story,
    'GET',
    `/v1/eligibility?${new URLSearchParams({ to, purpose: 'order 7' }).toString()}`,
  );

test('a call carries the strangest reference and purpose to its end', async () => {
  const strange = ['<b>&"\' =HYPERLINK("x")', '\u202E漢字 😀', '%0d%0aX: 1 $& $1'];
  for (const [index, text] of strange.entries()) {
    const number = newPerson(story, `8${index}0`, '101');
    const purpose = `order 7 ${text}`;
    assert.equal((await ask(number, purpose)).status, 202);
    await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
    const answer = await call(story, number, { purpose, clientReference: text });
    assert.ok('id' in answer, JSON.stringify(answer));
    const ended = await reach(story, answer.id, 'ended');
    assert.deepEqual([ended.purpose, ended.clientReference], [purpose, text]);
    const headers = story.sip.invites.at(-1)?.headers ?? {};
    for (const value of Object.values(headers)) assert.doesNotMatch(value, /[\r\n]/);
  }
});

/* Phone numbers. */

/** Shortest and longest that their numbering plans allow, and numbers of every continent. */
const GOOD_NUMBERS = [
  ...['+442079460958', '+447700900123', '+14155552671', '+18765550123', '+49301234', '+4930123456'],
  ...['+491701234567', '+390612345678', '+3906123456', '+33123456789', '+34912345678'],
  ...['+5511987654321', '+541123456789', '+521551234567', '+5215512345678', '+573001234567'],
  ...['+919876543210', '+8613812345678', '+819012345678', '+821012345678', '+6591234567'],
  ...['+628123456789', '+60123456789', '+66812345678', '+84912345678', '+639171234567'],
  ...['+27821234567', '+2348012345678', '+254712345678', '+201001234567', '+212612345678'],
  ...['+61412345678', '+64211234567', '+6799123456', '+971501234567', '+966501234567'],
  ...['+972501234567', '+905321234567', '+79161234567', '+380501234567', '+48512345678'],
  ...['+4312345678', '+35312345678', '+351912345678', '+358401234567', '+3546112345'],
];

/** The same number, as people write it. */
const WRITTEN = [
  ...['+44 7700 900123', '+44-7700-900123', '+44.7700.900.123', '+44 (7700) 900123'],
  ...['447700900123', ' +447700900123 ', '+44\u00a07700\u00a0900123', '\u202a+447700900123\u202c'],
  ...[
    '＋４４７７００９００１２３',
    '\ufeff+447700900123',
    '+44‐7700‐900123',
    '+44\u200b7700900123',
    'tel:+447700900123',
    'TEL:447700900123',
    '+٤٤٧٧٠٠٩٠٠١٢٣',
    '٤٤٧٧٠٠٩٠٠١٢٣',
  ],
];

const BAD_NUMBERS = [
  ...['', ' ', '+', '++447700900123', '+ +447700900123', '0', '00', '+0'],
  ...['07700900123', '007700900123', '00447700900123', '020 7946 0958', '(020) 7946 0958'],
  ...['1', '12', '123', '+1', '+44', '+447', '+44770090', '+4477009001234567', '+1415555267'],
  ...['+141555526711', '1234567890123456', '+12345678901234567890', '9'.repeat(64), '9'.repeat(99)],
  ...['1-800-FLOWERS', '+1 800 FLOWERS', 'call me', 'null', 'undefined', 'NaN', 'true', '{}', '[]'],
  ...['+447700900123x5', '+447700900123 ext. 5', '+447700900123#5', '+447700900123,5'],
  ...['+447700900123;ext=5', '+447700900123*5', '+447700900123p5', '+447700900123w5', '*#06#'],
  ...['sip:+447700900123@x', 'whatsapp:+447700900123', 'wa.me/447700900123'],
  ...['https://wa.me/447700900123', 'callto:447700900123', '447700900123@c.us'],
  ...['+४४७७००९००१२३', '+④④⑦⑦⓪⓪⑨⓪⓪①②③', '⁺⁴⁴⁷⁷⁰⁰⁹⁰⁰¹²³'],
  ...['+44𝟕𝟕𝟎𝟎𝟗𝟎𝟎𝟏𝟐𝟑', '+4４7700900l23'],
  ...['+44770090012O', '+44 7700 90012З', '+44７7OO900123'],
  ...['+447700900123\n+447700900124', '+447700900123 +447700900124', '+447700900123/4'],
  ...[
    '+447700900123 or 4',
    '+44_7700_900123',
    "+447700900123'--",
    '+447700900123"',
    '<+447700900123>',
  ],
  ...['+999123456789', '+000000000000', '+2101234567', '+6999999999999', '+388123456789'],
  ...['911', '112', '999', '+911', '+1911', '118118', '+44118118', '80000', '+1555'],
  ...[
    '1e12',
    '0x1A2B3C4D5E',
    '4.47700900123e11',
    '447700900123.0',
    '+44=7700900123',
    'GB.',
    'gb.123',
  ],
  ...['GB', 'GB.1 2', 'GBR.123', 'GB.<x>', `GB.${'1'.repeat(129)}`, '😀', '\u202e321009007744+'],
];

/** Premium, shared-cost, toll-free and satellite numbers are numbers; the gate decides on them. */
const ODD_NUMBERS = [
  '+449098790000',
  '+18005550199',
  '+19005550199',
  '+881612345678',
  '+870773111632',
];

test('numbers of all continents, also short and long ones, are taken as numbers', async () => {
  assert.ok(GOOD_NUMBERS.length + WRITTEN.length + BAD_NUMBERS.length + ODD_NUMBERS.length >= 120);
  await forAll([...GOOD_NUMBERS, ...ODD_NUMBERS], async (number) => {
    const answer = await mayI(number);
    assert.equal(answer.status, 200, `${number}: ${answer.text}`);
    const { allowed } = JSON.parse(answer.text) as EligibilityView;
    assert.equal(allowed, false, 'nobody has said yes');
  });
});

test('one number written in many ways is one contact', async () => {
  assertTakenOrRefused(await ask('+447700900123'));
  await forAll(WRITTEN, async (number) => {
    const answer = await mayI(number);
    assert.equal(answer.status, 200, `${number}: ${answer.text}`);
    assert.ok((JSON.parse(answer.text) as EligibilityView).contactId !== null, number);
  });
});

test('what is no number is refused by field, rule and fix, and never dialed', async () => {
  await forAll(BAD_NUMBERS, async (number) => {
    for (const answer of [
      await mayI(number),
      await ask(number),
      await send(story, 'POST', '/v1/calls', { body: { to: number, purpose: 'order 7' } }),
    ]) {
      assert.ok([400, 422].includes(answer.status), `${number}: ${answer.status}`);
      assertFieldProblem(answer, 'to');
    }
  });
});

test('100 kB instead of a number are refused at once', async () => {
  assertFieldProblem(await ask('4'.repeat(100_000)), 'to', 400);
  for (const wrong of [null, 447700900123, true, ['+447700900123'], { number: 1 }]) {
    const body = { to: wrong, purpose: 'order 7' };
    assertFieldProblem(await send(story, 'POST', '/v1/calls', { body }), 'to', 400);
  }
});

/* Strings. */

function naughtyStrings(): string[] {
  const strings = existsSync(STRINGS)
    ? (JSON.parse(readFileSync(STRINGS, 'utf8')) as string[])
    : [];
  return [...strings, ...OWN_STRINGS];
}

/** A number of its own for every case, so that no limit on requests is in the way. */
const numberFor = (index: number): string => `+4477019${String(10_000 + index)}`;

test('a purpose and a name come back as they were sent, or are refused by field', async () => {
  let taken = 0;
  await forAll(naughtyStrings(), async (text, index) => {
    const answer = await ask(numberFor(index), text);
    if (answer.status === 202) {
      taken += 1;
      const view = JSON.parse(answer.text) as { purpose: string; text: string };
      assert.equal(view.purpose, text);
      assert.ok(view.text.includes(text.trim()), 'the customer reads the very text');
    } else assertProblem(answer);
    assertTakenOrRefused(await ask(numberFor(1_000 + index), 'order 7', { name: text }));
    const contacts = `/v1/contacts?number=${encodeURIComponent(numberFor(1_000 + index))}`;
    const { text: shown } = await send(story, 'GET', contacts);
    const [contact] = (JSON.parse(shown) as { items: Array<{ name: string | null }> }).items;
    if (contact !== undefined) assert.equal(contact.name, text);
  });
  assert.ok(taken > 0);
});

const REQUEST = { to: '+447700900777', purpose: 'order 7' };
test('no variable, kind of event or name of a field breaks a route', async () => {
  const all = naughtyStrings();
  await forAll(all, async (text) => {
    assertTakenOrRefused(await ask('+447700900778', 'order 7', { variables: [text, text] }));
    const body = { url: 'http://127.0.0.1:9/', eventTypes: [text] };
    assertProblem(await send(story, 'POST', '/v1/webhook-endpoints', { body }), 400);
    assertProblem(await ask('+447700900779', 'order 7', { [text || 'x']: 1 }), 400);
  });
});

/* Bodies; those of the public corpus are in corpora.test.ts. */

for (const [what, body, status] of OWN_BODIES) {
  test(`a body of ${what} is answered ${status} with a fix`, async () => {
    for (const path of ['/v1/permission-requests', '/v1/calls', '/v1/lines', '/v1/endpoints']) {
      assertProblem(await send(story, 'POST', path, { body }), status);
    }
  });
}

test('of a key that is there twice the last counts, and is checked like any other', async () => {
  const body = '{"to":"+447700900780","to":"07700","purpose":"order 7"}';
  assertFieldProblem(await send(story, 'POST', '/v1/permission-requests', { body }), 'to', 422);
});

const TYPES = [
  'text/plain',
  'text/html',
  'application/xml',
  'multipart/form-data',
  'x',
  'image/png',
];
for (const type of [...TYPES, 'application/x-www-form-urlencoded']) {
  test(`a body of type ${type} is answered 415`, async () => {
    const sent = { body: JSON.stringify(REQUEST), headers: { 'content-type': type } };
    const problem = assertProblem(await send(story, 'POST', '/v1/calls', sent), 415);
    assert.match(problem.fix, /application\/json/);
  });
}

test('validation says in plain words what is wrong with every field at once', async () => {
  const body = { to: '', purpose: 'x'.repeat(501), ringTimeoutMs: 1.5, strategy: 'loud', tо: 1 };
  const answer = await send(story, 'POST', '/v1/calls', { body });
  const { fields = [] } = assertProblem(answer, 400);
  assert.deepEqual(Object.fromEntries(fields.map(({ field, rule }) => [field, rule])), {
    to: 'is not empty',
    purpose: 'has at most 500 characters',
    strategy: 'is one of: on_answer, on_ringing, agent_first',
    ringTimeoutMs: 'is a whole number',
    tо: 'is not known here',
  });
});

/* Headers and queries. */

test('an Idempotency-Key is a key or is refused, whatever it holds', async () => {
  const good = ['a', '0', 'x'.repeat(255), '{"a":1}', "';--", '%00', '__proto__'];
  for (const key of good) {
    const headers = { 'idempotency-key': key };
    const first = await send(story, 'POST', '/v1/permission-requests', { headers, body: REQUEST });
    const again = await send(story, 'POST', '/v1/permission-requests', { headers, body: REQUEST });
    assert.equal(again.text, first.text, key);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    const other = { headers, body: { ...REQUEST, purpose: 'order 8' } };
    const reused = assertProblem(await send(story, 'POST', '/v1/permission-requests', other), 422);
    assert.equal(reused.code, 'idempotency_key_reused');
  }
  for (const key of ['', ' ', 'a b', 'x'.repeat(256), 'é', 'a, b', '\t']) {
    const headers = { 'idempotency-key': key };
    const answer = await send(story, 'POST', '/v1/calls', { headers, body: REQUEST });
    assert.match(assertProblem(answer, 400).code, /^idempotency_key_(missing|invalid)$/);
  }
});

test('two requests at once under one key give one answer, or "wait"', async () => {
  const sent = {
    headers: { 'idempotency-key': 'at-once' },
    body: { ...REQUEST, to: '+447701955555' },
  };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => send(story, 'POST', '/v1/permission-requests', sent)),
  );
  const ids = new Set<string>();
  for (const answer of answers) {
    if (answer.status === 202) ids.add((JSON.parse(answer.text) as { id: string }).id);
    else assert.equal(assertProblem(answer, 409).code, 'idempotency_in_flight');
  }
  assert.equal(ids.size, 1);
});

const QUERIES: Array<[string, string]> = [
  ...['0', '-1', '101', '1e9', 'NaN', '1.5', 'ten', '', '%00', 'Infinity', '9'.repeat(400)].map(
    (limit): [string, string] => [`limit=${limit}`, 'limit'],
  ),
  ...['x', '0', '-1', '%00', "'--", 'a'.repeat(201), 'bm90IGFuIGlk', '%F0%9F%98%80', ''].map(
    (after): [string, string] => [`after=${after}`, 'after'],
  ),
  ['limit=1&limit=2', 'limit'],
  ['after=a&after=b', 'after'],
];

test('a bad limit or cursor is refused by name, in every list', async () => {
  const lists = ['calls', 'cdrs', 'contacts', 'events', 'permissions', 'permission-requests'];
  await forAll(QUERIES, async ([query, field]) => {
    for (const list of lists) {
      assertFieldProblem(await send(story, 'GET', `/v1/${list}?${query}`), field, 400);
    }
  });
});

test('other abuse of queries and paths never breaks a list', async () => {
  const queries = ['type=%00', 'order=up', 'callId=%00', 'number=%00', 'contactId=x', '%E0%A4%A'];
  const more = ['__proto__=1', 'a[b][c]=1', '&&&=', 'limit[]=1', 'a=1&'.repeat(500), '?', '%'];
  for (const query of [...queries, ...more]) {
    for (const list of ['calls', 'contacts', 'events', 'permissions', 'eligibility']) {
      assertTakenOrRefused(await send(story, 'GET', `/v1/${list}?${query}`));
    }
  }
  for (const path of [
    '/v1/calls/%E0%A4%A',
    '/v1//calls',
    '/%00',
    '/v1/calls/../../etc',
    '/v1/%63alls/x',
  ]) {
    assertProblem(await send(story, 'GET', path));
  }
});

/** What `fetch` would not send. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(story.server.url ?? '');
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text, 'latin1'));
    socket.on('data', (bytes) => {
      answer += bytes.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

const HEAD = 'GET /v1/calls HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
const RAW: Array<[string, string, RegExp]> = [
  ['a header of 64 kB', `${HEAD}X: ${'x'.repeat(65_536)}\r\n\r\n`, /^HTTP\/1.1 431 /],
  ['3,000 headers', `${HEAD}${'X-Y: 12345678\r\n'.repeat(3_000)}\r\n`, /^HTTP\/1.1 4\d\d /],
  ['a URL of 64 kB', `GET /${'x'.repeat(65_536)} HTTP/1.1\r\nHost: x\r\n\r\n`, /^HTTP\/1.1 431 /],
  ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1.1 400 /],
  ['two lengths', `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, /^HTTP\/1.1 400 /],
  [
    'length and chunks',
    `${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    /^HTTP\/1.1 400 /,
  ],
  ['NUL in a header', `${HEAD}X: a\0b\r\n\r\n`, /^HTTP\/1.1 400 /],
  [
    'TRACE',
    'TRACE /v1/calls HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    /^HTTP\/1.1 4\d\d /,
  ],
];
for (const [what, text, status] of RAW) {
  test(`${what} is answered by a problem, and the connection ends`, async () => {
    const answer = await raw(text);
    assert.match(answer, status);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    assert.match(head, /content-type: application\/problem\+json/i);
    const problem = JSON.parse(/\{.*\}/s.exec(body)?.[0] ?? '{}') as Problem;
    assert.ok(problem.fix.length > 0 && problem.request_id.startsWith('req_'));
  });
}

test('the server still works after all of this', async () => {
  const { status, text } = await send(story, 'GET', '/readyz', { key: null });
  assert.equal(status, 200, text);
});
