import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitsSchema } from './limits.ts';
import { limitsFromOwn, NO_OWN_LIMITS, ownFromLimits, ownLimitsBody } from './own-limits.ts';

const FULL = {
  callingHours: {
    monday: [
      ['09:00', '12:00'],
      ['13:00', '17:00'],
    ],
    tuesday: [['09:00', '17:00']],
    wednesday: [],
    thursday: [],
    friday: [],
    saturday: [],
    sunday: [],
  },
  closedDates: ['2026-12-24'],
  requestQuietHours: { from: '20:00', until: '09:00' },
  callCaps: [{ callsMax: 2, windowMs: 604_800_000 }],
  requestCaps: [{ requestsMax: 1, windowMs: 2_592_000_000 }],
  refusalLockMs: 2_592_000_000,
  callWithinMs: 1_800_000,
  unanswered: { warnAt: 1, stopAt: 1, restMs: 86_400_000, hardStopAt: 2 },
  lineCallsMax: 5,
};

test('own limits become the limits of a layer, and can be shown again', () => {
  const own = ownLimitsBody.parse(FULL);
  const limits = limitsFromOwn(own, 'Account settings', '2026-11');
  assert.ok(limitsSchema.safeParse(limits).success);
  assert.deepEqual(ownFromLimits(limits), own);
  assert.equal(limits.frequency?.[0]?.source.section, 'Account settings');
});

test('nothing set limits nothing', () => {
  assert.deepEqual(limitsFromOwn(NO_OWN_LIMITS, 'Account settings', '2026-11'), {});
  assert.deepEqual(ownFromLimits({}), NO_OWN_LIMITS);
});

test('closed dates alone leave the other hours as they are', () => {
  const own = { ...NO_OWN_LIMITS, closedDates: ['2026-12-24'] };
  const limits = limitsFromOwn(own, 'Account settings', '2026-11');
  assert.ok(limitsSchema.safeParse(limits).success);
  assert.deepEqual(ownFromLimits(limits), own);
});

test('a setting that could be meant otherwise is refused with the rule it breaks', () => {
  const problems: Array<[object, RegExp]> = [
    [{ callingHours: { monday: [['17:00', '09:00']] } }, /ends after it begins/],
    [{ callingHours: {} }, /at least one span/],
    [{ callingHours: { someday: [['09:00', '17:00']] } }, /someday/],
    [{ callingHours: { monday: [['9:00', '17:00']] } }, /time of day such as 08:30/],
    [{ closedDates: ['24.12.2026'] }, /a date such as 2026-12-24/],
    [{ unanswered: { warnAt: 1, stopAt: 2, restMs: 1, hardStopAt: 4 } }, /Meta revokes at 4/],
    [{ unanswered: { warnAt: 3, stopAt: 2, restMs: 1, hardStopAt: 3 } }, /warnAt ≤ stopAt/],
    [{ callWithinMs: 1_000 }, /at least a minute/],
    [{ refusalLockMs: 93 * 86_400_000 }, /at most 92 days/],
  ];
  for (const [body, wanted] of problems) {
    const parsed = ownLimitsBody.partial().safeParse(body);
    assert.equal(parsed.success, false, JSON.stringify(body));
    assert.match(JSON.stringify(parsed.error?.issues), wanted);
  }
});
