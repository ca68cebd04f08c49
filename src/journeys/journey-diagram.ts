import { durationMs, END, waysOut, type Journey, type Moment, type Step } from './journey.ts';

/** A step as the page draws it: what it does, in words, and every way out of it. */
export type DrawnStep = {
  name: string;
  do: string;
  about: string;
  ways: Array<{ by: string; to: string }>;
};

export function drawnSteps(journey: Journey): DrawnStep[] {
  return [...journey.steps.values()].map((step) => ({
    name: step.name,
    do: step.do,
    about: aboutOf(step),
    ways: waysOut(step),
  }));
}

/** A journey as Mermaid text, which GitHub and the page draw. */
export function journeyDiagram(journey: Journey): string {
  const names = [...journey.steps.keys()];
  // Names of steps may be words of Mermaid, such as "end", so the drawing has names of its own.
  const idOf = (name: string): string => (name === END ? 'over' : `s${names.indexOf(name)}`);
  const boxes = [...journey.steps.values()].map((step) => `  ${idOf(step.name)}${boxOf(step)}`);
  const ways = [...journey.steps.values()].flatMap((step) => arrowsOf(step, idOf));
  const ends = ways.some((way) => way.endsWith(' over')) ? ['  over(["end"])'] : [];
  return [
    'flowchart TD',
    `  start(["start"]) --> ${idOf(journey.first)}`,
    ...boxes,
    ...ends,
    ...ways,
    '',
  ].join('\n');
}

function boxOf(step: Step): string {
  const text = `"${quoted(step.name)}<br/><i>${quoted(aboutOf(step))}</i>"`;
  if (step.do === 'branch' || step.do === 'split') return `{${text}}`;
  return step.do === 'end' ? `([${text}])` : `[${text}]`;
}

function quoted(text: string): string {
  return text.replaceAll('&', '#amp;').replaceAll('"', '#quot;').replaceAll('<', '#lt;');
}

/** What a step does, in a few words. */
function aboutOf(step: Step): string {
  switch (step.do) {
    case 'ask':
      return `ask ${momentText(step.at)}: ${step.template}`;
    case 'wait':
      return step.for === 'yes'
        ? `wait for the yes, until ${momentText(step.until)}`
        : `wait until ${momentText(step.until)}`;
    case 'call':
      return `call ${momentText(step.at)}${step.script === undefined ? '' : `: ${step.script}`}`;
    case 'branch':
      return `by ${step.on}`;
    case 'message':
      return `message${step.template === undefined ? '' : `: ${step.template}`}`;
    case 'survey':
      return 'ask how it was';
    case 'split':
      return 'by arm of an experiment';
    case 'end':
      return step.result ?? 'done';
  }
}

function momentText(moment: Moment | undefined): string {
  if (moment === undefined || moment === 'now') return 'now';
  if ('after' in moment) return `after ${moment.after}`;
  const { relativeTo, offset } = moment;
  if (durationMs(offset) === 0) return `at ${relativeTo}`;
  const side = offset.startsWith('-') ? 'before' : 'after';
  return `${offset.replace(/^[+-]/, '')} ${side} ${relativeTo}`;
}

/** Ways of one step to the same place are one arrow; what is not said leads nowhere new. */
function arrowsOf(step: Step, idOf: (name: string) => string): string[] {
  const byTarget = Map.groupBy(waysOut(step), ({ to }) => to);
  return [...byTarget].map(([to, ways]) => {
    const labels = ways.map(({ by }) => by).filter((by) => by !== 'next' || byTarget.size > 1);
    const label = labels.length === 0 ? '' : `|"${quoted(labels.join(', '))}"|`;
    return `  ${idOf(step.name)} -->${label} ${idOf(to)}`;
  });
}
