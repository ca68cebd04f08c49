import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

import { errorText } from '../src/platform/failure.ts';
import { writePage } from './bench-page.ts';
import { asRow, type Bench, type BenchResult } from './harness.ts';

/**
 * `npm run bench`: runs every benchmark of this folder one after the other.
 *
 *   npm run bench -- intake          only this one
 *   npm run bench -- intake --json   the last line is one JSON object for this benchmark
 *   npm run bench -- sip --seconds=5 the same as BENCH_SECONDS=5 npm run bench -- sip
 *   npm run bench -- sip --page      puts the figures into docs/reference/benchmarks.md
 *
 * Exit code 1 when a benchmark broke. A missed goal is printed, not an error: on a busy machine
 * it would only teach people to ignore the exit code.
 */
const NOT_BENCHES = new Set(['bench', 'bench-page', 'harness']);

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const json = process.argv.includes('--json');
const options = process.argv.slice(2).filter((word) => /^--.+=/.test(word));

for (const word of process.argv.slice(2)) {
  const [, name, value] = /^--([a-z-]+)=(.+)$/.exec(word) ?? [];
  if (name === undefined) continue;
  process.env[`BENCH_${name.toUpperCase().replaceAll('-', '_')}`] = value;
}

const names = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter((name) => !NOT_BENCHES.has(name) && !name.endsWith('.test'))
  .sort();
const unknown = wanted.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(
    `There is no benchmark "${unknown}". There are: ${names.join(', ') || 'none yet'}.`,
  );
  process.exit(1);
}

let broken = false;
for (const name of names) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.error(`${name} …`);
  try {
    const module = (await import(join(import.meta.dirname, `${name}.ts`))) as { run?: Bench };
    // Files beside the benchmarks that only serve them have no `run`.
    if (module.run === undefined) continue;
    const results = await module.run();
    if (process.argv.includes('--page')) writePage(name, options, results);
    print(name, results);
  } catch (error) {
    broken = true;
    console.error(`${name} broke: ${errorText(error)}`);
  }
}
// A benchmark may leave sockets open; its figures are printed, so nothing is waited for.
process.exit(broken ? 1 : 0);

function print(bench: string, results: BenchResult[]): void {
  if (json) {
    console.log(JSON.stringify({ bench, results }));
    return;
  }
  const table = [['', 'ours', 'reference', 'ratio', 'goal', ''], ...results.map(asRow)];
  const widths = table[0]?.map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  console.log(`\n${bench}`);
  for (const row of table) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join('  ')}`);
  }
}
