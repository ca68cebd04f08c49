import { permissionOf } from '../consent/consent.ts';
import { hoursAt, type HoursAnswer, type HoursRequirement } from './hours/hours.ts';
import { zonesOfNumber } from './hours/number-zones.ts';
import { pass, refuse } from './party-rules.ts';
import { WEEKDAYS, type CallingWindows, type Limits, type RuleSource } from './limits.ts';
import type { CallFacts, LimitOutcome, LimitRule, PartyFacts, RequestFacts } from './policy.ts';
import type { RefusalCode } from './refusal-codes.ts';

/**
 * Rules about the clock on the customer's wall. A number often allows several time zones; then
 * it must be a right time in each of them. Where the operator knows the zone, that one counts.
 */

const callingHours: LimitRule<CallFacts> = {
  name: 'calling_hours',
  checkLayer(facts, { limits, consentLiftsWindow, name }) {
    const { callingWindows: windows, holidays = null } = limits;
    if (windows === undefined) return null;
    const source = tableSource(windows, facts.now);
    if (consentLiftsWindow && permissionOf(facts.consent) !== null) {
      return { source, ...pass("The customer's own yes lifts these hours.") };
    }
    const zones = zonesOf(facts);
    if (zones === null) return null;
    const requirement = { name, windows, holidays, zones };
    const outcome = judge(requirement, facts.now, {
      source,
      code: 'outside_calling_hours',
      what: 'a time to call',
    });
    const isHoliday = holidays !== null && outcome.evidence?.['holiday'] !== null;
    return isHoliday ? { ...outcome, source: holidays.source } : outcome;
  },
};

/** Asked at night, people say no; see "Low permission grant rate" of the page. */
const requestHours: LimitRule<RequestFacts> = {
  name: 'request_hours',
  checkLayer(facts, { limits, name }) {
    const quiet = limits.requestQuietHours;
    if (quiet === undefined) return null;
    const zones = zonesOf(facts);
    if (zones === null) return null;
    const { source } = quiet;
    const requirement = { name, windows: windowsBeside(quiet), holidays: null, zones };
    const question = { source, code: 'request_quiet_hours', what: 'a time to ask' } as const;
    return judge(requirement, facts.now, question);
  },
};

export const HOUR_RULES = { callingHours, requestHours } as const;

/** Null without a number: then another rule refuses, and there is no place to tell a time of. */
function zonesOf({ contact }: PartyFacts): readonly string[] | null {
  if (contact.timeZone !== null) return [contact.timeZone];
  return contact.e164 === null ? null : zonesOfNumber(contact.e164);
}

type Question = { source: RuleSource; code: RefusalCode; what: string };

function judge(requirement: HoursRequirement, now: number, question: Question): LimitOutcome {
  const { source, code, what } = question;
  const answer = hoursAt([requirement], now);
  const { zone, holiday, opensAt } = answer;
  const evidence = { zones: requirement.zones.slice(0, 10), zone, holiday };
  if (answer.open) return { source, ...pass(`It is ${what} at the customer's place.`, evidence) };
  if (answer.reason === 'zone_unknown' || answer.reason === 'zone_data_missing') {
    const message = "The customer's time of day cannot be told from the number.";
    return { source, ...refuse('time_zone_unknown', message, { evidence }) };
  }
  const when = opensAt === null ? {} : { allowedAt: opensAt };
  return { source, ...refuse(code, closedSentence(answer, what), { ...when, evidence }) };
}

function closedSentence({ reason, zone, holiday }: HoursAnswer, what: string): string {
  if (reason === 'holiday') return `${holiday ?? 'A holiday'} is not ${what} (${zone ?? ''}).`;
  if (reason === 'holidays_unknown') return 'Nobody has told yet which days will be holidays.';
  return `It is not ${what} in ${zone ?? 'the customer’s zone'}.`;
}

/** The table in force; its first day is that of the world's first midnight, which errs by hours. */
function tableSource(windows: CallingWindows, now: number): RuleSource {
  const today = new Date(now).toISOString().slice(0, 10);
  const valid = windows.filter(({ validFrom }) => validFrom === null || validFrom <= today);
  const table = valid.at(-1) ?? windows[0];
  return table?.source ?? { section: 'Calling hours', sentence: 'Not given.', seen: '2026-01' };
}

type QuietHours = NonNullable<Limits['requestQuietHours']>;

const beside = new WeakMap<QuietHours, CallingWindows>();

/** The hours in which asking is right: all but the quiet ones. */
function windowsBeside(quiet: QuietHours): CallingWindows {
  const known = beside.get(quiet);
  if (known !== undefined) return known;
  const { from, until, source } = quiet;
  const all: Array<[string, string]> =
    from > until
      ? [[until, from]]
      : [
          ['00:00', from],
          [until, '24:00'],
        ];
  const spans = all.filter(([begin, end]) => begin < end);
  const days = Object.fromEntries(WEEKDAYS.map((day) => [day, spans])) as CallingWindows[0]['days'];
  const windows = [{ validFrom: null, days, source }];
  beside.set(quiet, windows);
  return windows;
}
