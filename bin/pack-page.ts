import type { LawOverlay } from '../src/policy/law-overlay.ts';
import type { Limits, RuleSource } from '../src/policy/limits.ts';
import {
  loadLawOverlay,
  loadPolicyPack,
  PACK_FOLDER,
  packNamesIn,
  type PolicyPack,
} from '../src/policy/policy-pack.ts';

/** `docs/reference/packs.md`: every value of every pack and law, with where it comes from. */
export function packPage(): string {
  const packs = packNamesIn(PACK_FOLDER, 'base').map((name) => loadPolicyPack(name));
  const laws = packNamesIn(PACK_FOLDER, 'law').map((name) => loadLawOverlay(name));
  return [
    '# Policy packs and laws',
    '',
    'The files of `src/policy/packs`, as they are. `askfirst policy check` reads them all and runs',
    'the test vectors that each carries. What they mean: [the gate](../explanation/the-gate.md),',
    '[calling hours and laws](../explanation/calling-hours.md).',
    '',
    ...packs.flatMap(packSection),
    ...laws.flatMap(lawSection),
  ].join('\n');
}

function packSection(pack: PolicyPack): string[] {
  const { grantValidMs, permanentValidMs, callsPerGrant, requestLapsesMs } = pack.values;
  const permanent = permanentValidMs === null ? 'until revoked' : duration(permanentValidMs);
  const { businessBlocked, customerBlocked } = pack.countries;
  return [
    `## ${pack.name}`,
    '',
    `${pack.title} (${pack.date}; ${pack.vectors.length} test vectors).`,
    '',
    '| value | is |',
    '|---|---|',
    `| a temporary permission is valid | ${duration(grantValidMs)} |`,
    `| a permanent one | ${permanent} |`,
    `| calls on one yes | ${callsPerGrant ?? 'as many as the limits allow'} |`,
    `| a request lapses after | ${duration(requestLapsesMs)} |`,
    `| Meta's own answer at the dial | ${liveAnswerText(pack)} |`,
    `| no business numbers of | ${listOf(businessBlocked)} |`,
    `| no customers in | ${listOf(customerBlocked)} |`,
    '',
    ...limitTable(pack.limits),
    '| rule | source |',
    '|---|---|',
    ...Object.entries(pack.rules).flatMap(([rule, source]) =>
      source === undefined ? [] : [`| \`${rule}\` | ${sourceText(source)} |`],
    ),
    '',
  ];
}

function liveAnswerText({ liveAnswer }: PolicyPack): string {
  return liveAnswer === null ? 'not asked for' : `at most ${duration(liveAnswer.maxAgeMs)} old`;
}

function lawSection(law: LawOverlay): string[] {
  const { countries, states, prefixes, elsewhere } = law.appliesTo;
  const places = [...countries, ...states.map((state) => `US-${state}`), ...prefixes];
  const where = elsewhere ? 'wherever no other law applies' : places.join(', ');
  const yes = law.consentLiftsWindow ? " The customer's own yes lifts the hours." : '';
  return [
    `## ${law.name}`,
    '',
    `${law.title} (${law.date}; ${law.vectors.length} test vectors). Applies to: ${where}.${yes}`,
    `Source: [${law.source.title}](${law.source.url}).`,
    '',
    ...limitTable(law.limits),
    ...law.remarks.map((remark) => `- ${remark}`),
    ...(law.remarks.length === 0 ? [] : ['']),
  ];
}

function limitTable(limits: Limits): string[] {
  const rows = limitRows(limits);
  if (rows.length === 0) return [];
  return [
    '| limit | is | source |',
    '|---|---|---|',
    ...rows.map(([name, text, source]) => `| ${name} | ${text} | ${sourceText(source)} |`),
    '',
  ];
}

type Row = [name: string, text: string, source: RuleSource];

function limitRows(limits: Limits): Row[] {
  const rows: Row[] = hourRows(limits);
  const { promise, requests = [], connectedCalls, refusalLock, unanswered, lineCalls } = limits;
  if (promise !== undefined) {
    const { unpromisedMs, earlyMs, lateMs } = promise;
    const text =
      `${duration(unpromisedMs)} after the yes, or from ${duration(earlyMs)} before the promised ` +
      `time until ${duration(lateMs)} after it`;
    rows.push(['the call comes', text, promise.source]);
  }
  for (const { requestsMax, windowMs, resetBy, source } of requests) {
    const since = resetBy === 'yes' ? 'without a yes' : 'without a connected call';
    rows.push(['requests', `${requestsMax} in ${duration(windowMs)}, ${since}`, source]);
  }
  for (const { callsMax, windowMs, source } of limits.frequency ?? []) {
    rows.push(['calls to one person', `${callsMax} in ${duration(windowMs)}`, source]);
  }
  if (connectedCalls !== undefined) {
    const { callsMax, windowMs, source } = connectedCalls;
    rows.push(['calls that are picked up', `${callsMax} in ${duration(windowMs)}`, source]);
  }
  if (refusalLock !== undefined) {
    rows.push(['silence after a no', duration(refusalLock.lockMs), refusalLock.source]);
  }
  if (unanswered !== undefined) {
    const { warnAt, stopAt, restMs, hardStopAt, source } = unanswered;
    const rest = `rest ${duration(restMs)} at ${stopAt}`;
    const text = `warn at ${warnAt}, ${rest}, none from ${hardStopAt} on`;
    rows.push(['unanswered calls in a row', text, source]);
  }
  if (lineCalls !== undefined) {
    rows.push(['live calls of a line', `${lineCalls.concurrentMax}`, lineCalls.source]);
  }
  return rows;
}

function hourRows({ callingWindows = [], holidays, requestQuietHours: quiet }: Limits): Row[] {
  const rows = callingWindows.map(({ validFrom, days, source }): Row => {
    const from = validFrom === null ? '' : `from ${validFrom}: `;
    const week = Object.entries(days).map(([day, spans]) => {
      const open = spans.map(([begin, end]) => `${begin} to ${end}`).join(', ');
      return `${day.slice(0, 3)} ${open === '' ? 'none' : open}`;
    });
    return ['calling hours', `${from}${grouped(week)}`, source];
  });
  if (holidays !== undefined) {
    const names = holidays.days.map(({ name }) => name).join(', ');
    rows.push(['holidays', names, holidays.source]);
  }
  if (quiet !== undefined) {
    rows.push(['no requests', `${quiet.from} to ${quiet.until}`, quiet.source]);
  }
  return rows;
}

/** `mon 8 to 9; tue 8 to 9` is told once, with both days. */
function grouped(week: readonly string[]): string {
  const byHours = Map.groupBy(week, (day) => day.slice(4));
  return [...byHours]
    .map(([hours, days]) => `${days.map((day) => day.slice(0, 3)).join(' ')}: ${hours}`)
    .join('; ');
}

function sourceText({ section, sentence, seen }: RuleSource): string {
  return `${section}: ${sentence} (${seen})`.replaceAll('|', '\\|');
}

function listOf(countries: readonly string[]): string {
  return countries.length === 0 ? '—' : countries.join(', ');
}

const UNITS = [
  [86_400_000, 'days'],
  [3_600_000, 'hours'],
  [60_000, 'minutes'],
  [1_000, 'seconds'],
] as const;

/** 90,000,000 ms is 25 hours: the largest unit that leaves nothing over, but a day is 24 hours. */
function duration(ms: number): string {
  for (const [unit, name] of UNITS) {
    const count = ms / unit;
    if (Number.isInteger(count) && count > 1) return `${count} ${name}`;
  }
  return `${ms} ms`;
}
