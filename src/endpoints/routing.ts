import type { EndpointId } from '../platform/ids.ts';
import { DAY_MS, MINUTE_MS, offsetAt } from '../policy/hours/zone-time.ts';

/**
 * Which endpoint takes a call that names none: the first rule whose conditions all hold, else the
 * default. Pure, and it gives its reasons, so that the dry run says what the call will do.
 */
export type Routing = {
  rules: readonly RouteRule[];
  /** Where no rule holds; null leaves it to the line. */
  defaultEndpointId: EndpointId | null;
};

export type RouteRule = { name: string; when: RouteConditions; endpointId: EndpointId };

/** A condition that is left out always holds; of a list one entry is enough. */
export type RouteConditions = {
  /** Texts where `*` stands for anything; capitals make no difference. */
  purposes?: readonly string[] | undefined;
  /** `es` holds for `es_MX` too. */
  languages?: readonly string[] | undefined;
  /** ISO 3166-1 alpha-2, of the customer's number. */
  countries?: readonly string[] | undefined;
  hours?: BusinessHours | undefined;
};

export type BusinessHours = {
  /** IANA name, such as `Europe/Berlin`. */
  zone: string;
  open: ReadonlyArray<{
    /** 1 is Monday, 7 Sunday. */
    days: readonly number[];
    /** `HH:MM`, local; `to` is not in it, and before `from` it is on the next day. */
    from: string;
    to: string;
  }>;
};

export type RouteFacts = {
  purpose: string;
  language: string | null;
  country: string | null;
  /** When the call is due. */
  at: number;
};

export type RouteVerdict = { rule: string; matched: boolean; why: string };

export type RouteDecision = {
  endpointId: EndpointId | null;
  /** The rule that matched; null where the default was taken. */
  rule: string | null;
  /** Of every rule up to the one that matched. */
  verdicts: RouteVerdict[];
};

export function decideRoute(routing: Routing, facts: RouteFacts): RouteDecision {
  const verdicts: RouteVerdict[] = [];
  for (const { name, when, endpointId } of routing.rules) {
    const against = firstAgainst(when, facts);
    verdicts.push({ rule: name, matched: against === null, why: against ?? reasonsFor(when) });
    if (against === null) return { endpointId, rule: name, verdicts };
  }
  return { endpointId: routing.defaultEndpointId, rule: null, verdicts };
}

/** The first condition that does not hold, in words; null where all do. */
function firstAgainst(when: RouteConditions, facts: RouteFacts): string | null {
  const { purposes, languages, countries, hours } = when;
  if (purposes !== undefined && !purposes.some((text) => fits(text, facts.purpose))) {
    return `the purpose is none of ${list(purposes)}`;
  }
  const { language, country } = facts;
  if (languages !== undefined && !languages.some((tag) => speaks(language, tag))) {
    return `the language is ${language ?? 'not known'}, not ${list(languages)}`;
  }
  if (countries !== undefined && !countries.some((code) => code === country)) {
    return `the country is ${country ?? 'not known'}, not ${list(countries)}`;
  }
  if (hours === undefined || isOpen(hours, facts.at)) return null;
  return `it is closed then in ${hours.zone}`;
}

function reasonsFor({ purposes, languages, countries, hours }: RouteConditions): string {
  const reasons = [
    purposes === undefined ? null : 'the purpose fits',
    languages === undefined ? null : 'the language fits',
    countries === undefined ? null : 'the country fits',
    hours === undefined ? null : `it is open in ${hours.zone}`,
  ].filter((reason) => reason !== null);
  return reasons.length === 0 ? 'it has no conditions' : reasons.join(', ');
}

const list = (texts: readonly string[]): string => texts.slice(0, 5).join(', ');

/** `*` stands for anything. Found from left to right, so a hostile pattern cannot backtrack. */
function fits(pattern: string, text: string): boolean {
  const parts = pattern.trim().toLowerCase().split('*');
  const words = text.trim().toLowerCase();
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return words === first;
  if (!words.startsWith(first) || words.length < first.length + last.length) return false;
  if (!words.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = words.indexOf(part, at);
    if (found < 0 || found + part.length > words.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}

/** RFC 4647 section 3.3.1, with Meta's underscore as good as a hyphen. */
function speaks(language: string | null, tag: string): boolean {
  if (language === null) return false;
  const [spoken, wanted] = [language, tag].map((text) => text.toLowerCase().replaceAll('_', '-'));
  return spoken === wanted || (spoken?.startsWith(`${wanted}-`) ?? false);
}

/** A zone without data is closed: nobody is sent to a desk that may be empty. */
export function isOpen({ zone, open }: BusinessHours, at: number): boolean {
  const stretch = offsetAt(zone, at);
  if (stretch === null) return false;
  const local = at + stretch.offsetMs;
  const day = Math.floor(local / DAY_MS);
  const minute = Math.floor((local - day * DAY_MS) / MINUTE_MS);
  const [today, yesterday] = [weekday(day), weekday(day - 1)];
  return open.some(({ days, from, to }) => {
    const [start, end] = [minutesOf(from), minutesOf(to)];
    if (start < end) return days.includes(today) && minute >= start && minute < end;
    // Over midnight: the evening of one day, the morning of the next.
    return (days.includes(today) && minute >= start) || (days.includes(yesterday) && minute < end);
  });
}

/** 1970-01-01 was a Thursday. */
const weekday = (day: number): number => ((((day + 3) % 7) + 7) % 7) + 1;

function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}
