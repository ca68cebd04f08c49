import { METRICS, type Experiment } from './experiment.ts';
import { controlOf } from './assignment.ts';
import type { ArmResult, Judgement, Look } from './judgement.ts';

/** A result as a person says it: never a p-value, always the interval. */
export function inWords(experiment: Experiment, looks: readonly Look[], judged: Judgement): string {
  const { plan, state, winner } = experiment;
  if (state === 'draft') return 'Not started: nobody is in it yet.';
  const said: string[] = [];
  if (state === 'decided') said.push(`Decided: everybody gets ${winner ?? ''} now.`);
  if (experiment.sampleRatioAlarmAt !== null) {
    said.push(
      'Do not trust the comparison: the arms do not have the sizes they were drawn with, so ' +
        'something keeps people of one arm away. Find that first.',
    );
  }
  for (const { arm } of experiment.stops) {
    said.push(`${arm} was stopped: its people opt out more. They get the control from then on.`);
  }
  const last = looks.at(-1);
  const counted = last?.arms.reduce((sum, arm) => sum + arm.counted, 0) ?? 0;
  if (counted === 0) {
    const wait = `People count ${plan.windowHours} hours after their first request or call.`;
    return [...said, `Too early: nobody is counted yet. ${wait}`].join(' ');
  }
  for (const result of judged.results) said.push(pairInWords(experiment, result, counted));
  return said.join(' ');
}

function pairInWords(experiment: Experiment, result: ArmResult, counted: number): string {
  const { arm, verdict, interval } = result;
  const control = controlOf(experiment).name;
  const metric = METRICS[experiment.plan.metric];
  // Where less is better, "better by" is the control's share minus the arm's.
  const sign = metric.better === 'more' ? 1 : -1;
  const [low, high] = [sign * interval[0], sign * interval[1]].toSorted((one, two) => one - two);
  const from = low ?? 0;
  const to = high ?? 0;
  switch (verdict) {
    case 'better':
      return `${arm} is better than ${control} by ${range(from, to)} points (${metric.title}).`;
    case 'worse':
      return `${arm} is worse than ${control} by ${range(-to, -from)} points (${metric.title}).`;
    case 'no_difference':
      return (
        `No difference found between ${arm} and ${control}: ${arm} is between ` +
        `${betterOrWorse(from)} and ${betterOrWorse(to)} (${metric.title}).`
      );
    case 'too_early':
      return (
        `Too early for ${arm}: ${counted} of ${experiment.plan.plannedPeople} people are ` +
        `counted. So far it is between ${betterOrWorse(from)} and ${betterOrWorse(to)}.`
      );
  }
}

function betterOrWorse(difference: number): string {
  return `${points(Math.abs(difference))} points ${difference < 0 ? 'worse' : 'better'}`;
}

function range(low: number, high: number): string {
  return `${points(low)} to ${points(high)}`;
}

/** Hundredths of the whole, with one digit after the point where it says something. */
function points(share: number): string {
  return (Math.round(share * 1_000) / 10).toString();
}
