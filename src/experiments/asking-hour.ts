import { zonesOfNumber } from '../policy/hours/number-zones.ts';
import { offsetAt } from '../policy/hours/zone-time.ts';

/**
 * When to ask somebody whose arm names an hour of the day: while it is that hour where they are.
 * It is a wish of the experiment and no rule. The gate is asked at that moment as always, and
 * where it says "later", that later minute is taken, however the hour reads then.
 */
const HOUR_MS = 3_600_000;

/** What tells where somebody is. */
type Whereabouts = { e164: string | null; timeZone: string | null };

/**
 * `from` itself while it is that hour at the person's place, else when that hour next begins; null
 * where nobody knows their time of day. An hour that a change of the clocks leaves out is the one
 * after it.
 */
export function nextAskingHour(hour: number, person: Whereabouts, from: number): number | null {
  const zone = zoneOf(person, from);
  const now = zone === null ? null : offsetAt(zone, from);
  if (zone === null || now === null) return null;
  const local = Math.floor((from + now.offsetMs) / HOUR_MS);
  const ahead = (hour - (((local % 24) + 24) % 24) + 24) % 24;
  if (ahead === 0) return from;
  const wanted = (local + ahead) * HOUR_MS;
  // The offset may be another one by then; where the clocks leave the hour out, neither fits.
  const then = offsetAt(zone, wanted - now.offsetMs) ?? now;
  const either = [wanted - then.offsetMs, wanted - now.offsetMs];
  const fitting = either.find((at) => at + (offsetAt(zone, at) ?? now).offsetMs === wanted);
  return Math.max(from, fitting ?? Math.max(...either));
}

/**
 * Until when a question waits for its hour; null where it is to be asked now: it is that hour, or
 * what was `chosen` for it has come, or the hour does not come before `notAfter`. Whoever was held
 * up for longer than the hour waits for the next one, for at night it would test something else.
 */
export function waitsForHour(
  hour: number | undefined,
  person: Whereabouts,
  { now, chosen, notAfter }: { now: number; chosen: number | null; notAfter: number | null },
): number | null {
  if (hour === undefined) return null;
  if (chosen !== null && chosen <= now && now < chosen + HOUR_MS) return null;
  const at = nextAskingHour(hour, person, now);
  if (at === null || at <= now) return null;
  return notAfter !== null && at >= notAfter ? null : at;
}

/**
 * The zone that the business knows; else of those the number allows the one in the middle, whose
 * clock is wrong by the least in either direction. Which hours are right the gate asks of all.
 */
function zoneOf({ e164, timeZone }: Whereabouts, at: number): string | null {
  if (timeZone !== null) return timeZone;
  if (e164 === null) return null;
  const known = zonesOfNumber(e164).flatMap((zone) => {
    const stretch = offsetAt(zone, at);
    return stretch === null ? [] : [{ zone, offsetMs: stretch.offsetMs }];
  });
  const sorted = known.toSorted((one, other) => one.offsetMs - other.offsetMs);
  return sorted[Math.floor(sorted.length / 2)]?.zone ?? null;
}
