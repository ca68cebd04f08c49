/**
 * What the clocks on the wall of a time zone say, from the data that comes with Node (ICU). An
 * offset is asked for once per zone and day of UTC and kept, because a formatter takes
 * microseconds and the gate asks thousands of times a second for the same few days.
 */
export type OffsetStretch = {
  /** Local time minus UTC. */
  offsetMs: number;
  /** The offset holds until here at least; asked again then. */
  until: number;
};

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** A year of days per zone; the gate looks a few weeks ahead, so this is never reached there. */
const DAYS_KEPT = 400;

type Probe = (atMs: number) => number | null;
type Zone = { probe: Probe; days: Map<number, readonly OffsetStretch[]> };

/** Only what works is kept: a zone without data is asked for again. */
const zones = new Map<string, Zone>();

/** The offset of a zone at an instant; null where this runtime has no data for the zone. */
export function offsetAt(zone: string, atMs: number): OffsetStretch | null {
  const known = knownZone(zone);
  if (known === null) return null;
  const day = Math.floor(atMs / DAY_MS);
  const stretches = known.days.get(day) ?? keepDay(known, day);
  if (stretches === null) zones.delete(zone);
  return stretches?.find(({ until }) => atMs < until) ?? null;
}

/** Whether this runtime can tell the time there. */
export function zoneExists(zone: string): boolean {
  return offsetAt(zone, 0) !== null;
}

/** For people: "21:15 on 2026-11-23 in America/Chicago". */
export function localTimeText(zone: string, atMs: number): string {
  const stretch = offsetAt(zone, atMs);
  if (stretch === null) return `an unknown time in ${zone}`;
  const [date, time] = new Date(atMs + stretch.offsetMs).toISOString().split('T');
  return `${time?.slice(0, 5)} on ${date} in ${zone}`;
}

/** The day in local time, counted from 1970-01-01. */
export function dayNumber(isoDate: string): number {
  return Math.floor(Date.parse(`${isoDate}T00:00:00Z`) / DAY_MS);
}

function knownZone(name: string): Zone | null {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const probe = makeProbe(name);
  if (probe === null) return null;
  const zone = { probe, days: new Map() };
  zones.set(name, zone);
  return zone;
}

/** Null also where Intl itself is missing: such a build of Node tells no local time at all. */
function makeProbe(timeZone: string): Probe | null {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    return (atMs) => offsetOf(format.format(atMs));
  } catch {
    return null;
  }
}

/** Reads the end of "11/23/2026, GMT-05:30"; "GMT" alone is UTC. */
function offsetOf(text: string): number | null {
  const found = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (found === null) return null;
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = found;
  const ms = Number(hours) * 3_600_000 + Number(minutes) * MINUTE_MS + Number(seconds) * 1000;
  return sign === '-' ? -ms : ms;
}

function keepDay({ probe, days }: Zone, day: number): readonly OffsetStretch[] | null {
  const stretches = stretchesOf(probe, day * DAY_MS);
  if (stretches === null) return null;
  if (days.size >= DAYS_KEPT) days.clear();
  days.set(day, stretches);
  return stretches;
}

/** No zone changes its offset twice within half a day, so two halves find every change. */
function stretchesOf(probe: Probe, from: number): OffsetStretch[] | null {
  const noon = from + DAY_MS / 2;
  const halves = [changeWithin(probe, from, noon), changeWithin(probe, noon, from + DAY_MS)];
  const out: OffsetStretch[] = [];
  for (const half of halves) {
    if (half === null) return null;
    out.push(...half);
  }
  return out;
}

/** Changes come at whole minutes (the zone database has had no others since 1972). */
function changeWithin(probe: Probe, from: number, until: number): OffsetStretch[] | null {
  const before = probe(from);
  const after = probe(until);
  if (before === null || after === null) return null;
  if (before === after) return [{ offsetMs: before, until }];
  let low = 0;
  let high = (until - from) / MINUTE_MS;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (probe(from + middle * MINUTE_MS) === before) low = middle;
    else high = middle;
  }
  const change = from + high * MINUTE_MS;
  if (change === until) return [{ offsetMs: before, until }];
  return [
    { offsetMs: before, until: change },
    { offsetMs: after, until },
  ];
}
