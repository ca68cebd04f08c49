import { recordInRegister, type RegisterEntry } from '../do-not-call/register-commands.ts';
import type { Tx } from '../database/database.ts';
import type { LedgerPorts } from '../ledger/contact-unit.ts';
import type { AccountId } from '../platform/ids.ts';
import type { Random } from '../platform/random.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { controlOf, freeSlots, LAYER_SLOTS, takeSlots, type Arm } from './assignment.ts';
import { moveOf, type Experiment, type ExperimentPlan } from './experiment.ts';
import { lockExperiment, lockLayer, saveExperiment, takenSlots } from './experiment-store.ts';

export type ExperimentPorts = LedgerPorts & { random: Random };

const KEY_BYTES = 32;

export type CreateExperiment = {
  accountId: AccountId;
  name: string;
  layer: string;
  arms: readonly Arm[];
  plan: ExperimentPlan;
};

/** Makes a draft; nobody is in it before it is started. */
export async function createExperiment(
  tx: Tx,
  ports: ExperimentPorts,
  wish: CreateExperiment,
): Promise<Experiment> {
  const { ids, clock, random } = ports;
  const layerKey = await lockLayer(tx, wish.accountId, wish.layer, random.bytes(KEY_BYTES));
  const experiment: Experiment = {
    ...wish,
    id: ids.next('experiment'),
    state: 'draft',
    key: random.bytes(KEY_BYTES),
    layerKey,
    slots: [],
    stops: [],
    stoppedArms: [],
    winner: null,
    createdAt: clock.now(),
    startedAt: null,
    endedAt: null,
    sampleRatioAlarmAt: null,
    resultAt: null,
  };
  await saveExperiment(tx, experiment, null);
  return experiment;
}

/** Lets people in from now on. Refused where others have too much of its layer. */
export async function startExperiment(
  tx: Tx,
  ports: ExperimentPorts,
  before: Experiment,
  actor: string,
): Promise<Experiment | Refused> {
  const { accountId, layer, plan } = before;
  const state = moveOf(before.state, 'start');
  if (isRefused(state)) return state;
  await lockLayer(tx, accountId, layer, before.layerKey);
  const taken = await takenSlots(tx, before);
  const wanted = Math.round(plan.share * LAYER_SLOTS);
  const slots = takeSlots(taken, wanted);
  if (slots === null) return layerFull(before, freeSlots(taken) / LAYER_SLOTS);
  const now = ports.clock.now();
  const after: Experiment = { ...before, state, slots, startedAt: now };
  await saveExperiment(tx, after, now);
  await record(tx, ports, after, { type: 'ExperimentStarted', actor });
  return after;
}

/** Lets nobody in any more; everybody gets the control. What is known stays known. */
export async function stopExperiment(
  tx: Tx,
  ports: ExperimentPorts,
  before: Experiment,
  actor: string,
): Promise<Experiment | Refused> {
  const state = moveOf(before.state, 'stop');
  if (isRefused(state)) return state;
  const now = ports.clock.now();
  const after: Experiment = { ...before, state, endedAt: now };
  await saveExperiment(tx, after, now);
  await record(tx, ports, after, { type: 'ExperimentStopped', actor });
  return after;
}

/** Adopts an arm: from now on everybody gets it, wherever the experiment is named. */
export async function decideExperiment(
  tx: Tx,
  ports: ExperimentPorts,
  before: Experiment,
  { winner, actor }: { winner: string; actor: string },
): Promise<Experiment | Refused> {
  const state = moveOf(before.state, 'decide');
  if (isRefused(state)) return state;
  if (!before.arms.some(({ name }) => name === winner)) return unknownArm(before, winner);
  const endedAt = before.endedAt ?? ports.clock.now();
  const after: Experiment = { ...before, state, winner, endedAt };
  await saveExperiment(tx, after, null);
  await record(tx, ports, after, { type: 'ExperimentDecided', actor, data: { arm: winner } });
  return after;
}

/** Locks an experiment of the account and runs a command on it; null where there is none. */
export function onExperiment<T>(
  ports: ExperimentPorts,
  accountId: AccountId,
  id: string,
  work: (tx: Tx, experiment: Experiment) => Promise<T>,
): Promise<T | null> {
  return ports.database.transaction(async (tx) => {
    const experiment = await lockExperiment(tx, accountId, id);
    return experiment === null ? null : work(tx, experiment);
  });
}

/** Tells the register of the account, and the business where an event is named. */
export async function record(
  tx: Tx,
  ports: ExperimentPorts,
  experiment: Experiment,
  entry: {
    type: RegisterEntry['type'];
    actor: string;
    data?: Record<string, unknown>;
    event?: 'experiment.sample_ratio_alarm' | 'experiment.arm_stopped' | 'experiment.result';
  },
): Promise<void> {
  const { type, actor, event } = entry;
  const data = { experimentId: experiment.id, ...entry.data };
  const told = { ...data, name: experiment.name };
  await recordInRegister(tx, ports, experiment.accountId, {
    type,
    actor,
    data,
    personal: { name: experiment.name },
    ...(event === undefined
      ? {}
      : { announce: { type: event, callId: null, sequence: 0, data: told } }),
  });
}

function layerFull({ layer, plan }: Experiment, free: number): Refused {
  return {
    refused: {
      code: 'experiment_layer_full',
      message: `Only ${Math.round(free * 100)} % of the people of layer "${layer}" are free.`,
      fix: 'Stop an experiment of that layer, take a smaller share, or use a layer of its own.',
      evidence: { layer, free, wanted: plan.share },
    },
  };
}

function unknownArm({ arms }: Experiment, arm: string): Refused {
  const names = arms.map(({ name }) => name);
  return {
    refused: {
      code: 'experiment_arm_unknown',
      message: `This experiment has no arm "${arm}".`,
      fix: `Name one of its arms: ${names.join(', ')}. The control is ${controlOf({ arms }).name}.`,
      evidence: { arms: names },
    },
  };
}
