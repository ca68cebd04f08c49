import { z } from 'zod';
import type { Attribution } from './attribution.ts';

/** One of our own ids: a text of the caller's could hold a name or a number. */
const ownId = z
  .string()
  .regex(
    /^[a-z]{2,5}_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    'is an id of this platform',
  );

export const attributionSchema = z
  .strictObject({
    campaignId: ownId.exactOptional(),
    journeyId: ownId.exactOptional(),
    journeyVersion: z.int().min(1).max(1_000_000).exactOptional(),
    runId: ownId.exactOptional(),
    experimentId: ownId.exactOptional(),
    arm: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}$/, 'is a short name that begins with a letter')
      .exactOptional(),
  })
  .describe('What it belongs to: ids only, kept in the open. GET /v1/kpis groups by it.');

/** As it is answered; older rows and records have none. */
export const attributionOrNull = attributionSchema
  .nullable()
  .default(null) satisfies z.ZodType<Attribution | null>;
