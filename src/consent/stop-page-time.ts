import { zonesOfNumber } from '../policy/hours/number-zones.ts';
import { offsetAt, zoneExists } from '../policy/hours/zone-time.ts';

/** Who reads the time, as far as it decides how a time is told. */
export type TimeReader = {
  /** As the page speaks, such as `pt`. */
  language: string;
  country: string | null;
  timeZone: string | null;
  e164: string | null;
};

/**
 * An instant (ms) in the words and on the wall clock of the reader, with its offset from UTC, for
 * people travel. Where their zone cannot be told, it is UTC.
 */
export function timeInWords(at: number, reader: TimeReader): string {
  const { language, country } = reader;
  const isCountry = country !== null && /^[A-Z]{2}$/.test(country);
  return new Intl.DateTimeFormat(isCountry ? `${language}-${country}` : language, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone: zoneOf(at, reader),
    timeZoneName: 'shortOffset',
  }).format(at);
}

function zoneOf(at: number, { timeZone, e164 }: TimeReader): string {
  if (timeZone !== null && zoneExists(timeZone)) return timeZone;
  const [zone, ...others] = e164 === null ? [] : zonesOfNumber(e164).filter(zoneExists);
  if (zone === undefined) return 'UTC';
  // A number may be of several zones; where their clocks agree, it does not matter which.
  const offset = offsetAt(zone, at)?.offsetMs;
  return others.every((other) => offsetAt(other, at)?.offsetMs === offset) ? zone : 'UTC';
}
