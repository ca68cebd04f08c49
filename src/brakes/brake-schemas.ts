import { z } from 'zod';
import { oneLine } from '../http/api-schemas.ts';
import { BRAKE_NAMES, LINE_STATES, brakeSettingsSchema } from './brakes.ts';

/** The shapes of the brakes' API. */
export const resumeBody = z.strictObject({
  reason: oneLine(200).describe('What was mended, or why it may go on; kept in the audit trail.'),
});

const findingSchema = z.object({
  brake: z.enum(BRAKE_NAMES),
  numerator: z.number(),
  denominator: z.number(),
  value: z.number().nullable(),
  interval: z
    .object({ low: z.number(), high: z.number() })
    .nullable()
    .describe("Wilson's interval, 99.5 % on each side."),
  slow: z.number(),
  pause: z.number(),
  verdict: z
    .enum(['good', 'unclear', 'too_few', 'slow', 'pause'])
    .describe('`unclear`: on the bad side, but that may be bad luck.'),
});

export const lineBrakeSchema = z.object({
  lineId: z.string(),
  name: z.string(),
  state: z.enum(LINE_STATES),
  since: z.string().nullable().describe('Null where it never braked.'),
  because: z.array(findingSchema).describe('The rates that braked it, as they were then.'),
  actor: z.string(),
  reason: z.string().nullable(),
  countFrom: z.string().nullable().describe('After a resume by hand only what follows counts.'),
  callsPerSecond: z.number().nullable(),
  requestsPerSecond: z.number().nullable(),
  now: z.array(findingSchema).describe('What its rates say at this moment.'),
});

export type LineBrakeView = z.infer<typeof lineBrakeSchema>;

export const brakesSchema = z.object({
  settings: brakeSettingsSchema,
  lines: z.array(lineBrakeSchema),
});

export type BrakesView = z.infer<typeof brakesSchema>;
