import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/**
 * The repository as `tidy.test.ts` reads it. TypeScript 7 has no compiler interface, so this
 * works on text; the formatter makes that safe, because every block closes at the indentation of
 * the line that opened it.
 */
export type SourceFile = {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly lines: readonly string[];
  /** The lines with comments and the insides of plain strings blanked out. */
  readonly code: readonly string[];
  /** Relative paths of the repository files this one names in imports or `new URL`. */
  readonly imports: readonly Import[];
};

export type Import = {
  /** A path of this repository, or a package name such as `node:fs` or `pg`. */
  readonly target: string;
  readonly inRepository: boolean;
  /** `import type`, which is gone before the program runs. */
  readonly typeOnly: boolean;
  readonly line: number;
};

export type FunctionSpan = { readonly line: number; readonly length: number };

export const root = dirname(import.meta.dirname);

/** Every file that is committed or about to be; ignored files are not ours. */
export function repositoryFiles(): string[] {
  const listed = existsSync(join(root, '.git')) ? listedByGit() : listedFromDisk();
  return listed.filter((path) => existsSync(join(root, path))).sort();
}

export function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return { path, lines, code: blankOut(text).split('\n'), imports: importsOf(path, text) };
}

/**
 * Functions of a formatted file, with the number of lines from the opening to the closing one.
 * Functions inside it are counted for themselves: a function that only holds others is short.
 */
export function functionSpans(code: readonly string[]): FunctionSpan[] {
  const all: { start: number; end: number; length: number }[] = [];
  code.forEach((line, start) => {
    if (!OPENS_FUNCTION.test(line) || CONTROL.test(line)) return;
    const indent = /^\s*/.exec(line)?.[0] ?? '';
    const end = code.findIndex((other, at) => at > start && other.startsWith(`${indent}}`));
    if (end === -1) return;
    const holder = all.findLast((other) => other.start < start && other.end > end);
    if (holder !== undefined) holder.length -= end - start + 1;
    all.push({ start, end, length: end - start + 1 });
  });
  return all.map(({ start, length }) => ({ line: start + 1, length }));
}

/** `function f() {`, `=> {`, `method() {`, or the last line of a long parameter list. */
const OPENS_FUNCTION = new RegExp(
  [
    String.raw`(\bfunction\b.*|=> `,
    String.raw`|^\s*(?:(?:async|static|get|set|override) )*\*?#?[\w$]+(?:<.*>)?\(.*\).*`,
    String.raw`|^\s*\)(?::.*)? ?)\{$`,
  ].join(''),
);
const CONTROL =
  /^\s*(?:\} )?(?:if|for|while|switch|catch|else|do|try|class|suite|describe|return \()\b/;

function listedByGit(): string[] {
  // Run as root in somebody else's checkout, git refuses to look unless it is told to.
  const options = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others'];
  return execFileSync('git', [...options, '--exclude-standard'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '');
}

function listedFromDisk(): string[] {
  return globSync('{bench,bin,docs,simulator,src,test,web}/**/*.*', {
    cwd: root,
    exclude: ['**/node_modules/**', 'web/dist/**'],
  });
}

const IMPORT = new RegExp(
  [
    String.raw`(?:^|\n)\s*(import|export) (type )?[^'";]*?from '([^']+)'`,
    String.raw`(?:^|\n)import '([^']+)'`,
    String.raw`import\(\s*'([^']+)'`,
    String.raw`new URL\(\s*'([^']+)'`,
  ].join('|'),
  'g',
);

function importsOf(path: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const name = match[3] ?? match[4] ?? match[5] ?? match[6] ?? '';
    const inRepository = /^\..*\.(ts|tsx|mjs|json|css|sql)$/.test(name);
    return {
      target: inRepository ? posix.join(posix.dirname(path), name) : name,
      inRepository,
      typeOnly: match[2] !== undefined,
      line: text.slice(0, match.index + match[0].search(/\S/)).split('\n').length,
    };
  });
}

/**
 * Replaces comments, and what stands between quotes on one line, by spaces, so that a rule about
 * code does not stumble over a sentence. Regular expressions stay: they are code.
 */
export function blankOut(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|(^|[^:\\/'"`])\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g,
    (found, before: string | undefined) => {
      if (found.startsWith("'") || found.startsWith('"')) {
        return found[0] + ' '.repeat(found.length - 2) + found[0];
      }
      return (before ?? '') + found.slice(before?.length ?? 0).replace(/[^\n]/g, ' ');
    },
  );
}
