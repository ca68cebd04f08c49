import type { ArmOverrides, ExperimentBody } from '../api/experiment-hooks.ts';

/** An experiment as it is being written: what is typed is text until it is sent. */
export type ArmDraft = {
  name: string;
  weight: string;
  template: string;
  purpose: string;
  scriptId: string;
  askAtHour: string;
  gapMinutes: string;
};

export type PlanDraft = {
  name: string;
  layer: string;
  metric: ExperimentBody['metric'];
  /** Percent and points, as people say them. */
  baseline: string;
  smallestEffect: string;
  power: '80' | '90';
  share: string;
  windowHours: string;
  /** How many people are asked a day; only for the words about how long it takes. */
  peoplePerDay: string;
  arms: ArmDraft[];
};

export const METRIC_WORDS: ReadonlyArray<readonly [ExperimentBody['metric'], string]> = [
  ['granted', 'said yes to calls'],
  ['answered', 'answered the call'],
  ['completed', 'had a completed call'],
  ['satisfied', 'gave 4 or 5 of 5'],
  ['opted_out', 'said stop (less is better)'],
];

const NO_CHANGE = {
  weight: '1',
  template: '',
  purpose: '',
  scriptId: '',
  askAtHour: '',
  gapMinutes: '',
};

export const ARMS_MAX = 6;

/** An arm with the next free letter. */
export function nextArm(arms: readonly ArmDraft[]): ArmDraft {
  const taken = new Set(arms.map(({ name }) => name));
  const name = ['A', 'B', 'C', 'D', 'E', 'F'].find((letter) => !taken.has(letter)) ?? 'G';
  return { name, ...NO_CHANGE };
}

export function firstDraft(): PlanDraft {
  const control = nextArm([]);
  return {
    name: '',
    layer: 'default',
    metric: 'granted',
    baseline: '60',
    smallestEffect: '5',
    power: '80',
    share: '100',
    windowHours: '48',
    peoplePerDay: '200',
    arms: [control, nextArm([control])],
  };
}

export function bodyOf(draft: PlanDraft): ExperimentBody {
  return {
    name: draft.name.trim(),
    layer: draft.layer.trim(),
    share: hundredth(draft.share),
    metric: draft.metric,
    baseline: hundredth(draft.baseline),
    smallestEffect: hundredth(draft.smallestEffect),
    power: hundredth(draft.power),
    windowHours: Number(draft.windowHours),
    arms: draft.arms.map((arm) => ({
      name: arm.name.trim(),
      weight: Number(arm.weight),
      overrides: overridesOf(arm),
    })),
  };
}

/** Only what the arm changes; a field that is left empty changes nothing. */
function overridesOf(arm: ArmDraft): ArmOverrides {
  const texts = { template: arm.template, purpose: arm.purpose, scriptId: arm.scriptId };
  const numbers = { askAtHour: arm.askAtHour, gapMinutes: arm.gapMinutes };
  const given = [
    ...Object.entries(texts).map(([field, text]) => [field, text.trim()] as const),
    ...Object.entries(numbers).map(
      ([field, text]) => [field, text.trim() === '' ? '' : Number(text)] as const,
    ),
  ];
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

/** Percent as typed, as a fraction without the tail of binary numbers. */
function hundredth(percent: string): number {
  return Math.round(Number(percent) * 1_000) / 100_000;
}

/**
 * What a plan takes, in words. The smallest arm has to be large enough, so unequal weights and a
 * part of the people only make it longer.
 */
export function sizeWords(draft: PlanDraft, peoplePerArm: number): string {
  const weights = draft.arms.map(({ weight }) => Number(weight) || 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const people = Math.ceil((peoplePerArm * total) / Math.min(...weights));
  const need = `You need ${peoplePerArm} people per arm, ${people} in all.`;
  const perDay = Number(draft.peoplePerDay) * (Number(draft.share) / 100);
  if (!(perDay > 0)) return need;
  const days = Math.ceil(people / perDay + Number(draft.windowHours) / 24);
  const length = days === 1 ? '1 day' : `${days} days`;
  return `${need} At ${draft.peoplePerDay} a day that is about ${length}.`;
}
