import type { OwnLimits } from '../../../src/policy/own-limits.ts';
import { spansIn, textOfSpans } from '../endpoints/opening-hours.ts';

/** Own limits as people write them; an empty field is no limit. */
export type LimitsDraft = {
  hours: string;
  closed: string;
  quiet: string;
  calls: string;
  requests: string;
  lockDays: string;
  withinMinutes: string;
  unanswered: string;
  lineCalls: string;
};
type Field = keyof LimitsDraft;
type Week = NonNullable<OwnLimits['callingHours']>;
type Span = Week['monday'][number];

const DAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const CAP = /^(\d+) in (\d+) ?(h|d)$/;
const UNITS = { h: 3_600_000, d: DAY_MS } as const;

export function draftOf(own: OwnLimits): LimitsDraft {
  const { callingHours, closedDates, requestQuietHours: quiet, unanswered } = own;
  const calls = own.callCaps?.map(({ callsMax, windowMs }) => capText(callsMax, windowMs));
  const requests = own.requestCaps?.map(({ requestsMax, windowMs }) =>
    capText(requestsMax, windowMs),
  );
  return {
    hours: callingHours === null ? '' : textOfWeek(callingHours),
    closed: closedDates?.join(', ') ?? '',
    quiet: quiet === null ? '' : `${quiet.from}-${quiet.until}`,
    calls: calls?.join(', ') ?? '',
    requests: requests?.join(', ') ?? '',
    lockDays: own.refusalLockMs === null ? '' : String(own.refusalLockMs / DAY_MS),
    withinMinutes: own.callWithinMs === null ? '' : String(own.callWithinMs / MINUTE_MS),
    unanswered:
      unanswered === null
        ? ''
        : [
            unanswered.warnAt,
            unanswered.stopAt,
            unanswered.restMs / DAY_MS,
            unanswered.hardStopAt,
          ].join(', '),
    lineCalls: own.lineCallsMax === null ? '' : String(own.lineCallsMax),
  };
}

/** What `PATCH /v1/policy` takes; or the fields that cannot be read. */
export function limitsIn(draft: LimitsDraft): { limits: OwnLimits } | { unread: Field[] } {
  const unread: Field[] = [];
  const read = <T>(field: Field, parse: (text: string) => T | null): T | null => {
    const text = draft[field].trim();
    if (text === '') return null;
    const value = parse(text);
    if (value === null) unread.push(field);
    return value;
  };
  const caps = read('calls', capsIn);
  const requests = read('requests', capsIn);
  const limits: OwnLimits = {
    callingHours: read('hours', weekIn),
    closedDates: read('closed', (text) => text.split(/[,;\s]+/).filter(Boolean)),
    requestQuietHours: read('quiet', quietIn),
    callCaps: caps?.map(({ max, windowMs }) => ({ callsMax: max, windowMs })) ?? null,
    requestCaps: requests?.map(({ max, windowMs }) => ({ requestsMax: max, windowMs })) ?? null,
    refusalLockMs: read('lockDays', (text) => scaled(text, DAY_MS)),
    callWithinMs: read('withinMinutes', (text) => scaled(text, MINUTE_MS)),
    unanswered: read('unanswered', unansweredIn),
    lineCallsMax: read('lineCalls', (text) => scaled(text, 1)),
  };
  return unread.length > 0 ? { unread } : { limits };
}

function weekIn(text: string): Week | null {
  const spans = spansIn(text);
  if (spans === null) return null;
  const of = (day: number): Span[] =>
    spans.filter(({ days }) => days.includes(day)).map(({ from, to }) => [from, to]);
  return Object.fromEntries(DAYS.map((name, at) => [name, of(at + 1)])) as Week;
}

/** Days with the same span are put together, as `textOfSpans` writes them. */
function textOfWeek(week: Week): string {
  const byTimes = new Map<string, number[]>();
  DAYS.forEach((name, at) => {
    for (const [from, until] of week[name]) {
      const times = `${from}-${until}`;
      byTimes.set(times, [...(byTimes.get(times) ?? []), at + 1]);
    }
  });
  return textOfSpans(
    [...byTimes].map(([times, days]) => {
      const [from = '', to = ''] = times.split('-');
      return { days, from, to };
    }),
  );
}

function quietIn(text: string): OwnLimits['requestQuietHours'] {
  const [, from, until] = /^(\d\d:\d\d) ?- ?(\d\d:\d\d)$/.exec(text) ?? [];
  return from === undefined || until === undefined ? null : { from, until };
}

function capText(max: number, windowMs: number): string {
  const inDays = windowMs / DAY_MS;
  return Number.isInteger(inDays) ? `${max} in ${inDays} d` : `${max} in ${windowMs / UNITS.h} h`;
}

function capsIn(text: string): Array<{ max: number; windowMs: number }> | null {
  const caps = text.split(',').map((part) => CAP.exec(part.trim()));
  if (caps.some((cap) => cap === null)) return null;
  return caps.flatMap((cap) => {
    const [, max, count, unit] = cap ?? [];
    if (unit !== 'h' && unit !== 'd') return [];
    return [{ max: Number(max), windowMs: Number(count) * UNITS[unit] }];
  });
}

function unansweredIn(text: string): OwnLimits['unanswered'] {
  const numbers = text.split(/[,;\s]+/).map(Number);
  const [warnAt, stopAt, restDays, hardStopAt] = numbers;
  if (warnAt === undefined || stopAt === undefined || numbers.length !== 4) return null;
  if (restDays === undefined || hardStopAt === undefined || numbers.some(Number.isNaN)) return null;
  return { warnAt, stopAt, restMs: restDays * DAY_MS, hardStopAt };
}

function scaled(text: string, unit: number): number | null {
  const value = Number(text.replace(',', '.'));
  return Number.isFinite(value) ? Math.round(value * unit) : null;
}
