import { z } from 'zod';
import { DIMENSIONS, MEASURES, METRIC_NAMES, type MetricName } from './kpis.ts';

/** The shapes of the figures' API. */
const instant = z.iso.datetime({ offset: true });
const value = z.string().max(500).optional();

const span = {
  from: instant.optional().describe('Whole hours; 30 days before `until` when left out.'),
  until: instant.optional().describe('Now when left out.'),
};

const filters = {
  line: value,
  template: value,
  template_version: value.describe('As `name@version`.'),
  purpose: value.describe('Its words, or its id.'),
  journey: value,
  campaign: value,
  experiment: value,
  arm: value.describe('As `experiment/arm`.'),
  endpoint: value,
  agent: value,
  country: value,
  hour: value.describe('Of the day, UTC: `00` to `23`.'),
};

export const kpiQuery = z.object({
  ...span,
  ...filters,
  groupBy: z
    .enum([...DIMENSIONS, 'hour'])
    .optional()
    .describe('`hour` is that of the day, UTC.'),
  period: z.enum(['hour', 'day']).optional().describe('Of the trend; by the span when left out.'),
});

export type KpiQuery = z.infer<typeof kpiQuery>;

export const itemQuery = { ...span, ...filters };

export const metricName = z.enum(METRIC_NAMES as [MetricName, ...MetricName[]]);

const figure = z.object({
  value: z.number().nullable().describe('Null where there is nothing to divide by.'),
  numerator: z.number(),
  denominator: z.number(),
  met: z.boolean().nullable().describe("Whether the page's target is met."),
  interval: z
    .object({ low: z.number(), high: z.number() })
    .nullable()
    .describe("Of a share: where the true one lies, for 95 of 100 such figures (Wilson's)."),
});

const figures = z.record(metricName, figure);
const counts = z.record(z.enum(MEASURES), z.number());

export const kpiSchema = z.object({
  from: z.string(),
  until: z.string(),
  metrics: z.array(
    z.object({
      name: metricName,
      title: z.string(),
      says: z.string(),
      unit: z.enum(['share', 'ms', 'points', 'ratio']),
      target: z.object({ above: z.number().nullable(), below: z.number().nullable() }).nullable(),
      numerator: z.enum(MEASURES),
      denominator: z.enum(MEASURES),
    }),
  ),
  figures,
  counts,
  groups: z.array(
    z.object({
      value: z.string().describe('Empty for those that have none.'),
      label: z.string().nullable().describe('In words, where there are any.'),
      figures,
      counts,
    }),
  ),
  groupsLeftOff: z.number(),
  period: z.enum(['hour', 'day']),
  trend: z.array(z.object({ at: z.string(), figures })),
});

export type KpiView = z.infer<typeof kpiSchema>;
export type KpiFigure = z.infer<typeof figure>;

export const itemSchema = z.object({
  id: z.string(),
  kind: z.enum(['request', 'call']),
  contactId: z.string(),
  at: z.string(),
  amount: z.number().describe('What it adds to the number.'),
  dimensions: z.record(z.enum(DIMENSIONS), z.string()),
});

export type KpiItemView = z.infer<typeof itemSchema>;

export const rebuildSchema = z.object({
  state: z.enum(['never', 'running', 'done']),
  askedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  contacts: z.number().describe('People gone through so far.'),
  changed: z.number().describe('Rows that had said something else than the ledger.'),
  rollupsChanged: z.number().nullable().describe('Sums that had said something else.'),
});

export type RebuildView = z.infer<typeof rebuildSchema>;
