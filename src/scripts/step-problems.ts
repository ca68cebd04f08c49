import type { z } from 'zod';

/**
 * What is wrong with a document of steps, a script's or a journey's, as far as its shape and the
 * names of its steps tell it. Pure.
 */
export type StepProblem = { step: string | null; field: string; rule: string; fix: string };

/** What the words depend on. */
export type StepsKind = {
  /** What a field is called that is the whole document. */
  whole: string;
  /** What is said where a value fits none of several shapes. */
  unionWords: (path: string, message: string) => [rule: string, fix: string];
};

/** The name of a step: its own, or its place in the list. */
export function nameOf(step: { name?: string | undefined }, index: number): string {
  return step.name ?? `step${index + 1}`;
}

/** One issue of the schema, as problems that name the step and the field in it. */
export function shapeProblems(
  issue: z.core.$ZodIssue,
  input: unknown,
  { whole, unionWords }: StepsKind,
): StepProblem[] {
  const [top, index, ...rest] = issue.path;
  const inStep = top === 'steps' && typeof index === 'number';
  const step = inStep ? stepNameAt(input, index) : null;
  const path = (inStep ? rest : issue.path).map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => ({
      step,
      field: fieldAt(path, name === '' ? '(no name)' : name),
      rule: 'is not known here',
      fix: 'Remove it, or correct its spelling.',
    }));
  }
  const field = path === '' ? (inStep ? 'step' : whole) : path;
  const isUnion = issue.code === 'invalid_union';
  const [rule, fix] = isUnion ? unionWords(path, issue.message) : shapeWords(issue);
  return [{ step, field, rule, fix }];
}

const NAME_MAX = 100;

/** A stranger's own field name goes back into the answer, so it must not be as long as a body. */
function fieldAt(path: string, name: string): string {
  return (path === '' ? name : `${path}.${name}`).slice(0, NAME_MAX);
}

function shapeWords(issue: z.core.$ZodIssue): [rule: string, fix: string] {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('undefined')
        ? ['is required', 'Add it.']
        : [`is of type ${issue.expected}`, `Write a value of type ${issue.expected}.`];
    case 'too_small':
      return [`is at least ${issue.minimum}`, 'Make it longer or larger.'];
    case 'too_big':
      return [`is at most ${issue.maximum}`, 'Make it shorter or smaller.'];
    case 'invalid_value':
      return [`is one of: ${issue.values.map(String).join(', ')}`, 'Take one of these.'];
    case 'invalid_key': {
      const why = issue.issues[0]?.message ?? 'has the documented form';
      return [`a name in it ${why}`, 'Rename it.'];
    }
    default:
      return [issue.message, `Write a value that ${issue.message}.`];
  }
}

function stepNameAt(input: unknown, index: number): string {
  const steps = (input as { steps?: unknown[] } | null)?.steps;
  const step = Array.isArray(steps) ? steps[index] : null;
  const name = typeof step === 'object' && step !== null && 'name' in step ? step.name : null;
  return typeof name === 'string' ? name.slice(0, 40) : `step${index + 1}`;
}

/** What a refused document answers: each problem as a field, and the first of them in words. */
export function problemFields(
  problems: readonly StepProblem[],
): Array<{ field: string; rule: string; fix: string }> {
  return problems.map(({ step, field, rule, fix }) => ({
    field: step === null ? field : `${step}.${field}`,
    rule,
    fix,
  }));
}
