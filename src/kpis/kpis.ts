/**
 * What is counted, and what a figure means. Each permission request and each call contributes one
 * row: its dimensions and its measures, worked out anew from the whole ledger of its contact each
 * time that ledger grows. So whatever comes late or twice corrects itself, and a figure is always
 * what the ledger says now. A metric is a numerator over a denominator, both sums of one measure.
 */
export const MEASURES = [
  'requests',
  'requests_sent',
  'requests_decided',
  'requests_granted',
  'opt_outs',
  'opt_out_ms',
  'calls',
  'calls_dialled',
  'calls_ended',
  'calls_reached',
  'calls_answered',
  'calls_completed',
  'calls_failed',
  'pdd_calls',
  'pdd_ms',
  'talk_calls',
  'talk_ms',
  'dead_air_calls',
  'dead_air_ms',
  'aged_calls',
  'prompt_calls',
  'unanswered_calls',
  'streak_calls',
  'surveys',
  'survey_points',
] as const;

export type Measure = (typeof MEASURES)[number];
export type Measures = Record<Measure, number>;

export function noMeasures(): Measures {
  return Object.fromEntries(MEASURES.map((name) => [name, 0])) as Measures;
}

/** By what a figure can be taken apart; each has one value per contribution, empty for none. */
export const DIMENSIONS = [
  'line',
  'template',
  'template_version',
  'purpose',
  'journey',
  'campaign',
  'experiment',
  'arm',
  'endpoint',
  'agent',
  'country',
] as const;

export type Dimension = (typeof DIMENSIONS)[number];
export type Dimensions = Record<Dimension, string>;

/** What one request or one call adds to the figures. */
export type Contribution = {
  id: string;
  contactId: string;
  kind: 'request' | 'call';
  /** When it counts: a request when it was asked, a call when it was dialled (else asked for). */
  at: number;
  dimensions: Dimensions;
  measures: Measures;
};

export type Metric = {
  title: string;
  /** What the page calls it or asks about it. */
  says: string;
  numerator: Measure;
  denominator: Measure;
  unit: 'share' | 'ms' | 'points' | 'ratio';
  /** The page's target, as the unit has it; null where it names none. */
  target: { above: number } | { below: number } | null;
};

const share = { unit: 'share', target: null } as const;
const duration = { unit: 'ms', target: null } as const;

/** Every figure; docs/reference/kpis.md says in words what each counts, and when. */
export const METRICS = {
  grant_rate: {
    title: 'Permission grant rate',
    says: 'How well your request message resonates',
    numerator: 'requests_granted',
    denominator: 'requests_decided',
    unit: 'share',
    target: { above: 0.6 },
  },
  answer_rate: {
    title: 'Call answer rate',
    says: 'If customers want to talk after granting permission',
    numerator: 'calls_answered',
    denominator: 'calls_reached',
    unit: 'share',
    target: { above: 0.75 },
  },
  completion_rate: {
    title: 'Call completion rate',
    says: 'Technical quality and customer engagement',
    numerator: 'calls_completed',
    denominator: 'calls_answered',
    unit: 'share',
    target: { above: 0.9 },
  },
  satisfaction: {
    title: 'Customer satisfaction',
    says: 'Overall experience with business-initiated calls, of 5',
    numerator: 'survey_points',
    denominator: 'surveys',
    unit: 'points',
    target: { above: 4 },
  },
  opt_out_rate: {
    title: 'Opt-out rate',
    says: "If you're respecting customer preferences",
    numerator: 'opt_outs',
    denominator: 'requests_sent',
    unit: 'share',
    target: { below: 0.05 },
  },
  asr: {
    title: 'Answer-seizure ratio',
    says: 'Of all dials, how many were picked up',
    numerator: 'calls_answered',
    denominator: 'calls_ended',
    ...share,
  },
  failure_rate: {
    title: 'Failure rate',
    says: 'Of all dials, how many ended by a fault',
    numerator: 'calls_failed',
    denominator: 'calls_ended',
    ...share,
  },
  pdd: {
    title: 'Post-dial delay',
    says: "From the dial to the customer's ring, on average",
    numerator: 'pdd_ms',
    denominator: 'pdd_calls',
    ...duration,
  },
  talk_time: {
    title: 'Talk time',
    says: 'From the bridge to the end, on average',
    numerator: 'talk_ms',
    denominator: 'talk_calls',
    ...duration,
  },
  dead_air: {
    title: 'Dead air',
    says: "From pick-up to the endpoint's first audio, on average",
    numerator: 'dead_air_ms',
    denominator: 'dead_air_calls',
    ...duration,
  },
  opt_out_latency: {
    title: 'Opt-out latency',
    says: 'From the word until no dial can pass, on average',
    numerator: 'opt_out_ms',
    denominator: 'opt_outs',
    unit: 'ms',
    target: { below: 60_000 },
  },
  requests_per_grant: {
    title: 'Requests per grant',
    says: 'How many requests were sent for one yes',
    numerator: 'requests_sent',
    denominator: 'requests_granted',
    unit: 'ratio',
    target: null,
  },
  unanswered_streaks: {
    title: 'Unanswered streaks',
    says: 'Calls that were at least the second in a row to go unanswered',
    numerator: 'streak_calls',
    denominator: 'calls_reached',
    ...share,
  },
  called_promptly: {
    title: 'Called within 5 minutes',
    says: 'Dialled within 5 minutes of the yes',
    numerator: 'prompt_calls',
    denominator: 'aged_calls',
    ...share,
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];
/** The five of the page's table, in its order. */
export const PAGE_METRICS: readonly MetricName[] = METRIC_NAMES.slice(0, 5);

/** The value of a metric, null without anything to divide by; and whether its target is met. */
export function metricOf(
  metric: Metric,
  measures: Measures,
): { value: number | null; met: boolean | null } {
  const over = measures[metric.denominator];
  const value = over === 0 ? null : measures[metric.numerator] / over;
  return { value, met: isMet(metric.target, value) };
}

/** Of a normal distribution, 95 of 100 lie within so many standard deviations. */
const Z_95 = 1.959964;

/**
 * Where the true share lies, for 95 of 100 such figures, or as wide as `z` says (E. B. Wilson,
 * J. Am. Stat. Assoc. 22, 1927): sound for small samples and near 0 and 1, where others are not.
 */
export function wilson(hits: number, all: number, z = Z_95): { low: number; high: number } {
  const share = hits / all;
  const spread = (z * z) / all;
  const middle = (share + spread / 2) / (1 + spread);
  const half = (z / (1 + spread)) * Math.sqrt((share * (1 - share)) / all + spread / (4 * all));
  // At the ends the two terms cancel out, but for the last bit of a floating number.
  return { low: hits === 0 ? 0 : middle - half, high: hits === all ? 1 : middle + half };
}

/** The interval of a share; null for what is none, and without anything to divide by. */
export function intervalOf(
  { unit, numerator, denominator }: Metric,
  measures: Measures,
): { low: number; high: number } | null {
  const all = measures[denominator];
  if (unit !== 'share' || all === 0) return null;
  return wilson(measures[numerator], all);
}

function isMet(target: Metric['target'], value: number | null): boolean | null {
  if (target === null || value === null) return null;
  return 'above' in target ? value > target.above : value < target.below;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** A call this soon after the yes is prompt: "Sales rep calls within 5 minutes". */
export const PROMPT_MS = 5 * 60_000;
