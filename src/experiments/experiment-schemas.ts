import { z } from 'zod';
import { oneLine } from '../http/api-schemas.ts';
import { METRIC_NAMES } from './experiment.ts';
import { EXPERIMENT_STATES } from './assignment.ts';

/** What `/v1/experiments` takes and gives. Shares and differences are fractions from 0 to 1. */
const share = z.number().gt(0).lt(1);
const armName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}$/, 'is a short name that begins with a letter');

/** In the body of a request or call that takes part. */
export const experimentIdField = z
  .string()
  .max(60)
  .optional()
  .describe('The server draws the arm, applies what it changes, and says it under `attribution`.');

const overridesSchema = z.strictObject({
  template: z.string().min(1).max(200).exactOptional(),
  language: z.string().min(2).max(20).exactOptional(),
  purpose: oneLine(250)
    .exactOptional()
    .describe('Another wording of the purpose; holds for the request and for its call.'),
  scriptId: z.string().max(60).exactOptional(),
  askAtHour: z
    .int()
    .min(0)
    .max(23)
    .exactOptional()
    .describe('The hour of the day, where the customer is, at which they are asked.'),
  gapMinutes: z
    .int()
    .min(0)
    .max(1_440)
    .exactOptional()
    .describe('Minutes between the yes and the call.'),
});

export const armSchema = z.strictObject({
  name: armName,
  weight: z.int().min(1).max(100).default(1).describe('1 and 1 is half and half.'),
  overrides: overridesSchema.default({}).describe('What this arm changes; nothing: as it is.'),
});

const metric = z
  .enum(METRIC_NAMES)
  .describe('What is measured: the share of all people of an arm with whom it happened in time.');
const power = share.default(0.8).describe('How surely the smallest effect is to be found.');

export const sizeQuery = z.object({
  baseline: z.coerce.number().gt(0).lt(1).describe('The share the control is expected to reach.'),
  smallestEffect: z.coerce.number().gt(0).lt(1).describe('0.05 is five points.'),
  power: z.coerce.number().gt(0).lt(1).default(0.8),
  arms: z.coerce.number().int().min(2).max(6).default(2),
});
export const sizeView = z.object({ peoplePerArm: z.int(), people: z.int() });

export const createBody = z.strictObject({
  name: oneLine(100),
  layer: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'is a short name in small letters')
    .default('default')
    .describe('Experiments of one layer never share a person.'),
  share: z.number().gt(0).lte(1).default(1).describe('Which part of the people takes part.'),
  arms: z
    .array(armSchema)
    .min(2)
    .max(6)
    .refine((arms) => new Set(arms.map(({ name }) => name)).size === arms.length, {
      error: 'has a different name for each arm',
    })
    .describe('The first is the control, which the others are measured against.'),
  metric: metric.default('granted'),
  baseline: share,
  smallestEffect: share,
  power,
  windowHours: z
    .int()
    .min(1)
    .max(720)
    .default(48)
    .describe('How long after the first request or call an outcome still counts.'),
});

export const decideBody = z.strictObject({ arm: armName.describe('The arm that all get now.') });
export const assignBody = z.strictObject({
  to: z.string().min(1).max(100).describe('Number (E.164) or business-scoped user id.'),
});
export const assignmentView = z.object({
  experimentId: z.string(),
  arm: z.string(),
  overrides: overridesSchema,
  counted: z.boolean().describe('False outside the experiment; the control then.'),
});

const instant = z.string().nullable();
const armView = armSchema.extend({ stoppedAt: instant });

export const experimentView = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(EXPERIMENT_STATES),
  layer: z.string(),
  share: z.number(),
  arms: z.array(armView),
  metric,
  baseline: z.number(),
  smallestEffect: z.number(),
  power: z.number(),
  plannedPeople: z.int(),
  windowHours: z.int(),
  createdAt: z.string(),
  startedAt: instant,
  endedAt: instant,
  winner: z.string().nullable(),
});

const armResult = z.object({
  arm: z.string(),
  exposed: z.int().describe('People who came into the arm.'),
  counted: z.int().describe('Those whose time for an outcome is over.'),
  hits: z.int(),
  rate: z.number().nullable(),
  optedOut: z.int(),
  verdict: z.enum(['control', 'too_early', 'no_difference', 'better', 'worse']),
  difference: z.number().nullable().describe('Minus the control.'),
  low: z.number().nullable(),
  high: z.number().nullable().describe('The interval holds at every look at once.'),
  decidedAt: instant,
});

export const resultView = z.object({
  words: z.string().describe('The result in plain words.'),
  fraction: z.number().describe('Counted people as a share of the planned.'),
  lookedAt: instant.describe('When was counted last; the result changes only then.'),
  looks: z.int(),
  arms: z.array(armResult),
  sampleRatio: z
    .object({ chiSquare: z.number(), p: z.number(), alarm: z.boolean(), alarmAt: instant })
    .nullable(),
});

export const experimentWithResult = experimentView.extend({ result: resultView });
export type ExperimentView = z.infer<typeof experimentView>;
export type ResultView = z.infer<typeof resultView>;
