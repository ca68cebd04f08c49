import type { CallScriptView } from '../http/api-types.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { Id } from '../platform/ids.ts';
import type { CallState } from './call.ts';

/**
 * What a script has done with a call, as facts of the call. A call keeps the version of its script
 * that it was asked for with, and the variables it was given.
 */
export type ScriptId = Id<'script'>;
export type PlannedScript = {
  scriptId: ScriptId;
  version: number;
  variables: Readonly<Record<string, string>>;
};

export type ScriptFacts = {
  scriptId: string;
  version: number;
  startedAt: number;
  /** The automated part is over by then, whatever hangs. */
  endsBy: number;
  /** The last ones, where there were many. */
  steps: readonly ScriptStepFact[];
  stepCount: number;
  result: string | null;
  endedAt: number | null;
  /** How it ended; null when the call ended first. */
  end: string | null;
};

export type ScriptStepFact = {
  name: string;
  kind: string;
  outcome: string;
  /** Keys that the customer pressed. */
  digits: string | null;
  problem: string | null;
  at: number;
};

export type ScriptEvent =
  | { type: 'CallScriptStarted'; at: number; scriptId: string; version: number; endsBy: number }
  | { type: 'CallScriptStep'; at: number; step: Omit<ScriptStepFact, 'at'>; result: string | null }
  | { type: 'CallScriptEnded'; at: number; end: string; result: string | null };

export const SCRIPT_EVENTS = [
  'CallScriptStarted',
  'CallScriptStep',
  'CallScriptEnded',
] as const satisfies ReadonlyArray<ScriptEvent['type']>;

const OF_SCRIPTS: ReadonlySet<string> = new Set(SCRIPT_EVENTS);
/** A row must stay small however long a script is; the ledger keeps every step. */
const STEPS_KEPT = 100;

export function isScriptEvent(event: { type: string }): event is ScriptEvent {
  return OF_SCRIPTS.has(event.type);
}

export function foldScript(before: ScriptFacts | undefined, event: ScriptEvent): ScriptFacts {
  const facts = before ?? {
    scriptId: '',
    version: 0,
    startedAt: event.at,
    endsBy: event.at,
    steps: [],
    stepCount: 0,
    result: null,
    endedAt: null,
    end: null,
  };
  switch (event.type) {
    case 'CallScriptStarted': {
      const { scriptId, version, endsBy, at: startedAt } = event;
      return { ...facts, scriptId, version, startedAt, endsBy };
    }
    case 'CallScriptStep': {
      const step = { ...event.step, at: event.at };
      const steps = [...facts.steps, step].slice(-STEPS_KEPT);
      return { ...facts, steps, stepCount: facts.stepCount + 1, result: event.result };
    }
    case 'CallScriptEnded':
      return { ...facts, endedAt: event.at, end: event.end, result: event.result };
  }
}

/** The script of a call, for its view and its CDR; null where nobody but people speak. */
export function scriptView({ plan, facts, status }: CallState): CallScriptView | null {
  const done = facts.control?.script;
  // One that began by itself, where nobody was there, stands in the facts alone.
  const script = done ?? plan.script;
  if (script === undefined || script === null) return null;
  // Whoever hangs up in the middle of it leaves nothing to be recorded.
  const isOver = status === 'ended' && done !== undefined;
  return {
    scriptId: script.scriptId,
    version: script.version,
    startedAt: isoTimeOrNull(done?.startedAt),
    endedAt: isoTimeOrNull(done?.endedAt),
    end: done?.end ?? (isOver ? 'left' : null),
    result: done?.result ?? null,
    stepCount: done?.stepCount ?? 0,
    steps: (done?.steps ?? []).map((step) => ({ ...step, at: isoTime(step.at) })),
  };
}
