import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialConsent, type ConsentState } from '../consent/consent.ts';
import type { CallId, PermissionId } from '../platform/ids.ts';
import { diagnose, type DiagnosisFacts } from './diagnosis.ts';

const NOW = Date.UTC(2026, 5, 3, 12);
const HOUR = 3_600_000;

type Of<Problem> = Extract<DiagnosisFacts, { problem: Problem }>;

const permission = {
  permissionId: 'perm_1' as PermissionId,
  requestId: null,
  purpose: 'your order 1042',
  promisedAt: null,
  kind: 'temporary',
  source: 'user',
  grantedAt: NOW - HOUR,
  expiresAt: NOW + HOUR,
  messageId: 'wamid.1',
} as const;
const { history } = initialConsent;
const granted = {
  status: 'granted',
  request: null,
  permission,
  history,
} as unknown as ConsentState;

const metaYes = {
  askedAt: NOW,
  status: 'temporary',
  expiresAt: NOW + HOUR,
  canCall: true,
  canRequest: false,
  limits: [],
} as const;

const denied: Of<'call_denied'> = {
  problem: 'call_denied',
  now: NOW,
  numberProblem: null,
  contactId: 'cont_1',
  reachedAt: NOW - HOUR,
  undeliverable: null,
  consent: granted,
  metaAnswer: { ...metaYes, limits: [] },
  gate: [{ rule: 'do_not_call', verdict: 'pass', code: null, message: '', fix: null }],
  lastRefusal: null,
};

const notReceived: Of<'request_not_received'> = {
  problem: 'request_not_received',
  now: NOW,
  numberProblem: null,
  contactId: 'cont_1',
  reachedAt: NOW - HOUR,
  undeliverable: null,
  request: { requestId: 'preq_1', at: NOW - HOUR, status: 'delivered', error: null },
  refusal: null,
  template: { name: 'ask', language: 'en', category: 'UTILITY', status: 'approved' },
  windowUntil: null,
  line: { enabled: true, restrictedUntil: null },
};

const template = { template: 'ask', language: 'en', failed: 0, declined: 0, lapsed: 0 };
const rates: Of<'low_grant_rate'> = {
  problem: 'low_grant_rate',
  days: 30,
  templates: [
    { ...template, sent: 100, granted: 80, findings: [] },
    { ...template, template: 'other', sent: 50, granted: 39, findings: [] },
  ],
  purposes: { looked: 100, vague: 0 },
  night: { looked: 100, atNight: 0, grantedAtNight: 0, grantedByDay: 80 },
};

const optOuts: Of<'high_opt_out_rate'> = {
  problem: 'high_opt_out_rate',
  days: 30,
  reached: 1_000,
  optOuts: 0,
  ways: [],
  soonAfterCall: 0,
  offPurpose: 0,
  calls: { placed: 500, answered: 400, cutShort: 10, crowded: 0, mostPerCustomer: 2 },
};

const refusal = { code: 'number_invalid', message: 'no number', fix: 'write it so' };
const failed = { at: NOW, code: 'meta_undeliverable', message: 'not there', fix: 'by letter' };

/** One changed fact, and the check that names it as the cause. */
const CAUSES: Array<[name: string, facts: DiagnosisFacts, cause: string | null]> = [
  ['all well', denied, null],
  ['a number that cannot be read', { ...denied, numberProblem: refusal }, 'number_right'],
  ['a number without WhatsApp', { ...denied, undeliverable: failed }, 'number_right'],
  ['nobody asked', { ...denied, consent: initialConsent }, 'permission_granted'],
  [
    'expired by the minute, unswept',
    { ...denied, now: permission.expiresAt },
    'permission_not_expired',
  ],
  [
    'taken back',
    {
      ...denied,
      consent: {
        ...granted,
        status: 'revoked',
        usedByCallId: null,
        revokedAt: NOW,
        revokedBy: 'customer',
        reason: 'reply',
      } as unknown as ConsentState,
    },
    'permission_not_revoked',
  ],
  [
    'used up',
    {
      ...denied,
      consent: {
        ...granted,
        status: 'used',
        usedByCallId: 'call_1' as CallId,
        usedAt: NOW,
      } as unknown as ConsentState,
    },
    'permission_unused',
  ],
  [
    'revoked at Meta, and no webhook yet',
    { ...denied, metaAnswer: { ...metaYes, limits: [], status: 'none', canCall: false } },
    'meta_agrees',
  ],
  [
    'on a do-not-call list',
    {
      ...denied,
      gate: [
        {
          rule: 'do_not_call',
          verdict: 'refuse',
          code: 'do_not_call',
          message: 'x',
          fix: 'do not call',
        },
      ],
    },
    'other_rules',
  ],
  ['received', notReceived, null],
  [
    'a line without a right to send',
    { ...notReceived, line: { enabled: false, restrictedUntil: null } },
    'line_ready',
  ],
  [
    'a restricted line',
    { ...notReceived, line: { enabled: true, restrictedUntil: NOW + 1 } },
    'line_ready',
  ],
  [
    'a line that its brakes have paused',
    { ...notReceived, line: { enabled: true, restrictedUntil: null, pausedAt: NOW - 1 } },
    'line_ready',
  ],
  [
    'a template in review',
    { ...notReceived, template: { ...notReceived.template, status: 'pending' } },
    'template_approved',
  ],
  [
    'a template that Meta does not have',
    { ...notReceived, template: { ...notReceived.template, status: null } },
    'template_approved',
  ],
  ['nobody was asked', { ...notReceived, request: null }, 'request_made'],
  [
    'refused before it was sent',
    { ...notReceived, refusal: { at: NOW, code: 'request_limit_reached' } },
    'request_made',
  ],
  [
    'a promotional template in a closed window',
    { ...notReceived, template: { ...notReceived.template, category: 'MARKETING' } },
    'window_open',
  ],
  [
    'failed on its way',
    {
      ...notReceived,
      request: { requestId: 'preq_1', at: NOW, status: 'failed', error: { ...refusal } },
    },
    'delivery',
  ],
  [
    'on its way still',
    { ...notReceived, request: { requestId: 'preq_1', at: NOW, status: 'sent', error: null } },
    'delivery',
  ],
  [
    'in our queue for an hour',
    {
      ...notReceived,
      request: { requestId: 'preq_1', at: NOW - HOUR, status: 'queued', error: null },
    },
    'delivery',
  ],
  ['a good rate', rates, null],
  ['vague reasons', { ...rates, purposes: { looked: 100, vague: 30 } }, 'reason_specific'],
  [
    'asked at night',
    { ...rates, night: { looked: 100, atNight: 40, grantedAtNight: 4, grantedByDay: 50 } },
    'time_of_day',
  ],
  [
    'a text against the guidelines',
    {
      ...rates,
      templates: [
        {
          ...template,
          sent: 100,
          granted: 20,
          findings: [{ rule: 'free_call', message: 'does not say that it is free', fix: 'say so' }],
        },
      ],
    },
    'value_clear',
  ],
  [
    'one wording only',
    { ...rates, templates: [{ ...template, sent: 100, granted: 70, findings: [] }] },
    'wording_tested',
  ],
  [
    'one wording much worse',
    {
      ...rates,
      templates: [
        { ...template, sent: 100, granted: 90, findings: [] },
        { ...template, template: 'other', sent: 50, granted: 10, findings: [] },
      ],
    },
    'wording_tested',
  ],
  ['nobody leaves', optOuts, null],
  ['calls for another purpose', { ...optOuts, offPurpose: 7 }, 'purpose_kept'],
  [
    'too many calls',
    { ...optOuts, calls: { ...optOuts.calls, crowded: 100, mostPerCustomer: 9 } },
    'not_too_frequent',
  ],
  [
    'calls that customers end at once',
    { ...optOuts, calls: { ...optOuts.calls, cutShort: 200 } },
    'calls_give_value',
  ],
  [
    'a rate without a visible reason',
    { ...optOuts, optOuts: 60, ways: [{ way: 'message', optOuts: 60 }] },
    'opt_out_rate',
  ],
];

test('each cause is found by its own check, with a fix', () => {
  for (const [name, facts, cause] of CAUSES) {
    const diagnosis = diagnose(facts);
    assert.equal(diagnosis.cause?.id ?? null, cause, name);
    if (cause !== null) assert.ok((diagnosis.cause?.fix ?? '').length > 3, name);
    assert.equal(new Set(diagnosis.checks.map(({ id }) => id)).size, diagnosis.checks.length);
  }
});

test('the rate is judged exactly at its target, and never from too few', () => {
  const at = (granted: number, sent: number): string | undefined =>
    diagnose({ ...rates, templates: [{ ...template, sent, granted, findings: [] }] }).checks[0]
      ?.result;
  assert.equal(at(61, 100), 'ok');
  assert.equal(at(60, 100), 'hint');
  assert.equal(at(0, 19), 'unknown');
  const left = (count: number): string | undefined =>
    diagnose({ ...optOuts, optOuts: count }).checks[0]?.result;
  assert.equal(left(49), 'ok');
  assert.equal(left(50), 'hint');
});

test('what could not be asked is unknown, never ok', () => {
  const silent = diagnose({ ...denied, metaAnswer: null });
  assert.equal(silent.checks.find(({ id }) => id === 'meta_agrees')?.result, 'unknown');
  const unread = diagnose({ ...denied, numberProblem: refusal });
  for (const { id, result } of unread.checks.slice(1)) assert.equal(result, 'unknown', id);
});
