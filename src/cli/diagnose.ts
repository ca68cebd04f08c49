import type { Check, Diagnosis } from '../diagnosis/diagnosis.ts';
import type { Problem } from '../http/api-types.ts';
import { errorText } from '../platform/failure.ts';
import { systemRandom } from '../platform/random.ts';
import { isProblem, makeApiClient } from './api-client.ts';

export type DiagnoseOptions = {
  url: string;
  apiKey: string;
  problem: string;
  to?: string | undefined;
  line?: string | undefined;
  purpose?: string | undefined;
  days?: string | undefined;
  json: boolean;
  /** Takes the report; stdout unless a test listens. */
  write: (text: string) => void;
};

/** Nothing found · a cause found · it could not be asked. */
const EXIT = { clear: 0, cause: 1, notAsked: 2 } as const;

/** `askfirst diagnose PROBLEM`: asks a running server and prints every check with its fix. */
export async function runDiagnose(options: DiagnoseOptions): Promise<number> {
  const { url, apiKey, json, write } = options;
  let answer: Diagnosis | Problem;
  try {
    const api = makeApiClient(url.replace(/\/+$/, ''), apiKey, systemRandom);
    answer = await api.get<Diagnosis | Problem>(`/v1/diagnose?${queryOf(options)}`);
  } catch (error) {
    const message = `No answer from ${url}: ${errorText(error)}`;
    const fix = 'Start the server, and give its address (--url) and a key (--key).';
    write(json ? `${JSON.stringify({ error: message, fix })}\n` : `${message}\nFix: ${fix}\n`);
    return EXIT.notAsked;
  }
  if (isProblem(answer)) {
    write(json ? `${JSON.stringify(answer)}\n` : problemText(answer));
    return EXIT.notAsked;
  }
  write(json ? `${JSON.stringify(answer, null, 2)}\n` : report(answer));
  return answer.cause === null ? EXIT.clear : EXIT.cause;
}

function queryOf({ problem, to, line, purpose, days }: DiagnoseOptions): string {
  const query = new URLSearchParams({ problem });
  const more = { to, lineId: line, purpose, days };
  for (const [name, value] of Object.entries(more)) {
    if (value !== undefined) query.set(name, value);
  }
  return query.toString();
}

function problemText({ detail, fix, fields = [] }: Problem): string {
  const at = fields.map(({ field, rule, fix: how }) => `  ${field}: ${rule}. ${how}\n`);
  return `${detail}\nFix: ${fix}\n${at.join('')}`;
}

/** Words, not colours: the report must survive a log file and a screen reader. */
function report({ problem, cause, checks }: Diagnosis): string {
  const head =
    cause === null
      ? `${problem}: no cause found`
      : `${problem}: ${cause.detail}\nFix: ${cause.fix}`;
  return `${head}\n\n${checks.flatMap(checkLines).join('\n')}\n`;
}

function checkLines({ result, title, detail, fix }: Check): string[] {
  const lines = [`  ${result.padEnd(9)}${title}`, `           ${detail}`];
  return fix === null ? lines : [...lines, `           fix: ${fix}`];
}
