/**
 * Who gets which arm, as pure functions over plain data: the same person always the same arm,
 * told apart by keyed hashes, so nothing has to be stored before anybody is asked. Experiments of
 * one layer never share a person; experiments of different layers do, independently.
 */
import { createHmac } from 'node:crypto';
import type { ContactId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';

/** What an arm changes; what it does not name stays as the request, call or journey has it. */
export type ArmOverrides = {
  template?: string;
  language?: string;
  /** The wording of the purpose, as the customer reads it. */
  purpose?: string;
  scriptId?: string;
  /** The customer's hour at which to ask, 0 to 23; requests and journeys wait for it in rows. */
  askAtHour?: number;
  /** Minutes to wait between the yes and the call. */
  gapMinutes?: number;
};

export type Arm = {
  name: string;
  /** Share among the arms, in whole parts: 1 and 1 is half and half. */
  weight: number;
  overrides: ArmOverrides;
};

export const EXPERIMENT_STATES = ['draft', 'running', 'stopped', 'decided'] as const;
export type ExperimentState = (typeof EXPERIMENT_STATES)[number];

/** A half-open stretch [from, to) of a layer's slots. */
export type Slots = readonly [from: number, to: number];

/** How finely a layer can be divided among its experiments: hundredths of a percent. */
export const LAYER_SLOTS = 10_000;

/** All that decides who gets what. Fixed at the start, except the stopped arms and the winner. */
export type Assigning = {
  state: ExperimentState;
  /** Secret of this experiment: people divide differently in the next one. */
  key: Uint8Array;
  /** Secret of its layer, shared by the experiments that exclude each other. */
  layerKey: Uint8Array;
  /** Which part of the layer is this experiment's; disjoint from those that run beside it. */
  slots: readonly Slots[];
  /** The first is the control. */
  arms: readonly Arm[];
  /** Arms that the guard has stopped: their people get the control from then on. */
  stoppedArms: readonly string[];
  /** The arm that everybody gets once the experiment is decided. */
  winner: string | null;
};

export type Assignment = {
  arm: string;
  overrides: ArmOverrides;
  /**
   * Whether this person takes part: false before the start and after the end, outside the
   * experiment's share, and for people of a stopped arm. Only then do requests and calls carry
   * the experiment and arm in their attribution.
   */
  counted: boolean;
};

/** The arm of a person. It never changes while the experiment runs, unless the arm is stopped. */
export function armOf(experiment: Assigning, contactId: ContactId): Assignment {
  const { state, winner } = experiment;
  const control = controlOf(experiment);
  const uncounted = ({ name, overrides }: Arm): Assignment => {
    return { arm: name, overrides, counted: false };
  };
  if (state === 'decided') return uncounted(armNamed(experiment, winner) ?? control);
  if (state !== 'running' || !takesPart(experiment, contactId)) return uncounted(control);
  const drawn = drawArm(experiment, contactId);
  // Counted with the control, they would make it look like the arm they have seen before.
  if (experiment.stoppedArms.includes(drawn.name)) return uncounted(control);
  return { arm: drawn.name, overrides: drawn.overrides, counted: true };
}

/** The first arm, which all others are measured against. */
export function controlOf({ arms }: Pick<Assigning, 'arms'>): Arm {
  const [control] = arms;
  invariant(control !== undefined, 'an experiment has arms');
  return control;
}

/** The free slots of a layer that a new experiment takes, or null where too few are left. */
export function takeSlots(taken: readonly Slots[], wanted: number): Slots[] | null {
  const slots: Slots[] = [];
  let missing = wanted;
  let at = 0;
  const end: Slots = [LAYER_SLOTS, LAYER_SLOTS];
  for (const [from, to] of [...taken.toSorted((one, other) => one[0] - other[0]), end]) {
    const free = Math.min(from - at, missing);
    if (free > 0) {
      slots.push([at, at + free]);
      missing -= free;
    }
    at = Math.max(at, to);
  }
  return missing > 0 ? null : slots;
}

/** How many slots of a layer nobody has. */
export function freeSlots(taken: readonly Slots[]): number {
  return taken.reduce((free, [from, to]) => free - (to - from), LAYER_SLOTS);
}

function takesPart({ layerKey, slots }: Assigning, contactId: ContactId): boolean {
  const slot = Math.floor(fraction(layerKey, contactId) * LAYER_SLOTS);
  return slots.some(([from, to]) => from <= slot && slot < to);
}

function drawArm(experiment: Assigning, contactId: ContactId): Arm {
  const { arms, key } = experiment;
  const total = arms.reduce((sum, { weight }) => sum + weight, 0);
  let left = fraction(key, contactId) * total;
  for (const arm of arms) {
    left -= arm.weight;
    if (left < 0) return arm;
  }
  return controlOf(experiment);
}

function armNamed({ arms }: Assigning, name: string | null): Arm | undefined {
  return arms.find((arm) => arm.name === name);
}

/** A number from 0 up to 1 that only who has the key can foresee: 48 bits of an HMAC-SHA-256. */
function fraction(key: Uint8Array, contactId: ContactId): number {
  return createHmac('sha256', key).update(contactId).digest().readUIntBE(0, 6) / 2 ** 48;
}
