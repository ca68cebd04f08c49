import {
  BUILTIN_VARIABLES,
  END,
  SCRIPT_LIMITS,
  scriptSchema,
  soundsOf,
  STEP_KINDS,
  waysOut,
  type Script,
  type ScriptDocument,
  type ScriptProblem,
  type Step,
  type StepDocument,
} from './script.ts';
import { surveyWordsIn } from '../surveys/survey-words.ts';
import { hasBrokenPlaceholder, variablesIn } from './script-text.ts';
import { nameOf, shapeProblems, type StepsKind } from './step-problems.ts';

/** A script that can run, or everything that is wrong with it. */
export type CheckedScript =
  | { ok: true; script: Script; document: ScriptDocument }
  | { ok: false; problems: ScriptProblem[] };

const PROBLEMS_MAX = 50;
const SCRIPT: StepsKind = {
  whole: 'script',
  unionWords: () => [`is one of: ${STEP_KINDS.join(', ')}`, 'Say in "do" what the step does.'],
};

/** Reads a script as it came: shape first, then what must hold between its steps. Pure. */
export function checkScript(input: unknown): CheckedScript {
  const parsed = scriptSchema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => shapeProblems(issue, input, SCRIPT));
    return { ok: false, problems: problems.slice(0, PROBLEMS_MAX) };
  }
  const script = compiled(parsed.data);
  const problems = [
    ...nameProblems(parsed.data),
    ...[...script.steps.values()].flatMap((step) => stepProblems(script, step)),
    ...reachProblems(script),
  ];
  return problems.length === 0
    ? { ok: true, script, document: parsed.data }
    : { ok: false, problems: problems.slice(0, PROBLEMS_MAX) };
}

function compiled(document: ScriptDocument): Script {
  const { steps, ...rest } = document;
  const named = namedSteps(
    steps.map((step) => worded(step, document.language)),
    END,
  );
  return {
    ...rest,
    first: steps[0] === undefined ? END : nameOf(steps[0], 0),
    steps: new Map(named.map((step) => [step.name, step])),
  };
}

/** A survey that brings no prompt is asked in our own words. */
function worded(step: StepDocument, language: string): StepDocument {
  if (step.do !== 'survey' || step.prompt !== undefined) return step;
  const spoken = step.language ?? language;
  return { ...step, prompt: { say: surveyWordsIn(spoken).spoken, language: spoken } };
}

/** Steps with names and ways out; `after` is where the last of them leads. */
function namedSteps(steps: readonly StepDocument[], after: string): Step[] {
  return steps.map((step, index) => {
    const following = steps[index + 1];
    const below = following === undefined ? after : nameOf(following, index + 1);
    return { ...step, name: nameOf(step, index), next: nextOf(step, below) };
  });
}

/** Where a step leads when all goes well; what ends the automated part leads to the end. */
function nextOf(step: StepDocument, below: string): string {
  if (step.do === 'branch') return step.otherwise ?? below;
  const given = 'next' in step ? step.next : undefined;
  return LEADS_ON.has(step.do) ? (given ?? below) : END;
}

/**
 * The script with the steps that a `url` answered put in after that step. The old ones can still
 * be named; the whole is checked again, so an answer can bring nothing that a save would refuse.
 */
export function withAnsweredSteps(
  script: Script,
  at: Step,
  steps: readonly unknown[],
): CheckedScript & { first?: string } {
  const taken = new Set(script.steps.keys());
  const prefix = `${at.name}-`.slice(0, 30);
  const named = steps.map((step, index) => {
    const own = typeof step === 'object' && step !== null ? step : {};
    let name = `${prefix}${index + 1}`;
    for (let turn = 2; taken.has(name); turn += 1) name = `${prefix}${index + 1}-${turn}`;
    return 'name' in own ? own : { ...own, name };
  });
  const last = named.at(-1);
  const opensEnd = last !== undefined && 'do' in last && !('next' in last) && LEADS_ON.has(last.do);
  if (opensEnd) named[named.length - 1] = { ...last, next: at.next } as (typeof named)[number];
  const before = [...script.steps.values()].map((step) => documentOf(step));
  const { first: _first, steps: _steps, ...rest } = script;
  const parsed = scriptSchema.safeParse({ ...rest, steps: [...before, ...named] });
  if (!parsed.success || steps.length === 0 || steps.length > SCRIPT_LIMITS.answerSteps) {
    const problem = { step: at.name, field: 'steps', rule: 'are usable steps', fix: 'Check them.' };
    return { ok: false, problems: [problem] };
  }
  const whole = compiled(parsed.data);
  const problems = [
    ...nameProblems(parsed.data),
    ...[...whole.steps.values()].flatMap((step) => stepProblems(whole, step)),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const first = parsed.data.steps[before.length]?.name ?? END;
  return { ok: true, script: { ...whole, first: script.first }, document: parsed.data, first };
}

/** Steps that have a `next`. */
const LEADS_ON: ReadonlySet<unknown> = new Set([
  'play',
  'say',
  'gather',
  'record',
  'survey',
  'url',
]);

function documentOf(step: Step): object {
  const { next, ...rest } = step;
  if (step.do === 'branch') return { ...rest, otherwise: next };
  return LEADS_ON.has(step.do) ? { ...rest, next } : rest;
}

function nameProblems({ steps, variables }: ScriptDocument): ScriptProblem[] {
  const problems: ScriptProblem[] = [];
  const seen = new Set<string>([END]);
  steps.forEach((step, index) => {
    const name = nameOf(step, index);
    const rule = name === END ? `"${END}" means the end of the call` : 'is the only of its name';
    if (seen.has(name)) problems.push({ step: name, field: 'name', rule, fix: 'Rename one.' });
    seen.add(name);
  });
  const own = Object.keys(variables);
  const builtin: readonly string[] = BUILTIN_VARIABLES;
  for (const name of own.filter((each) => builtin.includes(each))) {
    const rule = 'is no variable that every call has';
    problems.push({ step: null, field: `variables.${name}`, rule, fix: 'Give it another name.' });
  }
  if (own.length > SCRIPT_LIMITS.variables) {
    const rule = `are at most ${SCRIPT_LIMITS.variables}`;
    problems.push({ step: null, field: 'variables', rule, fix: 'Declare fewer.' });
  }
  return problems;
}

function stepProblems(script: Script, step: Step): ScriptProblem[] {
  const say = (field: string, rule: string, fix: string): ScriptProblem => ({
    step: step.name,
    field,
    rule,
    fix,
  });
  const lost = [...new Set(waysOut(step))]
    .filter((name) => name !== END && !script.steps.has(name))
    .map((name) => say('next', `leads to a step that exists, not to "${name}"`, 'Correct it.'));
  const known = knownVariables(script);
  const texts = [
    ...soundsOf(step).flatMap(({ field, sound }) =>
      sound.say === undefined ? [] : [{ field, text: sound.say }],
    ),
    ...Object.entries(step.set ?? {}).map(([name, text]) => ({ field: `set.${name}`, text })),
  ];
  const unfilled = texts.flatMap(({ field, text }) => [
    ...variablesIn(text)
      .filter((name) => !known.has(name))
      .map((name) =>
        say(field, `uses "${name}", which is set nowhere`, 'Declare it under "variables".'),
      ),
    ...(hasBrokenPlaceholder(text)
      ? [say(field, 'has double braces that name no variable', 'Write {{name}}.')]
      : []),
  ]);
  const unknownTest =
    step.do === 'branch' && !known.has(step.on)
      ? [say('on', `is a variable; "${step.on}" is set nowhere`, 'Name one that is set.')]
      : [];
  const gathers = step.do === 'gather' ? gatherProblems(script, step, say) : [];
  const surveyKey = step.do === 'survey' && /^[1-5]$/.test(script.optOutKey ?? '');
  const surveys = surveyKey
    ? [say('do', `has keys 1 to 5, of which "${script.optOutKey}" means stop`, 'Make it 9.')]
    : [];
  const messages =
    step.do === 'record' && step.messageMs !== undefined && step.action !== 'start'
      ? [say('messageMs', 'stands with the action "start" only', 'Remove it.')]
      : [];
  return [...lost, ...unfilled, ...unknownTest, ...gathers, ...surveys, ...messages];
}

type Say = (field: string, rule: string, fix: string) => ScriptProblem;

function gatherProblems(
  { optOutKey }: Script,
  step: Extract<Step, { do: 'gather' }>,
  say: Say,
): ScriptProblem[] {
  const { minDigits, maxDigits, terminator, cases } = step;
  const problems: ScriptProblem[] = [];
  if (minDigits > maxDigits) {
    problems.push(say('minDigits', 'is at most maxDigits', 'Lower it, or raise maxDigits.'));
  }
  for (const digits of Object.keys(cases ?? {})) {
    const fits = digits.length >= minDigits && digits.length <= maxDigits;
    if (!fits) {
      problems.push(say(`cases.${digits}`, 'has minDigits to maxDigits keys', 'Change either.'));
    }
    if (maxDigits > 1 && terminator !== 'none' && digits.includes(terminator)) {
      problems.push(say(`cases.${digits}`, 'does not hold the terminator', 'Change either.'));
    }
  }
  if (cases !== undefined && Object.keys(cases).length === 0) {
    problems.push(say('cases', 'has at least one entry', 'Add one, or remove "cases".'));
  }
  if (optOutKey === undefined) return problems;
  // The way out must stay open: a key cannot mean "stop" and be part of something else.
  if (maxDigits > 1 && /\d/.test(optOutKey)) {
    const fix = 'Make optOutKey * (and the terminator #).';
    problems.push(say('maxDigits', `is 1, because "${optOutKey}" means stop at any time`, fix));
  }
  if (maxDigits > 1 && terminator === optOutKey) {
    problems.push(say('terminator', 'is not the optOutKey', 'Take the other one of * and #.'));
  }
  if (Object.keys(cases ?? {}).some((digits) => digits.includes(optOutKey))) {
    const fix = 'Remove this case; optOutKey stops calls by itself.';
    problems.push(say('cases', `does not hold "${optOutKey}", which means stop`, fix));
  }
  return problems;
}

function knownVariables(script: Script): ReadonlySet<string> {
  const steps = [...script.steps.values()];
  return new Set([
    ...BUILTIN_VARIABLES,
    ...Object.keys(script.variables),
    ...steps.flatMap((step) => Object.keys(step.set ?? {})),
    ...steps.flatMap((step) => (step.do === 'gather' ? (step.saveAs ?? []) : [])),
  ]);
}

/** Steps that nothing leads to. With a `url` in it, a script may be led anywhere. */
function reachProblems(script: Script): ScriptProblem[] {
  if ([...script.steps.values()].some((step) => step.do === 'url')) return [];
  const reached = new Set<string>();
  const open = [script.first];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const step = script.steps.get(name);
    if (step === undefined || reached.has(name)) continue;
    reached.add(name);
    open.push(...waysOut(step));
  }
  return [...script.steps.keys()]
    .filter((name) => !reached.has(name))
    .map((name) => ({
      step: name,
      field: 'step',
      rule: 'is reached from the first step',
      fix: 'Let a step lead to it, or remove it.',
    }));
}
