import type { Tx } from '../database/database.ts';
import { judgedPlan, type Experiment } from './experiment.ts';
import { onExperiment, record, type ExperimentPorts } from './experiment-commands.ts';
import { saveExperiment } from './experiment-store.ts';
import { addLook, countArms, followExposures, looksOf } from './exposure-store.ts';
import { judge, type Judgement, type Look } from './judgement.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** So much of the planned people is news enough not to wait for the next day. */
const NEWS_SHARE = 0.05;
/** Looks are few, so that the bounds stay close to those of one look. */
const LOOKS_MAX = 400;

/**
 * Looks at an experiment if it is time: once a day, or when a twentieth of the planned people is
 * new. Only what is written as a look is tested, so reading the result as often as one likes
 * changes nothing. Stops arms that drive people away, and tells what is new, each thing once.
 */
export async function lookAt(
  ports: ExperimentPorts,
  { id, accountId }: Pick<Experiment, 'id' | 'accountId'>,
): Promise<void> {
  await onExperiment(ports, accountId, id, async (tx, experiment) => {
    const now = ports.clock.now();
    const looks = await looksOf(tx, id);
    const known = await countArms(tx, id, experiment.plan.metric);
    if (!isTime(experiment, looks, known, now)) {
      if (isOver(experiment, now)) await saveExperiment(tx, experiment, null);
      return;
    }
    const { windowHours, metric } = experiment.plan;
    await followExposures(tx, id, { now, windowHours });
    const look = { at: now, arms: await countArms(tx, id, metric) };
    await addLook(tx, id, look);
    const judgement = judge(judgedPlan(experiment), [...looks, look]);
    await act(tx, ports, experiment, judgement);
  });
}

function isTime(
  { plan, state, endedAt }: Experiment,
  looks: readonly Look[],
  arms: Look['arms'],
  now: number,
): boolean {
  const last = looks.at(-1);
  const exposed = totalOf(arms);
  if (exposed === 0 || looks.length >= LOOKS_MAX) return false;
  if (last === undefined) return true;
  // The last people of a stopped experiment are counted when their time is over.
  const overAt = (endedAt ?? now) + plan.windowHours * HOUR_MS;
  if (state === 'stopped' && last.at >= overAt) return false;
  if (state === 'stopped' && now >= overAt) return true;
  const news = exposed - totalOf(last.arms);
  return now - last.at >= DAY_MS || news >= NEWS_SHARE * plan.plannedPeople;
}

async function act(
  tx: Tx,
  ports: ExperimentPorts,
  before: Experiment,
  { harmful, sampleRatio, results }: Judgement,
): Promise<void> {
  const now = ports.clock.now();
  const actor = 'platform';
  let after = before;
  for (const arm of before.state === 'running' ? harmful : []) {
    if (after.stoppedArms.includes(arm)) continue;
    const stops = [...after.stops, { arm, at: now }];
    after = { ...after, stops, stoppedArms: [...after.stoppedArms, arm] };
    const data = { arm, reason: 'opt_outs' };
    const event = 'experiment.arm_stopped' as const;
    await record(tx, ports, after, { type: 'ExperimentArmStopped', actor, data, event });
  }
  if (sampleRatio?.alarm === true && after.sampleRatioAlarmAt === null) {
    after = { ...after, sampleRatioAlarmAt: now };
    const { chiSquare, p } = sampleRatio;
    const data = { chiSquare, p };
    const event = 'experiment.sample_ratio_alarm' as const;
    await record(tx, ports, after, { type: 'ExperimentSampleRatioAlarm', actor, data, event });
  }
  if (results.every(({ verdict }) => verdict !== 'too_early') && after.resultAt === null) {
    after = { ...after, resultAt: now };
    const verdicts = results.map(({ arm, verdict, interval }) => ({ arm, verdict, interval }));
    const event = 'experiment.result' as const;
    await record(tx, ports, after, {
      type: 'ExperimentResult',
      actor,
      data: { verdicts },
      event,
    });
  }
  await saveExperiment(tx, after, isOver(after, now) ? null : now + LOOK_EVERY_MS);
}

/** How often it is asked whether it is time; the counting itself is done only when it is. */
export const LOOK_EVERY_MS = 600_000;

function isOver({ state, endedAt, plan }: Experiment, now: number): boolean {
  if (state === 'running' || endedAt === null) return state === 'decided';
  return now >= endedAt + plan.windowHours * HOUR_MS;
}

function totalOf(arms: Look['arms']): number {
  return arms.reduce((sum, { exposed }) => sum + exposed, 0);
}
