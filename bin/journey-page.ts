import { z } from 'zod';
import { compiled, checkJourney } from '../src/journeys/journey-check.ts';
import { journeyDiagram } from '../src/journeys/journey-diagram.ts';
import {
  BUILTIN_VARIABLES,
  CALL_VARIABLES,
  JOURNEY_LIMITS,
  journeySchema,
  stepSchema,
} from '../src/journeys/journey.ts';
import { READY_JOURNEYS } from '../src/journeys/ready-journeys.ts';

/** The page about the language of journeys, made from the schema that reads them. */
type Field = {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Field[];
};
type Shape = { properties?: Record<string, Field>; required?: string[] };

/** What a step is for, in a sentence. */
const ABOUT: Readonly<Record<string, string>> = {
  ask: 'Asks for permission to call, by a template. Goes through the gate as every request does.',
  wait: 'Waits for the answer to the question before it, or for a time.',
  call: 'Calls, once a yes is there. The permission is asked for at that minute, by the gate.',
  branch: 'Goes on by what a variable or the last call says.',
  message: 'Writes to the person: a text while the 24-hour window is open, or a template.',
  survey: 'Asks how the call was, 1 to 5, once per call and never after a stop.',
  split: 'Goes on by the arm of an experiment; the arm stands on what follows.',
  end: 'Ends the run with a word.',
};

export function journeyPage(): string {
  const { visitsDefault, visitsMax } = JOURNEY_LIMITS;
  return [
    '# The journey language',
    '*Every field of a journey. [How to run one](../how-to/run-a-journey.md).*',
    'A journey is one JSON document: a list of steps, each of which leads to the one below it ' +
      'unless it names another; `end` ends the run. It does nothing that the API would refuse: ' +
      'every question and every call goes through the gate, and a run waits where time alone ' +
      'stands in the way.',
    '## The document',
    fieldTable(z.toJSONSchema(journeySchema, { io: 'input' }) as Shape),
    '**Moments** are `"now"`, `{"after": "20m"}` since the run came to the step, or ' +
      '`{"relativeTo": "appointmentAt", "offset": "-1h"}` for a variable of type `instant`. ' +
      'Lengths are whole numbers with `s`, `m`, `h` or `d`.',
    '**Texts** may hold `{{name}}` of a declared variable, or of ' +
      `${listed(BUILTIN_VARIABLES)}. A branch may look at ${listed(CALL_VARIABLES)} of the last ` +
      'call as well.',
    '## Steps',
    ...stepSchema.options.flatMap((option) => {
      const kind = option.shape.do.value;
      const shape = z.toJSONSchema(option, { io: 'input' }) as Shape;
      return [`### ${kind}`, ABOUT[kind] ?? '', fieldTable(shape)];
    }),
    '## What a check refuses',
    'Beside every wrong field: steps that nothing leads to; circles in which nothing takes time; ' +
      'a wait for the yes without `else`; a call that some way reaches without a question and a ' +
      'yes of its own; a survey without a call; a wait or a call later than the question before ' +
      'it promised. Templates, scripts, endpoints and experiments must be there. Each problem ' +
      'names step, field, rule and fix.',
    '## How a run ends',
    'With the `result` of an `end` step, else `done`; `refused`, `no_answer` or `declined` where ' +
      'no step says what comes then; `opted_out`, `erased`, `contact_merged`; `cancelled`, ' +
      '`journey_deleted`, `journey_gone`; `too_many_steps`.',
    '## Limits',
    [
      '| | |',
      '|---|---|',
      `| steps of a journey | ${JOURNEY_LIMITS.steps} |`,
      `| steps of a run | ${visitsDefault}; by \`maxSteps\` up to ${visitsMax} |`,
      `| variables | ${JOURNEY_LIMITS.variables}, of ${JOURNEY_LIMITS.valueLength} characters |`,
      '| a step put off without `notAfter` | 24 hours |',
      '| a start ahead | a year |',
    ].join('\n'),
    '## The ready journeys',
    ...READY_JOURNEYS.flatMap(({ key, title, about, journey }) => [
      `### ${title}`,
      `\`${key}\`: ${about}`,
      ['```mermaid', diagramOf(journey), '```'].join('\n'),
    ]),
  ].join('\n\n');
}

function diagramOf(journey: object): string {
  const checked = checkJourney(journey);
  if (!checked.ok) throw new TypeError('a ready journey is whole');
  return journeyDiagram(compiled(checked.document)).trimEnd();
}

function fieldTable({ properties = {}, required = [] }: Shape): string {
  const rows = Object.entries(properties)
    .filter(([name]) => name !== 'do')
    .map(([name, field]) => {
      const need = required.includes(name) ? ' (required)' : '';
      const usual = defaultText(field.default);
      const about = `${field.description ?? ''}${need}`.trim();
      return `| \`${name}\` | ${kindOf(name, field)} | ${cell(`${about}${usual}`)} |`;
    });
  return ['| field | is | about |', '|---|---|---|', ...rows].join('\n');
}

/** What is an object by default is empty, and says nothing. */
function defaultText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? ` Default: \`${value}\`.` : '';
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
const listed = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

function kindOf(name: string, field: Field): string {
  if (field.enum !== undefined) return field.enum.map((each) => `\`${String(each)}\``).join(', ');
  if (field.anyOf !== undefined) return 'moment';
  if (field.type === 'object') return name === 'variables' ? 'names and what they are' : 'object';
  if (field.type === 'array') return 'list';
  return field.type ?? 'text';
}
