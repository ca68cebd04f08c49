import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { WEEKDAYS, type CallingWindows, type HolidayRule, type TimeSpan } from '../limits.ts';
import { hoursAt, HORIZON_MS, windowAt } from './hours.ts';
import { prefixesOfSeveralZones, zonesOfNumber, zonesOfPrefix } from './number-zones.ts';
import { DAY_MS, MINUTE_MS, offsetAt } from './zone-time.ts';

const SOURCE = { section: 'Test', sentence: 'Test.', seen: '2026-11' };
const HOUR_MS = 60 * MINUTE_MS;

function everyDay(...spans: TimeSpan[]): CallingWindows {
  return [table(null, () => spans)];
}

function table(
  validFrom: string | null,
  spansOf: (weekday: (typeof WEEKDAYS)[number]) => TimeSpan[],
): CallingWindows[number] {
  const days = Object.fromEntries(WEEKDAYS.map((day) => [day, spansOf(day)]));
  return { validFrom, days: days as CallingWindows[number]['days'], source: SOURCE };
}

const EIGHT_TO_NINE = everyDay(['08:00', '21:00']);
const ZONES = [
  ...new Set([...Intl.supportedValuesOf('timeZone'), ...zonesOfNumber('+18005550123')]),
];

/** An oracle of its own: what Intl writes for people, read back. */
const formats = new Map<string, Intl.DateTimeFormat>();
function wall(zone: string, atMs: number): { date: string; weekday: number; minute: number } {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  formats.set(zone, format);
  const [date = '', time = ''] = format.format(atMs).split(' ');
  const [hours, minutes] = time.split(':').map(Number);
  const weekday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
  return { date, weekday, minute: (hours ?? 0) * 60 + (minutes ?? 0) };
}

function minuteOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}

function naivelyOpen(
  { windows, zones, closed }: { windows: CallingWindows; zones: string[]; closed: Set<string> },
  atMs: number,
): boolean {
  return zones.every((zone) => {
    const { date, weekday, minute } = wall(zone, atMs);
    const valid = windows.filter(({ validFrom }) => validFrom === null || validFrom <= date).at(-1);
    if (valid === undefined) return true;
    if (closed.has(date)) return false;
    const spans = valid.days[WEEKDAYS[weekday] ?? 'monday'];
    return spans.some(([from, until]) => minuteOf(from) <= minute && minute < minuteOf(until));
  });
}

/** The instants at which a zone shows a time of day on a date: none in a gap, two in an overlap. */
function instantsOf(zone: string, date: string, minute: number): number[] {
  const utc = Date.parse(`${date}T00:00:00Z`) + minute * MINUTE_MS;
  const near = [-DAY_MS, DAY_MS].map((shift) => offsetAt(zone, utc + shift)?.offsetMs ?? 0);
  return [...new Set(near.map((offset) => utc - offset))].filter((at) => {
    const shown = wall(zone, at);
    return shown.date === date && shown.minute === minute;
  });
}

/** The dates in 2027 on which the zone's clocks change, and others where it has fewer than two. */
function telling(zone: string): string[] {
  const found: string[] = [];
  for (let at = Date.UTC(2027, 0, 1); at < Date.UTC(2028, 0, 1); at += DAY_MS) {
    const { minute } = wall(zone, at);
    if (wall(zone, at + DAY_MS).minute !== minute) found.push(wall(zone, at + DAY_MS / 2).date);
  }
  return [...new Set([...found, '2028-02-29', '2026-12-31', '2027-06-15'])].slice(0, 3);
}

test('every zone opens and closes at its exact edges, also when its clocks change (C-04)', () => {
  assert.ok(ZONES.length >= 400, `${ZONES.length} zones`);
  let asked = 0;
  for (const zone of ZONES) {
    for (const date of telling(zone)) {
      for (const [minute, side] of [
        [8 * 60, 'opens'],
        [21 * 60, 'closes'],
      ] as const) {
        const edges = instantsOf(zone, date, minute);
        assert.ok(edges.length > 0, `${zone} has ${minute} on ${date}`);
        for (const edge of edges) {
          asked += 2;
          const before = windowAt(EIGHT_TO_NINE, [zone], null, edge - 1000);
          const at = windowAt(EIGHT_TO_NINE, [zone], null, edge);
          const where = `${zone} ${date} ${side}`;
          assert.deepEqual([before.open, at.open], [side === 'closes', side === 'opens'], where);
          if (side === 'opens') assert.equal(before.opensAt, edge, where);
          else assert.equal(before.closesAt, edge, where);
        }
      }
    }
  }
  assert.ok(asked >= ZONES.length * 12, `${asked} instants`);
});

test('a span that a clock change cuts, skips or repeats is exact to the second', () => {
  const night = everyDay(['01:30', '02:30']);
  const at = (text: string): ReturnType<typeof windowAt> =>
    windowAt(night, ['America/New_York'], null, Date.parse(text));
  // 2027-03-14: 02:00 becomes 03:00, so the span ends half an hour early.
  assert.equal(at('2027-03-14T01:59:59-05:00').closesAt, Date.parse('2027-03-14T07:00:00Z'));
  assert.equal(at('2027-03-14T03:00:00-04:00').open, false);
  // 2027-11-07: 01:00 to 02:00 comes twice, so the span opens, closes and opens again.
  assert.equal(at('2027-11-07T01:30:00-04:00').closesAt, Date.parse('2027-11-07T06:00:00Z'));
  assert.equal(at('2027-11-07T01:00:00-05:00').opensAt, Date.parse('2027-11-07T06:30:00Z'));
  assert.equal(at('2027-11-07T01:30:00-05:00').closesAt, Date.parse('2027-11-07T07:30:00Z'));
});

test('the date line, half-hour zones and a skipped day are no special cases', () => {
  const sundays = [table(null, (day) => (day === 'sunday' ? [['00:00', '24:00']] : []))];
  const saturday = Date.parse('2026-11-21T12:00:00Z');
  const kiritimati = windowAt(sundays, ['Pacific/Kiritimati'], null, saturday);
  assert.equal(kiritimati.open, true, 'there it is Sunday at 02:00');
  const together = windowAt(sundays, ['Pacific/Kiritimati', 'Pacific/Pago_Pago'], null, saturday);
  assert.equal(together.opensAt, null, 'Sunday is over on one side before it begins on the other');
  const apia = windowAt(sundays, ['Pacific/Apia'], null, Date.parse('2011-12-30T09:00:00Z'));
  assert.equal(apia.opensAt, Date.parse('2011-12-31T10:00:00Z'), 'Samoa had no 30 December 2011');
  const kathmandu = windowAt(EIGHT_TO_NINE, ['Asia/Kathmandu'], null, saturday + 13 * HOUR_MS);
  assert.equal(kathmandu.opensAt, Date.parse('2026-11-22T02:15:00Z'));
});

test('several layers open together, not at the latest of their own openings', () => {
  const morning = everyDay(['08:00', '12:00']);
  const late = everyDay(['07:00', '07:30'], ['11:00', '20:00']);
  const layers = [
    { name: 'morning', windows: morning, holidays: null, zones: ['Europe/London'] },
    { name: 'late', windows: late, holidays: null, zones: ['Europe/London'] },
  ];
  const answer = hoursAt(layers, Date.parse('2026-03-02T06:00:00Z'));
  assert.equal(answer.requirement, 'morning');
  assert.equal(answer.opensAt, Date.parse('2026-03-02T11:00:00Z'));
  const open = hoursAt(layers, Date.parse('2026-03-02T11:30:00Z'));
  assert.deepEqual([open.open, open.requirement], [true, 'morning']);
  assert.equal(open.closesAt, Date.parse('2026-03-02T12:00:00Z'));
});

test('a table binds from its local date on, and closes nothing before', () => {
  const windows = [table('2026-10-18', (day) => (day === 'sunday' ? [] : [['08:00', '21:00']]))];
  const at = (text: string): boolean =>
    windowAt(windows, ['America/New_York'], null, Date.parse(text)).open;
  assert.equal(at('2026-10-17T23:59:59-04:00'), true);
  assert.equal(at('2026-10-18T00:00:00-04:00'), false);
  assert.equal(at('2026-10-19T08:00:00-04:00'), true);
});

test('doubt is closed: no zone, an unknown zone, a zone database that is missing (C-12)', () => {
  const noon = Date.parse('2026-03-02T12:00:00Z');
  assert.equal(windowAt(EIGHT_TO_NINE, [], null, noon).reason, 'zone_unknown');
  const unknown = windowAt(EIGHT_TO_NINE, ['Europe/London', 'Mars/Olympus'], null, noon);
  assert.deepEqual(
    [unknown.open, unknown.reason, unknown.opensAt],
    [false, 'zone_data_missing', null],
  );
  assert.equal(unknown.zone, 'Mars/Olympus');
  const never = windowAt(everyDay(), ['Europe/London'], null, noon);
  assert.deepEqual([never.open, never.opensAt], [false, null]);
});

test('a day beyond the listed holidays is closed', () => {
  const rule: HolidayRule = {
    days: [{ kind: 'dated', name: 'Moved', date: '2030-05-02' }],
    listedUntil: '2030-12-31',
    spans: [],
    source: SOURCE,
  };
  const at = (text: string): ReturnType<typeof windowAt> =>
    windowAt(EIGHT_TO_NINE, ['Europe/Madrid'], rule, Date.parse(text));
  assert.equal(at('2030-05-02T12:00:00+02:00').holiday, 'Moved');
  assert.equal(at('2030-12-31T12:00:00+01:00').open, true);
  const beyond = at('2031-01-01T12:00:00+01:00');
  assert.deepEqual([beyond.open, beyond.reason, beyond.opensAt], [false, 'holidays_unknown', null]);
});

test('a beginning of a number with several zones is open only where all are (C-05)', () => {
  const prefixes = prefixesOfSeveralZones();
  assert.ok(prefixes.length > 300, `${prefixes.length} prefixes`);
  const day = Date.parse('2027-01-04T00:00:00Z');
  for (const prefix of prefixes) {
    const zones = [...zonesOfPrefix(prefix)];
    for (let hour = 0; hour < 24; hour += 1) {
      const at = day + hour * HOUR_MS;
      const wanted = naivelyOpen({ windows: EIGHT_TO_NINE, zones, closed: new Set() }, at);
      assert.equal(windowAt(EIGHT_TO_NINE, zones, null, at).open, wanted, `${prefix} ${hour}`);
    }
  }
});

test('a number under such a beginning has all the local times of the map (C-05)', () => {
  const offsets = (zones: readonly string[]): Set<number | undefined> =>
    new Set(
      ['2027-01-15T12:00:00Z', '2027-07-15T12:00:00Z'].flatMap((text) =>
        zones.map((zone) => offsetAt(zone, Date.parse(text))?.offsetMs),
      ),
    );
  let numbers = 0;
  for (const prefix of prefixesOfSeveralZones()) {
    const lengths = prefix.startsWith('1') ? [11] : [9, 10, 11, 12, 13];
    for (const length of lengths) {
      const number = `+${prefix.padEnd(length, '2345678')}`;
      const zones = zonesOfNumber(number);
      if (zones.length === 0) continue;
      numbers += 1;
      const found = offsets(zones);
      // A longer beginning of a fixed line knows better, so only +1 must hold all of them.
      if (!/^1\d{3}/.test(prefix)) continue;
      for (const offset of offsets(zonesOfPrefix(prefix))) assert.ok(found.has(offset), number);
    }
  }
  assert.ok(numbers > 300, `${numbers} numbers`);
});

test('what is remembered of one question never changes the answer to another', () => {
  const rule: HolidayRule = {
    days: [{ kind: 'dated', name: 'Closed', date: '2027-03-30' }],
    spans: [],
    source: SOURCE,
  };
  const zones = ['Europe/London', 'America/New_York', 'Europe/Paris'];
  const split = everyDay(['10:00', '13:00'], ['14:00', '20:00']);
  const start = Date.UTC(2027, 2, 20) / MINUTE_MS;
  const question = fc.record({
    minute: fc.integer({ min: start, max: start + 20 * 1440 }),
    windows: fc.constantFrom(split, everyDay(['03:00', '04:00'])),
    holidays: fc.constantFrom(rule, null),
  });
  fc.assert(
    fc.property(fc.array(question, { minLength: 2, maxLength: 12 }), (questions) => {
      for (const { minute, windows, holidays } of questions) {
        const at = minute * MINUTE_MS;
        const asked = windowAt(windows, zones, holidays, at);
        const fresh = windowAt(structuredClone(windows), [...zones], holidays, at);
        // That nothing opens is remembered for a day, by which the search looks less far.
        assert.deepEqual(asked, fresh);
      }
    }),
    { seed: 20260302, numRuns: 300 },
  );
});

const span = fc
  .tuple(fc.integer({ min: 0, max: 95 }), fc.integer({ min: 1, max: 96 }))
  .filter(([from, until]) => from < until)
  .map(([from, until]): TimeSpan => [clockText(from * 15), clockText(until * 15)]);

function clockText(minute: number): string {
  const pad = (n: number): string => String(n).padStart(2, '0');
  return `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`;
}

const week = fc
  .array(fc.array(span, { maxLength: 2 }), { minLength: 7, maxLength: 7 })
  .map((spans) => table(null, (day) => spans[WEEKDAYS.indexOf(day)] ?? []));

test('the next opening is what a search minute by minute finds', () => {
  const from = Date.UTC(2025, 0, 1) / MINUTE_MS;
  const until = Date.UTC(2030, 11, 31) / MINUTE_MS;
  // Some around changes of clocks in the north, the south and at Lord Howe's half hour.
  const edges = [
    '2027-03-28T01:00Z',
    '2027-11-07T06:00Z',
    '2027-04-03T15:00Z',
    '2027-10-02T15:30Z',
  ];
  const instant = fc.oneof(
    fc.integer({ min: from, max: until }),
    fc
      .tuple(fc.constantFrom(...edges), fc.integer({ min: -1500, max: 300 }))
      .map(([text, shift]) => Date.parse(text) / MINUTE_MS + shift),
  );
  const zone = fc.oneof(
    fc.constantFrom(...ZONES),
    fc.constantFrom(
      'America/New_York',
      'Europe/London',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
    ),
  );
  fc.assert(
    fc.property(
      week,
      fc.uniqueArray(zone, { minLength: 1, maxLength: 3 }),
      instant,
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
      (weekTable, zones, minute, daysAhead) => {
        const at = minute * MINUTE_MS;
        const closed = daysAhead.map((days) =>
          new Date(at + days * DAY_MS).toISOString().slice(0, 10),
        );
        const days = closed.map((date) => ({ kind: 'dated' as const, name: 'Closed', date }));
        const rule = { days, spans: [], source: SOURCE };
        const facts = { windows: [weekTable], zones, closed: new Set(closed) };
        const answer = windowAt(facts.windows, zones, days.length > 0 ? rule : null, at);
        let found: number | null = null;
        for (let ahead = 0; ahead < 2 * 1440 && found === null; ahead += 1) {
          if (naivelyOpen(facts, at + ahead * MINUTE_MS)) found = at + ahead * MINUTE_MS;
        }
        assert.equal(answer.open, found === at);
        if (found !== null) assert.equal(answer.opensAt, found);
        else assert.ok(answer.opensAt === null || answer.opensAt >= at + 2 * DAY_MS);
        if (answer.opensAt !== null) assert.ok(answer.opensAt <= at + HORIZON_MS);
      },
    ),
    { seed: 20260301, numRuns: 300 },
  );
});
