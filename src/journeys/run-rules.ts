import { filledText } from '../scripts/script-text.ts';
import type { Attribution } from '../attribution/attribution.ts';
import type { CallId, PermissionRequestId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';
import {
  durationMs,
  END,
  JOURNEY_LIMITS,
  type Journey,
  type Moment,
  type Step,
} from './journey.ts';
import { effectOf, instantOf, type Of, type RunEffect } from './run-effect.ts';
import type { Run, TrailStep } from './run.ts';

/**
 * A run as a decider: what has become known goes in, the run as it stands then comes out, with at
 * most one thing to do. Whoever does it tells at once what came of it, in the same transaction, so
 * a stored run never has anything half done. Nothing here reads a clock or a database.
 */
export type RunInput =
  /** The clock: what was due begins, what was awaited too long is over. */
  | { type: 'time'; at: number }
  | { type: 'answered'; at: number; answer: 'yes' | 'no' | 'none' }
  | {
      type: 'callEnded';
      at: number;
      outcome: string;
      reason: string;
      /** What the script of the call said, in a word. */
      result: string | null;
      /** It was planned for a later minute than that in which it was asked for. */
      wasPlanned: boolean;
      /** How old the yes was at the dial; null where nothing was dialled. */
      afterYesMs: number | null;
    }
  | Done
  | { type: 'stopped'; at: number; reason: string };

/** What came of the thing to do. */
export type Done =
  /** No request where a yes for the same purpose was there already. `purpose`: as it is read. */
  | ({ type: 'asked'; at: number; requestId: PermissionRequestId | null; purpose?: string } & InArm)
  /** Not yet: the arm of the person has an hour for it. */
  | ({ type: 'waits'; at: number; until: number } & InArm)
  | ({ type: 'called'; at: number; callId: CallId } & InArm)
  | { type: 'told'; at: number }
  /** Only who takes part is counted; all others have the arm without its name on them. */
  | { type: 'dealt'; at: number; experimentId: string; arm: string | null; counted: boolean }
  | {
      type: 'refused';
      at: number;
      code: string;
      /** When it may be tried again, where time alone stands in the way. */
      laterAt: number | null;
    };

/** What the run belongs to from here on, where an experiment has drawn an arm; else it stays. */
type InArm = { attribution?: Attribution };

/** A step that is over, with what the ledger is told of it beside. */
export type StepTaken = TrailStep & {
  requestId?: PermissionRequestId;
  callId?: CallId;
  reason?: string;
  experimentId?: string;
  arm?: string;
  /** Of a call that was promised within a time of the yes. */
  withinMs?: number;
  afterYesMs?: number;
  promiseKept?: boolean;
};

export type Advanced = { run: Run; effect: RunEffect | null; taken: readonly StepTaken[] };

/** A call that was refused for these would be allowed by a new yes. */
const NO_PERMISSION: ReadonlySet<string> = new Set([
  'permission_missing',
  'permission_used',
  'permission_expired',
  'permission_without_purpose',
  'purpose_mismatch',
  'promise_missed',
]);

/** The last steps that a run shows; the ledger keeps every one. */
const TRAIL_KEPT = 100;

/** What follows from one input. An input that does not fit where the run stands changes nothing. */
export function advance(journey: Journey, run: Run, input: RunInput): Advanced {
  const { phase } = run;
  if (phase.kind === 'ended') return unchanged(run);
  if (input.type === 'stopped') return ended(run, input.at, input.reason);
  const step = journey.steps.get(run.step);
  invariant(step !== undefined, `run ${run.id} is at a step that its journey does not have`);
  const walk = new Walk(journey, run);
  switch (phase.kind) {
    case 'start':
      if (input.type !== 'time' || input.at < phase.at) return unchanged(run);
      return walk.enter(step, input.at);
    case 'due':
      if (input.type !== 'time' || input.at < phase.at) return unchanged(run);
      return walk.begin(step, input.at);
    case 'answer':
      return step.do === 'wait' ? answered(walk, step, phase.until, input) : unchanged(run);
    case 'call':
      if (step.do !== 'call' || input.type !== 'callEnded') return unchanged(run);
      return callOver(walk, step, input);
    case 'doing':
      return done(walk, step, input);
  }
}

/** When the clock itself changes the run; null where only an event does. */
export function wakesAt({ phase }: Run): number | null {
  if (phase.kind === 'due' || phase.kind === 'start') return phase.at;
  return phase.kind === 'answer' ? phase.until : null;
}

function unchanged(run: Run): Advanced {
  return { run, effect: null, taken: [] };
}

function ended(run: Run, at: number, end: string, taken: readonly StepTaken[] = []): Advanced {
  return { run: { ...run, phase: { kind: 'ended' }, endedAt: at, end }, effect: null, taken };
}

/** One advance: the steps that are left behind on the way, until something must be waited for. */
class Walk {
  readonly journey: Journey;
  run: Run;
  readonly taken: StepTaken[] = [];

  constructor(journey: Journey, run: Run) {
    this.journey = journey;
    this.run = run;
  }

  /** Notes the step as taken and goes to where it leads. */
  leave(step: Step, at: number, way: { to: string; outcome: string; end?: string }, more = {}) {
    const { to, outcome, end = 'done' } = way;
    const taken: StepTaken = { step: step.name, do: step.do, at, outcome, next: to };
    this.taken.push({ ...taken, ...more });
    const trail = [...this.run.trail, taken].slice(-TRAIL_KEPT);
    this.run = { ...this.run, trail, visits: this.run.visits + 1 };
    if (to === END) return ended(this.run, at, end, this.taken);
    if (this.run.visits >= this.journey.maxSteps) {
      return ended(this.run, at, 'too_many_steps', this.taken);
    }
    const following = this.journey.steps.get(to);
    invariant(following !== undefined, `no step ${to}`);
    return this.enter(following, at);
  }

  enter(step: Step, at: number): Advanced {
    this.run = { ...this.run, step: step.name, reachedAt: at, askAt: null };
    const { variables } = this.run;
    if (step.do === 'wait' && step.for === 'yes') {
      const until = instantOf(step.until, variables, at);
      return this.pause({ kind: 'answer', until });
    }
    const dueAt = instantOf(startOf(step), variables, at);
    return dueAt > at ? this.pause({ kind: 'due', at: dueAt }) : this.begin(step, at);
  }

  begin(step: Step, at: number): Advanced {
    const { run } = this;
    switch (step.do) {
      case 'wait':
        return this.leave(step, at, { to: step.next, outcome: 'waited' });
      case 'end':
        return this.leave(step, at, { to: END, outcome: 'reached', end: step.result ?? 'done' });
      case 'branch': {
        const value = valueOf(run, step.on);
        const to = Object.hasOwn(step.cases, value) ? step.cases[value] : undefined;
        // The value itself may be a person's; the ledger is told only where it led.
        return this.leave(step, at, { to: to ?? step.else, outcome: to ? 'case' : 'else' });
      }
      case 'ask':
      case 'call': {
        const latest = latestOf(run, step);
        if (latest !== null && at > latest) return this.refuse(step, at, 'too_late');
        return this.act(effectOf(run, step, at, latest));
      }
      default:
        return this.act(effectOf(run, step, at, null));
    }
  }

  refuse(step: Step, at: number, code: string, more = {}): Advanced {
    this.run = { ...this.run, outcome: 'refused', reason: code };
    const onRefused = 'onRefused' in step ? step.onRefused : undefined;
    const usual = step.do === 'message' ? (onRefused ?? step.next) : (onRefused ?? END);
    const isMissing = step.do === 'call' && NO_PERMISSION.has(code);
    const missing = isMissing ? step.onNoPermission : undefined;
    const way = { to: missing ?? usual, outcome: 'refused', end: 'refused' };
    return this.leave(step, at, way, { ...more, reason: code });
  }

  /** Stays at its question until the hour of the arm; the ledger tells why nothing happens yet. */
  waitForHour(step: Of<'ask'>, input: Extract<RunInput, { type: 'waits' }>): Advanced {
    const { at, until } = input;
    const waits = { step: step.name, do: step.do, at, outcome: 'waits_for_hour', next: step.name };
    this.taken.push({ ...waits, ...armOf(input) });
    const trail = [...this.run.trail, waits].slice(-TRAIL_KEPT);
    this.run = { ...this.run, trail };
    return this.pause({ kind: 'due', at: until }, { askAt: until });
  }

  pause(phase: Run['phase'], more: Partial<Run> = {}): Advanced {
    return { run: { ...this.run, ...more, phase }, effect: null, taken: this.taken };
  }

  act(effect: RunEffect): Advanced {
    return { run: { ...this.run, phase: { kind: 'doing' } }, effect, taken: this.taken };
  }
}

function startOf(step: Step): Moment | undefined {
  if (step.do === 'wait') return step.until;
  return step.do === 'ask' || step.do === 'call' ? step.at : undefined;
}

function latestOf(run: Run, step: Of<'ask'> | Of<'call'>): number | null {
  const { notAfter } = step;
  return notAfter === undefined ? null : instantOf(notAfter, run.variables, run.reachedAt);
}

function valueOf(run: Run, name: string): string {
  if (name === 'outcome' || name === 'reason' || name === 'result') return run[name] ?? '';
  return run.variables[name] ?? '';
}

function answered(walk: Walk, step: Of<'wait'>, until: number, input: RunInput): Advanced {
  const without = step.else ?? END;
  if (input.type === 'time') {
    if (input.at < until) return unchanged(walk.run);
    return walk.leave(step, input.at, { to: without, outcome: 'no_answer', end: 'no_answer' });
  }
  if (input.type !== 'answered') return unchanged(walk.run);
  const { at, answer } = input;
  if (answer === 'yes') return walk.leave(step, at, { to: step.next, outcome: 'yes' });
  if (answer === 'none') {
    return walk.leave(step, at, { to: without, outcome: 'no_answer', end: 'no_answer' });
  }
  return walk.leave(step, at, { to: step.onNo ?? without, outcome: 'no', end: 'declined' });
}

/** The arm that was drawn for a step, for the ledger. */
function armOf({ attribution }: InArm): { experimentId?: string; arm?: string } {
  const { experimentId, arm } = attribution ?? {};
  return experimentId === undefined || arm === undefined ? {} : { experimentId, arm };
}

function callOver(
  walk: Walk,
  step: Of<'call'>,
  input: Extract<RunInput, { type: 'callEnded' }>,
): Advanced {
  const { at, outcome, reason, result, afterYesMs } = input;
  const { callId } = walk.run;
  const of = callId === null ? {} : { callId };
  if (outcome === 'blocked') {
    // No phone rang, and the yes is still there. What the gate was asked a night ago it is asked
    // again now: for another minute, or for the reason why there is none.
    const latest = input.wasPlanned ? latestOf(walk.run, step) : null;
    if (latest !== null && at < latest) return walk.pause({ kind: 'due', at });
    return walk.refuse(step, at, reason, of);
  }
  walk.run = { ...walk.run, outcome, reason, result };
  const withinMs = step.within === undefined ? null : durationMs(step.within);
  const promise =
    withinMs === null || afterYesMs === null
      ? {}
      : { withinMs, afterYesMs, promiseKept: afterYesMs <= withinMs };
  const more = { ...of, reason, ...promise };
  return walk.leave(step, at, { to: step.next, outcome }, more);
}

function done(walk: Walk, step: Step, input: RunInput): Advanced {
  const { run } = walk;
  switch (input.type) {
    case 'asked': {
      if (step.do !== 'ask') return unchanged(run);
      const meant = filledText(step.purpose, run.variables);
      const { at, requestId, purpose = meant, attribution = run.attribution } = input;
      walk.run = { ...run, requestId, purpose, meant, attribution };
      const outcome = requestId === null ? 'yes_already' : 'asked';
      const more = requestId === null ? {} : { requestId };
      return walk.leave(step, at, { to: step.next, outcome }, { ...more, ...armOf(input) });
    }
    case 'waits':
      if (step.do !== 'ask') return unchanged(run);
      return walk.waitForHour(step, input);
    case 'called': {
      if (step.do !== 'call') return unchanged(run);
      const { callId, attribution = run.attribution } = input;
      walk.run = { ...run, attribution, callId, outcome: null, reason: null, result: null };
      return walk.pause({ kind: 'call', callId });
    }
    case 'told':
      if (step.do !== 'message' && step.do !== 'survey') return unchanged(run);
      return walk.leave(step, input.at, { to: step.next, outcome: 'sent' });
    case 'dealt': {
      if (step.do !== 'split') return unchanged(run);
      const { at, arm, experimentId, counted } = input;
      const to = arm !== null && Object.hasOwn(step.arms, arm) ? step.arms[arm] : undefined;
      if (arm === null || to === undefined) {
        return walk.leave(step, at, { to: step.else, outcome: 'no_arm' });
      }
      if (!counted) return walk.leave(step, at, { to, outcome: 'not_counted' });
      walk.run = { ...run, attribution: { ...run.attribution, experimentId, arm } };
      return walk.leave(step, at, { to, outcome: 'dealt' }, { experimentId, arm });
    }
    case 'refused': {
      const { at, code, laterAt } = input;
      if (laterAt !== null && (step.do === 'ask' || step.do === 'call')) {
        // Whoever waited for an hour is put off from then on, and goes at the gate's time instead.
        const since = run.askAt ?? run.reachedAt;
        const latest = latestOf(run, step) ?? since + JOURNEY_LIMITS.putOffMs;
        const askAt = typeof run.askAt === 'number' ? laterAt : null;
        if (laterAt <= latest) return walk.pause({ kind: 'due', at: laterAt }, { askAt });
      }
      if (step.do === 'survey') {
        return walk.leave(step, at, { to: step.next, outcome: 'refused' }, { reason: code });
      }
      return walk.refuse(step, at, code);
    }
    default:
      return unchanged(run);
  }
}
