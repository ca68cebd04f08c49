import type { Problem } from '../../../src/http/api-types.ts';
import { inWords } from '../ui/format.ts';

/** How the schedule is told: days, what a call waits for, and which other times there are. */
export const SPANS = {
  today: 'Today',
  tomorrow: 'Tomorrow',
  week: 'The next 7 days',
  all: 'All',
} as const;
export type Span = keyof typeof SPANS;

/** From when until when, at midnights of this place; a day is not always 24 hours long. */
export function spanOf(
  span: Span,
  now: number,
): { from: string | undefined; until: string | undefined } {
  switch (span) {
    case 'today':
      // What is due since yesterday is still due.
      return { from: undefined, until: midnight(now, 1) };
    case 'tomorrow':
      return { from: midnight(now, 1), until: midnight(now, 2) };
    case 'week':
      return { from: undefined, until: midnight(now, 7) };
    case 'all':
      return { from: undefined, until: undefined };
  }
}

function midnight(now: number, daysOn: number): string {
  const day = new Date(now);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() + daysOn);
  return day.toISOString();
}

/** The name of a day, as its heading. */
export function dayName(at: string, now: number): string {
  const style = { weekday: 'long', day: 'numeric', month: 'long' } as const;
  const name = new Intl.DateTimeFormat('en-GB', style).format(new Date(at));
  if (at < midnight(now, 0)) return `${name}, overdue`;
  if (at < midnight(now, 1)) return `Today, ${name}`;
  return at < midnight(now, 2) ? `Tomorrow, ${name}` : name;
}

const WAITS: Readonly<Record<string, string>> = {
  line_busy: 'the line has as many calls as it may',
  endpoint_full: 'the endpoint has as many calls as it may',
  key_calls_full: 'the API key has as many calls as it may',
  meta_answer_unknown: 'Meta is asked whether the call is allowed',
  agents_unavailable: 'no agent is free',
  campaign_paused: 'its campaign is paused',
  campaign_closed: 'its campaign does not call at this hour',
};

/** Why a call that was due is not dialled yet. */
export function waitText(code: string): string {
  return `Waits: ${WAITS[code] ?? inWords(code).toLowerCase()}`;
}

/** Times that a refusal offers, the nearest first; never one that is over. */
export function offeredTimes(problem: Problem, now: number): string[] {
  const { alternatives } = problem.evidence ?? {};
  const offered = Array.isArray(alternatives) ? (alternatives as string[]) : [];
  const all = [...offered, problem.allowedAt, problem.latestAt].filter((at) => at !== undefined);
  return [...new Set(all)]
    .filter((at) => Date.parse(at) > now)
    .toSorted()
    .slice(0, OFFERED_MAX);
}

const OFFERED_MAX = 4;

/** An instant as `<input type="datetime-local">` writes it, in the time of this place. */
export function localInput(at: number): string {
  const shifted = at - new Date(at).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length);
}

/** The other way; null for a text that is no time. */
export function fromLocalInput(text: string): string | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}
