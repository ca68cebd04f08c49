import type { Command } from 'commander';
import type { BrakesView } from '../brakes/brake-schemas.ts';
import type { Problem } from '../http/api-types.ts';
import type { KpiFigure, KpiView } from '../kpis/kpi-schemas.ts';
import { DAY_MS, DIMENSIONS } from '../kpis/kpis.ts';
import { isoTime, systemClock, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import { systemRandom } from '../platform/random.ts';
import { table } from './api-command.ts';
import { isProblem, makeApiClient } from './api-client.ts';

type Options = {
  url: string;
  key?: string;
  days: string;
  by?: string;
  line?: string;
  json?: boolean;
};
type Metric = KpiView['metrics'][number];

/** Where the figures and the words about them go. */
export type KpiOutput = {
  clock: Clock;
  print: (text: string) => void;
  say: (text: string) => void;
};

const TERMINAL: KpiOutput = {
  clock: systemClock,
  print: (text) => void process.stdout.write(text),
  say: (text) => void process.stderr.write(text),
};

/** `askfirst kpis`. */
export function addKpiCommands(program: Command, localUrl: string): void {
  program
    .command('kpis')
    .description('Figures against their targets, and lines that brake.')
    .option('--days <days>', 'how far back', '30')
    .option('--by <dimension>', `taken apart by ${DIMENSIONS.join(', ')} or hour`)
    .option('--line <id>', 'only this line')
    .option('--json', 'the answers of the API, as one JSON value')
    .option('--url <url>', 'address of the server', process.env['ASKFIRST_URL'] ?? localUrl)
    .option('--key <key>', 'API key (or ASKFIRST_API_KEY)')
    .action(async (options: Options) => {
      process.exitCode = await runKpis(options, TERMINAL);
    });
}

/** Returns the exit code: 0 every target is met, 1 one is missed or a line brakes, 2 no answer. */
export async function runKpis(options: Options, output: KpiOutput): Promise<number> {
  const { url, key, line, by } = options;
  try {
    const apiKey = key ?? process.env['ASKFIRST_API_KEY'] ?? '';
    const api = makeApiClient(url.replace(/\/+$/, ''), apiKey, systemRandom);
    const from = isoTime(output.clock.now() - Number(options.days) * DAY_MS);
    const query = new URLSearchParams({
      from,
      ...(by === undefined ? {} : { groupBy: by }),
      ...(line === undefined ? {} : { line }),
    });
    const kpis = orThrow(await api.get<KpiView | Problem>(`/v1/kpis?${query.toString()}`));
    const brakes = orThrow(await api.get<BrakesView | Problem>('/v1/brakes'));
    output.print(
      options.json === true ? `${JSON.stringify({ kpis, brakes }, null, 2)}\n` : page(kpis, brakes),
    );
    const isMissed = kpis.metrics.some(({ name }) => kpis.figures[name].met === false);
    return isMissed || brakes.lines.some(({ state }) => state !== 'free') ? 1 : 0;
  } catch (error) {
    const fix = 'Start the server; give its address (--url) and a key (--key).';
    output.say(`${errorText(error)}\nFix: ${fix}\n`);
    return 2;
  }
}

function orThrow<T extends object>(answer: T | Problem): T {
  if (isProblem(answer)) throw new Error(`${answer.detail} ${answer.fix}`);
  return answer;
}

function page(kpis: KpiView, { lines }: BrakesView): string {
  const rows = kpis.metrics.map((metric) => figureRow(metric, kpis.figures[metric.name]));
  const head = ['', 'value', 'target', '', 'counts', '95 % sure'];
  const groups = kpis.groups.map(({ value, label, figures }) => [
    label ?? (value === '' ? '(none)' : value),
    ...pageMetrics(kpis).map((metric) => valueText(metric, figures[metric.name].value)),
  ]);
  const braked = lines
    .filter(({ state }) => state !== 'free')
    .map(({ name, state, because }) => {
      const rates = because.map(({ brake }) => brake).join(', ');
      return `${name} is ${state}: ${rates === '' ? 'by hand' : rates}. See GET /v1/brakes.\n`;
    });
  return [
    `${kpis.from} to ${kpis.until}\n\n`,
    table([head, ...rows]),
    ...(groups.length === 0
      ? []
      : ['\n', table([['', ...pageMetrics(kpis).map(({ title }) => title)], ...groups])]),
    ...(braked.length === 0 ? [] : ['\n', ...braked]),
  ].join('');
}

/** The five of the product page come first. */
function pageMetrics({ metrics }: KpiView): Metric[] {
  return metrics.slice(0, 5);
}

function figureRow(metric: Metric, figure: KpiFigure): string[] {
  const { above = null, below = null } = metric.target ?? {};
  const bound = above ?? below;
  const target = bound === null ? '' : `${above === null ? '<' : '>'} ${valueText(metric, bound)}`;
  const { met, interval, numerator, denominator } = figure;
  return [
    metric.title,
    valueText(metric, figure.value),
    target,
    met === null ? '' : met ? 'met' : 'MISSED',
    `${numerator} / ${denominator}`,
    interval === null ? '' : `${percent(interval.low)} to ${percent(interval.high)} %`,
  ];
}

function valueText({ unit }: Metric, value: number | null): string {
  if (value === null) return '-';
  if (unit === 'share') return `${percent(value)} %`;
  return unit === 'ms' ? `${(value / 1_000).toFixed(1)} s` : value.toFixed(2);
}

const percent = (share: number): string => (share * 100).toFixed(1);
