import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnLimits } from '../../../src/policy/own-limits.ts';
import { draftOf, limitsIn } from './own-limits-draft.ts';

const NIGHT: [string, string][] = [];
const DAY: [string, string][] = [['09:00', '17:30']];
const OWN: OwnLimits = {
  callingHours: {
    monday: DAY,
    tuesday: DAY,
    wednesday: DAY,
    thursday: DAY,
    friday: DAY,
    saturday: [['10:00', '12:00']],
    sunday: NIGHT,
  },
  closedDates: ['2026-12-24', '2026-12-25'],
  requestQuietHours: { from: '20:00', until: '08:00' },
  callCaps: [
    { callsMax: 1, windowMs: 86_400_000 },
    { callsMax: 2, windowMs: 7_200_000 },
  ],
  requestCaps: [{ requestsMax: 2, windowMs: 604_800_000 }],
  refusalLockMs: 2_592_000_000,
  callWithinMs: 900_000,
  unanswered: { warnAt: 1, stopAt: 2, restMs: 604_800_000, hardStopAt: 3 },
  lineCallsMax: 40,
};

test('limits are written as people say them, and read back as they were', () => {
  const draft = draftOf(OWN);
  assert.equal(draft.hours, 'Mo-Fr 09:00-17:30, Sa 10:00-12:00');
  assert.equal(draft.calls, '1 in 1 d, 2 in 2 h');
  assert.equal(draft.unanswered, '1, 2, 7, 3');
  assert.deepEqual(limitsIn(draft), { limits: OWN });
});

test('an empty field takes its limit away', () => {
  const empty = Object.fromEntries(Object.keys(draftOf(OWN)).map((field) => [field, ' ']));
  const read = limitsIn({ ...draftOf(OWN), ...empty });
  assert.ok('limits' in read);
  assert.ok(Object.values(read.limits).every((value) => value === null));
});

test('what cannot be read is named', () => {
  const wrong = { hours: 'always', calls: 'often', quiet: 'at night', unanswered: '1, 2' };
  assert.deepEqual(limitsIn({ ...draftOf(OWN), ...wrong, lockDays: 'x' }), {
    unread: ['calls', 'hours', 'quiet', 'lockDays', 'unanswered'],
  });
});
