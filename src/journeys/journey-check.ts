import { hasBrokenPlaceholder, variablesIn } from '../scripts/script-text.ts';
import { nameOf, shapeProblems, type StepsKind } from '../scripts/step-problems.ts';
import {
  BUILTIN_VARIABLES,
  CALL_VARIABLES,
  END,
  JOURNEY_LIMITS,
  journeySchema,
  STEP_KINDS,
  waysOut,
  type Journey,
  type JourneyDocument,
  type JourneyProblem,
  type Step,
  type StepDocument,
} from './journey.ts';
import { consentProblems, loopProblems, promiseProblems, reachProblems } from './journey-paths.ts';

/** A journey that can run, or everything that is wrong with it. */
export type CheckedJourney =
  | { ok: true; journey: Journey; document: JourneyDocument }
  | { ok: false; problems: JourneyProblem[] };

const PROBLEMS_MAX = 50;
const JOURNEY: StepsKind = {
  whole: 'journey',
  unionWords: (path, message) =>
    path === 'do'
      ? [`is one of: ${STEP_KINDS.join(', ')}`, 'Say in "do" what the step does.']
      : [message, 'Write one of these.'],
};

/** Reads a journey as it came: shape, steps, then the ways between them. Pure. */
export function checkJourney(input: unknown): CheckedJourney {
  const parsed = journeySchema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => shapeProblems(issue, input, JOURNEY));
    return { ok: false, problems: problems.slice(0, PROBLEMS_MAX) };
  }
  const document = parsed.data;
  const journey = compiled(document);
  const single = [
    ...nameProblems(document),
    ...[...journey.steps.values()].flatMap((step) => stepProblems(journey, step)),
  ];
  // The ways between steps can only be judged where every step leads somewhere.
  const problems =
    single.length > 0
      ? single
      : [
          ...reachProblems(journey),
          ...loopProblems(journey),
          ...consentProblems(journey),
          ...promiseProblems(journey),
        ];
  return problems.length === 0
    ? { ok: true, journey, document }
    : { ok: false, problems: problems.slice(0, PROBLEMS_MAX) };
}

/** A document that passed the check before; what is stored is never checked again. */
export function compiled({ steps, ...rest }: JourneyDocument): Journey {
  const named = steps.map((step, index): Step => {
    const below = steps[index + 1];
    const usual = below === undefined ? END : nameOf(below, index + 1);
    const next = 'next' in step ? (step.next ?? usual) : usual;
    return { ...step, name: nameOf(step, index), next };
  });
  return {
    ...rest,
    first: named[0]?.name ?? END,
    steps: new Map(named.map((step) => [step.name, step])),
  };
}

function nameProblems({ steps, variables }: JourneyDocument): JourneyProblem[] {
  const problems: JourneyProblem[] = [];
  const seen = new Set<string>([END]);
  steps.forEach((step, index) => {
    const name = nameOf(step, index);
    const rule = name === END ? `"${END}" means the end of the run` : 'is the only of its name';
    if (seen.has(name)) problems.push({ step: name, field: 'name', rule, fix: 'Rename one.' });
    seen.add(name);
  });
  const own = Object.keys(variables);
  const taken: readonly string[] = [...BUILTIN_VARIABLES, ...CALL_VARIABLES];
  for (const name of own.filter((each) => taken.includes(each))) {
    const rule = 'is no variable that every run has';
    problems.push({ step: null, field: `variables.${name}`, rule, fix: 'Give it another name.' });
  }
  if (own.length > JOURNEY_LIMITS.variables) {
    const rule = `are at most ${JOURNEY_LIMITS.variables}`;
    problems.push({ step: null, field: 'variables', rule, fix: 'Declare fewer.' });
  }
  return problems;
}

type Say = (field: string, rule: string, fix: string) => JourneyProblem;

function stepProblems(journey: Journey, step: Step): JourneyProblem[] {
  const say: Say = (field, rule, fix) => ({ step: step.name, field, rule, fix });
  // First of all: without it there is no way out to look at.
  if (step.do === 'wait' && step.for === 'yes' && step.else === undefined) {
    return [say('else', 'is required', 'Say where to go when no yes comes in time.')];
  }
  const lost = waysOut(step)
    .filter(({ to }) => to !== END && !journey.steps.has(to))
    .map(({ by, to }) => say(by, `leads to a step that exists, not to "${to}"`, 'Correct it.'));
  return [
    ...distinct(lost),
    ...textProblems(journey, step, say),
    ...momentProblems(journey, step, say),
    ...kindProblems(journey, step, say),
  ];
}

/** `onNo` leads where `else` does unless it is given, and would be told of twice. */
function distinct(problems: JourneyProblem[]): JourneyProblem[] {
  const first = new Map(problems.toReversed().map((problem) => [problem.rule, problem]));
  return [...first.values()].toReversed();
}

/** Every text of a step that may hold variables. */
function textsOf(step: StepDocument): Array<[field: string, text: string]> {
  const listed = 'variables' in step ? (step.variables ?? []) : [];
  const script = step.do === 'call' ? Object.entries(step.scriptVariables ?? {}) : [];
  const single = ['purpose', 'text', 'endpoint'].flatMap((field): Array<[string, string]> => {
    const value = (step as Record<string, unknown>)[field];
    return typeof value === 'string' ? [[field, value]] : [];
  });
  return [
    ...single,
    ...listed.map((text, index): [string, string] => [`variables.${index}`, text]),
    ...script.map(([name, text]): [string, string] => [`scriptVariables.${name}`, text]),
  ];
}

function textProblems(journey: Journey, step: Step, say: Say): JourneyProblem[] {
  const known = new Set<string>([...BUILTIN_VARIABLES, ...Object.keys(journey.variables)]);
  return textsOf(step).flatMap(([field, text]) => [
    ...variablesIn(text)
      .filter((name) => !known.has(name))
      .map((name) =>
        say(field, `uses "${name}", which is declared nowhere`, 'Declare it under "variables".'),
      ),
    ...(hasBrokenPlaceholder(text)
      ? [say(field, 'has double braces that name no variable', 'Write {{name}}.')]
      : []),
  ]);
}

function momentProblems(journey: Journey, step: Step, say: Say): JourneyProblem[] {
  return ['at', 'notAfter', 'until', 'promise'].flatMap((field) => {
    const moment = (step as Record<string, unknown>)[field];
    if (typeof moment !== 'object' || moment === null || !('relativeTo' in moment)) return [];
    const name = String(moment.relativeTo);
    if (journey.variables[name]?.type === 'instant') return [];
    const rule = `is relative to a variable of type instant; "${name}" is none`;
    return [say(field, rule, `Declare it: "${name}": {"type": "instant"}.`)];
  });
}

function kindProblems(journey: Journey, step: Step, say: Say): JourneyProblem[] {
  switch (step.do) {
    case 'wait':
      if (step.until === 'now') return [say('until', 'is later than now', 'Say how long.')];
      if (step.for === 'yes' || (step.else === undefined && step.onNo === undefined)) return [];
      return [say('else', 'belongs to a wait for the yes', 'Remove it, or wait for "yes".')];
    case 'branch': {
      const known = [...CALL_VARIABLES, ...Object.keys(journey.variables)];
      if (known.includes(step.on)) return [];
      const rule = `is a variable; "${step.on}" is declared nowhere`;
      return [say('on', rule, `Take one of: ${known.join(', ')}.`)];
    }
    case 'message':
      if ((step.text === undefined) !== (step.template === undefined)) return [];
      return [say('text', 'stands alone: either "text" or "template"', 'Give exactly one.')];
    case 'split':
      if (Object.keys(step.arms).length > 0) return [];
      return [say('arms', 'has at least one arm', 'Name the arms of the experiment.')];
    default:
      return [];
  }
}
