import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  initialConsent,
  type ConsentPermission,
  type ConsentRequest,
  type ConsentState,
} from '../consent/consent.ts';
import type { CallId, PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { evaluateCall, evaluateRequest, type CallFacts } from './policy.ts';
import { loadPolicyPack } from './policy-pack.ts';

/**
 * The gate against a second opinion: an oracle that shares no code with it and no data but the
 * page's own lists, written as one plain reading of the rules.
 */
const strict = loadPolicyPack('strict-2026-01');
const pack = { ...strict, limits: { requests: strict.limits.requests?.slice(0, 1) } };
const rules = { pack, narrower: [] };
const NOW = Date.UTC(2026, 0, 5, 12);
const DAY = 86_400_000;

const places: Array<[e164: string | null, country: string | null]> = [
  [null, null],
  ['+447700900123', 'GB'],
  ['+4915112345678', 'DE'],
  ['+12025550123', 'US'],
  ['+17875550123', 'PR'],
  ['+16135550123', 'CA'],
  ['+18765550123', 'JM'],
  ['+12995550123', null],
  ['+905321234567', 'TR'],
  ['+201001234567', 'EG'],
  ['+84912345678', 'VN'],
  ['+2348031234567', 'NG'],
  ['+5351234567', 'CU'],
  ['+989121234567', 'IR'],
  ['+8501921234567', 'KP'],
  ['+963944123456', 'SY'],
  ['+79781234567', 'RU'],
  ['+74951234567', 'RU'],
  ['+380621234567', 'UA'],
  ['+380641234567', 'UA'],
  ['+380652123456', 'UA'],
  ['+380441234567', 'UA'],
];

const purposes = ['your order 1042', 'YOUR ORDER  1042', 'your bill', 'future calls', 'ab', ''];
const callIds = ['call_a', 'call_b'] as CallId[];
/** Mostly "fine", so that later rules are reached too. */
const rarely = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
const place = fc
  .tuple(rarely, rarely, fc.constantFrom(...places))
  .map(([a, b, other]) => (a || b ? other : places[1]) ?? other);

const permission: fc.Arbitrary<ConsentPermission> = fc
  .record({
    age: fc.constantFrom(0, 1, DAY / 2, DAY - 1, DAY, DAY + 1, 3 * DAY),
    purpose: fc.constantFrom('your order 1042', 'your order 1042', 'your bill', null),
    kind: fc.constantFrom('temporary', 'permanent'),
  })
  .map(({ age, purpose, kind }) => ({
    permissionId: 'perm_1' as PermissionId,
    requestId: null,
    purpose,
    promisedAt: null,
    kind,
    source: 'user',
    grantedAt: NOW - age,
    expiresAt: NOW - age + DAY,
    messageId: 'wamid.1',
  }));

const request: ConsentRequest = {
  requestId: 'preq_1' as PermissionRequestId,
  purpose: 'your order 1042',
  template: 'call_permission_request',
  language: 'en',
  text: 'May we call you?',
  promisedAt: null,
  packName: 'strict-2026-01',
  requestedAt: NOW - DAY,
  lapsesAt: NOW + DAY,
  messageId: null,
  delivery: 'queued',
};

const consent: fc.Arbitrary<ConsentState> = fc
  .record({
    status: fc.constantFrom(
      ...(['granted', 'granted', 'granted', 'used', 'none', 'requested'] as const),
      ...(['declined', 'expired', 'revoked', 'lapsed'] as const),
    ),
    permission,
    callId: fc.constantFrom(...callIds),
    ages: fc.array(fc.constantFrom(1, DAY, 29 * DAY, 30 * DAY - 1, 30 * DAY, 31 * DAY), {
      maxLength: 5,
    }),
  })
  .map(({ status, permission: one, callId, ages }): ConsentState => {
    const requestsWithoutYes = ages.sort((a, b) => b - a).map((age) => NOW - age);
    const history = { ...initialConsent.history, requestsWithoutYes };
    const common = { history, request };
    switch (status) {
      case 'none':
        return { history, status };
      case 'requested':
        return { ...common, status };
      case 'granted':
      case 'expired':
        return { ...common, status, permission: one };
      case 'used':
        return { ...common, status, permission: one, usedByCallId: callId, usedAt: NOW - 1 };
      case 'declined':
        return { ...common, status, declinedAt: NOW - 1 };
      case 'lapsed':
        return { ...common, status, lapsedAt: NOW - 1 };
      case 'revoked': {
        const revoked = { revokedAt: NOW - 1, revokedBy: 'customer', reason: 'no' } as const;
        return { ...common, status, permission: one, usedByCallId: null, ...revoked };
      }
      default:
        throw new TypeError('unknown status');
    }
  });

const facts: fc.Arbitrary<CallFacts> = fc
  .record({
    disabled: rarely,
    restriction: fc.constantFrom(null, null, null, NOW - 1, NOW, NOW + 1),
    business: place,
    customer: place,
    doNotCall: rarely,
    optedOut: rarely,
    optOutPending: rarely,
    sanctionedRegion: rarely,
    consent,
    purpose: fc.constantFrom('your order 1042', 'your order 1042', ...purposes),
    callId: fc.constantFrom(null, ...callIds),
    liveCallIds: fc.oneof(fc.constant([]), fc.subarray(callIds)),
    endpointMissing: rarely,
  })
  .map((one) => ({
    now: NOW,
    line: {
      enabled: !one.disabled,
      restrictedUntil: one.restriction,
      e164: one.business[0] ?? '+442079460000',
      country: one.business[0] === null ? 'GB' : one.business[1],
    },
    contact: {
      e164: one.customer[0],
      country: one.customer[1],
      doNotCall: one.doNotCall,
      optedOutAt: one.optedOut ? NOW - 1 : null,
      optOutPendingAt: one.optOutPending ? NOW - 2 : null,
      sanctionedRegion: one.sanctionedRegion,
      timeZone: null,
    },
    consent: one.consent,
    history: { callsAt: [], refusedAt: null },
    metaAnswer: null,
    lineLiveCalls: null,
    purpose: one.purpose,
    callId: one.callId,
    liveCallIds: one.liveCallIds,
    endpointKnown: !one.endpointMissing,
  }));

const BLOCKED = /^(US|PR|CA|TR|EG|VN|NG)$/;
const SANCTIONED = /^(CU|IR|KP|SY)$/;
const REGION = /^\+(7(365|869|978|856|949|857|959)|380(65|692|62|64))/;

/** All codes that speak against it, the weightiest first. */
function partyObjections(f: CallFacts): string[] {
  const no: string[] = [];
  if (!f.line.enabled) no.push('line_disabled');
  if (f.line.restrictedUntil !== null && f.line.restrictedUntil > f.now) no.push('line_restricted');
  if (f.contact.e164 === null) no.push('number_unknown');
  if (f.line.country === null) no.push('country_unknown');
  else if (BLOCKED.test(f.line.country)) no.push('business_country_blocked');
  if (f.contact.e164 !== null) {
    if (f.contact.country === null) no.push('country_unknown');
    else if (BLOCKED.test(f.contact.country)) no.push('customer_country_blocked');
  }
  const isBarred = [f.line, f.contact].some(
    (side) => SANCTIONED.test(side.country ?? '') || REGION.test(side.e164 ?? ''),
  );
  if (isBarred || f.contact.sanctionedRegion) no.push('sanctioned_place');
  if (f.contact.optedOutAt !== null) no.push('opted_out');
  else if (f.contact.doNotCall) no.push('do_not_call');
  else if (f.contact.optOutPendingAt !== null) no.push('opt_out_pending');
  return no;
}

function callObjections(f: CallFacts): string[] {
  const no = partyObjections(f);
  let others = 0;
  for (const id of f.liveCallIds) if (id !== f.callId) others += 1;
  if (others > 0) no.push('call_in_progress');
  const c = f.consent;
  if (c.status === 'granted' && f.now >= c.permission.grantedAt + DAY) {
    no.push('permission_expired');
  } else if (c.status === 'used') {
    if (c.usedByCallId !== f.callId) no.push('permission_used');
    else if (f.now >= c.permission.grantedAt + DAY) no.push('permission_expired');
  } else if (c.status === 'expired') no.push('permission_expired');
  else if (c.status === 'revoked') no.push('permission_revoked');
  else if (c.status === 'declined') no.push('permission_declined');
  else if (c.status === 'requested') no.push('permission_pending');
  else if (c.status === 'none' || c.status === 'lapsed') no.push('permission_missing');
  if ('permission' in c && c.permission !== null) {
    const told = c.permission.purpose;
    const wanted = f.purpose.toLowerCase().split(' ').filter(Boolean).join(' ');
    if (told === null) no.push('permission_without_purpose');
    else if (told !== wanted) no.push('purpose_mismatch');
  }
  if (!f.endpointKnown) no.push('endpoint_unknown');
  return no;
}

function requestObjections(f: CallFacts): string[] {
  const no = partyObjections(f);
  const c = f.consent;
  if (c.status === 'granted' && f.now < c.permission.grantedAt + DAY) no.push('permission_live');
  let recent = 0;
  for (const at of c.history.requestsWithoutYes) if (f.now - at < 30 * DAY) recent += 1;
  if (recent >= 3) no.push('request_limit_reached');
  if (!f.purpose.toLowerCase().includes('your')) no.push('purpose_not_specific');
  return no;
}

test('50,000 calls: the gate and an independent oracle agree on every code', () => {
  let allowed = 0;
  fc.assert(
    fc.property(facts, (one) => {
      const decision = evaluateCall(one, rules);
      const codes = decision.verdicts.flatMap((verdict) => verdict.code ?? []);
      const expected = callObjections(one);
      assert.deepEqual(codes, expected);
      assert.equal(decision.allowed, expected.length === 0);
      assert.equal(decision.refusal?.code, expected[0]);
      if (decision.allowed) allowed += 1;
    }),
    { seed: 1, numRuns: 50_000 },
  );
  // Otherwise the cases would prove little about either answer.
  assert.ok(allowed > 500, `only ${allowed} of 50,000 were allowed`);
});

test('20,000 requests: the gate and an independent oracle agree on every code', () => {
  let allowed = 0;
  fc.assert(
    fc.property(facts, (one) => {
      const decision = evaluateRequest(one, rules);
      const codes = decision.verdicts.flatMap((verdict) => verdict.code ?? []);
      assert.deepEqual(codes, requestObjections(one));
      if (decision.allowed) allowed += 1;
    }),
    { seed: 2, numRuns: 20_000 },
  );
  assert.ok(allowed > 500, `only ${allowed} of 20,000 were allowed`);
});

/** Everything that makes a case stricter. */
const restrictions: Array<(f: CallFacts) => CallFacts> = [
  (f) => ({ ...f, line: { ...f.line, enabled: false } }),
  (f) => ({ ...f, line: { ...f.line, restrictedUntil: NOW + 1 } }),
  (f) => ({ ...f, line: { ...f.line, country: null } }),
  (f) => ({ ...f, line: { ...f.line, country: 'US' } }),
  (f) => ({ ...f, contact: { ...f.contact, e164: null } }),
  (f) => ({ ...f, contact: { ...f.contact, country: 'NG' } }),
  (f) => ({ ...f, contact: { ...f.contact, country: null } }),
  (f) => ({ ...f, contact: { ...f.contact, doNotCall: true } }),
  (f) => ({ ...f, contact: { ...f.contact, optedOutAt: NOW } }),
  (f) => ({ ...f, contact: { ...f.contact, optOutPendingAt: NOW } }),
  (f) => ({ ...f, contact: { ...f.contact, sanctionedRegion: true } }),
  (f) => ({ ...f, liveCallIds: [...f.liveCallIds, 'call_c'] }),
  (f) => ({ ...f, endpointKnown: false }),
  (f) => ({ ...f, consent: { status: 'none', history: f.consent.history } }),
];

test('adding a restriction never turns a refusal into a yes', () => {
  const pairs = fc.tuple(facts, fc.constantFrom(...restrictions));
  fc.assert(
    fc.property(pairs, ([one, restrict]) => {
      const stricter = restrict(one);
      if (evaluateCall(stricter, rules).allowed) assert.ok(evaluateCall(one, rules).allowed);
      // Less consent restricts a call, but makes room for a request.
      if (stricter.consent !== one.consent) return;
      if (evaluateRequest(stricter, rules).allowed) assert.ok(evaluateRequest(one, rules).allowed);
    }),
    { seed: 3, numRuns: 20_000 },
  );
});

test('a stricter pack never turns a refusal into a yes', () => {
  const blocked = [...pack.countries.customerBlocked, 'GB', 'DE'];
  const stricter = { ...pack, countries: { ...pack.countries, customerBlocked: blocked } };
  fc.assert(
    fc.property(facts, (one) => {
      if (evaluateCall(one, { pack: stricter, narrower: [] }).allowed)
        assert.ok(evaluateCall(one, rules).allowed);
    }),
    { seed: 4, numRuns: 10_000 },
  );
});
