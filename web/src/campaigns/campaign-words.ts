import type { CampaignView, PreviewView } from '../api/campaign-hooks.ts';
import type { Tone } from '../ui/chip.tsx';

/** How campaigns are worded on the page. */
export const STATE_TONES: Readonly<Record<string, Tone>> = {
  draft: 'plain',
  running: 'accent',
  paused: 'warn',
  stopped: 'bad',
  done: 'good',
};

/** About how long, in the largest unit that says enough. */
export function roughly(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function peopleText(people: number): string {
  return people === 1 ? '1 person' : `${people.toLocaleString('en-GB')} people`;
}

/** How fast, and how long it takes until nobody waits. */
export function paceText({ state, progress, people, rests }: CampaignView): string {
  if (rests?.why === 'closed') return 'Outside its hours: it goes on when they begin.';
  const rate = progress.perMinute === null ? null : `${progress.perMinute} people a minute`;
  if (state === 'running' && people.waiting > 0 && progress.secondsLeft !== null) {
    return `${rate ?? ''}; all have begun in about ${roughly(progress.secondsLeft)}`;
  }
  if (state === 'running' && people.waiting === 0) return 'All have begun; some are on the way.';
  return rate === null ? '' : `${rate} while it ran`;
}

const COST_REASONS: Readonly<Record<string, string>> = {
  no_price_table: 'no price file was given',
  too_few_cases: 'too few cases to know the rates',
  country_unknown: 'the country of somebody is not known',
  no_price_for_country: 'the price file lacks a country',
  no_price_on_that_day: 'the price file has no price for today',
};

export type Expectation = { title: string; value: string; says: string };

/** What is expected, each with how sure it is; `unknown` where there are too few cases. */
export function expectations(preview: PreviewView): Expectation[] {
  const { expected } = preview;
  if (expected === null) return [];
  const count = (value: number | null): string =>
    value === null ? 'unknown' : `about ${Math.round(value).toLocaleString('en-GB')}`;
  const share = ({ value, cases }: { value: number | null; cases: number }): string =>
    value === null ? `only ${cases} cases` : `${Math.round(value * 100)} % of ${cases} cases`;
  const { grantRate, answerRate, talkSeconds, cost, currency, costReason } = expected;
  const talk =
    talkSeconds.value === null
      ? `only ${talkSeconds.cases} talks`
      : `${roughly(talkSeconds.value)} each, of ${talkSeconds.cases} talks`;
  return [
    { title: 'Yeses', value: count(expected.grants), says: share(grantRate) },
    { title: 'Answered calls', value: count(expected.answers), says: share(answerRate) },
    { title: 'Minutes', value: count(expected.minutes), says: talk },
    {
      title: 'Cost',
      value: cost === null ? 'unknown' : `about ${Number(cost).toFixed(2)} ${currency ?? ''}`,
      says: cost === null ? (COST_REASONS[costReason ?? ''] ?? 'not known') : 'by your price file',
    },
  ];
}

const PLACEHOLDER = /\{\{\s*([a-z][A-Za-z0-9_]{0,39})\s*\}\}/g;
const BUILTIN = new Set(['contactName', 'business']);

/** The variables that texts use, beside those which every text may use. */
export function variablesOf(texts: readonly string[]): string[] {
  const found = texts.flatMap((text) => [...text.matchAll(PLACEHOLDER)].map((match) => match[1]));
  return [
    ...new Set(found.flatMap((name) => (name === undefined || BUILTIN.has(name) ? [] : [name]))),
  ];
}
