import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { request } from 'undici';
import type { Problem } from '../http/api-types.ts';
import { delay, systemClock, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import { systemRandom } from '../platform/random.ts';
import { isProblem, makeApiClient, type ApiClient } from './api-client.ts';

type Options = {
  url: string;
  key?: string;
  format: string;
  from?: string;
  to?: string;
  out?: string;
};

type Job = {
  id: string;
  state: string;
  records: number;
  total: number | null;
  url: string | null;
  error: { message: string; fix: string } | null;
};

const LOOK_EVERY_MS = 1_000;
/** So far the file of a long span may be away; the job goes on without us. */
const LOOKS_MAX = 3_600;

/** Where the file and the words about it go. */
export type CdrExportOutput = {
  clock: Clock;
  data: NodeJS.WritableStream;
  say: (text: string) => void;
};

const TERMINAL: CdrExportOutput = {
  clock: systemClock,
  data: process.stdout,
  say: (text) => void process.stderr.write(text),
};

/** `askfirst cdr export`. */
export function addCdrCommands(program: Command, localUrl: string): void {
  program
    .command('cdr')
    .description('Call detail records.')
    .command('export')
    .option('--format <format>', 'csv or jsonl', 'csv')
    .option('--from <instant>', 'calls asked for since then, such as 2026-10-01T00:00:00Z')
    .option('--to <instant>', 'calls asked for before then; default: now')
    .option('--out <file>', 'where to write the file; default: stdout')
    .option('--url <url>', 'address of the server', process.env['ASKFIRST_URL'] ?? localUrl)
    .option('--key <key>', 'API key (or ASKFIRST_API_KEY)')
    .description('Have the records of a span made into a file, and fetch it.')
    .action(async (options: Options) => {
      process.exitCode = await runCdrExport(options, TERMINAL);
    });
}

/** Returns the exit code: 0 the file is there, 1 it could not be made, 2 it was not ordered. */
export async function runCdrExport(options: Options, output: CdrExportOutput): Promise<number> {
  const { url, key, format, from, to } = options;
  const { clock, say } = output;
  try {
    const apiKey = key ?? process.env['ASKFIRST_API_KEY'] ?? '';
    const api = makeApiClient(url.replace(/\/+$/, ''), apiKey, systemRandom);
    const span = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const ordered = orThrow(await api.post<Job>('/v1/cdr-exports', { format, ...span }));
    const job = await finished(api, ordered.id, { clock, say });
    if (job.url === null) {
      say(`${job.error?.message ?? `The export is ${job.state}.`} ${job.error?.fix ?? ''}\n`);
      return 1;
    }
    await fetchFile(job.url, options.out, output);
    say(`${job.records} records.\n`);
    return 0;
  } catch (error) {
    say(
      `${errorText(error)}\nFix: Start the server; give its address (--url) and a key (--key).\n`,
    );
    return 2;
  }
}

async function finished(
  api: ApiClient,
  id: string,
  { clock, say }: Pick<CdrExportOutput, 'clock' | 'say'>,
): Promise<Job> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const job = orThrow(await api.get<Job | Problem>(`/v1/cdr-exports/${id}`));
    if (job.state !== 'queued' && job.state !== 'running') return job;
    if (job.total !== null) say(`${job.records} of ${job.total} records\n`);
    await delay(clock, LOOK_EVERY_MS);
  }
  throw new Error(`The export ${id} is not done yet; ask for it at GET /v1/cdr-exports/${id}.`);
}

/** Streamed, so that the length of the file does not matter here either. */
async function fetchFile(
  url: string,
  out: string | undefined,
  { data }: CdrExportOutput,
): Promise<void> {
  const answer = await request(url);
  if (answer.statusCode !== 200) throw new Error(`The file answered ${answer.statusCode}.`);
  const body = Readable.from(answer.body);
  if (out !== undefined) await pipeline(body, createWriteStream(out));
  else await pipeline(body, data, { end: false });
}

function orThrow<T extends object>(answer: T | Problem): T {
  if (isProblem(answer)) throw new Error(`${answer.detail} ${answer.fix}`);
  return answer;
}
