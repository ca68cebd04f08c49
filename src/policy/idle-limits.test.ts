import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idleLimits } from './idle-limits.ts';
import { limitsFromOwn, NO_OWN_LIMITS, type OwnLimits } from './own-limits.ts';
import { loadPolicyPack } from './policy-pack.ts';

const strict = loadPolicyPack('strict-2026-01');

function idle(own: Partial<OwnLimits>, beside: Partial<OwnLimits> = {}): string[] {
  const account = limitsFromOwn({ ...NO_OWN_LIMITS, ...beside }, 'Account settings', '2026-11');
  const layers = [strict, { name: 'account', limits: account }];
  return idleLimits({ ...NO_OWN_LIMITS, ...own }, layers).map(
    ({ field, because }) => `${field} ${because}`,
  );
}

test('a limit that the pack already has, or has stricter, is named with the pack', () => {
  assert.deepEqual(idle({ callWithinMs: 3_600_000 }), ['callWithinMs strict-2026-01']);
  assert.deepEqual(idle({ callWithinMs: 3_599_999 }), []);
  const month = { requestsMax: 3, windowMs: 2_592_000_000 };
  assert.deepEqual(idle({ requestCaps: [month] }), ['requestCaps strict-2026-01']);
  assert.deepEqual(idle({ requestCaps: [month, { ...month, requestsMax: 1 }] }), []);
});

test('a line is compared with its account too', () => {
  assert.deepEqual(idle({ lineCallsMax: 5 }, { lineCallsMax: 5 }), ['lineCallsMax account']);
  assert.deepEqual(idle({ lineCallsMax: 4 }, { lineCallsMax: 5 }), []);
  const day = 86_400_000;
  assert.deepEqual(idle({ refusalLockMs: day }, { refusalLockMs: 2 * day }), [
    'refusalLockMs account',
  ]);
  const brake = { warnAt: 1, stopAt: 1, restMs: day, hardStopAt: 2 };
  assert.deepEqual(idle({ unanswered: brake }, { unanswered: { ...brake, restMs: 2 * day } }), [
    'unanswered account',
  ]);
  assert.deepEqual(idle({ unanswered: brake }, { unanswered: { ...brake, stopAt: 2 } }), []);
});

test('hours are never called idle, and what is not set is not either', () => {
  assert.deepEqual(idle({ closedDates: ['2026-12-24'] }, { closedDates: ['2026-12-24'] }), []);
  assert.deepEqual(idle({}), []);
});
