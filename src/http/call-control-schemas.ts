import { z } from 'zod';
import type { CallActionView } from './api-types.ts';

/** How a live call was led, as the API shows it: holds, transfers, listeners and orders. */
const instant = z.string().describe('RFC 3339, UTC');
const instantOrNull = instant.nullable();
const textOrNull = z.string().nullable();

export const legNameSchema = z.enum(['whatsapp', 'endpoint']);
export const holdsSchema = z
  .array(
    z.object({
      by: z.enum(['business', 'endpoint', 'script', 'platform']),
      from: instant,
      to: instantOrNull,
    }),
  )
  .default([])
  .describe('When the customer heard music, and by whose order.');
export const transfersSchema = z
  .array(
    z.object({
      mode: z.enum(['blind', 'attended']),
      by: z.enum(['business', 'endpoint']).describe('`endpoint`: the PBX asked, by REFER.'),
      fromEndpointId: z.string(),
      toEndpointId: z.string(),
      startedAt: instant,
      endedAt: instantOrNull,
      outcome: textOrNull.describe('`transferred`, or the code of why not; null meanwhile.'),
      answered: z.boolean().describe('The other endpoint has answered.'),
    }),
  )
  .default([]);
export const listenersSchema = z
  .array(
    z.object({
      endpointId: z.string(),
      mode: z.enum(['listen', 'whisper', 'barge']),
      from: instant,
      to: instantOrNull,
    }),
  )
  .default([]);

export const callActionSchema = z.object({
  id: z.string(),
  action: z.string(),
  status: z.enum(['waiting', 'taken', 'done', 'failed']),
  code: textOrNull.describe('Why it failed.'),
  message: textOrNull,
  fix: textOrNull,
  leg: textOrNull,
  mode: textOrNull,
  endpointId: textOrNull,
  sound: textOrNull,
  askedAt: instant,
  takenAt: instantOrNull,
  finishedAt: instantOrNull,
}) satisfies z.ZodType<CallActionView>;

export const callScriptSchema = z
  .object({
    scriptId: z.string(),
    version: z.number(),
    startedAt: textOrNull.describe('RFC 3339, UTC'),
    endedAt: textOrNull,
    end: textOrNull.describe(
      'finished, hung_up, connected, opted_out, left, too_long, too_many_steps or not_started.',
    ),
    result: textOrNull.describe('What the script set as `result`.'),
    stepCount: z.number(),
    steps: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        outcome: z.string(),
        digits: textOrNull.describe('What the customer typed.'),
        problem: textOrNull.describe('Why it failed.'),
        at: z.string(),
      }),
    ),
  })
  .nullable()
  // Records from before scripts do not have it.
  .default(null)
  .describe('What the call script did; null where the call had none.');
