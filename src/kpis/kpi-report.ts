import type { Queryable } from '../database/database.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { readSums, type KpiFilters, type KpiQuestion, type Sums } from './kpi-query-store.ts';
import { labelsOf } from './kpi-labels-lookup.ts';
import type { KpiFigure, KpiQuery, KpiView } from './kpi-schemas.ts';
import {
  DAY_MS,
  DIMENSIONS,
  METRIC_NAMES,
  METRICS,
  intervalOf,
  metricOf,
  noMeasures,
  type Measures,
  type Metric,
  type MetricName,
} from './kpis.ts';
import { purposeIdOf } from './purposes.ts';

const SPAN_DAYS = 30;
const GROUPS_MAX = 100;
/** A trend of more points than this is one of days. */
const HOURLY_MAX_MS = 3 * DAY_MS;

/** The time that is asked about, in ms; the last 30 days unless told. */
export function spanOf(query: Pick<KpiQuery, 'from' | 'until'>, now: number) {
  const until = query.until === undefined ? now : Date.parse(query.until);
  const from = query.from === undefined ? until - SPAN_DAYS * DAY_MS : Date.parse(query.from);
  return { from, until };
}

/** Only what was given; a purpose may be named by its words. */
export function filtersOf(db: Queryable, accountId: AccountId, query: Partial<KpiQuery>) {
  const filters: KpiFilters = {};
  for (const name of [...DIMENSIONS, 'hour' as const]) {
    const value = query[name];
    if (value !== undefined) filters[name] = value;
  }
  const { purpose = '' } = filters;
  const isWords = purpose !== '' && !/^purpose_[0-9a-f]{32}$/.test(purpose);
  return isWords ? { ...filters, purpose: purposeIdOf(db.vault, accountId, purpose) } : filters;
}

/** All figures of an account for a time: together, taken apart, and as a trend. */
export async function kpiReport(
  db: Queryable,
  accountId: AccountId,
  query: KpiQuery,
  now: number,
): Promise<KpiView> {
  const { from, until } = spanOf(query, now);
  const period = query.period ?? (until - from <= HOURLY_MAX_MS ? 'hour' : 'day');
  const filters = filtersOf(db, accountId, query);
  const ask = (more: Pick<KpiQuestion, 'groupBy' | 'period'>): Promise<Sums[]> =>
    readSums(db, { accountId, from, until, filters, ...more });
  const { groupBy = null } = query;
  const [all, groups, trend] = await Promise.all([
    ask({ groupBy: null, period: null }),
    groupBy === null ? [] : ask({ groupBy, period: null }),
    ask({ groupBy: null, period: period === 'hour' ? 'h' : 'd' }),
  ]);
  const counts = all[0]?.measures ?? noMeasures();
  const busy = groups.filter(({ measures }) => weight(measures) > 0);
  const shown = busy.toSorted((a, b) => weight(b.measures) - weight(a.measures));
  const ids = shown.slice(0, GROUPS_MAX).map(({ value }) => value);
  const labels = await labelsOf(db, accountId, groupBy, ids);
  return {
    from: isoTime(from),
    until: isoTime(until),
    metrics: METRIC_NAMES.map(definition),
    figures: figuresOf(counts),
    counts,
    groups: shown.slice(0, GROUPS_MAX).map(({ value, measures }) => ({
      value,
      label: labels.get(value) ?? null,
      figures: figuresOf(measures),
      counts: measures,
    })),
    groupsLeftOff: Math.max(0, shown.length - GROUPS_MAX),
    period,
    trend: trend.flatMap(({ at, measures }) =>
      at === null ? [] : [{ at: isoTime(at), figures: figuresOf(measures) }],
    ),
  };
}

function weight({ requests, calls }: Measures): number {
  return requests + calls;
}

function figuresOf(measures: Measures): Record<MetricName, KpiFigure> {
  const figures = METRIC_NAMES.map((name) => {
    const { numerator, denominator } = METRICS[name];
    const over = { numerator: measures[numerator], denominator: measures[denominator] };
    const interval = intervalOf(METRICS[name], measures);
    return [name, { ...metricOf(METRICS[name], measures), ...over, interval }] as const;
  });
  return Object.fromEntries(figures) as Record<MetricName, KpiFigure>;
}

function definition(name: MetricName): KpiView['metrics'][number] {
  const { title, says, unit, numerator, denominator, target }: Metric = METRICS[name];
  const above = target !== null && 'above' in target ? target.above : null;
  const below = target !== null && 'below' in target ? target.below : null;
  const bounds = target === null ? null : { above, below };
  return { name, title, says, unit, numerator, denominator, target: bounds };
}
