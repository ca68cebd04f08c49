import type { Command } from 'commander';
import type { EndpointView, Page, Problem } from '../http/api-types.ts';
import { errorText } from '../platform/failure.ts';
import { systemRandom } from '../platform/random.ts';
import { isProblem, makeApiClient } from './api-client.ts';

type Options = { url: string; key?: string; json?: boolean };

type TestReport = {
  name: string;
  ok: boolean;
  targets: Array<{ uri: string; ok: boolean; code: string; what: string; fix: string | null }>;
};

const EXIT = { ok: 0, notOk: 1, notAsked: 2 } as const;

/** `askfirst endpoint …`; `write` takes what is data. */
export function addEndpointCommands(
  program: Command,
  localUrl: string,
  write: (text: string) => void = (text) => void process.stdout.write(text),
): void {
  program
    .command('endpoint')
    .description('Endpoints: where the business talks.')
    .command('test')
    .argument('<endpoint>', 'id or name of the endpoint')
    .option('--url <url>', 'address of the server', process.env['ASKFIRST_URL'] ?? localUrl)
    .option('--key <key>', 'API key (or ASKFIRST_API_KEY)')
    .option('--json', 'print one JSON object')
    .description('Place a real test call to each target and say what is wrong, and how to fix it.')
    .action(async (endpoint: string, options: Options) => {
      process.exitCode = await runEndpointTest(endpoint, options, write);
    });
}

/** Returns the exit code: 0 all targets are fine, 1 one is not, 2 it could not be asked. */
export async function runEndpointTest(
  wanted: string,
  { url, key, json = false }: Options,
  write: (text: string) => void,
): Promise<number> {
  try {
    const apiKey = key ?? process.env['ASKFIRST_API_KEY'] ?? '';
    const api = makeApiClient(url.replace(/\/+$/, ''), apiKey, systemRandom);
    const { items } = orThrow(await api.get<Page<EndpointView> | Problem>('/v1/endpoints'));
    const endpoint = items.find(({ id, name }) => id === wanted || name === wanted);
    if (endpoint === undefined) {
      const names = items.map(({ name }) => name).join(', ');
      throw new Error(`There is no endpoint ${wanted}. There are: ${names || 'none'}.`);
    }
    const report = orThrow(await api.post<TestReport>(`/v1/endpoints/${endpoint.id}/test`, {}));
    write(json ? `${JSON.stringify(report, null, 2)}\n` : inWords(report));
    return report.ok ? EXIT.ok : EXIT.notOk;
  } catch (error) {
    const message = errorText(error);
    const fix = 'Start the server; give its address (--url), a key (--key) and a known endpoint.';
    write(
      json
        ? `${JSON.stringify({ ok: false, error: message, fix })}\n`
        : `${message}\nFix: ${fix}\n`,
    );
    return EXIT.notAsked;
  }
}

function orThrow<T extends object>(answer: T | Problem): T {
  if (isProblem(answer)) throw new Error(`${answer.detail} ${answer.fix}`);
  return answer;
}

function inWords({ name, ok, targets }: TestReport): string {
  const lines = targets.flatMap(({ uri, what, fix, ok: fine }) => [
    `  ${fine ? 'ok    ' : 'failed'}  ${uri}: ${what}`,
    ...(fix === null ? [] : [`          fix: ${fix}`]),
  ]);
  return [`${name}: ${ok ? 'every target answers and is heard' : 'not ready'}`, ...lines, ''].join(
    '\n',
  );
}
