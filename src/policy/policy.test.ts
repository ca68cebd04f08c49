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
  loadPolicyPack,
  PACK_FOLDER,
  RULE_NAMES,
  type PolicyVector,
} from './policy-pack.ts';
import { factsOf, failedVectors } from './policy-vectors.ts';
import { purposeProblem, samePurpose } from './purpose.ts';
import { REFUSAL_CODES, REFUSALS } from './refusal-codes.ts';

const pack = loadPolicyPack('strict-2026-01');
const vector = (kind: 'call' | 'request', facts: PolicyVector['facts']): PolicyVector => ({
  title: 'a case',
  kind,
  facts,
  code: null,
});

test('every test vector of the strict pack holds', () => {
  assert.deepEqual(failedVectors(pack), []);
  assert.ok(pack.vectors.length >= 60);
});

test('a vector that does not hold is named', () => {
  const wrong = { ...vector('call', {}), title: 'wrong on purpose', code: 'opted_out' } as const;
  assert.deepEqual(failedVectors({ ...pack, vectors: [wrong] }), [
    'wrong on purpose: expected opted_out, got allowed',
  ]);
});

test('every code that the gate can give has a vector', () => {
  const covered = new Set(pack.vectors.map((one) => one.code));
  const elsewhere = ['number_invalid'];
  const missing = REFUSAL_CODES.filter((code) => !covered.has(code) && !elsewhere.includes(code));
  assert.deepEqual(missing, []);
});

test("a decision shows every rule's verdict, in order, with its source", () => {
  const call = evaluateCall(factsOf(vector('call', { optedOut: true }), pack), pack);
  assert.equal(call.packName, 'strict-2026-01');
  assert.deepEqual(
    call.verdicts.map((verdict) => verdict.rule),
    RULE_NAMES.slice(0, 11),
  );
  const request = evaluateRequest(factsOf(vector('request', { consent: 'none' }), pack), pack);
  assert.deepEqual(
    request.verdicts.map((verdict) => verdict.rule),
    [...RULE_NAMES.slice(0, 7), ...RULE_NAMES.slice(11)],
  );
  for (const verdict of [...call.verdicts, ...request.verdicts]) {
    assert.match(verdict.source, /^strict-2026-01, .+: .+/);
    assert.equal(verdict.code === null, verdict.verdict !== 'refuse');
    assert.equal(verdict.fix === null, verdict.verdict !== 'refuse');
  }
});

test('the refusal is that of the first refusing rule, and the others are still shown', () => {
  const facts = factsOf(vector('call', { lineEnabled: false, consent: 'none' }), pack);
  const decision = evaluateCall(facts, pack);
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
  assert.equal(evaluateRequest(limited, pack).refusal?.allowedAt, limited.now - 3 * day + 30 * day);
  const restricted = factsOf(vector('call', { lineRestricted: true }), pack);
  const until = restricted.line.restrictedUntil ?? 0;
  assert.equal(evaluateCall(restricted, pack).refusal?.allowedAt, until);
  assert.equal(evaluateCall({ ...restricted, now: until }, pack).refusal, null);
});

test('a queued call holds its own permission, but not past its end', () => {
  const facts = factsOf(vector('call', { consent: 'used' }), pack);
  const mine = { ...facts, callId: 'call_vector', liveCallIds: ['call_vector'] };
  assert.equal(evaluateCall(mine, pack).allowed, true);
  const end = facts.now + 23 * 3_600_000;
  assert.equal(evaluateCall({ ...mine, now: end - 1 }, pack).allowed, true);
  assert.equal(evaluateCall({ ...mine, now: end }, pack).refusal?.code, 'permission_expired');
  assert.equal(
    evaluateCall({ ...mine, callId: 'call_other' }, pack).refusal?.code,
    'call_in_progress',
  );
});

test('a number written with spaces does not slip past a sanctioned prefix', () => {
  const facts = factsOf(vector('call', { business: '+79781234567' }), pack);
  const spaced = { ...facts, line: { ...facts.line, e164: '+7 (978) 123-45-67' } };
  assert.equal(evaluateCall(spaced, pack).refusal?.code, 'sanctioned_place');
});

test('where calls are blocked, the lawful alternative is offered', () => {
  for (const facts of [{ business: '+12025550123' }, { customer: '+12025550123' }]) {
    const { refusal } = evaluateCall(factsOf(vector('call', facts), pack), pack);
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
  for (const text of good) assert.equal(purposeProblem(text, pack.purpose), null, text);
  const bad = ['', ' ', '\u200b', 'ab', '1042', '!!!', 'Call', ' future  CALLS… ', '"marketing"'];
  for (const text of bad) assert.notEqual(purposeProblem(text, pack.purpose), null, text);
  assert.equal(purposeProblem('x'.repeat(250), pack.purpose), null);
  assert.match(purposeProblem('x'.repeat(251), pack.purpose) ?? '', /251 characters/);
});

test('the strict pack: 24 hours, one call, three requests in 30 days, seven days to answer', () => {
  assert.deepEqual(consentRules(pack), {
    grantValidMs: 24 * 3_600_000,
    callsPerGrant: 1,
    requestsMax: 3,
    requestsWindowMs: 30 * 86_400_000,
    requestLapsesMs: 7 * 86_400_000,
  });
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
  const many = { ...parts, name: 'many', values: { ...parts.values, callsPerGrant: 2 } };
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
