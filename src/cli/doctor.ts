import type { Check, Checklist } from '../golive/golive.ts';
import type { EndpointView, LineView, Page, Problem } from '../http/api-types.ts';
import { errorText } from '../platform/failure.ts';
import { systemRandom } from '../platform/random.ts';
import { isProblem, makeApiClient } from './api-client.ts';

export type DoctorOptions = {
  url: string;
  apiKey: string;
  json: boolean;
  /** Takes the report; stdout unless a test listens. */
  write: (text: string) => void;
};

type LineReport = Checklist & { lineId: string; name: string; displayNumber: string };

/** Everything is ready · something is not · the server could not be asked. */
const EXIT = { ready: 0, notReady: 1, notAsked: 2 } as const;

/**
 * `askfirst doctor`: asks a running server what each line still needs and prints it with one fix
 * per finding. Returns the exit code.
 */
export async function runDoctor(options: DoctorOptions): Promise<number> {
  const { url, apiKey, json, write } = options;
  let lines: LineReport[];
  let endpoints: EndpointView[];
  try {
    ({ lines, endpoints } = await askAll(url.replace(/\/+$/, ''), apiKey));
  } catch (error) {
    const message = `No answer from ${url}: ${errorText(error)}`;
    const fix =
      'Start the server; give its address (--url) and a key (--key). The first is in the file ' +
      'api-key of the data folder (with the simulator: sandbox-key).';
    write(
      json
        ? `${JSON.stringify({ ok: false, error: message, fix })}\n`
        : `${message}\nFix: ${fix}\n`,
    );
    return EXIT.notAsked;
  }
  const ready = lines.length > 0 && lines.every((line) => line.ready);
  write(
    json
      ? `${JSON.stringify({ ok: ready, lines, endpoints: endpoints.map(shortly) }, null, 2)}\n`
      : report(lines) + endpointReport(endpoints),
  );
  return ready ? EXIT.ready : EXIT.notReady;
}

async function askAll(
  url: string,
  apiKey: string,
): Promise<{ lines: LineReport[]; endpoints: EndpointView[] }> {
  const api = makeApiClient(url, apiKey, systemRandom);
  const { items } = orThrow(await api.get<Page<LineView> | Problem>('/v1/lines'));
  const reports: LineReport[] = [];
  for (const { id, name, displayNumber } of items) {
    const list = orThrow(
      await api.get<(Checklist & { lineId: string }) | Problem>(`/v1/lines/${id}/go-live`),
    );
    reports.push({ ...list, name, displayNumber });
  }
  const endpoints = orThrow(await api.get<Page<EndpointView> | Problem>('/v1/endpoints'));
  return { lines: reports, endpoints: endpoints.items };
}

const shortly = ({ id, name, health }: EndpointView) => ({ id, name, health });

/** How OPTIONS found the endpoints; a test call tells more, but rings somebody. */
function endpointReport(endpoints: readonly EndpointView[]): string {
  if (endpoints.length === 0) return '';
  const lines = endpoints.flatMap(({ name, health, targets }) => {
    const line = `  ${health.padEnd(9)}${name} (${targets.map(({ uri }) => uri).join(', ')})`;
    const isWell = health === 'up' || health === 'unknown';
    return isWell ? [line] : [line, `           fix: npx askfirst endpoint test "${name}"`];
  });
  return ['', 'Endpoints', ...lines, ''].join('\n');
}

function orThrow<T extends object>(answer: T | Problem): T {
  if (isProblem(answer)) throw new Error(`${answer.detail} ${answer.fix}`);
  return answer;
}

function report(lines: readonly LineReport[]): string {
  if (lines.length === 0) return 'There is no line yet. Fix: POST /v1/lines adds one.\n';
  return lines.map(lineReport).join('\n');
}

function lineReport({ name, displayNumber, live, ready, checks }: LineReport): string {
  const kind = live ? 'live' : 'simulated';
  const head = `${name} (${displayNumber}, ${kind}): ${ready ? 'ready' : 'not ready'}`;
  return [head, ...checks.flatMap(checkLines), ''].join('\n');
}

/** Words, not colours: the report must survive a log file and a screen reader. */
function checkLines({ id, state, required, detail, fix }: Check): string[] {
  const weight = required || state === 'ok' ? '' : ' (not required)';
  const line = `  ${state.padEnd(8)}${id.padEnd(20)}${detail}${weight}`;
  return fix === null ? [line] : [line, `${' '.repeat(30)}fix: ${fix}`];
}
