import { z } from 'zod';
import { oneLine, strategySchema } from '../http/api-schemas.ts';
import type { StepProblem } from '../scripts/step-problems.ts';

/**
 * A journey: how one person is asked, waited for, called and written to, as a list of steps. Each
 * step leads to the one below unless it names another. A journey never does anything by itself:
 * its steps go through the same gate as everybody's requests and calls, so it cannot bend a rule.
 * The shapes are here; what must hold between steps is in `journey-check.ts`, what a step does in
 * `run.ts`.
 */
export const JOURNEY_LIMITS = {
  steps: 60,
  /** Steps that one run may take, so that a journey which leads in circles ends. */
  visitsDefault: 40,
  visitsMax: 200,
  variables: 40,
  valueLength: 200,
  /** A question that may only be asked later waits so long for that, if no step says less. */
  putOffMs: 24 * 60 * 60 * 1000,
  /** How far ahead a run may be started. */
  startAheadMs: 366 * 24 * 60 * 60 * 1000,
} as const;

/** Where a run is over: the name that `next` and its like may give instead of a step's. */
export const END = 'end';

const NAME = /^[A-Za-z][\w-]{0,39}$/;
const stepName = z.string().regex(NAME, 'is a letter, then letters, digits, _ or - (at most 40)');
const variableName = z
  .string()
  .regex(/^[a-z][A-Za-z0-9_]{0,39}$/, 'begins with a small letter, then letters, digits or _');
const text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}]*$/u, 'has no control characters');
const duration = z
  .string()
  .regex(/^\d{1,4}(s|m|h|d)$/, 'is a whole number and a unit: 30s, 5m, 24h or 2d');
const offset = z
  .string()
  .regex(/^[+-]?\d{1,4}(s|m|h|d)$/, 'is a time before or after: -1h, +30m, 0m');

/** An instant, as an author says it. */
export const momentSchema = z.union(
  [
    z.literal('now'),
    z.strictObject({ after: duration.describe('Since the run came to this step.') }),
    z.strictObject({
      relativeTo: variableName.describe('A variable of type instant.'),
      offset: offset.default('0m'),
    }),
  ],
  { error: 'is "now", {"after": "20m"}, or {"relativeTo": "appointmentAt", "offset": "-1h"}' },
);
export type Moment = z.infer<typeof momentSchema>;

const next = stepName.optional().describe('The step after this one; default: the one below.');
const name = stepName.optional();
const templateVariables = z
  .array(text(1_000))
  .max(20)
  .optional()
  .describe('Of the template, in order; default: the name and the purpose.');

const askStep = z.strictObject({
  do: z.literal('ask'),
  name,
  next,
  at: momentSchema.optional().describe('When to ask; default: now.'),
  notAfter: momentSchema.optional().describe('Later than this it is not asked any more.'),
  template: oneLine(200),
  language: oneLine(20).optional().describe('Default: what the person was last asked in.'),
  variables: templateVariables,
  purpose: text(500).describe('What the call will be about, as the person reads it.'),
  promise: momentSchema.optional().describe('When you promise to call.'),
  onRefused: stepName
    .optional()
    .describe('Where to go when it may not be asked; default: the run ends as refused.'),
});
const waitStep = z.strictObject({
  do: z.literal('wait'),
  name,
  next,
  for: z.enum(['yes', 'time']).describe('`yes`: for the answer; `time`: just until then.'),
  until: momentSchema,
  else: stepName.optional().describe('Where to go without a yes; needed with `yes`.'),
  onNo: stepName.optional().describe('Where to go after a no; default: as `else`.'),
});
const callStep = z.strictObject({
  do: z.literal('call'),
  name,
  next: stepName.optional().describe('Once the call is over; default: the one below.'),
  at: momentSchema.optional().describe('When to call; default: now.'),
  notAfter: momentSchema
    .optional()
    .describe('Later than this it is not called any more; until then the best legal minute is.'),
  within: duration
    .optional()
    .describe('So soon after the yes it was promised; the ledger tells whether it was kept.'),
  purpose: text(500).optional().describe('Default: that of the last question.'),
  endpoint: oneLine(100)
    .optional()
    .describe('Name or id, or a {{variable}} with one; default: by routing.'),
  script: oneLine(100).optional().describe('Name or id of the script that leads the call.'),
  scriptVariables: z.record(variableName, text(JOURNEY_LIMITS.valueLength)).optional(),
  strategy: strategySchema.optional(),
  ringTimeoutMs: z.int().min(5_000).max(120_000).default(60_000),
  priority: z.int().min(0).max(9).default(5).describe('9 goes first.'),
  onNoPermission: stepName
    .optional()
    .describe('Where to go when no permission holds at that minute; default: as onRefused.'),
  onRefused: stepName
    .optional()
    .describe('Where to go when the call may not be; default: the run ends as refused.'),
});
const branchStep = z.strictObject({
  do: z.literal('branch'),
  name,
  on: variableName.describe('`outcome`, `reason` or `result` of the last call, or a variable.'),
  cases: z.record(z.string().max(JOURNEY_LIMITS.valueLength), stepName),
  else: stepName.describe('Where every other value leads.'),
});
const messageStep = z.strictObject({
  do: z.literal('message'),
  name,
  next,
  text: text(1_000)
    .optional()
    .describe('Free text; only within 24 hours after the person last wrote.'),
  template: oneLine(200).optional(),
  language: oneLine(20).optional(),
  variables: templateVariables,
  onRefused: stepName.optional().describe('When it cannot be sent; default: as next.'),
});
const surveyStep = z.strictObject({ do: z.literal('survey'), name, next });
const splitStep = z.strictObject({
  do: z.literal('split'),
  name,
  experiment: oneLine(100).describe('Id of the experiment that deals out the arms.'),
  arms: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}$/, 'is an arm'), stepName),
  else: stepName.describe('For whom the experiment has no arm.'),
});
const endStep = z.strictObject({
  do: z.literal('end'),
  name,
  result: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,39}$/, 'is a short code, such as confirmed')
    .optional()
    .describe('How the run ended, in a word; default: done.'),
});

export const stepSchema = z.discriminatedUnion('do', [
  askStep,
  waitStep,
  callStep,
  branchStep,
  messageStep,
  surveyStep,
  splitStep,
  endStep,
]);
export const STEP_KINDS = stepSchema.options.map((option) => option.shape.do.value);
export type StepKind = (typeof STEP_KINDS)[number];

const variableSchema = z.strictObject({
  type: z
    .enum(['text', 'instant'])
    .default('text')
    .describe('`instant`: a time such as 2026-06-03T14:30:00Z, which steps may relate to.'),
  about: oneLine(200).optional(),
  default: z.string().max(JOURNEY_LIMITS.valueLength).optional(),
});

export const journeySchema = z.strictObject({
  name: oneLine(100),
  about: oneLine(300).optional(),
  variables: z
    .record(variableName, variableSchema)
    .default({})
    .describe('What a run must bring; one with a default may be left out.'),
  maxSteps: z.int().min(1).max(JOURNEY_LIMITS.visitsMax).default(JOURNEY_LIMITS.visitsDefault),
  steps: z.array(stepSchema).min(1).max(JOURNEY_LIMITS.steps),
});

/** A journey as it is written, with all defaults filled in. */
export type JourneyDocument = z.infer<typeof journeySchema>;
export type StepDocument = z.infer<typeof stepSchema>;

/** A step whose name and whose way on are spelled out. */
export type Step = StepDocument & { name: string; next: string };

/** A checked journey, ready to run. */
export type Journey = Omit<JourneyDocument, 'steps'> & {
  first: string;
  steps: ReadonlyMap<string, Step>;
};

/** What every text may use, whatever the journey declares. */
export const BUILTIN_VARIABLES = ['contactName', 'business'] as const;
/** What a branch may look at beside the variables. */
export const CALL_VARIABLES = ['outcome', 'reason', 'result'] as const;

/** What can be wrong with a journey, in the words of its author. */
export type JourneyProblem = StepProblem;

/** One way out of a step: the field that names it, and where it leads. */
export type WayOut = { by: string; to: string };

/** Every way out of a step. */
export function waysOut(step: Step): WayOut[] {
  const ways = (...all: Array<[by: string, to: string | undefined]>): WayOut[] =>
    all.map(([by, to]) => ({ by, to: to ?? END }));
  switch (step.do) {
    case 'ask':
      return ways(['next', step.next], ['onRefused', step.onRefused]);
    case 'wait':
      if (step.for === 'time') return ways(['next', step.next]);
      return ways(['next', step.next], ['else', step.else], ['onNo', step.onNo ?? step.else]);
    case 'call':
      return ways(
        ['next', step.next],
        ['onNoPermission', step.onNoPermission ?? step.onRefused],
        ['onRefused', step.onRefused],
      );
    case 'branch':
      return ways(...Object.entries(step.cases), ['else', step.else]);
    case 'message':
      return ways(['next', step.next], ['onRefused', step.onRefused ?? step.next]);
    case 'survey':
      return ways(['next', step.next]);
    case 'split':
      return ways(...Object.entries(step.arms), ['else', step.else]);
    case 'end':
      return [];
  }
}

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration or an offset such as `-1h`, in ms. */
export function durationMs(text: string): number {
  const unit = UNIT_MS[text.at(-1) as keyof typeof UNIT_MS];
  return Number(text.slice(0, -1)) * unit;
}
