import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

import { systemClock } from '../src/platform/clock.ts';
import { asRow, type BenchResult } from './harness.ts';

const PAGE = join(dirname(import.meta.dirname), 'docs/reference/benchmarks.md');
const HEAD = `<!-- Written by "npm run bench -- NAME --page" from that very run; not by hand. -->

# Benchmarks

What was measured, by which command, and when. Figures hold for the machine they stand with; the
ratio to the reference, which was measured in the same run, travels. \`npm run bench\` runs all,
\`npm run bench -- NAME\` one; the head of \`bench/NAME.ts\` says what is compared, and how to make
it larger.
`;

/** Puts the figures of a run into docs/reference/benchmarks.md, in place of that benchmark's. */
export function writePage(bench: string, words: readonly string[], results: BenchResult[]): void {
  const section = sectionOf(bench, `npm run bench -- ${[bench, ...words].join(' ')}`, results);
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : HEAD;
  writeFileSync(PAGE, withSection(page, section));
}

/** The page with this section in its place by name; a section of the same name goes. */
export function withSection(page: string, section: string): string {
  const [, ...old] = page.split(/^(?=## )/m).map((part) => part.trim());
  const name = nameOf(section);
  const sections = [...old.filter((part) => nameOf(part) !== name), section.trim()].sort();
  return `${[HEAD, ...sections].join('\n').replaceAll('\n## ', '\n\n## ').trim()}\n`.replaceAll(
    /\n{3,}/g,
    '\n\n',
  );
}

const nameOf = (section: string): string => section.split('\n', 1)[0] ?? '';

function sectionOf(bench: string, command: string, results: BenchResult[]): string {
  const day = new Date(systemClock.now()).toISOString().slice(0, 10);
  const memory = Math.round(totalmem() / 2 ** 30);
  const processor = (cpus()[0]?.model ?? 'unknown').replaceAll(/\s+/g, ' ').trim();
  const machine = `${cpus().length} × ${processor}, ${memory} GB`;
  const rows = [['figure', 'ours', 'reference', 'ratio', 'goal', ''], ...results.map(asRow)];
  const [head, ...body] = rows.map((cells) => `| ${cells.join(' | ')} |`);
  return [
    `## ${bench}`,
    '',
    `\`${command}\`, ${day}: ${machine}, Node ${process.version}.`,
    '',
    head,
    '|---|---|---|---|---|---|',
    ...body,
  ].join('\n');
}
