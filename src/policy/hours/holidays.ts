import { WEEKDAYS, type HolidayRule, type Weekday } from '../limits.ts';
import { DAY_MS, dayNumber } from './zone-time.ts';

/** The holidays of one place, by days since 1970-01-01 of the local calendar. */
export type HolidayCalendar = {
  /** The day's name, null for an ordinary day, undefined where nobody looked it up. */
  nameOf: (day: number) => string | null | undefined;
};

/**
 * Works a dated rule out. Fixed and moving days are known for any year; days that somebody had to
 * look up are known until the date the rule names, and what comes later must count as closed.
 */
export function holidayCalendar(rule: HolidayRule): HolidayCalendar {
  const known = calendars.get(rule);
  if (known !== undefined) return known;
  const end = rule.listedUntil === undefined ? Infinity : dayNumber(rule.listedUntil);
  const years = new Map<number, ReadonlyMap<number, string>>();
  const calendar: HolidayCalendar = {
    nameOf(day) {
      if (day > end) return undefined;
      const year = new Date(day * DAY_MS).getUTCFullYear();
      const days = years.get(year) ?? holidaysOfYear(rule, year);
      years.set(year, days);
      return days.get(day) ?? null;
    },
  };
  calendars.set(rule, calendar);
  return calendar;
}

const calendars = new WeakMap<HolidayRule, HolidayCalendar>();

/** All holidays of a year by day number. */
export function holidaysOfYear(rule: HolidayRule, year: number): ReadonlyMap<number, string> {
  const days = new Map<number, string>();
  for (const holiday of rule.days) {
    const day = dayOf(holiday, year);
    if (day !== null && !days.has(day)) days.set(day, holiday.name);
  }
  return days;
}

/**
 * Easter Sunday of the western churches as a day number. Meeus, Jones and Butcher's rule for the
 * Gregorian calendar; the letters are theirs.
 */
export function easterSunday(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  const day = ((h + l - 7 * m + 114) % 31) + 1;
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

function dayOf(holiday: HolidayRule['days'][number], year: number): number | null {
  switch (holiday.kind) {
    case 'fixed':
      return Date.UTC(year, holiday.month - 1, holiday.day) / DAY_MS;
    case 'easter':
      return easterSunday(year) + holiday.offset;
    case 'weekday':
      return nthWeekday(year, holiday);
    case 'dated':
      return holiday.date.startsWith(`${year}-`) ? dayNumber(holiday.date) : null;
    default:
      return null;
  }
}

/** A negative `nth` is the last one of the month. */
function nthWeekday(
  year: number,
  { month, weekday, nth }: { month: number; weekday: Weekday; nth: number },
): number | null {
  const wanted = WEEKDAYS.indexOf(weekday);
  const first = Date.UTC(year, month - 1, 1) / DAY_MS;
  const last = Date.UTC(year, month, 0) / DAY_MS;
  if (nth < 0) return last - ((weekdayIndex(last) - wanted + 7) % 7);
  const day = first + ((wanted - weekdayIndex(first) + 7) % 7) + (nth - 1) * 7;
  return nth === 0 || day > last ? null : day;
}

/** Into `WEEKDAYS`: 0 is Monday. 1970-01-01 was a Thursday. */
export function weekdayIndex(day: number): number {
  return (((day + 3) % 7) + 7) % 7;
}
