import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HolidayRule } from '../limits.ts';
import { easterSunday, holidayCalendar, holidaysOfYear } from './holidays.ts';
import { DAY_MS, dayNumber } from './zone-time.ts';

const SOURCE = { section: 'Test', sentence: 'Test.', seen: '2026-11' };

function isoDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

test('Easter falls on the days of the almanac', () => {
  // The earliest and the latest date that Easter can have, and the years of the holiday data.
  const known = ['1818-03-22', '1943-04-25', '2025-04-20', '2026-04-05', '2027-03-28'];
  for (const date of [...known, '2028-04-16', '2029-04-01', '2030-04-21', '2285-03-22']) {
    assert.equal(isoDay(easterSunday(Number(date.slice(0, 4)))), date);
  }
});

test('fixed, moving and looked-up days of a year are worked out', () => {
  const rule: HolidayRule = {
    days: [
      { kind: 'fixed', name: 'New Year', month: 1, day: 1 },
      { kind: 'easter', name: 'Whit Monday', offset: 50 },
      { kind: 'weekday', name: 'Thanksgiving', month: 11, weekday: 'thursday', nth: 4 },
      { kind: 'weekday', name: 'Memorial Day', month: 5, weekday: 'monday', nth: -1 },
      { kind: 'weekday', name: 'Fifth Sunday', month: 2, weekday: 'sunday', nth: 5 },
      { kind: 'dated', name: 'Moved', date: '2026-12-28' },
    ],
    spans: [],
    source: SOURCE,
  };
  const days = [...holidaysOfYear(rule, 2026)].map(([day, name]) => `${isoDay(day)} ${name}`);
  assert.deepEqual(days, [
    '2026-01-01 New Year',
    '2026-05-25 Whit Monday',
    '2026-11-26 Thanksgiving',
    '2026-12-28 Moved',
  ]);
  assert.equal(holidaysOfYear(rule, 2027).get(dayNumber('2027-05-31')), 'Memorial Day');
});

test('a calendar tells holidays, ordinary days, and those that nobody looked up', () => {
  const rule: HolidayRule = {
    days: [{ kind: 'fixed', name: 'Christmas', month: 12, day: 25 }],
    listedUntil: '2030-12-31',
    spans: [],
    source: SOURCE,
  };
  const { nameOf } = holidayCalendar(rule);
  assert.equal(nameOf(dayNumber('2030-12-25')), 'Christmas');
  assert.equal(nameOf(dayNumber('2030-12-31')), null);
  assert.equal(nameOf(dayNumber('2031-01-01')), undefined);
});
