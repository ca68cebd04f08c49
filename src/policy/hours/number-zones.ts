import {
  getCountries,
  getCountryCallingCode,
  parsePhoneNumberFromString,
  type NumberType,
  type PhoneNumber,
} from 'libphonenumber-js/max';
import areaCodes from './us-area-codes.json' with { type: 'json' };
import numberZones from './number-zones.json' with { type: 'json' };
import { zoneExists } from './zone-time.ts';

/**
 * Where a person may be, as far as their number tells: every time zone that is possible, and for
 * the USA every state. A portable number says less than its digits, so doubt adds zones and
 * states; it never takes one away. An empty answer means "unknown", and the gate then refuses.
 */

/** The number map's longest beginning has seven digits (`1219226`). */
const PREFIX_MAX = 7;
/** Numbers remembered, so that a dial does not read the one it has just judged anew. */
const REMEMBERED = 20_000;

const zonesByPrefix = new Map<string, readonly string[]>(
  numberZones.groups.flatMap(({ zones, prefixes }) =>
    prefixes.flatMap((row) => row.split(' ')).map((prefix) => [prefix, zones] as const),
  ),
);
/** `1219` → the zones of all entries that begin so. */
const zonesByAreaCode = new Map(
  [...Map.groupBy(zonesByPrefix, ([prefix]) => prefix.slice(0, 4))].map(
    ([areaCode, entries]) =>
      [areaCode, [...new Set(entries.flatMap(([, zones]) => zones))]] as const,
  ),
);
const statesByAreaCode = new Map<string, readonly string[]>(
  areaCodes.groups.flatMap(({ states, codes }) =>
    codes.flatMap((row) => row.split(' ')).map((code) => [code, states] as const),
  ),
);
/** All states of the data, for a number that names none. */
export const US_STATES: readonly string[] = [...new Set([...statesByAreaCode.values()].flat())];

const remembered = new Map<string, readonly string[]>();

/**
 * All IANA time zones that the owner of a number may live in. A fixed line follows the map's
 * longest beginning. With a mobile or any other number people move: all zones of its country.
 * A +1 number keeps its area code when it moves from fixed to mobile: all zones of that code.
 */
export function zonesOfNumber(e164: string): readonly string[] {
  const known = remembered.get(e164);
  if (known !== undefined) return known;
  const zones = oneOf(findZones(e164));
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(e164, zones);
  return zones;
}

/** Numbers of one place share one list, so that what is known of the list serves them all. */
function oneOf(zones: readonly string[]): readonly string[] {
  const key = zones.join();
  const list = lists.get(key) ?? zones;
  lists.set(key, list);
  return list;
}

const lists = new Map<string, readonly string[]>();

/** The states of the USA that a number may belong to; empty for a number of another country. */
export function statesOfNumber(e164: string): readonly string[] {
  const number = parsePhoneNumberFromString(e164);
  if (number?.countryCallingCode !== '1') return [];
  const states = statesByAreaCode.get(e164.slice(2, 5));
  if (states !== undefined) return states;
  // Toll-free and newly assigned codes may be anywhere in the country, so every law may bind.
  return number.country === undefined || number.country === 'US' ? US_STATES : [];
}

/** Every beginning of the map that leaves more than one zone; for tests of that data. */
export function prefixesOfSeveralZones(): string[] {
  return [...zonesByPrefix].filter(([, zones]) => zones.length > 1).map(([prefix]) => prefix);
}

/** What the map says of one of its beginnings. */
export function zonesOfPrefix(prefix: string): readonly string[] {
  return zonesByPrefix.get(prefix) ?? [];
}

function findZones(e164: string): readonly string[] {
  const number = parsePhoneNumberFromString(e164);
  if (number === undefined || `+${number.countryCallingCode}${number.nationalNumber}` !== e164) {
    return [];
  }
  if (number.countryCallingCode === '1') return zonesOfAreaCode(number);
  const type: NumberType | undefined = number.getType();
  if (type === 'FIXED_LINE') return longestPrefix(e164.slice(1)) ?? zonesOfCountries(number);
  return zonesOfCountries(number);
}

/** Also a fixed line may have been ported within the area, so the exchange is not looked at. */
function zonesOfAreaCode(number: PhoneNumber): readonly string[] {
  const areaCode = `1${number.nationalNumber.slice(0, 3)}`;
  return zonesByAreaCode.get(areaCode) ?? zonesByPrefix.get('1') ?? [];
}

function longestPrefix(digits: string): readonly string[] | null {
  for (let length = PREFIX_MAX; length > 0; length -= 1) {
    const zones = zonesByPrefix.get(digits.slice(0, length));
    if (zones !== undefined) return zones;
  }
  return null;
}

/**
 * All zones of all countries that the number may be of, by the runtime's data. Beyond the number
 * plan (numbers for drama) all countries of the calling code count, with the map's own entry.
 */
function zonesOfCountries(number: PhoneNumber): readonly string[] {
  const possible = number.country === undefined ? number.getPossibleCountries() : [number.country];
  const zones = new Set<string>();
  for (const country of possible.length > 0 ? possible : countriesOf(number.countryCallingCode)) {
    for (const zone of zonesOfCountry(country)) zones.add(zone);
  }
  if (number.country === undefined || zones.size === 0) {
    for (const zone of zonesByPrefix.get(number.countryCallingCode) ?? []) zones.add(zone);
  }
  return [...zones];
}

function countriesOf(callingCode: string): string[] {
  return getCountries().filter((country) => getCountryCallingCode(country) === callingCode);
}

/** Nothing where the runtime has no such data: then the map alone speaks, or nobody does. */
function zonesByRuntime(country: string): readonly string[] {
  try {
    const locale: LocaleWithZones = new Intl.Locale(`und-${country}`);
    return locale.getTimeZones?.() ?? [];
  } catch {
    return [];
  }
}

/** ECMA-402 has it since 2025, the types of TypeScript not yet. */
type LocaleWithZones = Intl.Locale & { getTimeZones?: () => string[] | undefined };

const byCountry = new Map<string, readonly string[]>();

function zonesOfCountry(country: string): readonly string[] {
  const known = byCountry.get(country);
  if (known !== undefined) return known;
  const zones = zonesByRuntime(country).filter(zoneExists);
  if (zones.length > 0) byCountry.set(country, zones);
  return zones;
}
