import { invariant } from '../platform/invariant.ts';
import { filledText } from '../scripts/script-text.ts';
import { durationMs, type Moment, type Step } from './journey.ts';
import type { Run } from './run.ts';

/** A step of one kind. */
export type Of<K extends Step['do']> = Extract<Step, { do: K }>;

/** Something to write for a run, with its texts filled in. */
export type RunEffect =
  | {
      do: 'ask';
      step: Of<'ask'>;
      purpose: string;
      variables: readonly string[] | null;
      promisedAt: number | null;
      notAfter: number | null;
    }
  | {
      do: 'call';
      step: Of<'call'>;
      purpose: string;
      /** The purpose is that of the question, in the words in which it was asked. */
      asAsked: boolean;
      endpoint: string | null;
      scriptVariables: Readonly<Record<string, string>>;
      notAfter: number | null;
    }
  | { do: 'message'; step: Of<'message'>; text: string | null; variables: readonly string[] }
  | { do: 'survey'; step: Of<'survey'> }
  | { do: 'deal'; step: Of<'split'> };

/** The instant that a moment means, for a step that was reached at `reachedAt`; in ms. */
export function instantOf(
  moment: Moment | undefined,
  variables: Readonly<Record<string, string>>,
  reachedAt: number,
): number {
  if (moment === undefined || moment === 'now') return reachedAt;
  if ('after' in moment) return reachedAt + durationMs(moment.after);
  const base = Date.parse(variables[moment.relativeTo] ?? '');
  // A start without the instant is refused, so this is a row that somebody edited.
  invariant(Number.isFinite(base), `variable ${moment.relativeTo} is no instant`);
  return base + durationMs(moment.offset);
}

/** What a step wants done at its time, with its texts filled in. */
export function effectOf(run: Run, step: Step, at: number, notAfter: number | null): RunEffect {
  const { variables } = run;
  const filled = (text: string): string => filledText(text, variables);
  switch (step.do) {
    case 'ask': {
      const { promise } = step;
      return {
        do: 'ask',
        step,
        purpose: filled(step.purpose),
        variables: step.variables?.map(filled) ?? null,
        promisedAt: promise === undefined ? null : instantOf(promise, variables, at),
        notAfter,
      };
    }
    case 'call': {
      const given = Object.entries(step.scriptVariables ?? {});
      const own = step.purpose === undefined ? null : filled(step.purpose);
      // A step that says what its question said means that question, whatever words it went in.
      const asAsked = own === null || (run.purpose !== null && own === run.meant);
      return {
        do: 'call',
        step,
        purpose: asAsked ? (run.purpose ?? '') : own,
        asAsked,
        // A variable that was left empty leaves the choice to routing.
        endpoint: filled(step.endpoint ?? '') || null,
        scriptVariables: Object.fromEntries(given.map(([name, text]) => [name, filled(text)])),
        notAfter,
      };
    }
    case 'message': {
      const text = step.text === undefined ? null : filled(step.text);
      return { do: 'message', step, text, variables: (step.variables ?? []).map(filled) };
    }
    case 'survey':
      return { do: 'survey', step };
    case 'split':
      return { do: 'deal', step };
    default:
      throw new TypeError(`a step "${step.do}" has nothing to do`);
  }
}
