import type { CallId, PermissionRequestId } from '../platform/ids.ts';
import { END, type Journey } from './journey.ts';
import type { RunEffect } from './run-effect.ts';
import { advance, wakesAt, type Done, type RunInput } from './run-rules.ts';
import type { Run } from './run.ts';

/** What a person is taken to do, one after the other; the last of each list goes on. */
export type DryRunWish = {
  variables: Readonly<Record<string, string>>;
  startAt: number;
  answers: ReadonlyArray<{ answer: 'yes' | 'no' | 'none'; afterMinutes: number }>;
  calls: ReadonlyArray<{ outcome: string; result: string | null; minutes: number }>;
  /** The arm of each experiment; of one that is not here there is none. */
  arms: Readonly<Record<string, string>>;
};

/** A step that would be taken, in the order of it: nobody is asked, nobody is called. */
export type DryRunLine = {
  at: number;
  step: string;
  do: string;
  outcome: string;
  next: string;
  /** What the person would read or hear of it, where there is something. */
  text: string | null;
};

const GRANT_MS = 24 * 60 * 60 * 1000;
const TURNS_MAX = 2_000;
const USUAL_ANSWER = { answer: 'yes', afterMinutes: 5 } as const;
const USUAL_CALL = { outcome: 'completed', result: null, minutes: 3 } as const;

/**
 * Plays a journey against the very decider that takes real runs on, with time that is only
 * counted. A yes lasts for 24 hours and one call; what else the gate may say is not played.
 */
export function dryRun(journey: Journey, wish: DryRunWish): { lines: DryRunLine[]; end: string } {
  const person = new Person(wish);
  const lines: DryRunLine[] = [];
  let run = beginning(journey, wish);
  let effect: RunEffect | null = null;
  let text: string | null = null;
  for (let turn = 0; turn < TURNS_MAX && run.phase.kind !== 'ended'; turn += 1) {
    const input: RunInput = effect === null ? person.does(run) : person.sees(effect);
    if (effect !== null) text = textOf(effect);
    const next = advance(journey, run, input);
    for (const [index, taken] of next.taken.entries()) {
      const { at, step, do: kind, outcome, next: to } = taken;
      lines.push({ at, step, do: kind, outcome, next: to, text: index === 0 ? text : null });
    }
    if (next.taken.length > 0) text = null;
    ({ run, effect } = next);
  }
  return { lines, end: run.end ?? 'too_many_steps' };
}

/** The person, as the wish has them, and the time. */
class Person {
  readonly wish: DryRunWish;
  now: number;
  answers = 0;
  calls = 0;
  grantedAt: number | null = null;
  dialedAt: number | null = null;

  constructor(wish: DryRunWish) {
    this.wish = wish;
    this.now = wish.startAt;
  }

  /** What happens next while the run waits. */
  does(run: Run): RunInput {
    const { phase } = run;
    if (phase.kind === 'answer') {
      const { answer, afterMinutes } = this.wish.answers[this.answers] ?? USUAL_ANSWER;
      const at = run.reachedAt + afterMinutes * 60_000;
      this.answers += 1;
      if (answer === 'none' || at >= phase.until) return this.passes(phase.until);
      this.now = Math.max(this.now, at);
      if (answer === 'yes') this.grantedAt = this.now;
      return { type: 'answered', at: this.now, answer };
    }
    if (phase.kind !== 'call') return this.passes(wakesAt(run) ?? this.now);
    const { outcome, result, minutes } = this.wish.calls[this.calls] ?? USUAL_CALL;
    this.calls += 1;
    const afterYesMs = this.dialedAt === null ? null : this.now - this.dialedAt;
    this.now += minutes * 60_000;
    const ended = { outcome, reason: outcome, result, wasPlanned: false, afterYesMs };
    return { type: 'callEnded', at: this.now, ...ended };
  }

  /** What comes of what the run does. */
  sees(effect: RunEffect): Done {
    const { now: at } = this;
    switch (effect.do) {
      case 'ask': {
        const has = this.grantedAt !== null && at < this.grantedAt + GRANT_MS;
        return { type: 'asked', at, requestId: has ? null : REQUEST };
      }
      case 'call': {
        const { grantedAt } = this;
        const code = grantedAt === null ? 'permission_missing' : 'permission_expired';
        if (grantedAt === null || at >= grantedAt + GRANT_MS) {
          return { type: 'refused', at, code, laterAt: null };
        }
        this.grantedAt = null;
        this.dialedAt = grantedAt;
        return { type: 'called', at, callId: CALL };
      }
      case 'deal': {
        const { experiment: experimentId } = effect.step;
        const arm = this.wish.arms[experimentId] ?? null;
        return { type: 'dealt', at, experimentId, arm, counted: arm !== null };
      }
      default:
        return { type: 'told', at };
    }
  }

  passes(to: number): RunInput {
    this.now = Math.max(this.now, to);
    return { type: 'time', at: this.now };
  }
}

const REQUEST = 'preq_00000000-0000-7000-8000-000000000000' as PermissionRequestId;
const CALL = 'call_00000000-0000-7000-8000-000000000000' as CallId;

function textOf(effect: RunEffect): string | null {
  if (effect.do === 'ask') return [effect.step.template, effect.purpose].join(': ');
  if (effect.do === 'message') return effect.text ?? effect.step.template ?? null;
  if (effect.do !== 'call') return null;
  return effect.step.script ?? effect.endpoint ?? effect.purpose;
}

function beginning(journey: Journey, { variables, startAt }: DryRunWish): Run {
  return {
    id: 'run_00000000-0000-7000-8000-000000000000' as Run['id'],
    accountId: 'acct_00000000-0000-7000-8000-000000000000' as Run['accountId'],
    contactId: 'cont_00000000-0000-7000-8000-000000000000' as Run['contactId'],
    lineId: 'line_00000000-0000-7000-8000-000000000000' as Run['lineId'],
    journeyId: 'jrn_00000000-0000-7000-8000-000000000000' as Run['journeyId'],
    version: 1,
    attribution: {},
    keyId: null,
    step: journey.first,
    phase: { kind: 'start', at: startAt },
    reachedAt: startAt,
    variables,
    requestId: null,
    callId: null,
    purpose: null,
    outcome: null,
    reason: null,
    result: null,
    visits: 0,
    trail: [],
    startedAt: startAt,
    endedAt: null,
    end: journey.first === END ? END : null,
  };
}
