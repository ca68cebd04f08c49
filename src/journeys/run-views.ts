import { z } from 'zod';
import { attributionSchema } from '../attribution/attribution-schemas.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import { wakesAt } from './run-rules.ts';
import type { Run } from './run.ts';

export const runSchema = z.object({
  id: z.string(),
  journeyId: z.string(),
  version: z.number(),
  contactId: z.string(),
  lineId: z.string(),
  status: z.enum(['live', 'ended']),
  step: z.string().describe('The step it is at, or was at when it ended.'),
  waitsFor: z.enum(['time', 'answer', 'call']).nullable(),
  dueAt: z.string().nullable().describe('When the clock takes it on, if nothing does before.'),
  end: z.string().nullable().describe('How it ended: `done`, the result of its last step, a code.'),
  requestId: z.string().nullable().describe('Its last question.'),
  callId: z.string().nullable().describe('Its last call.'),
  outcome: z.string().nullable().describe('Of the last call, or `refused`.'),
  reason: z.string().nullable(),
  result: z.string().nullable().describe('What the script of the last call said.'),
  experimentId: z.string().nullable().describe('Whose arms change its questions and calls.'),
  attribution: attributionSchema,
  variables: z.record(z.string(), z.string()).describe('Empty once the person is erased.'),
  steps: z.array(
    z.object({
      step: z.string(),
      do: z.string(),
      at: z.string(),
      outcome: z.string(),
      next: z.string(),
    }),
  ),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
});
export type RunView = z.infer<typeof runSchema>;

const WAITS = {
  start: 'time',
  due: 'time',
  answer: 'answer',
  call: 'call',
  doing: null,
  ended: null,
} as const;

export function runView(run: Run): RunView {
  const { phase } = run;
  const ended = phase.kind === 'ended';
  return {
    id: run.id,
    journeyId: run.journeyId,
    version: run.version,
    contactId: run.contactId,
    lineId: run.lineId,
    status: ended ? 'ended' : 'live',
    step: run.step,
    waitsFor: WAITS[phase.kind],
    dueAt: isoTimeOrNull(wakesAt(run)),
    end: run.end,
    requestId: run.requestId,
    callId: run.callId,
    outcome: run.outcome,
    reason: run.reason,
    result: run.result,
    experimentId: run.experimentId ?? null,
    attribution: run.attribution,
    variables: run.variables,
    steps: run.trail.map(({ at, ...step }) => ({ ...step, at: isoTime(at) })),
    startedAt: isoTime(run.startedAt),
    endedAt: isoTimeOrNull(run.endedAt),
  };
}
