import type { Command } from 'commander';
import type { Problem } from '../http/api-types.ts';
import { systemClock, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import { systemRandom } from '../platform/random.ts';
import { isProblem, makeApiClient, type ApiClient } from './api-client.ts';

/**
 * Commands that send one request and show its answer. Data goes to stdout, in words or as one JSON
 * value; what went wrong goes to stderr with its fix. Exit codes: 0 done, 1 refused, 2 not asked.
 */
export type ApiOptions = { url: string; key?: string; json?: boolean };

/** Where the answer, the words about it and the exit code go, and who asks. */
export type CommandOutput = {
  clock: Clock;
  connect: (options: ApiOptions) => ApiClient;
  print: (text: string) => void;
  say: (text: string) => void;
  exit: (code: number) => void;
};

export const TERMINAL: CommandOutput = {
  clock: systemClock,
  connect: ({ url, key }) => {
    const apiKey = key ?? process.env['ASKFIRST_API_KEY'] ?? '';
    return makeApiClient(url.replace(/\/+$/, ''), apiKey, systemRandom);
  },
  print: (text) => void process.stdout.write(text),
  say: (text) => void process.stderr.write(text),
  exit: (code) => void (process.exitCode = code),
};

/** Adds what every such command takes. */
export function withApiOptions(command: Command, localUrl: string): Command {
  return command
    .option('--url <url>', 'address of the server', process.env['ASKFIRST_URL'] ?? localUrl)
    .option('--key <key>', 'API key (or ASKFIRST_API_KEY)')
    .option('--json', 'the answer of the API, as one JSON value');
}

/** Asks, and shows what came of it; a problem that the work returns is shown like the API's own. */
export async function runOnApi<Answer extends object>(
  options: ApiOptions,
  output: CommandOutput,
  ask: (api: ApiClient) => Promise<Answer | Problem>,
  inWords: (answer: Answer) => string,
): Promise<void> {
  const isJson = options.json === true;
  try {
    const answer = await ask(output.connect(options));
    if (isJson) output.print(`${JSON.stringify(answer, null, 2)}\n`);
    if (isProblem(answer)) {
      output.say(problemText(answer));
      return output.exit(answer.status === 401 ? 2 : 1);
    }
    if (!isJson) output.print(inWords(answer));
    output.exit(0);
  } catch (error) {
    const fix = 'Start the server; give its address (--url) and a key (--key).';
    if (isJson) output.print(`${JSON.stringify({ error: errorText(error), fix })}\n`);
    output.say(`${errorText(error)}\nFix: ${fix}\n`);
    output.exit(2);
  }
}

function problemText(problem: Problem): string {
  const { code, status, detail, fix, allowedAt, latestAt, fields = [] } = problem;
  const times = [
    ...(allowedAt === undefined ? [] : [`Possible again from ${allowedAt}.`]),
    ...(latestAt === undefined ? [] : [`At the latest at ${latestAt}.`]),
  ];
  // The API speaks of headers, which nobody types here.
  const mend =
    status === 401 ? 'Give a key by --key or ASKFIRST_API_KEY; npm start prints one.' : fix;
  const wrong = fields.map(({ field, rule, fix: mended }) => `  ${field}: ${rule}. ${mended}`);
  return [detail, `Fix: ${mend}`, ...wrong, ...times, `(${code})`, ''].join('\n');
}

/** Columns as wide as their widest cell; the first row is the head. */
export function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** What a page of a list holds, and the command for the next one. */
export function pageText(rows: readonly string[][], next: string | null, none: string): string {
  if (rows.length <= 1) return `${none}\n`;
  return `${table(rows)}${next === null ? '' : `\nThere are more: --after ${next}\n`}`;
}
