import { readFileSync } from 'node:fs';
import { errorText } from '../platform/failure.ts';
import { checkScript } from '../scripts/script-check.ts';
import { dryRun } from '../scripts/script-dry-run.ts';
import { fromEightByEight } from '../scripts/eight-by-eight.ts';

/**
 * `askfirst script check FILE`: what is wrong with a call script, and what a call with it would be
 * like. The file holds a script, or the body of an 8x8 call flow. Prompts and endpoints are not
 * looked for: POST /v1/scripts/check does that against an installation.
 */
export type CheckOptions = { json?: boolean; keys?: string };

/** Returns the exit code: 0 good, 1 something is wrong, 2 no script. */
export function checkScriptFile(file: string, options: CheckOptions): number {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    process.stderr.write(`${file}: ${errorText(error)}\n`);
    return 2;
  }
  const isFlow = typeof input === 'object' && input !== null && 'callflow' in input;
  const made = isFlow ? fromEightByEight(input, 'call flow') : { script: input, problems: [] };
  const checked = checkScript(made.script);
  const problems = [...made.problems, ...(checked.ok ? [] : checked.problems)];
  const entries = (options.keys ?? '').split(',');
  const wish = { variables: {}, entries: entries.map((entry) => entry.trim()), answers: true };
  const lines = checked.ok && problems.length === 0 ? dryRun(checked.script, wish) : [];
  if (options.json === true) {
    const ok = problems.length === 0;
    const answer = isFlow ? { ok, problems, script: made.script } : { ok, problems, dryRun: lines };
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  } else {
    for (const { step, field, rule, fix } of problems) {
      process.stdout.write(`✗ ${step === null ? '' : `${step} `}${field}: ${rule}. ${fix}\n`);
    }
    for (const { atMs, what, text } of lines) {
      process.stdout.write(
        `${(atMs / 1_000).toFixed(1).padStart(6)} s  ${what.padEnd(8)} ${text}\n`,
      );
    }
    process.stdout.write(`${file}: ${problems.length === 0 ? 'can run' : 'cannot run'}\n`);
  }
  return problems.length === 0 ? 0 : 1;
}
