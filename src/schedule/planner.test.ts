import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { facts, layers } from '../../test/gate-cases.ts';
import { permissionOf } from '../consent/consent.ts';
import type { PermissionId } from '../platform/ids.ts';
import { evaluateCall, type CallFacts } from '../policy/policy.ts';
import {
  bestTime,
  capacityOfMinute,
  legalTimes,
  MINUTE_MS,
  nearestTimes,
  nextMinute,
  type AskGate,
} from './planner.ts';

/**
 * The planner against the gate itself, over made-up people, rules and days:
 *
 *   ASKFIRST_PLANNER_CASES=20000 node --test src/schedule/planner.test.ts
 */
const CASES = Number(process.env['ASKFIRST_PLANNER_CASES'] ?? 100);
const HOUR = 60 * MINUTE_MS;
const HOME = { e164: '+48221234567', country: 'PL' };
/** Two of three people are well, so that what is left to decide is mostly the time. */
const people = fc.tuple(facts, fc.integer({ min: 0, max: 2 })).map(([one, odd]): CallFacts => {
  if (odd === 0) return one;
  const { now } = one;
  const permission = {
    promisedAt: permissionOf(one.consent)?.promisedAt ?? null,
    permissionId: 'perm_1' as PermissionId,
    requestId: null,
    purpose: 'your order 1042',
    kind: 'temporary',
    source: 'user',
    grantedAt: now - MINUTE_MS,
    expiresAt: now + 24 * HOUR,
    messageId: 'wamid.1',
  } as const;
  const { history } = one.consent;
  return {
    ...one,
    line: { ...one.line, ...HOME, enabled: true, stoppedAt: null },
    contact: {
      ...HOME,
      doNotCall: false,
      optedOutAt: null,
      optOutPendingAt: null,
      sanctionedRegion: false,
      timeZone: one.contact.timeZone,
    },
    consent: { status: 'granted', request: null, permission, history },
    purpose: permission.purpose,
    metaAnswer: { askedAt: now, canCall: true, canRequest: true },
    callId: null,
    liveCallIds: [],
    endpointKnown: true,
    lineLiveCalls: null,
  };
});
const cases = fc.record({
  one: people,
  rules: layers,
  delay: fc.constantFrom(0, 1, HOUR, 9 * HOUR),
  minutes: fc.integer({ min: 1, max: 12 * 60 }),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

const gateOf =
  ({ one, rules }: Case): AskGate =>
  (now) => {
    const { allowed, refusal } = evaluateCall({ ...one, now }, rules);
    return { allowed, allowedAt: refusal?.allowedAt ?? null };
  };

test(`${CASES} plans: every time passes the gate, and none are missing`, () => {
  const seen = { some: 0, none: 0 };
  fc.assert(
    fc.property(cases, (made) => {
      const ask = gateOf(made);
      const from = made.one.now + made.delay;
      const window = { from, until: from + made.minutes * MINUTE_MS };
      const planned = legalTimes(ask, window, { max: Infinity });
      const scanned: number[] = ask(from).allowed ? [from] : [];
      for (let at = nextMinute(from + 1); at < window.until; at += MINUTE_MS) {
        if (ask(at).allowed) scanned.push(at);
      }
      assert.deepEqual(planned, scanned);
      seen[planned.length > 0 ? 'some' : 'none'] += 1;
    }),
    { seed: 21, numRuns: CASES },
  );
  assert.ok(seen.some > CASES / 50 && seen.none > CASES / 50, JSON.stringify(seen));
});

test('the nearest other times pass the gate, and nothing between them and the window does', () => {
  fc.assert(
    fc.property(cases, (made) => {
      const ask = gateOf(made);
      const from = made.one.now + made.delay;
      const window = { from, until: from + made.minutes * MINUTE_MS };
      if (legalTimes(ask, window, { max: 1 }).length > 0) return;
      const { before, after } = nearestTimes(ask, window, made.one.now);
      const first = nextMinute(before ?? made.one.now);
      for (let at = first + (first === before ? MINUTE_MS : 0); at < from; at += MINUTE_MS) {
        assert.ok(!ask(at).allowed);
      }
      if (before !== null) assert.ok(ask(before).allowed && before < from);
      if (after !== null) assert.ok(ask(after).allowed && after >= window.until);
    }),
    { seed: 22, numRuns: CASES },
  );
});

test('steps between times are kept, and the first is the very beginning', () => {
  const always: AskGate = () => ({ allowed: true, allowedAt: null });
  const from = 90 * MINUTE_MS + 7;
  const times = legalTimes(always, { from, until: from + HOUR }, { max: 9, stepMs: 900_000 });
  // Counted from minute to minute, so that a plan of quarters falls on quarters.
  assert.equal(times[0], from);
  assert.deepEqual(
    times.slice(1).map((at) => at / MINUTE_MS),
    [105, 120, 135, 150],
  );
});

test('a full minute is passed over, and where all are full the least full one is taken', () => {
  const load = new Map([
    [1, { booked: 5, capacity: 5 }],
    [2, { booked: 4, capacity: 5 }],
    [3, { booked: 0, capacity: 5 }],
  ]);
  const loadAt = (at: number) => load.get(at) ?? { booked: 9, capacity: 5 };
  assert.equal(bestTime([1, 2, 3], loadAt), 2);
  assert.equal(bestTime([4, 1, 5], loadAt), 1);
  assert.equal(bestTime([], loadAt), null);
});

test('a minute takes what the narrowest limit lets through, and one call at least', () => {
  const limit = (callsPerSecond: number | null, concurrentCalls: number | null) => ({
    callsPerSecond,
    concurrentCalls,
  });
  assert.equal(capacityOfMinute([]), Infinity);
  assert.equal(capacityOfMinute([limit(null, null)]), Infinity);
  assert.equal(capacityOfMinute([limit(2, null), limit(null, 30)]), 10);
  assert.equal(capacityOfMinute([limit(0.001, 1)]), 1);
});
