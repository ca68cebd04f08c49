import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Failure } from '../platform/failure.ts';
import { evaluateCall, evaluateRequest } from './policy.ts';
import {
  consentRules,
  loadLawOverlay,
  loadPolicyPack,
  packNamesIn,
  PACK_FOLDER,
  type PolicyVector,
} from './policy-pack.ts';
import { failedOverlayVectors } from './overlay-vectors.ts';
import { alone, factsOf, failedVectors } from './policy-vectors.ts';
import { purposeProblem, samePurpose } from './purpose.ts';
import { REFUSAL_CODES, REFUSALS } from './refusal-codes.ts';

const pack = loadPolicyPack('strict-2026-01');
const rules = alone(pack);
assert.ok(pack.purpose !== null);
const purposes = pack.purpose;
const vector = (kind: 'call' | 'request', facts: PolicyVector['facts']): PolicyVector => ({
  title: 'a case',
  kind,
  facts,
  code: null,
});

for (const name of packNamesIn(PACK_FOLDER, 'base')) {
  test(`every test vector of the pack ${name} holds`, () => {
    const one = loadPolicyPack(name);
    assert.deepEqual(failedVectors(one), []);
    assert.ok(one.vectors.length >= 30);
  });
}

for (const name of packNamesIn(PACK_FOLDER, 'law')) {
  test(`every test vector of the law ${name} holds`, () => {
    assert.deepEqual(failedOverlayVectors(loadLawOverlay(name), pack), []);
  });
}

test('a vector that does not hold is named', () => {
  const wrong = { ...vector('call', {}), title: 'wrong on purpose', code: 'opted_out' } as const;
  assert.deepEqual(failedVectors({ ...pack, vectors: [wrong] }), [
    'wrong on purpose: expected opted_out, got allowed',
  ]);
});

test('every code that the gate can give has a vector', () => {
  const bases = packNamesIn(PACK_FOLDER, 'base').map((name) => loadPolicyPack(name));
  const laws = packNamesIn(PACK_FOLDER, 'law').map((name) => loadLawOverlay(name));
  const covered = new Set([...bases, ...laws].flatMap(({ vectors }) => vectors.map((v) => v.code)));
  const elsewhere = [
    'number_invalid',
    'template_not_approved',
    'messaging_window_closed',
    // No vector, because every number has a zone; see "a number without a time zone".
    'time_zone_unknown',
    // The endpoint desk says these, beside the gate; see src/endpoints.
    'target_not_voip',
    'target_not_allowed',
    'endpoint_full',
    'endpoint_minutes_used',
    'key_calls_full',
    'key_minutes_used',
    // The planner says these; see test/schedule.test.ts.
    'window_empty',
    'call_not_waiting',
  ];
  const missing = REFUSAL_CODES.filter((code) => !covered.has(code) && !elsewhere.includes(code));
  assert.deepEqual(missing, []);
});

const PARTY = [
  'line_enabled',
  'line_not_restricted',
  'number_known',
  'business_country',
  'customer_country',
  'sanctioned',
  'do_not_call',
];
const CALL_ORDER = [
  ...PARTY,
  'one_live_call',
  'permission_live',
  'purpose_match',
  'promise_kept',
  'calling_hours',
  'call_frequency',
  'connected_calls',
  'refusal_lock',
  'unanswered_brake',
  'line_capacity',
  'endpoint_known',
  'meta_allows',
];
const REQUEST_ORDER = [
  ...PARTY,
  'not_live',
  'request_limit',
  'request_hours',
  'refusal_lock',
  'unanswered_brake',
  'messaging_window',
  'purpose_specific',
  'meta_allows',
];

test("a decision shows every rule's verdict, in order, with its source", () => {
  const call = evaluateCall(factsOf(vector('call', { optedOut: true }), pack), rules);
  assert.equal(call.packName, 'strict-2026-01');
  assert.deepEqual(
    call.verdicts.map((verdict) => verdict.rule),
    CALL_ORDER,
  );
  const request = evaluateRequest(factsOf(vector('request', { consent: 'none' }), pack), rules);
  assert.deepEqual(
    request.verdicts.map((verdict) => verdict.rule),
    REQUEST_ORDER,
  );
  for (const verdict of [...call.verdicts, ...request.verdicts]) {
    if (verdict.layer === 'none') assert.equal(verdict.verdict, 'not_applicable');
    else assert.match(verdict.source, /^strict-2026-01, .+: .+/);
    assert.equal(verdict.code === null, verdict.verdict !== 'refuse');
    assert.equal(verdict.fix === null, verdict.verdict !== 'refuse');
  }
});

test('the refusal is that of the first refusing rule, and the others are still shown', () => {
  const facts = factsOf(vector('call', { lineEnabled: false, consent: 'none' }), pack);
  const decision = evaluateCall(facts, rules);
  assert.equal(decision.allowed, false);
  assert.equal(decision.refusal?.code, 'line_disabled');
  assert.equal(decision.refusal?.rule, 'line_enabled');
  const codes = decision.verdicts.flatMap((verdict) => verdict.code ?? []);
  assert.deepEqual(codes, ['line_disabled', 'permission_missing']);
});

test('a refusal that time alone will lift says when', () => {
  const day = 86_400_000;
  const limited = factsOf(
    vector('request', { consent: 'none', requestAgesMs: [3 * day, 2 * day, day] }),
    pack,
  );
  assert.equal(
    evaluateRequest(limited, rules).refusal?.allowedAt,
    limited.now - 3 * day + 30 * day,
  );
  const soon = { lineRestricted: true, promisedAfterMs: 3_600_000 };
  const restricted = factsOf(vector('call', soon), pack);
  const until = restricted.line.restrictedUntil ?? 0;
  assert.equal(evaluateCall(restricted, rules).refusal?.allowedAt, until);
  assert.equal(evaluateCall({ ...restricted, now: until }, rules).refusal, null);
  // When the restriction ends, the customer no longer expects the call: no time will do.
  const late = factsOf(vector('call', { lineRestricted: true }), pack);
  assert.equal(evaluateCall(late, rules).refusal?.code, 'line_restricted');
  assert.equal(evaluateCall(late, rules).refusal?.allowedAt, undefined);
});

test('a queued call holds its own permission, but not past its end', () => {
  const day = 86_400_000;
  const facts = factsOf(vector('call', { consent: 'used', promisedAfterMs: day - 1 }), pack);
  const mine = { ...facts, callId: 'call_vector', liveCallIds: ['call_vector'] };
  const end = facts.now + day - 1_800_000;
  assert.equal(evaluateCall({ ...mine, now: end - 1 }, rules).allowed, true);
  assert.equal(evaluateCall({ ...mine, now: end }, rules).refusal?.code, 'permission_expired');
  assert.equal(
    evaluateCall({ ...mine, callId: 'call_other' }, rules).refusal?.code,
    'call_in_progress',
  );
});

test('a number written with spaces does not slip past a sanctioned prefix', () => {
  const facts = factsOf(vector('call', { business: '+79781234567' }), pack);
  const spaced = { ...facts, line: { ...facts.line, e164: '+7 (978) 123-45-67' } };
  assert.equal(evaluateCall(spaced, rules).refusal?.code, 'sanctioned_place');
});

test('where calls are blocked, the lawful alternative is offered', () => {
  for (const facts of [{ business: '+12025550123' }, { customer: '+12025550123' }]) {
    const { refusal } = evaluateCall(factsOf(vector('call', facts), pack), rules);
    assert.match(refusal?.fix ?? '', /customer calls you/);
  }
});

test('purposes are compared as a reader would', () => {
  assert.ok(samePurpose('Your order', ' your\u00a0 ORDER '));
  assert.ok(samePurpose('Straße', 'STRASSE'));
  assert.ok(samePurpose('ｏｒｄｅｒ', 'order'));
  assert.ok(samePurpose('caf\u00e9', 'cafe\u0301'));
  assert.ok(samePurpose('or\u200bder', 'order'));
  assert.ok(!samePurpose('order 1042', 'order 1043'));
});

test('a purpose must tell the customer something', () => {
  const good = [
    'your order 1042',
    'Ihre Rechnung',
    'طلبك',
    '注文番号',
    'a marketing survey on bikes',
  ];
  for (const text of good) assert.equal(purposeProblem(text, purposes), null, text);
  const bad = ['', ' ', '\u200b', 'ab', '1042', '!!!', 'Call', ' future  CALLS… ', '"marketing"'];
  for (const text of bad) assert.notEqual(purposeProblem(text, purposes), null, text);
  assert.equal(purposeProblem('x'.repeat(250), purposes), null);
  assert.match(purposeProblem('x'.repeat(251), purposes) ?? '', /251 characters/);
});

test('the strict pack: 24 hours, one call, three requests in 30 days, seven days to answer', () => {
  assert.deepEqual(consentRules(pack), {
    grantValidMs: 24 * 3_600_000,
    callsPerGrant: 1,
    permanentValidMs: 24 * 3_600_000,
    requestLapsesMs: 7 * 86_400_000,
    permissionBy: 'native',
    requestCaps: pack.limits.requests,
  });
  assert.deepEqual(
    pack.limits.requests?.map(({ requestsMax, windowMs, resetBy }) => [
      requestsMax,
      windowMs / 86_400_000,
      resetBy,
    ]),
    [
      [3, 30, 'yes'],
      [1, 1, 'connected_call'],
      [2, 7, 'connected_call'],
    ],
  );
});

test('a missing or broken pack is a failure that names the fix, never a default', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'askfirst-packs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const url = pathToFileURL(`${folder}/`);
  const good: unknown = JSON.parse(
    readFileSync(new URL('strict-2026-01.json', PACK_FOLDER), 'utf8'),
  );
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const parts = good as Record<string, unknown> & { values: object; rules: object };
  write('not-json.json', '{');
  write('empty.json', '{}');
  write('other-name.json', JSON.stringify(good));
  write('extra.json', JSON.stringify({ ...parts, name: 'extra', surprise: 1 }));
  const many = { ...parts, name: 'many', values: { ...parts.values, callsPerGrant: 0 } };
  write('many.json', JSON.stringify(many));
  const { sanctioned: _, ...others } = parts.rules as Record<string, unknown>;
  write('rule-missing.json', JSON.stringify({ ...parts, name: 'rule-missing', rules: others }));
  const names = ['absent', 'not-json', 'empty', 'other-name', 'extra', 'many', 'rule-missing'];
  for (const name of [...names, '../strict-2026-01', '', 'STRICT']) {
    assert.throws(
      () => loadPolicyPack(name, url),
      (error) =>
        error instanceof Failure &&
        error.code === 'policy_pack_unusable' &&
        error.verdict === 'terminal' &&
        error.fix.length > 0,
      name,
    );
  }
  write('strict-2026-01.json', JSON.stringify(good));
  assert.deepEqual(loadPolicyPack('strict-2026-01', url), pack);
});

test('every refusal code is described for its reader', () => {
  assert.deepEqual(Object.keys(REFUSALS).sort(), [...REFUSAL_CODES].sort());
  for (const [code, entry] of Object.entries(REFUSALS)) {
    assert.match(code, /^[a-z]+(_[a-z]+)*$/);
    for (const text of [entry.meaning, entry.fix]) assert.match(text, /^[A-Z].*[.)]$/, code);
    assert.ok([403, 409, 422].includes(entry.status));
  }
});
