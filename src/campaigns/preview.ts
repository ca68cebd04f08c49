import type { JourneyDocument, StepDocument } from '../journeys/journey.ts';

/**
 * What would come of a campaign, worked out before anything is sent. Each person is judged by the
 * same gate that will judge them in earnest, as of now; nothing is written about anybody, and only
 * sums are kept, so a hundred thousand people cost no more memory than one page of them.
 */
export type CampaignPreview = {
  state: 'counting' | 'done' | 'failed';
  askedAt: number;
  finishedAt: number | null;
  /** The last contact that was looked at. */
  after: string;
  /** Whether this journey asks for permission at all. */
  asks: boolean;
  looked: number;
  /** A live permission, and the call would be allowed now. */
  reachable: number;
  /** A request would be allowed now. */
  askable: number;
  /** Time alone is in the way: a request or the call is allowed later. */
  later: number;
  laterFrom: number | null;
  blocked: Readonly<Record<string, BlockedBy>>;
  /** Requests that the limits leave for these people in the next seven days, on this line. */
  requestsLeft: number;
  /** Of those who need a request: who waits in other campaigns of the line for one, too. */
  elsewhere: number;
  countries: Readonly<Record<string, { reachable: number; askable: number }>>;
  expected: ExpectedFigures | null;
};

/** People whom a rule keeps out; `later` is true where time alone opens it again. */
export type BlockedBy = { rule: string | null; people: number; later: boolean };

/** A figure and from how many cases it is known; a null share is unknown. */
export type KnownRate = { value: number | null; cases: number };

export type ExpectedFigures = {
  grantRate: KnownRate;
  answerRate: KnownRate;
  talkSeconds: KnownRate;
  /** Each null where a rate that it needs is unknown. */
  grants: number | null;
  calls: number | null;
  answers: number | null;
  minutes: number | null;
  /** Decimal text; null where a price or a rate is unknown, with the reason. */
  cost: string | null;
  currency: string | null;
  costReason: string | null;
};

/** Below so many cases a rate says nothing about the next people. */
export const CASES_MIN = 30;

export function newPreview(asks: boolean, askedAt: number): CampaignPreview {
  return {
    state: 'counting',
    askedAt,
    finishedAt: null,
    after: '',
    asks,
    looked: 0,
    reachable: 0,
    askable: 0,
    later: 0,
    laterFrom: null,
    blocked: {},
    requestsLeft: 0,
    elsewhere: 0,
    countries: {},
    expected: null,
  };
}

/** What the gate says of one person. */
export type Judged = {
  country: string | null;
  /** `later` with the time from which it is allowed. */
  verdict: 'reachable' | 'askable' | { code: string; rule: string | null; laterAt: number | null };
  requestsLeft: number;
};

/** The preview with one page of people more. */
export function counted(
  preview: CampaignPreview,
  page: { judged: readonly Judged[]; looked: number; after: string; elsewhere: number },
): CampaignPreview {
  const blocked: Record<string, BlockedBy> = { ...preview.blocked };
  const countries = { ...preview.countries };
  const sums = { ...preview };
  for (const { verdict, country, requestsLeft } of page.judged) {
    sums.requestsLeft += requestsLeft;
    if (typeof verdict === 'string') {
      sums[verdict] += 1;
      const place = country ?? '';
      const known = countries[place] ?? { reachable: 0, askable: 0 };
      countries[place] = { ...known, [verdict]: known[verdict] + 1 };
      continue;
    }
    const { code, rule, laterAt } = verdict;
    const later = laterAt !== null;
    const people = (blocked[code]?.people ?? 0) + 1;
    blocked[code] = { rule, people, later: later || (blocked[code]?.later ?? false) };
    if (!later) continue;
    sums.later += 1;
    sums.laterFrom = Math.min(laterAt, preview.laterFrom ?? Infinity, sums.laterFrom ?? Infinity);
  }
  return {
    ...sums,
    looked: preview.looked + page.looked,
    elsewhere: preview.elsewhere + page.elsewhere,
    after: page.after,
    blocked,
    countries,
  };
}

/** A rate with too few cases is unknown, and says from how many. */
export function knownRate(sum: number, cases: number, casesMin = CASES_MIN): KnownRate {
  return { value: cases < casesMin ? null : sum / cases, cases };
}

/** Expected people, from those who can be reached now and those who can be asked. */
export function expectedCalls(
  { reachable, askable }: { reachable: number; askable: number },
  grantRate: KnownRate,
): number | null {
  if (askable === 0) return reachable;
  return grantRate.value === null ? null : reachable + askable * grantRate.value;
}

type AskStep = Extract<StepDocument, { do: 'ask' }>;
type CallStep = Extract<StepDocument, { do: 'call' }>;

/** The first question and the first call in a journey's list of steps. */
export function firstContactOf({ steps }: Pick<JourneyDocument, 'steps'>): {
  ask: AskStep | null;
  call: CallStep | null;
} {
  return {
    ask: steps.find((step): step is AskStep => step.do === 'ask') ?? null,
    call: steps.find((step): step is CallStep => step.do === 'call') ?? null,
  };
}
