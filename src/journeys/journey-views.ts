import { z } from 'zod';
import { oneLine } from '../http/api-schemas.ts';
import { isoTime } from '../platform/clock.ts';
import { compiled } from './journey-check.ts';
import { drawnSteps, journeyDiagram } from './journey-diagram.ts';
import type { StoredJourney } from './journey-store.ts';

/** Taken as it comes, so that what is wrong with it is said by step and field. */
export const journeyDraft = z
  .looseObject({})
  .describe('A journey: docs/reference/journey-language.md has its fields.');

export const problemsSchema = z.array(
  z.object({ step: z.string().nullable(), field: z.string(), rule: z.string(), fix: z.string() }),
);

export const journeySummary = z.object({
  id: z.string(),
  name: z.string(),
  version: z.number(),
  readyKey: z.string().nullable().describe('Which ready journey it was made from.'),
  createdAt: z.string(),
  updatedAt: z.string(),
  journey: journeyDraft,
});
export const drawingSchema = z
  .array(
    z.object({
      name: z.string(),
      do: z.string(),
      about: z.string(),
      ways: z.array(z.object({ by: z.string(), to: z.string() })),
    }),
  )
  .describe('The steps with every way out of each, for drawing.');
export const journeyView = journeySummary.extend({
  diagram: z.string().describe('Mermaid text.'),
  drawing: drawingSchema,
});
export const listedView = journeySummary.extend({ liveRuns: z.number() });

export const dryRunBody = z.strictObject({
  variables: z.record(z.string(), z.string().max(200)).default({}),
  startAt: z.iso.datetime({ offset: true }).optional().describe('Default: now.'),
  answers: z
    .array(
      z.strictObject({
        answer: z.enum(['yes', 'no', 'none']),
        afterMinutes: z.number().min(0).max(1_000_000).default(5),
      }),
    )
    .max(50)
    .default([])
    .describe('What the person says to each question; when it runs out, yes after 5 minutes.'),
  calls: z
    .array(
      z.strictObject({
        outcome: oneLine(40).default('completed'),
        result: oneLine(100).nullable().default(null),
        minutes: z.number().min(0).max(1_000).default(3),
      }),
    )
    .max(50)
    .default([])
    .describe('How each call ends; when it runs out, completed after 3 minutes.'),
  arms: z.record(z.string().max(100), z.string().max(40)).default({}),
});
export const dryRunView = z.object({
  end: z.string(),
  steps: z.array(
    z.object({
      at: z.string(),
      step: z.string(),
      do: z.string(),
      outcome: z.string(),
      next: z.string(),
      text: z.string().nullable(),
    }),
  ),
});

export function summaryOf(stored: StoredJourney): z.infer<typeof journeySummary> {
  const { id, version, readyKey, document, createdAt, updatedAt } = stored;
  return {
    id,
    name: document.name,
    version,
    readyKey,
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
    journey: document,
  };
}

export function viewOf(stored: StoredJourney): z.infer<typeof journeyView> {
  const journey = compiled(stored.document);
  return {
    ...summaryOf(stored),
    diagram: journeyDiagram(journey),
    drawing: drawnSteps(journey),
  };
}
