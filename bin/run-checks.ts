import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { systemClock } from '../src/platform/clock.ts';

/**
 * `npm run check`: types, lint, format and the house rules. Prints a table, and what a check
 * found only when it failed.
 */
type Check = { name: string; script: string; args: string[]; fix: string };
type Result = Check & { ok: boolean; output: string; ms: number };

const root = dirname(import.meta.dirname);
const packages = join(root, 'node_modules');

const checks: Check[] = [
  {
    name: 'types',
    script: 'typescript/bin/tsc',
    args: ['--noEmit'],
    fix: 'Correct the types named above.',
  },
  {
    name: 'types of the web page',
    script: 'typescript/bin/tsc',
    args: ['--noEmit', '--project', 'web/tsconfig.json'],
    fix: 'Correct the types named above.',
  },
  {
    name: 'lint',
    script: 'oxlint/bin/oxlint',
    args: ['--quiet'],
    fix: 'Follow the help under each finding.',
  },
  {
    name: 'format',
    script: 'oxfmt/bin/oxfmt',
    args: ['--check'],
    fix: 'Run "npx oxfmt" and commit what it wrote.',
  },
  {
    name: 'house rules',
    script: '../test/tidy.test.ts',
    args: [],
    fix: 'Each finding says what to do; CONTRIBUTING.md says why.',
  },
];

const results: Result[] = [];
for (const check of checks) {
  const project = check.args[check.args.indexOf('--project') + 1];
  if (check.args.includes('--project') && !existsSync(join(root, project ?? ''))) continue;
  results.push(await run(check));
}
for (const { ok, name, output, fix } of results) {
  if (!ok) console.log(`\n── ${name}\n${output.trimEnd()}\nFix: ${fix}`);
}
console.log('');
for (const { ok, name, ms } of results) {
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(24)}${(ms / 1000).toFixed(1)} s`);
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;

function run(check: Check): Promise<Result> {
  const startedAt = systemClock.monotonic();
  const child = spawn(process.execPath, [join(packages, check.script), ...check.args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer): void => void (output += chunk.toString('utf8'));
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return new Promise((done) => {
    child.once('close', (code) =>
      done({ ...check, ok: code === 0, output, ms: systemClock.monotonic() - startedAt }),
    );
  });
}
