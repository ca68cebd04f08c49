import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { ExperimentView, ResultView } from './experiment-schemas.ts';
import { judgedPlan, type Experiment } from './experiment.ts';
import { judge, type Look } from './judgement.ts';
import { inWords } from './plain-words.ts';

/** An experiment as it leaves the house; its keys never do. */
export function viewOf(experiment: Experiment): ExperimentView {
  const { id, name, state, layer, plan, stops, winner } = experiment;
  return {
    id,
    name,
    state,
    layer,
    arms: experiment.arms.map((arm) => ({
      ...arm,
      stoppedAt: isoTimeOrNull(stops.find((stop) => stop.arm === arm.name)?.at),
    })),
    ...plan,
    createdAt: isoTime(experiment.createdAt),
    startedAt: isoTimeOrNull(experiment.startedAt),
    endedAt: isoTimeOrNull(experiment.endedAt),
    winner,
  };
}

/** What its looks say so far. */
export function resultOf(experiment: Experiment, looks: readonly Look[]): ResultView {
  const judged = judge(judgedPlan(experiment), looks);
  const last = looks.at(-1);
  const { sampleRatio } = judged;
  return {
    words: inWords(experiment, looks, judged),
    fraction: judged.fraction,
    lookedAt: isoTimeOrNull(last?.at),
    looks: looks.length,
    arms: experiment.arms.map(({ name }, index) => {
      const count = last?.arms.find(({ arm }) => arm === name);
      const { exposed = 0, counted = 0, hits = 0, optedOut = 0 } = count ?? {};
      const seen = { arm: name, exposed, counted, hits, optedOut };
      const rate = counted === 0 ? null : hits / counted;
      const found = judged.results.find(({ arm }) => arm === name);
      const none = { difference: null, low: null, high: null, decidedAt: null };
      if (index === 0 || found === undefined) return { ...seen, rate, verdict: 'control', ...none };
      const { verdict, difference, decidedAt } = found;
      const [low, high] = found.interval;
      if (counted === 0) return { ...seen, rate, verdict, ...none };
      return { ...seen, rate, verdict, difference, low, high, decidedAt: isoTimeOrNull(decidedAt) };
    }),
    sampleRatio:
      sampleRatio === null
        ? null
        : { ...sampleRatio, alarmAt: isoTimeOrNull(experiment.sampleRatioAlarmAt) },
  };
}
