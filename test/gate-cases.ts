import * as fc from 'fast-check';
import {
  initialConsent,
  type ConsentHistory,
  type ConsentPermission,
  type ConsentRequest,
  type ConsentState,
} from '../src/consent/consent.ts';
import type { Layer, Layers } from '../src/policy/layers.ts';
import { WEEKDAYS, type CallingWindows, type Limits, type TimeSpan } from '../src/policy/limits.ts';
import type { CallFacts } from '../src/policy/policy.ts';
import { loadPolicyPack } from '../src/policy/policy-pack.ts';
import type { CallId, PermissionId, PermissionRequestId } from '../src/platform/ids.ts';

/** Cases for the proofs of the gate: mostly "fine", so that every rule has its turn. */
export const strict = loadPolicyPack('strict-2026-01');

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);

const places: Array<[e164: string | null, country: string | null]> = [
  [null, null],
  ['+48221234567', 'PL'],
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
/** Numbers whose zones the oracle knows by hand. */
const HOMES = [places[1], places[2], places[6]].filter((place) => place !== undefined);
const ZONES = ['Europe/London', 'Asia/Kolkata', 'Pacific/Chatham', 'America/St_Johns', 'UTC'];
const PURPOSES = ['your order 1042', 'YOUR ORDER  1042', 'your bill', 'future calls', 'ab', ''];
const callIds = ['call_a', 'call_b'] as CallId[];
const rarely = fc.integer({ min: 0, max: 14 }).map((n) => n === 0);

const customer = fc
  .record({
    isHome: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    home: fc.constantFrom(...HOMES),
    other: fc.constantFrom(...places),
    zone: fc.constantFrom(...ZONES),
    isZoneKnown: rarely,
  })
  .map(({ isHome, home, other, zone, isZoneKnown }) => {
    const [e164, country] = isHome ? home : other;
    const known = e164 === null || HOMES.some(([number]) => number === e164);
    return { e164, country, timeZone: known && !isZoneKnown ? null : zone };
  });

/** Ages in ms, at and around the edges that limits have. */
const AGES = [
  1,
  HOUR,
  DAY - 1,
  DAY,
  DAY + 1,
  6 * DAY,
  7 * DAY - 1,
  7 * DAY,
  30 * DAY - 1,
  30 * DAY,
];
const times = (now: number, max: number) =>
  fc
    .array(fc.constantFrom(...AGES, 31 * DAY, 80 * DAY), { maxLength: max })
    .map((ages) => ages.sort((a, b) => b - a).map((age) => now - age));

const permissionOf = (now: number): fc.Arbitrary<ConsentPermission> =>
  fc
    .record({
      age: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(0, 1, 20 * MINUTE, HOUR - 1) },
        { weight: 1, arbitrary: fc.constantFrom(HOUR, DAY / 2, DAY - 1, DAY, DAY + 1, 3 * DAY) },
      ),
      promise: fc.constantFrom(null, null, -HOUR, -1, 0, 1, 15 * MINUTE, 15 * MINUTE + 1, HOUR),
      validMs: fc.constantFrom(DAY, DAY, DAY, DAY / 2, 3 * DAY),
      purpose: fc.constantFrom('your order 1042', 'your order 1042', 'your bill', null),
      kind: fc.constantFrom('temporary', 'permanent'),
    })
    .map(({ age, promise, validMs, purpose, kind }) => ({
      permissionId: 'perm_1' as PermissionId,
      requestId: null,
      purpose,
      promisedAt: promise === null ? null : now + promise,
      kind,
      source: 'user',
      grantedAt: now - age,
      expiresAt: now - age + validMs,
      messageId: 'wamid.1',
    }));

function requestAt(now: number): ConsentRequest {
  return {
    requestId: 'preq_1' as PermissionRequestId,
    purpose: 'your order 1042',
    template: 'call_permission_request',
    language: 'en',
    text: 'May we call you?',
    promisedAt: null,
    packName: 'strict-2026-01',
    requestedAt: now - DAY,
    lapsesAt: now + DAY,
    messageId: null,
    delivery: 'queued',
  };
}

const historyOf = (now: number): fc.Arbitrary<ConsentHistory> =>
  fc
    .record({
      requestsWithoutYes: times(now, 4),
      requestsSinceConnected: times(now, 3),
      connectedAt: times(now, 4),
      unansweredInRow: fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 4),
      restedMs: fc.constantFrom(1, 7 * DAY - 1, 7 * DAY, 8 * DAY),
    })
    .map(({ restedMs, ...counted }) => ({
      ...initialConsent.history,
      ...counted,
      lastUnansweredAt: counted.unansweredInRow === 0 ? null : now - restedMs,
    }));

const consentOf = (now: number): fc.Arbitrary<ConsentState> =>
  fc
    .record({
      status: fc.constantFrom(
        ...(['granted', 'granted', 'granted', 'granted', 'granted', 'used', 'none'] as const),
        ...(['requested', 'declined', 'expired', 'revoked', 'lapsed'] as const),
      ),
      permission: permissionOf(now),
      callId: fc.constantFrom(...callIds),
      history: historyOf(now),
    })
    .map(({ status, permission, callId, history }): ConsentState => {
      const request = requestAt(now);
      const used = { usedByCallId: callId, usedAt: now - 1 };
      switch (status) {
        case 'none':
          return { history, status };
        case 'requested':
          return { history, request, status };
        case 'granted':
        case 'expired':
          return { history, request, status, permission };
        case 'used': {
          const placed = { callsPlaced: 1, placedCalls: [{ callId, at: now - 1 }] };
          return { history: { ...history, ...placed }, request, status, permission, ...used };
        }
        case 'declined':
          return { history, request, status, declinedAt: now - 1 };
        case 'lapsed':
          return { history, request, status, lapsedAt: now - 1 };
        case 'revoked': {
          const revoked = { revokedAt: now - 1, revokedBy: 'customer', reason: 'no' } as const;
          return { history, request, status, permission, usedByCallId: null, ...revoked };
        }
        default:
          throw new TypeError('unknown status');
      }
    });

/** Facts at a quarter of an hour of some day in 2026, or a millisecond beside it. */
const instant = fc
  .record({
    quarter: fc.integer({ min: 0, max: 365 * 96 - 1 }),
    beside: fc.constantFrom(0, 0, 1, -1),
  })
  .map(({ quarter, beside }) => START + quarter * 15 * MINUTE + beside);

export const facts: fc.Arbitrary<CallFacts> = instant.chain((now) =>
  fc
    .record({
      off: fc.oneof(
        { weight: 14, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.constantFrom('disabled', 'stopped', 'paused') },
      ),
      restriction: fc.constantFrom(null, null, null, null, now - 1, now, now + 1, now + HOUR),
      business: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...HOMES) },
        { weight: 1, arbitrary: fc.constantFrom(...places.slice(1)) },
      ),
      customer,
      doNotCall: rarely,
      optedOut: rarely,
      optOutPending: rarely,
      sanctionedRegion: rarely,
      consent: consentOf(now),
      callsAt: times(now, 4),
      refusedMs: fc.constantFrom(null, null, null, 1, 30 * DAY - 1, 30 * DAY, 60 * DAY),
      purpose: fc.oneof(
        { weight: 4, arbitrary: fc.constant('your order 1042') },
        { weight: 1, arbitrary: fc.constantFrom(...PURPOSES) },
      ),
      meta: fc.constantFrom(null, null, null, null, 'no call', 'no request', 'yes'),
      callId: fc.constantFrom(null, ...callIds),
      liveCallIds: fc.oneof(
        { weight: 4, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.subarray(callIds) },
      ),
      lineLiveCalls: fc.constantFrom(null, 0, 1, 4, 5, 999, 1000),
      endpointMissing: rarely,
    })
    .map((one) => ({
      now,
      line: {
        enabled: one.off !== 'disabled',
        restrictedUntil: one.restriction,
        stoppedAt: one.off === 'stopped' ? now - 3 : null,
        pausedAt: one.off === 'paused' ? now - 4 : null,
        e164: one.business[0] ?? '',
        country: one.business[1],
      },
      contact: {
        ...one.customer,
        doNotCall: one.doNotCall,
        optedOutAt: one.optedOut ? now - 1 : null,
        optOutPendingAt: one.optOutPending ? now - 2 : null,
        sanctionedRegion: one.sanctionedRegion,
      },
      consent: one.consent,
      history: {
        callsAt: one.consent.status === 'used' ? [...one.callsAt, now - 1] : one.callsAt,
        refusedAt: one.refusedMs === null ? null : now - one.refusedMs,
      },
      purpose: one.purpose,
      metaAnswer:
        one.meta === null
          ? null
          : {
              askedAt: now - HOUR,
              canCall: one.meta !== 'no call',
              canRequest: one.meta !== 'no request',
            },
      callId: one.callId,
      liveCallIds: one.liveCallIds,
      endpointKnown: !one.endpointMissing,
      lineLiveCalls: one.lineLiveCalls,
    })),
);

const source = { section: 'A case', sentence: 'Made up.', seen: '2026-01' };
const QUARTERS = Array.from({ length: 97 }, (_, n) => {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(n / 4))}:${two((n % 4) * 15)}`;
});

/** None, one or two spans of a day, in order. */
const spans: fc.Arbitrary<TimeSpan[]> = fc
  .uniqueArray(fc.constantFrom(...QUARTERS), { minLength: 4, maxLength: 4 })
  .chain((edges) => {
    const [a = '', b = '', c = '', d = ''] = edges.sort();
    return fc.constantFrom<TimeSpan[]>(
      [],
      [['08:00', '21:00']],
      [[a, d]],
      [
        [a, b],
        [c, d],
      ],
    );
  });

const week = fc
  .record({ usual: spans, saturday: spans, sunday: spans })
  .map(({ usual, saturday, sunday }) => {
    const days = WEEKDAYS.map((day): [string, TimeSpan[]] => {
      if (day === 'saturday') return [day, saturday];
      return [day, day === 'sunday' ? sunday : usual];
    });
    return Object.fromEntries(days) as CallingWindows[0]['days'];
  });

const windows: fc.Arbitrary<CallingWindows> = fc
  .record({ first: week, second: week, from: fc.constantFrom('2026-03-01', '2026-08-15') })
  .map(({ first, second, from }) => [
    { validFrom: null, days: first, source },
    { validFrom: from, days: second, source },
  ]);

const holidays = spans.map((open) => ({
  days: [
    { kind: 'fixed' as const, name: 'New Year', month: 1, day: 1 },
    { kind: 'fixed' as const, name: 'May Day', month: 5, day: 1 },
    { kind: 'dated' as const, name: 'A strike', date: '2026-07-09' },
  ],
  spans: open,
  source,
}));

const windowMs = fc.constantFrom(HOUR, DAY, 7 * DAY, 30 * DAY);
const few = fc.integer({ min: 1, max: 4 });

/** Each limit is there every other time. */
const limits: fc.Arbitrary<Limits> = fc
  .record(
    {
      callingWindows: windows,
      requestQuietHours: fc
        .tuple(fc.constantFrom(...QUARTERS.slice(0, 96)), fc.constantFrom(...QUARTERS.slice(0, 96)))
        .filter(([from, until]) => from !== until)
        .map(([from, until]) => ({ from, until, source })),
      frequency: fc.array(fc.record({ callsMax: few, windowMs, source: fc.constant(source) }), {
        maxLength: 2,
      }),
      refusalLock: fc.constantFrom(DAY, 30 * DAY, 60 * DAY).map((lockMs) => ({ lockMs, source })),
      requests: fc.array(
        fc.record({
          requestsMax: few,
          windowMs,
          resetBy: fc.constantFrom('yes', 'connected_call'),
          source: fc.constant(source),
        }),
        { maxLength: 2 },
      ),
      connectedCalls: fc.record({ callsMax: few, windowMs, source: fc.constant(source) }),
      promise: fc.record({
        unpromisedMs: fc.constantFrom(HOUR, DAY / 2),
        earlyMs: fc.constantFrom(0, 1, 15 * MINUTE),
        lateMs: fc.constantFrom(1, HOUR),
        source: fc.constant(source),
      }),
      unanswered: fc.constantFrom(
        { warnAt: 1, stopAt: 2, restMs: 7 * DAY, hardStopAt: 3, source },
        { warnAt: 1, stopAt: 1, restMs: DAY, hardStopAt: 1, source },
        { warnAt: 2, stopAt: 3, restMs: DAY, hardStopAt: 4, source },
      ),
      lineCalls: fc.constantFrom(1, 5).map((concurrentMax) => ({ concurrentMax, source })),
    },
    { requiredKeys: [] },
  )
  .chain((some) =>
    some.callingWindows === undefined
      ? fc.constant(some)
      : fc.option(holidays, { nil: undefined }).map((days) => ({
          ...some,
          ...(days === undefined ? {} : { holidays: days }),
        })),
  );

const layer: fc.Arbitrary<Layer> = fc.record({
  name: fc.constantFrom('law-here', 'law-there', 'account'),
  limits,
  consentLiftsWindow: rarely,
});

/** The strict pack, bare or as it is, with up to three layers that narrow it. */
export const layers: fc.Arbitrary<Layers> = fc
  .record({ isBare: fc.boolean(), narrower: fc.array(layer, { maxLength: 3 }) })
  .map(({ isBare, narrower }) => ({
    pack: isBare ? { ...strict, limits: {} } : strict,
    narrower,
  }));

/** The same with one more thing that is limited. */
export const narrowed = (before: Layers, more: Layer): Layers => ({
  ...before,
  narrower: [...before.narrower, more],
});
export const oneLayer = layer;
