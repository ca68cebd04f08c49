import { z } from 'zod';
import type { ScriptProblem } from './script.ts';

/**
 * Call flows as 8x8 writes them (`callflow` with `say`, `playFile`, `sayAndCapture`, `makeCall`,
 * `hangup`; the same actions are the answers of its VCA webhook), made into a script of ours. Each
 * action becomes one step with the same meaning; what has no meaning here is named, never dropped.
 */
const seconds = z.number().min(0).max(600);
const actionSchema = z.object({
  action: z.string().max(40),
  params: z
    .looseObject({
      text: z.string().max(1_000).optional(),
      language: z.string().max(20).optional(),
      fileUrl: z.string().max(2_048).optional(),
      promptMessage: z.string().max(1_000).optional(),
      minDigits: z.int().min(1).max(32).optional(),
      maxDigits: z.int().min(1).max(32).optional(),
      completeOnHash: z.boolean().optional(),
      digitTimeout: seconds.optional(),
      overallTimeout: seconds.optional(),
      noOfTries: z.int().min(1).max(5).optional(),
      destination: z.string().max(200).optional(),
    })
    .default({}),
});
const documentSchema = z.looseObject({ callflow: z.array(actionSchema).min(1).max(100) });

export type Imported = { script: Record<string, unknown>; problems: ScriptProblem[] };

/**
 * `input` is the body that 8x8 takes. The first `makeCall` is the call to the customer, which the
 * script is led by and which makes no step; a second one connects to an endpoint. `fileUrl` becomes
 * a prompt of the file's name, to be uploaded. The result still goes through `checkScript`.
 */
export function fromEightByEight(input: unknown, name: string): Imported {
  const parsed = documentSchema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({
      step: null,
      field: issue.path.map(String).join('.') || 'callflow',
      rule: 'has the form of an 8x8 call flow',
      fix: 'Send {"callflow": [{"action": "makeCall", "params": {…}}, …]}.',
    }));
    return { script: {}, problems };
  }
  const { callflow } = parsed.data;
  const problems: ScriptProblem[] = [];
  const calls = callflow.filter(({ action }) => action === 'makeCall').length;
  if (calls > 2) problems.push(problemOf('callflow', 'has at most two makeCall', 'Remove one.'));
  const isDocument = callflow[0]?.action === 'makeCall';
  const rest = isDocument ? callflow.slice(1) : callflow;
  const steps = rest.flatMap((action, index) => stepOf(action, `action${index + 1}`, problems));
  if (steps.length === 0) problems.push(problemOf('callflow', 'does something', 'Add an action.'));
  if (!steps.some(({ do: kind }) => kind === 'connect'))
    return { script: { name, steps }, problems };
  // 8x8 ends the call where the second leg does not come.
  return { script: { name, steps: [...steps, { name: 'unanswered', do: 'hangup' }] }, problems };
}

type Action = z.infer<typeof actionSchema>;
type DraftStep = { do: string } & Record<string, unknown>;

function stepOf({ action, params }: Action, name: string, problems: ScriptProblem[]): DraftStep[] {
  const language = params.language === undefined ? {} : { language: languageOf(params.language) };
  switch (action) {
    case 'say':
      return [{ name, do: 'say', text: params.text ?? '', ...language }];
    case 'playFile':
      return [{ name, do: 'play', prompt: promptOf(params.fileUrl ?? '') }];
    case 'sayAndCapture': {
      const { promptMessage, minDigits = 1, maxDigits = 1, completeOnHash = true } = params;
      const { digitTimeout, overallTimeout, noOfTries } = params;
      return [
        {
          name,
          do: 'gather',
          ...(promptMessage === undefined ? {} : { prompt: { say: promptMessage, ...language } }),
          minDigits,
          maxDigits,
          terminator: completeOnHash ? '#' : 'none',
          ...within('firstDigitTimeoutMs', overallTimeout, 1_000, 30_000),
          ...within('betweenDigitsTimeoutMs', digitTimeout, 500, 15_000),
          ...(noOfTries === undefined ? {} : { tries: noOfTries }),
        },
      ];
    }
    case 'makeCall':
      return [{ name, do: 'connect', onFail: 'unanswered' }];
    case 'hangup':
      return [{ name, do: 'hangup' }];
    default:
      problems.push({
        ...problemOf('action', 'is makeCall, say, playFile, sayAndCapture or hangup', 'Change it.'),
        step: name,
      });
      return [];
  }
}

function problemOf(field: string, rule: string, fix: string): ScriptProblem {
  return { step: null, field, rule, fix };
}

/** 8x8 writes seconds; ours stay within what a question may wait. */
function within(field: string, given: number | undefined, min: number, max: number) {
  if (given === undefined) return {};
  return { [field]: Math.round(Math.min(max, Math.max(min, given * 1_000))) };
}

/** `en-US` stays; `en_us` becomes a tag. */
function languageOf(text: string): string {
  const [language = 'en', ...more] = text.split(/[-_]/);
  return [language.toLowerCase(), ...more].join('-');
}

/** A name for the prompt from the file's: `https://x/Hello%20There.wav` is `hello-there`. */
function promptOf(url: string): string {
  const file = (url.split(/[?#]/)[0] ?? '').split('/').at(-1) ?? '';
  const stem = file.replace(/\.(wav|mp3|ogg|opus)$/i, '').replaceAll(/%[0-9A-Fa-f]{2}/g, '-');
  const name = stem
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '');
  return name.slice(0, 60) || 'prompt';
}
