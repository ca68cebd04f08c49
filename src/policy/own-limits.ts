/**
 * What an account or a line sets for itself, as the API speaks of it, and as limits of a layer.
 * Layers only narrow, so whatever is set here can forbid a call and never allow one.
 */
import * as z from 'zod';
import {
  HISTORY_KEPT_MS,
  WEEKDAYS,
  type CallingWindows,
  type Limits,
  type RuleSource,
  type TimeSpan,
  type Weekday,
} from './limits.ts';

const CLOCK_TIME = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;
const clockTime = z.string().regex(CLOCK_TIME, 'is a time of day such as 08:30, or 24:00');
const span = z
  .tuple([clockTime, clockTime])
  .refine(([from, until]) => from < until, 'ends after it begins, on the same day');
const windowMs = z
  .int()
  .positive()
  .max(HISTORY_KEPT_MS, 'is at most 92 days, for so long calls and requests are remembered');
const SPANS_A_DAY_MAX = 8;
const CLOSED_DATES_MAX = 400;
const DAY_MS = 86_400_000;

const callingHours = z
  .strictObject(
    Object.fromEntries(
      WEEKDAYS.map((day) => [day, z.array(span).max(SPANS_A_DAY_MAX).default([])]),
    ) as Record<Weekday, z.ZodDefault<z.ZodArray<typeof span>>>,
  )
  .refine(
    (week) => WEEKDAYS.some((day) => week[day].length > 0),
    'has at least one span; to place no calls at all, disable the line',
  );

/** The fields of a PATCH: what is left out stays, null takes a limit away. */
export const ownLimitsBody = z.strictObject({
  callingHours: callingHours
    .nullable()
    .describe('When calls may be placed, by the customer’s clock; a day left out has none.'),
  closedDates: z
    .array(z.iso.date('is a date such as 2026-12-24'))
    .max(CLOSED_DATES_MAX)
    .nullable()
    .describe('Dates without calls, at the customer’s place.'),
  requestQuietHours: z
    .strictObject({ from: clockTime, until: clockTime })
    .refine(({ from, until }) => from !== until, 'have a length')
    .nullable()
    .describe('No permission requests between these times; may pass midnight.'),
  callCaps: z
    .array(z.strictObject({ callsMax: z.int().positive().max(200), windowMs }))
    .min(1)
    .max(4)
    .nullable()
    .describe('At most so many calls to one person within the time.'),
  requestCaps: z
    .array(z.strictObject({ requestsMax: z.int().positive().max(50), windowMs }))
    .min(1)
    .max(4)
    .nullable()
    .describe('At most so many requests to one person without a yes, within the time.'),
  refusalLockMs: windowMs.nullable().describe('So long without calls and requests after a no.'),
  callWithinMs: z
    .int()
    .min(60_000, 'is at least a minute, or no call can keep it')
    .max(7 * DAY_MS)
    .nullable()
    .describe('A call comes at most so long after the yes, where no time was promised.'),
  unanswered: z
    .strictObject({
      warnAt: z.int().positive(),
      stopAt: z.int().positive(),
      restMs: windowMs,
      hardStopAt: z.int().positive().max(3, 'is at most 3, because Meta revokes at 4'),
    })
    .refine(
      (it) => it.warnAt <= it.stopAt && it.stopAt <= it.hardStopAt,
      'has warnAt ≤ stopAt ≤ hardStopAt',
    )
    .nullable()
    .describe('Unanswered calls in a row: warn, rest, stop.'),
  lineCallsMax: z.int().positive().max(10_000).nullable().describe('Live calls of a line at once.'),
});
export type OwnLimits = z.infer<typeof ownLimitsBody>;

export const NO_OWN_LIMITS: OwnLimits = {
  callingHours: null,
  closedDates: null,
  requestQuietHours: null,
  callCaps: null,
  requestCaps: null,
  refusalLockMs: null,
  callWithinMs: null,
  unanswered: null,
  lineCallsMax: null,
};

/** The limits of a layer; `who` ("Account settings") and `seen` go into every verdict. */
export function limitsFromOwn(own: OwnLimits, who: string, seen: string): Limits {
  const source: RuleSource = { section: who, sentence: 'Set by the business itself.', seen };
  const { callingHours: week, closedDates, requestQuietHours: quiet, unanswered } = own;
  return {
    ...(week === null && closedDates === null ? {} : { callingWindows: windowsOf(week, source) }),
    ...(closedDates === null || closedDates.length === 0
      ? {}
      : { holidays: { days: closedDates.map(closedDay), spans: [], source } }),
    ...(quiet === null ? {} : { requestQuietHours: { ...quiet, source } }),
    ...(own.callCaps === null
      ? {}
      : { frequency: own.callCaps.map((cap) => ({ ...cap, source })) }),
    ...(own.requestCaps === null
      ? {}
      : { requests: own.requestCaps.map((cap) => ({ ...cap, resetBy: 'yes' as const, source })) }),
    ...(own.refusalLockMs === null ? {} : { refusalLock: { lockMs: own.refusalLockMs, source } }),
    ...(own.callWithinMs === null ? {} : { promise: promiseOf(own.callWithinMs, source) }),
    ...(unanswered === null ? {} : { unanswered: { ...unanswered, source } }),
    ...(own.lineCallsMax === null
      ? {}
      : { lineCalls: { concurrentMax: own.lineCallsMax, source } }),
  };
}

/** The way back, for showing what is set. */
export function ownFromLimits(limits: Limits): OwnLimits {
  const { callingWindows, holidays, requestQuietHours: quiet, unanswered } = limits;
  const week = callingWindows?.[0]?.days ?? null;
  return {
    callingHours: week === null || isAlwaysOpen(week) ? null : week,
    closedDates: holidays?.days.flatMap((day) => (day.kind === 'dated' ? [day.date] : [])) ?? null,
    requestQuietHours: quiet === undefined ? null : { from: quiet.from, until: quiet.until },
    callCaps:
      limits.frequency?.map(({ callsMax, windowMs: within }) => ({ callsMax, windowMs: within })) ??
      null,
    requestCaps:
      limits.requests?.map(({ requestsMax, windowMs: within }) => ({
        requestsMax,
        windowMs: within,
      })) ?? null,
    refusalLockMs: limits.refusalLock?.lockMs ?? null,
    callWithinMs: limits.promise?.unpromisedMs ?? null,
    unanswered:
      unanswered === undefined
        ? null
        : {
            warnAt: unanswered.warnAt,
            stopAt: unanswered.stopAt,
            restMs: unanswered.restMs,
            hardStopAt: unanswered.hardStopAt,
          },
    lineCallsMax: limits.lineCalls?.concurrentMax ?? null,
  };
}

const ALL_DAY: TimeSpan = ['00:00', '24:00'];

/** Closed dates alone leave every other hour as it was. */
function windowsOf(week: OwnLimits['callingHours'], source: RuleSource): CallingWindows {
  const open = Object.fromEntries(WEEKDAYS.map((day) => [day, [ALL_DAY]]));
  return [{ validFrom: null, days: week ?? (open as Record<Weekday, TimeSpan[]>), source }];
}

function isAlwaysOpen(week: Record<Weekday, TimeSpan[]>): boolean {
  return WEEKDAYS.every((day) => {
    const [first, ...more] = week[day];
    return first?.[0] === ALL_DAY[0] && first[1] === ALL_DAY[1] && more.length === 0;
  });
}

function closedDay(date: string): { kind: 'dated'; name: string; date: string } {
  return { kind: 'dated', name: 'Closed', date };
}

/** A promised time is judged by the pack; these numbers are so wide that they add nothing. */
function promiseOf(unpromisedMs: number, source: RuleSource): NonNullable<Limits['promise']> {
  return { unpromisedMs, earlyMs: 30 * DAY_MS, lateMs: 30 * DAY_MS, source };
}
