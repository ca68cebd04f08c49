/**
 * When a person may be called: spans of local time per weekday, in every time zone where the
 * person may be. A pure function of its arguments and the zone data of the runtime.
 *
 *   open  = in ALL zones, the local time lies in a span of the local day
 *   doubt = closed: no zone known, no zone data, a date beyond the listed holidays
 *
 * Only instants are compared, never times of day, so an hour that a clock change leaves out or
 * repeats needs no case of its own.
 */
import { WEEKDAYS, type CallingWindows, type HolidayRule, type TimeSpan } from '../limits.ts';
import { holidayCalendar, weekdayIndex } from './holidays.ts';
import { DAY_MS, dayNumber, MINUTE_MS, offsetAt } from './zone-time.ts';

export type HoursReason =
  | 'open'
  | 'outside_hours'
  | 'holiday'
  | 'zone_unknown'
  | 'zone_data_missing'
  | 'holidays_unknown';

export type HoursAnswer = {
  open: boolean;
  reason: HoursReason;
  /** From when on it is open in all zones; null when not within `HORIZON_MS`. */
  opensAt: number | null;
  /** Only when open: the first instant at which it is closed; null when not within it. */
  closesAt: number | null;
  /** A zone in which it is closed now; when open, one that closes first. */
  zone: string | null;
  /** Which of several requirements closes it. */
  requirement: string | null;
  /** The holiday's name, where that is the reason. */
  holiday: string | null;
};

/** What one layer (a pack, a law, own settings) asks, and the zones in which it must be met. */
export type HoursRequirement = {
  name: string;
  /** Dated tables, oldest first; before the first one the layer closes nothing. */
  windows: CallingWindows;
  holidays: HolidayRule | null | undefined;
  zones: readonly string[];
};

/**
 * How far ahead a change is looked for: longer than any row of holidays and weekends. That there
 * is none is remembered for a day.
 */
export const HORIZON_MS = 35 * DAY_MS;

/** May somebody whose zone is one of these be called at this instant, else from when on? */
export function windowAt(
  windows: CallingWindows,
  zones: readonly string[],
  holidays: HolidayRule | null | undefined,
  atMs: number,
): HoursAnswer {
  return hoursAt([{ name: 'hours', windows, holidays, zones }], atMs);
}

/**
 * The same for several layers at once: `opensAt` is then the first instant at which all of them
 * are open, which the latest of their own openings need not be.
 */
export function hoursAt(requirements: readonly HoursRequirement[], atMs: number): HoursAnswer {
  const nowhere = requirements.find(({ zones }) => zones.length === 0);
  if (nowhere !== undefined) {
    return { ...CLOSED, reason: 'zone_unknown', requirement: nowhere.name };
  }
  const now = allAt(requirements, atMs);
  const { reason, zone, requirement, holiday } = now;
  const end = changeAfter(requirements, now, atMs);
  if (!now.open) {
    return { ...CLOSED, reason, zone, requirement, holiday, opensAt: end?.at ?? null };
  }
  return {
    ...CLOSED,
    open: true,
    reason,
    opensAt: atMs,
    closesAt: end?.at ?? null,
    zone: end?.zone ?? null,
    requirement: end?.requirement ?? null,
  };
}

const CLOSED: HoursAnswer = {
  open: false,
  reason: 'outside_hours',
  opensAt: null,
  closesAt: null,
  zone: null,
  requirement: null,
  holiday: null,
};

/** What holds at an instant, and until when at least it holds. */
type Stretch = {
  open: boolean;
  reason: HoursReason;
  until: number;
  zone: string | null;
  requirement: string | null;
  holiday: string | null;
};

/** Of several that are closed the first is named, but the time waited for is the latest. */
function allAt(requirements: readonly HoursRequirement[], atMs: number): Stretch {
  let closed: Stretch | null = null;
  let until = Number.POSITIVE_INFINITY;
  for (const requirement of requirements) {
    for (const zone of requirement.zones) {
      const one = oneAt(requirement, zone, atMs);
      if (one.open) until = Math.min(until, one.until);
      else if (closed === null) closed = one;
      else closed.until = Math.max(closed.until, one.until);
    }
  }
  if (closed !== null) return closed;
  return { open: true, reason: 'open', until, zone: null, requirement: null, holiday: null };
}

function oneAt(requirement: HoursRequirement, zone: string, atMs: number): Stretch {
  const stretch = { zone, requirement: requirement.name, holiday: null };
  const offset = offsetAt(zone, atMs);
  if (offset === null) {
    return { ...stretch, open: false, reason: 'zone_data_missing', until: atMs + DAY_MS };
  }
  const local = atMs + offset.offsetMs;
  const day = Math.floor(local / DAY_MS);
  const dayStart = day * DAY_MS - offset.offsetMs;
  const until = Math.min(offset.until, dayStart + DAY_MS);
  const plan = planOf(requirement, day);
  for (const span of plan.spans) {
    if (local < day * DAY_MS + span.from) {
      const opens = Math.min(until, dayStart + span.from);
      return {
        ...stretch,
        open: false,
        reason: plan.closedBy,
        holiday: plan.holiday,
        until: opens,
      };
    }
    if (local < day * DAY_MS + span.until) {
      const closes = Math.min(until, dayStart + span.until);
      return { ...stretch, open: true, reason: 'open', until: closes };
    }
  }
  return { ...stretch, open: false, reason: plan.closedBy, holiday: plan.holiday, until };
}

type Change = { at: number; zone: string | null; requirement: string | null };
type KnownChange = { from: number; open: boolean; asked: HoursRequirement; change: Change | null };

/** Where nothing opens soon the search is long, and the next call to that country asks the same. */
const known = new WeakMap<readonly string[], WeakMap<CallingWindows, KnownChange>>();
const NULL_KEPT_MS = DAY_MS;

/**
 * When open turns to closed, or closed to open. Between an instant and the change after it nothing
 * changes, so one search answers for all instants in between.
 */
function changeAfter(
  requirements: readonly HoursRequirement[],
  now: Stretch,
  atMs: number,
): Change | null {
  const search = (): Change | null =>
    nextChange(requirements, now.until, atMs + HORIZON_MS, !now.open);
  const [asked, ...others] = requirements;
  if (asked === undefined || others.length > 0) return search();
  const ofZones = known.get(asked.zones) ?? new WeakMap<CallingWindows, KnownChange>();
  known.set(asked.zones, ofZones);
  const found = ofZones.get(asked.windows);
  if (found !== undefined && answersFor(found, asked, now.open, atMs)) return found.change;
  const change = search();
  ofZones.set(asked.windows, { from: atMs, open: now.open, asked, change });
  return change;
}

function answersFor(
  { from, open, asked, change }: KnownChange,
  wanted: HoursRequirement,
  isOpen: boolean,
  atMs: number,
): boolean {
  if (open !== isOpen || asked.holidays !== wanted.holidays || asked.name !== wanted.name) {
    return false;
  }
  return from <= atMs && atMs < (change?.at ?? from + NULL_KEPT_MS);
}

/** Each step ends a stretch of some zone, and a day has a handful: the search is bounded. */
function nextChange(
  requirements: readonly HoursRequirement[],
  from: number,
  horizon: number,
  open: boolean,
): Change | null {
  let at = from;
  while (at <= horizon) {
    const stretch = allAt(requirements, at);
    if (stretch.open === open) return { at, ...stretch };
    at = stretch.until;
  }
  return null;
}

/** In milliseconds since local midnight. */
type Span = { from: number; until: number };
type DayPlan = { spans: readonly Span[]; closedBy: HoursReason; holiday: string | null };

const NO_SPANS: DayPlan = { spans: [], closedBy: 'outside_hours', holiday: null };
const WHOLE_DAY: DayPlan = { ...NO_SPANS, spans: [{ from: 0, until: DAY_MS }] };

/** The tables are dated by the local calendar, as laws are. */
function planOf({ windows, holidays }: HoursRequirement, day: number): DayPlan {
  const table = tablesOf(windows).findLast(({ validFrom }) => validFrom <= day);
  if (table === undefined) return WHOLE_DAY;
  if (holidays) {
    const name = holidayCalendar(holidays).nameOf(day);
    if (name === undefined) return { spans: [], closedBy: 'holidays_unknown', holiday: null };
    if (name !== null) return holidayPlan(holidays, name);
  }
  return table.plans[weekdayIndex(day)] ?? NO_SPANS;
}

type Table = { validFrom: number; plans: readonly DayPlan[] };

/** Windows come from packs and settings that live long, so each list is read once. */
const read = new WeakMap<CallingWindows, readonly Table[]>();

function tablesOf(windows: CallingWindows): readonly Table[] {
  const known = read.get(windows);
  if (known !== undefined) return known;
  const tables = windows.map(({ validFrom, days }) => ({
    validFrom: validFrom === null ? Number.NEGATIVE_INFINITY : dayNumber(validFrom),
    plans: WEEKDAYS.map((weekday) => ({ ...NO_SPANS, spans: spansOf(days[weekday]) })),
  }));
  read.set(windows, tables);
  return tables;
}

function holidayPlan({ spans }: HolidayRule, holiday: string): DayPlan {
  return { spans: spans.length === 0 ? [] : spansOf(spans), closedBy: 'holiday', holiday };
}

function spansOf(list: readonly TimeSpan[]): readonly Span[] {
  return list
    .map(([from, until]) => ({ from: timeOfDay(from), until: timeOfDay(until) }))
    .sort((a, b) => a.from - b.from);
}

/** An unreadable time gives NaN, and no instant lies in a span that has one: closed. */
function timeOfDay(text: string): number {
  const found = /^(\d{2}):(\d{2})$/.exec(text);
  if (found === null) return Number.NaN;
  return (Number(found[1]) * 60 + Number(found[2])) * MINUTE_MS;
}
