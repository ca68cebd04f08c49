/**
 * An experiment: two or more ways to ask and call, each for a part of the people, compared by
 * what came of it. Its arms are fixed at the start; who is in which never changes. It promises
 * that a result means what it says however often somebody looks, and that an arm which drives
 * people away is stopped without anybody looking at all.
 */
import type { AccountId, Id } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import type { Arm, Assigning, ExperimentState } from './assignment.ts';
import type { JudgedPlan } from './judgement.ts';

export type ExperimentId = Id<'experiment'>;

/** What is measured: the share of all people of an arm with whom this happened in time. */
export const METRICS = {
  granted: { title: 'said yes', better: 'more' },
  answered: { title: 'answered the call', better: 'more' },
  completed: { title: 'had a completed call', better: 'more' },
  satisfied: { title: 'gave 4 or 5 of 5', better: 'more' },
  opted_out: { title: 'opted out', better: 'less' },
} as const;

export type ExperimentMetric = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as [ExperimentMetric, ...ExperimentMetric[]];

export type ExperimentPlan = {
  metric: ExperimentMetric;
  /** The share that the control is expected to reach, 0 to 1. */
  baseline: number;
  /** The smallest difference worth finding, as an absolute fraction. */
  smallestEffect: number;
  power: number;
  /** People in all arms together; at so many the result is final. */
  plannedPeople: number;
  /** How long after the first request or call an outcome still counts. */
  windowHours: number;
  /** Which part of all people of the layer takes part, 0 to 1. */
  share: number;
};

export type Experiment = Assigning & {
  id: ExperimentId;
  accountId: AccountId;
  name: string;
  layer: string;
  arms: readonly Arm[];
  plan: ExperimentPlan;
  /** Since when the guard has stopped an arm. */
  stops: readonly { arm: string; at: number }[];
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
  sampleRatioAlarmAt: number | null;
  resultAt: number | null;
};

export type ExperimentCommand = 'start' | 'stop' | 'decide';

/** What may be done with an experiment, and what it is then. Nothing leads back. */
export const EXPERIMENT_MOVES = {
  draft: { start: 'running' },
  running: { stop: 'stopped', decide: 'decided' },
  stopped: { decide: 'decided' },
  decided: {},
} as const satisfies Record<ExperimentState, Partial<Record<ExperimentCommand, ExperimentState>>>;

/** The state after a command, or why it cannot be. */
export function moveOf(
  state: ExperimentState,
  command: ExperimentCommand,
): ExperimentState | Refused {
  const moves: Partial<Record<ExperimentCommand, ExperimentState>> = EXPERIMENT_MOVES[state];
  const next = moves[command];
  if (next !== undefined) return next;
  return {
    refused: {
      code: 'experiment_state',
      message: `An experiment that is ${state} cannot ${command}.`,
      fix:
        state === 'decided' || command === 'start'
          ? 'Make a new experiment: POST /v1/experiments.'
          : 'Start it first: POST /v1/experiments/{id}/start.',
      evidence: { state, command },
    },
  };
}

/** What the tests need to know of an experiment. */
export function judgedPlan({ arms, plan, stops }: Experiment): JudgedPlan {
  return {
    arms: arms.map(({ name, weight }) => ({ name, weight })),
    plannedPeople: plan.plannedPeople,
    better: METRICS[plan.metric].better,
    stopped: stops,
  };
}
