/**
 * When a person may be called: windows of local time per weekday, in every time zone where the
 * person may be. A pure function of its arguments and the zone data of the runtime.
 *
 *   open  = in ALL zones, local time lies in a window and the local date is no holiday
 *   doubt = closed: no zone known, no zone data, a date beyond the holiday data
 */
import { DAY_MS, MINUTE_MS, offsetAt } from './zone-time.ts';

/** One stretch of local time on some weekdays. */
export type CallingWindow = {
  /** ISO 8601: 1 is Monday, 7 is Sunday. */
  days: readonly number[];
  /** `HH:MM`, included. */
  from: string;
  /** `HH:MM`, excluded; `24:00` is the end of the day. */
  until: string;
};

/** Closed days of one place, as days since 1970-01-01 of the local calendar. */
export type HolidayCalendar = {
  place: string;
  days: ReadonlyMap<number, string>;
  /** First and last day that the data speaks of; all other days count as closed. */
  firstDay: number;
  lastDay: number;
};

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
  /** From when on it is open in all zones; null when not within `HORIZON_MS`, or never. */
  opensAt: number | null;
  /** Only when open: the first instant at which it is closed; null when not within it. */
  closesAt: number | null;
  /** The zone that closes it now; when open, the zone that closes it first. */
  zone: string | null;
  /** Which of several requirements closes it. */
  requirement: string | null;
  /** The holiday's name, where that is the reason. */
  holiday: string | null;
};

/** Windows that bind in some zones, for a time. Several of them must all be open. */
export type HoursRequirement = {
  name: string;
  windows: readonly CallingWindow[];
  zones: readonly string[];
  holidays: HolidayCalendar | null;
  /** Days of the local calendar outside of which it does not bind. */
  validFrom?: number;
  validUntil?: number;
};

/** How far ahead an opening is looked for: longer than any row of holidays and weekends. */
export const HORIZON_MS = 35 * DAY_MS;

/** May somebody whose zone is one of these be called at this instant, else from when on? */
export function windowAt(
  windows: readonly CallingWindow[],
  zones: readonly string[],
  holidays: HolidayCalendar | null,
  atMs: number,
): HoursAnswer {
  return hoursAt([{ name: 'hours', windows, zones, holidays }], atMs);
}

/**
 * The same for several requirements at once (pack, laws, own settings): `opensAt` is then the
 * first instant at which all of them are open, which the latest of their openings need not be.
 */
export function hoursAt(requirements: readonly HoursRequirement[], atMs: number): HoursAnswer {
  const nowhere = requirements.find(({ zones }) => zones.length === 0);
  if (nowhere !== undefined) {
    return { ...CLOSED, reason: 'zone_unknown', requirement: nowhere.name };
  }
  const now = allAt(requirements, atMs);
  const { reason, zone, requirement, holiday } = now;
  if (!now.open) {
    const opensAt = nextOpening(requirements, now.until, atMs + HORIZON_MS);
    return { ...CLOSED, reason, zone, requirement, holiday, opensAt };
  }
  const end = nextClosing(requirements, now.until, atMs + HORIZON_MS);
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
  const { name, windows, holidays, validFrom, validUntil } = requirement;
  const stretch = { zone, requirement: name, holiday: null };
  const offset = offsetAt(zone, atMs);
  if (offset === null) {
    return { ...stretch, open: false, reason: 'zone_data_missing', until: atMs + DAY_MS };
  }
  const local = atMs + offset.offsetMs;
  const day = Math.floor(local / DAY_MS);
  const dayStart = day * DAY_MS - offset.offsetMs;
  const until = Math.min(offset.until, dayStart + DAY_MS);
  if (day < (validFrom ?? -Infinity) || day > (validUntil ?? Infinity)) {
    return { ...stretch, open: true, reason: 'open', until };
  }
  if (holidays !== null && (day < holidays.firstDay || day > holidays.lastDay)) {
    return { ...stretch, open: false, reason: 'holidays_unknown', until };
  }
  const holiday = holidays?.days.get(day);
  if (holiday !== undefined) {
    return { ...stretch, open: false, reason: 'holiday', until, holiday };
  }
  const inDay = local - day * DAY_MS;
  // 1970-01-01 was a Thursday, the fourth day of an ISO week.
  const spans = weekOf(windows)[(((day + 3) % 7) + 7) % 7] ?? [];
  for (const span of spans) {
    if (inDay < span.from) {
      const opens = Math.min(until, dayStart + span.from);
      return { ...stretch, open: false, reason: 'outside_hours', until: opens };
    }
    if (inDay < span.until) {
      const closes = Math.min(until, dayStart + span.until);
      return { ...stretch, open: true, reason: 'open', until: closes };
    }
  }
  return { ...stretch, open: false, reason: 'outside_hours', until };
}

/** Each step ends a stretch of some zone, and a day has a handful: the search is bounded. */
function nextOpening(
  requirements: readonly HoursRequirement[],
  from: number,
  horizon: number,
): number | null {
  let at = from;
  while (at <= horizon) {
    const stretch = allAt(requirements, at);
    if (stretch.open) return at;
    at = stretch.until;
  }
  return null;
}

function nextClosing(
  requirements: readonly HoursRequirement[],
  from: number,
  horizon: number,
): { at: number; zone: string | null; requirement: string | null } | null {
  let at = from;
  while (at <= horizon) {
    const stretch = allAt(requirements, at);
    if (!stretch.open) return { at, zone: stretch.zone, requirement: stretch.requirement };
    at = stretch.until;
  }
  return null;
}

type Span = { from: number; until: number };

/** Windows come from packs and settings that live long, so each list is read once. */
const weeks = new WeakMap<readonly CallingWindow[], ReadonlyArray<readonly Span[]>>();

/** The spans of each weekday, Monday first, in milliseconds since local midnight. */
function weekOf(windows: readonly CallingWindow[]): ReadonlyArray<readonly Span[]> {
  const known = weeks.get(windows);
  if (known !== undefined) return known;
  const week = [1, 2, 3, 4, 5, 6, 7].map((weekday) =>
    windows
      .filter(({ days }) => days.includes(weekday))
      .map(({ from, until }) => ({ from: timeOfDay(from), until: timeOfDay(until) }))
      .filter(({ from, until }) => from < until)
      .sort((a, b) => a.from - b.from),
  );
  weeks.set(windows, week);
  return week;
}

/** An unreadable time gives NaN, and no instant lies in a window that has one: closed. */
function timeOfDay(text: string): number {
  const found = /^(\d{2}):(\d{2})$/.exec(text);
  if (found === null) return Number.NaN;
  return (Number(found[1]) * 60 + Number(found[2])) * MINUTE_MS;
}
