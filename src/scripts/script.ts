import { z } from 'zod';
import { oneLine } from '../http/api-schemas.ts';
import type { StepProblem } from './step-problems.ts';

/**
 * A call script: what an automated call says, which keys it takes, and where each answer leads.
 * A list of steps, done one after the other unless a step names another one. The shapes are here;
 * what must hold between steps is in `script-check.ts`, what a step does in `script-runner.ts`.
 */
export const SCRIPT_LIMITS = {
  steps: 100,
  /** Steps that one call may do, so that a script which leads in circles ends. */
  visitsDefault: 100,
  visitsMax: 500,
  durationDefaultMs: 600_000,
  durationMaxMs: 3_600_000,
  textLength: 1_000,
  variables: 40,
  variableLength: 200,
  /** Steps that one answer of a `url` may bring. */
  answerSteps: 20,
} as const;

/** Where a script is over: the name that `next` and its like may give instead of a step's. */
export const END = 'end';

const NAME = /^[A-Za-z][\w-]{0,39}$/;
const stepName = z.string().regex(NAME, 'is a letter, then letters, digits, _ or - (at most 40)');
const variableName = z
  .string()
  .regex(/^[a-z][A-Za-z0-9_]{0,39}$/, 'begins with a small letter, then letters, digits or _');
const key = z.string().regex(/^[0-9*#]$/, 'is one key: 0 to 9, * or #');
export const languageTag = z
  .string()
  .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/, 'is a language tag, such as en or pt-BR');
const spoken = z
  .string()
  .min(1)
  .max(SCRIPT_LIMITS.textLength)
  .regex(/\S/, 'has something to say')
  .regex(/^[^\p{Cc}]*$/u, 'has no control characters');
/** A prompt that was uploaded, by its name, or a sound of our own. */
export const BUILTIN_SOUNDS = ['beep', 'ringing', 'hold', 'silence'] as const;
export type BuiltinSound = (typeof BUILTIN_SOUNDS)[number];
const promptName = z
  .string()
  .max(60)
  .regex(/^(builtin:(beep|ringing|hold|silence)|[a-z0-9][a-z0-9._-]*)$/, {
    message: 'is the name of an uploaded prompt, or builtin:beep, :ringing, :hold or :silence',
  });

const soundSchema = z
  .strictObject({
    say: spoken.optional().describe('Text to be spoken; {{name}} stands for a variable.'),
    language: languageTag.optional(),
    play: promptName.optional().describe('Name of an uploaded prompt.'),
  })
  .refine((sound) => (sound.say === undefined) !== (sound.play === undefined), {
    message: 'has either "say" or "play"',
  });
/** What the customer is to hear. */
export type ScriptSound = z.infer<typeof soundSchema>;

const set = z
  .record(variableName, z.string().max(SCRIPT_LIMITS.variableLength))
  .optional()
  .describe('Variables to set as the step begins; `result` stands in the CDR.');
const next = stepName.optional().describe('The step after this one; default: the one below.');
const common = { name: stepName.optional(), set, next };
const timeout = (min: number, max: number, usual: number) =>
  z.int().min(min).max(max).default(usual);

const playStep = z.strictObject({ do: z.literal('play'), ...common, prompt: promptName });
const sayStep = z.strictObject({
  do: z.literal('say'),
  ...common,
  text: spoken,
  language: languageTag.optional(),
});
const gatherStep = z.strictObject({
  do: z.literal('gather'),
  ...common,
  prompt: soundSchema.optional().describe('Heard first; a key press cuts it short.'),
  minDigits: z.int().min(1).max(32).default(1),
  maxDigits: z.int().min(1).max(32).default(1),
  terminator: z.enum(['#', '*', 'none']).default('#').describe('Ends an entry of several digits.'),
  firstDigitTimeoutMs: timeout(1_000, 30_000, 5_000),
  betweenDigitsTimeoutMs: timeout(500, 15_000, 3_000),
  tries: z.int().min(1).max(5).default(3),
  onInvalid: soundSchema.optional().describe('Heard after a wrong entry, before the next try.'),
  onNothing: soundSchema.optional().describe('Heard when no key came, before the next try.'),
  cases: z
    .record(z.string().regex(/^[0-9*#]{1,32}$/, 'is keys: 0 to 9, * or #'), stepName)
    .optional()
    .describe('Where each entry leads; any other is wrong.'),
  saveAs: variableName.optional().describe('Variable that takes the digits.'),
  onFail: stepName.optional().describe('After the last try; default: the call ends.'),
});
const branchStep = z.strictObject({
  do: z.literal('branch'),
  name: stepName.optional(),
  set,
  on: variableName.describe('`digits`, `outcome`, `reason`, or any variable.'),
  cases: z.record(z.string().max(SCRIPT_LIMITS.variableLength), stepName),
  otherwise: stepName.optional().describe('Default: the step below.'),
});
/** The talk that follows is the rest of the call, so no step comes after it. */
const connectStep = z.strictObject({
  do: z.literal('connect'),
  name: stepName.optional(),
  set,
  endpoint: oneLine(100).optional().describe("Name or id; default: the call's own endpoint."),
  onFail: stepName.describe('Where to go when nobody answers there.'),
});
const recordStep = z.strictObject({
  do: z.literal('record'),
  ...common,
  action: z.enum(['start', 'pause', 'resume', 'stop']),
  messageMs: z
    .int()
    .min(3_000)
    .max(300_000)
    .optional()
    .describe('With `start`: a beep, then so long for a message; any key or the time ends it.'),
});
const optOutStep = z.strictObject({ do: z.literal('optout'), name: stepName.optional(), set });
const hangUpStep = z.strictObject({ do: z.literal('hangup'), name: stepName.optional(), set });
const surveyStep = z.strictObject({
  do: z.literal('survey'),
  ...common,
  prompt: soundSchema
    .optional()
    .describe('Asks for 1 to 5; default: our own words, in `language` or that of the script.'),
  language: languageTag.optional(),
  firstDigitTimeoutMs: timeout(1_000, 30_000, 6_000),
  tries: z.int().min(1).max(3).default(2),
});
const urlStep = z.strictObject({
  do: z.literal('url'),
  ...common,
  url: z.string().min(1).max(2_048).describe('Asked by a signed POST what to do next.'),
  timeoutMs: timeout(1_000, 10_000, 5_000),
  tries: z.int().min(1).max(3).default(2),
  onFail: stepName.describe('Where to go when no usable answer comes.'),
});

export const stepSchema = z.discriminatedUnion('do', [
  playStep,
  sayStep,
  gatherStep,
  branchStep,
  connectStep,
  recordStep,
  optOutStep,
  hangUpStep,
  surveyStep,
  urlStep,
]);
export const STEP_KINDS = stepSchema.options.map((option) => option.shape.do.value);

const variableSchema = z.strictObject({
  about: oneLine(200).optional(),
  default: z.string().max(SCRIPT_LIMITS.variableLength).optional(),
});

export const scriptSchema = z.strictObject({
  name: oneLine(100),
  language: languageTag.default('en').describe('Of texts that name no other.'),
  variables: z
    .record(variableName, variableSchema)
    .default({})
    .describe('What the call must bring; one with a default may be left out.'),
  optOutKey: key.optional().describe('Pressed at any time, it stops all calls to this person.'),
  maxSteps: z.int().min(1).max(SCRIPT_LIMITS.visitsMax).default(SCRIPT_LIMITS.visitsDefault),
  maxDurationMs: z
    .int()
    .min(10_000)
    .max(SCRIPT_LIMITS.durationMaxMs)
    .default(SCRIPT_LIMITS.durationDefaultMs)
    .describe('Of the automated part; a talk with an endpoint is not cut.'),
  steps: z.array(stepSchema).min(1).max(SCRIPT_LIMITS.steps),
});

/** A script as it is written, with all defaults filled in. */
export type ScriptDocument = z.infer<typeof scriptSchema>;
export type StepDocument = z.infer<typeof stepSchema>;

/** A step whose name and whose ways out are all spelled out. */
export type Step = StepDocument & { name: string; next: string };

/** A checked script, ready to run. */
export type Script = Omit<ScriptDocument, 'steps'> & {
  first: string;
  steps: ReadonlyMap<string, Step>;
};

/** Variables that every call has, whatever its script declares. */
export const BUILTIN_VARIABLES = [
  'purpose',
  'reference',
  'language',
  'business',
  'digits',
  'outcome',
  'reason',
  'result',
] as const;

/** What can be wrong with a script, in the words of its author. */
export type ScriptProblem = StepProblem;

/** Every name that a step may lead to. */
export function waysOut(step: Step): string[] {
  switch (step.do) {
    case 'gather': {
      const { cases } = step;
      return [...(cases === undefined ? [step.next] : Object.values(cases)), step.onFail ?? END];
    }
    case 'branch':
      return [...Object.values(step.cases), step.next];
    case 'connect':
      return [step.onFail];
    case 'url':
      return [step.next, step.onFail];
    case 'optout':
    case 'hangup':
      return [END];
    default:
      return [step.next];
  }
}

/** All that a step may say or play, with the field that holds it. */
export function soundsOf(step: StepDocument): Array<{ field: string; sound: ScriptSound }> {
  if (step.do === 'play') return [{ field: 'prompt', sound: { play: step.prompt } }];
  if (step.do === 'say') {
    const { text: say, language } = step;
    return [{ field: 'text', sound: language === undefined ? { say } : { say, language } }];
  }
  if (step.do === 'survey') {
    return step.prompt === undefined ? [] : [{ field: 'prompt', sound: step.prompt }];
  }
  if (step.do !== 'gather') return [];
  return (['prompt', 'onInvalid', 'onNothing'] as const).flatMap((field) => {
    const sound = step[field];
    return sound === undefined ? [] : [{ field, sound }];
  });
}
