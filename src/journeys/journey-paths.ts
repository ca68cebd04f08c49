import {
  durationMs,
  END,
  waysOut,
  type Journey,
  type JourneyProblem,
  type Step,
} from './journey.ts';

/** What must hold along the ways of a journey, as far as it can be told before anybody walks it. */

/** Steps that nothing leads to. */
export function reachProblems(journey: Journey): JourneyProblem[] {
  const reached = reachable(journey, journey.first, () => true);
  return [...journey.steps.keys()]
    .filter((name) => !reached.has(name))
    .map((name) => ({
      step: name,
      field: 'step',
      rule: 'is reached from the first step',
      fix: 'Let a step lead to it, or remove it.',
    }));
}

/** Circles in which nothing takes time: a run would go round until it is cut. */
export function loopProblems(journey: Journey): JourneyProblem[] {
  const waits = (step: Step, by: string): boolean =>
    step.do === 'wait' || (step.do === 'call' && by === 'next');
  return [...journey.steps.values()].flatMap((step) => {
    const around = waysOut(step)
      .filter(({ by, to }) => !waits(step, by) && to !== END)
      .some(({ to }) => reachable(journey, to, (at, by) => !waits(at, by)).has(step.name));
    if (!around) return [];
    const rule = 'leads back to itself without a wait';
    const fix = 'Put a wait into the circle, or lead out of it.';
    return [{ step: step.name, field: 'next', rule, fix }];
  });
}

/**
 * A call needs a yes on every way to it: a question, and a wait that it left with "yes". One yes
 * serves one call, so a second call needs a second question.
 */
export function consentProblems(journey: Journey): JourneyProblem[] {
  const problems = new Map<string, JourneyProblem>();
  const seen = new Set<string>();
  const open: State[] = [{ name: journey.first, asked: false, yes: false, called: false }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const step = journey.steps.get(at.name);
    const key = JSON.stringify(at);
    if (step === undefined || seen.has(key)) continue;
    seen.add(key);
    const problem = faultOf(step, at);
    if (problem !== null) problems.set(`${step.name} ${problem.field}`, problem);
    for (const { by, to } of waysOut(step)) open.push({ ...after(step, by, at), name: to });
  }
  return [...problems.values()];
}

type State = { name: string; asked: boolean; yes: boolean; called: boolean };

function faultOf(step: Step, { asked, yes, called }: State): JourneyProblem | null {
  if (step.do === 'call' && !yes) {
    const rule = asked
      ? 'comes after a wait for the yes, on every way to it'
      : 'has an ask before it, and one of its own for every call';
    const fix = asked
      ? 'Lead to it only by the "next" of a wait for "yes".'
      : 'Ask, wait for the yes, then call.';
    return { step: step.name, field: 'step', rule, fix };
  }
  if (step.do === 'wait' && step.for === 'yes' && !asked) {
    const rule = 'has an ask before it, on every way to it';
    return { step: step.name, field: 'for', rule, fix: 'Ask first, or wait for "time".' };
  }
  if (step.do === 'survey' && !called) {
    const rule = 'has a call before it, on every way to it';
    return { step: step.name, field: 'step', rule, fix: 'Ask about a call after the call.' };
  }
  return null;
}

function after(step: Step, by: string, state: State): State {
  if (step.do === 'ask') return { ...state, asked: by === 'next', yes: false };
  if (step.do === 'wait' && step.for === 'yes') return { ...state, yes: by === 'next' };
  if (step.do !== 'call') return state;
  // Whatever became of it: what the yes was for has been tried.
  return { ...state, asked: false, yes: false, called: state.called || by === 'next' };
}

/** What a question promises must be what the steps after it do. */
export function promiseProblems(journey: Journey): JourneyProblem[] {
  return [...journey.steps.values()].flatMap((step) => {
    if (step.do !== 'ask' || step.promise === undefined) return [];
    const { promise } = step;
    // Only up to the next question: that one promises anew.
    const later = reachable(journey, step.next, (at) => at.do !== 'ask');
    return [...later].flatMap((name) => {
      const at = journey.steps.get(name);
      if (at?.do === 'wait' && at.for === 'yes' && ms(at.until, promise) > 0) {
        const rule = `is over by the time that "${step.name}" promises`;
        return [
          { step: name, field: 'until', rule, fix: 'Wait shorter, or promise a later time.' },
        ];
      }
      if (at?.do === 'call' && ms(at.at ?? 'now', promise) > 0) {
        const rule = `is not later than "${step.name}" promises`;
        return [{ step: name, field: 'at', rule, fix: 'Call when it was promised.' }];
      }
      return [];
    });
  });
}

type Moments = NonNullable<Extract<Step, { do: 'ask' }>['promise']>;

/** How much later than the promise a moment is for certain, in ms; 0 where it cannot be told. */
function ms(moment: Moments, promise: Moments): number {
  if (moment === 'now' || promise === 'now') return 0;
  if ('after' in moment && 'after' in promise) {
    return durationMs(moment.after) - durationMs(promise.after);
  }
  if (!('relativeTo' in moment) || !('relativeTo' in promise)) return 0;
  if (moment.relativeTo !== promise.relativeTo) return 0;
  return durationMs(moment.offset) - durationMs(promise.offset);
}

/** The steps that can be reached from one, itself included, by the ways that `takes` allows. */
function reachable(
  { steps }: Journey,
  from: string,
  takes: (step: Step, by: string) => boolean,
): Set<string> {
  const reached = new Set<string>();
  const open = [from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const step = steps.get(name);
    if (step === undefined || reached.has(name)) continue;
    reached.add(name);
    for (const { by, to } of waysOut(step)) if (takes(step, by)) open.push(to);
  }
  return reached;
}
