import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { facts, layers, narrowed, oneLayer } from '../../test/gate-cases.ts';
import { callObjections, requestObjections } from '../../test/gate-oracle.ts';
import { limitingLayers, type Layers } from './layers.ts';
import { evaluateCall, evaluateRequest, latestAllowedCall, type CallFacts } from './policy.ts';

/**
 * The gate against a second opinion, `test/gate-oracle.ts`. A sample runs with the tests; proofs
 * C-02 and C-03 with as many cases as one likes:
 *
 *   ASKFIRST_GATE_CASES=1000000 node --test src/policy/policy-oracle.test.ts
 */
const CASES = Number(process.env['ASKFIRST_GATE_CASES'] ?? 20_000);
const PAIRS = Math.min(CASES / 4, 100_000);
const cases = fc.tuple(facts, layers);

test(`${CASES} calls: the gate and an independent oracle agree on every code`, () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(cases, ([one, rules]) => {
      const decision = evaluateCall(one, rules);
      const codes = decision.verdicts.flatMap(({ code }) => code ?? []);
      const expected = callObjections(one, limitingLayers(rules));
      assert.deepEqual(codes, expected);
      assert.equal(decision.allowed, expected.length === 0);
      assert.equal(decision.refusal?.code, expected[0]);
      for (const code of expected.length === 0 ? ['allowed'] : expected) count(seen, code);
    }),
    { seed: 1, numRuns: CASES },
  );
  // Otherwise the cases would prove little about some answers.
  assert.ok((seen.get('allowed') ?? 0) > CASES / 200, JSON.stringify([...seen]));
  for (const code of CALL_CODES) assert.ok((seen.get(code) ?? 0) > CASES / 1000, code);
});

test(`${CASES / 2} requests: the gate and an independent oracle agree on every code`, () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(cases, ([one, rules]) => {
      const decision = evaluateRequest(one, rules);
      const codes = decision.verdicts.flatMap(({ code }) => code ?? []);
      const expected = requestObjections(one, limitingLayers(rules));
      assert.deepEqual(codes, expected);
      for (const code of expected.length === 0 ? ['allowed'] : expected) count(seen, code);
    }),
    { seed: 2, numRuns: CASES / 2 },
  );
  assert.ok((seen.get('allowed') ?? 0) > CASES / 400, JSON.stringify([...seen]));
  for (const code of REQUEST_CODES) assert.ok((seen.get(code) ?? 0) > CASES / 2000, code);
});

test('the next allowed time is allowed, and the oracle finds none before it', () => {
  let found = 0;
  fc.assert(
    fc.property(cases, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), ([one, rules], at) => {
      const decision = evaluateCall(one, rules);
      if (decision.allowed) return;
      const objections = (now: number) => callObjections({ ...one, now }, limitingLayers(rules));
      const allowedAt = decision.refusal?.allowedAt;
      if (allowedAt === undefined) {
        // Then no time of the next month will do, as far as samples can tell.
        const month = 31 * 86_400_000;
        for (const share of at) assert.notDeepEqual(objections(one.now + share * month), []);
        return;
      }
      found += 1;
      assert.ok(allowedAt > one.now);
      assert.deepEqual(objections(allowedAt), []);
      assert.notDeepEqual(objections(allowedAt - 1), []);
      for (const share of at) {
        const before = Math.floor(one.now + share * (allowedAt - 1 - one.now));
        assert.notDeepEqual(objections(before), []);
      }
    }),
    { seed: 3, numRuns: PAIRS },
  );
  assert.ok(found > PAIRS / 400, `${found}`);
});

test('the latest allowed time is allowed, and no sample after it is', () => {
  let found = 0;
  fc.assert(
    fc.property(cases, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), ([one, rules], at) => {
      const latestAt = latestAllowedCall(one, rules);
      const objections = (now: number) => callObjections({ ...one, now }, limitingLayers(rules));
      if (latestAt === null) return;
      found += 1;
      assert.ok(latestAt >= one.now);
      assert.deepEqual(objections(latestAt), []);
      for (const share of at) {
        // Looked for in steps of a quarter; what is shorter than a step may be missed.
        const after = Math.ceil(latestAt + 900_000 + share * 7 * 86_400_000);
        assert.notDeepEqual(objections(after), []);
      }
    }),
    { seed: 4, numRuns: Math.ceil(PAIRS / 4) },
  );
  assert.ok(found > PAIRS / 1000, `${found}`);
});

/** Everything that makes a case stricter. */
const restrictions: Array<(f: CallFacts) => CallFacts> = [
  (f) => ({ ...f, line: { ...f.line, enabled: false } }),
  (f) => ({ ...f, line: { ...f.line, restrictedUntil: f.now + 1 } }),
  (f) => ({ ...f, line: { ...f.line, stoppedAt: f.now } }),
  (f) => ({ ...f, line: { ...f.line, pausedAt: f.now } }),
  (f) => ({ ...f, line: { ...f.line, country: null } }),
  (f) => ({ ...f, line: { ...f.line, country: 'US' } }),
  (f) => ({ ...f, contact: { ...f.contact, e164: null, timeZone: null } }),
  (f) => ({ ...f, contact: { ...f.contact, country: 'NG' } }),
  (f) => ({ ...f, contact: { ...f.contact, country: null } }),
  (f) => ({ ...f, contact: { ...f.contact, doNotCall: true } }),
  (f) => ({ ...f, contact: { ...f.contact, optedOutAt: f.now } }),
  (f) => ({ ...f, contact: { ...f.contact, optOutPendingAt: f.now } }),
  (f) => ({ ...f, contact: { ...f.contact, sanctionedRegion: true } }),
  (f) => ({ ...f, history: { ...f.history, refusedAt: f.now - 1 } }),
  (f) => ({ ...f, history: { ...f.history, callsAt: [...f.history.callsAt, f.now - 1] } }),
  (f) => ({ ...f, metaAnswer: { askedAt: f.now, canCall: false, canRequest: false } }),
  (f) => ({ ...f, liveCallIds: [...f.liveCallIds, 'call_c'] }),
  (f) => ({ ...f, endpointKnown: false }),
  (f) => ({ ...f, lineLiveCalls: 1_000_000 }),
  (f) => withHistory(f, { unansweredInRow: 9, lastUnansweredAt: f.now }),
  (f) => withHistory(f, { connectedAt: [...f.consent.history.connectedAt, f.now - 1] }),
  (f) => withHistory(f, { requestsWithoutYes: [...f.consent.history.requestsWithoutYes, f.now] }),
  (f) => ({ ...f, consent: { status: 'none', history: f.consent.history } }),
];

function withHistory(f: CallFacts, more: Partial<CallFacts['consent']['history']>): CallFacts {
  return { ...f, consent: { ...f.consent, history: { ...f.consent.history, ...more } } };
}

test(`${PAIRS} pairs: adding a restriction never turns a refusal into a yes`, () => {
  const pairs = fc.tuple(cases, fc.constantFrom(...restrictions));
  fc.assert(
    fc.property(pairs, ([[one, rules], restrict]) => {
      const stricter = restrict(one);
      if (evaluateCall(stricter, rules).allowed) assert.ok(evaluateCall(one, rules).allowed);
      // Less consent restricts a call, but makes room for a request.
      if (stricter.consent.status !== one.consent.status) return;
      if (evaluateRequest(stricter, rules).allowed) assert.ok(evaluateRequest(one, rules).allowed);
    }),
    { seed: 5, numRuns: PAIRS },
  );
});

test(`${PAIRS} pairs: adding a layer never turns a refusal into a yes`, () => {
  fc.assert(
    fc.property(cases, oneLayer, ([one, rules], more) => {
      const narrower: Layers = narrowed(rules, more);
      if (evaluateCall(one, narrower).allowed) assert.ok(evaluateCall(one, rules).allowed);
      if (evaluateRequest(one, narrower).allowed) assert.ok(evaluateRequest(one, rules).allowed);
    }),
    { seed: 6, numRuns: PAIRS },
  );
});

test('a stricter pack never turns a refusal into a yes', () => {
  fc.assert(
    fc.property(cases, ([one, rules]) => {
      const { pack } = rules;
      const customerBlocked = [...pack.countries.customerBlocked, 'PL', 'DE'];
      const stricter = { ...pack, countries: { ...pack.countries, customerBlocked } };
      if (evaluateCall(one, { ...rules, pack: stricter }).allowed) {
        assert.ok(evaluateCall(one, rules).allowed);
      }
    }),
    { seed: 7, numRuns: 5_000 },
  );
});

function count(seen: Map<string, number>, code: string): void {
  seen.set(code, (seen.get(code) ?? 0) + 1);
}

const PARTY_CODES = [
  'line_disabled',
  'account_stopped',
  'line_paused',
  'line_restricted',
  'number_unknown',
  'country_unknown',
  'business_country_blocked',
  'customer_country_blocked',
  'sanctioned_place',
  'do_not_call',
  'opted_out',
  'opt_out_pending',
  'refusal_lock',
  'unanswered_brake',
  'meta_says_no',
];
const CALL_CODES = [
  ...PARTY_CODES,
  'call_in_progress',
  'permission_missing',
  'permission_pending',
  'permission_declined',
  'permission_used',
  'permission_expired',
  'permission_revoked',
  'permission_without_purpose',
  'purpose_mismatch',
  'promise_not_due',
  'promise_missed',
  'outside_calling_hours',
  'frequency_cap_reached',
  'connected_limit_reached',
  'line_busy',
  'endpoint_unknown',
];
const REQUEST_CODES = [
  ...PARTY_CODES,
  'permission_live',
  'request_limit_reached',
  'request_quiet_hours',
  'purpose_not_specific',
];
