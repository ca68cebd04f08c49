import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { isTest, RULES } from './house-rules.ts';
import { readSource, repositoryFiles, root, type SourceFile } from './repository.ts';

/**
 * Holds the house rules, so that nobody has to in a review. An exception names its reason, and
 * fails here as soon as it is no longer needed: the list can only shrink.
 */
const EXCEPTIONS: readonly { rule: string; file: string; why: string }[] = [
  { rule: 'layers', file: 'src/policy/policy-pack.ts', why: 'a pack is a file of this release' },
  { rule: 'type escapes', file: 'test/house-rules.ts', why: 'it names what it forbids' },
  { rule: 'to-do notes', file: 'test/house-rules.ts', why: 'it names what it forbids' },
];

/** Files that nothing imports because something outside TypeScript starts them. */
const ENTRIES = [
  /^src\/main\.ts$/,
  /^src\/cli\/main\.ts$/,
  /^simulator\/cli\.ts$/,
  /^bin\//,
  /^bench\/[\w-]+\.ts$/,
  /^web\/src\/main\.tsx$/,
  /\.config\.ts$/,
  /\.d\.ts$/,
  /\.test\.ts$/,
];

const BLOB_BYTES_MAX = 400_000;
const KNOWN_TYPES = new RegExp(
  [
    String.raw`\.(ts|tsx|mjs|css|html|sql|json|md|svg|sh|xml|txt|pem|wav|csv)$`,
    String.raw`^(LICENSE|NOTICE|\.ci/run)$`,
    String.raw`(^|/)\.(gitignore|gitattributes|npmrc)$`,
  ].join('|'),
);

const paths = repositoryFiles();
const sources = paths.filter((path) => /\.(ts|tsx|mjs)$/.test(path)).map(readSource);
const excused = new Set<string>();

for (const rule of RULES) {
  test(`the repository keeps the rule "${rule.name}"`, () => {
    const faults = sources.flatMap((file) =>
      rule
        .check(file)
        .filter(() => !isExcused(rule.name, file.path))
        .map(({ line, message }) => `${file.path}:${line}  ${message}`),
    );
    nothingIn(faults);
  });
}

test('every file is used by something', () => {
  const used = new Set(sources.flatMap(reachedFrom));
  const dead = sources
    .map(({ path }) => path)
    .filter((path) => !used.has(path) && !ENTRIES.some((entry) => entry.test(path)))
    .filter((path) => !isExcused('dead file', path))
    .map((path) => `${path}  nothing but tests imports it; wire it in or delete it`);
  nothingIn(dead);
});

test('the repository holds only small files of known types', () => {
  const faults = paths
    .filter((path) => path !== 'package-lock.json')
    .filter((path) => !isExcused('blob', path))
    .flatMap((path) => {
      const { size } = statSync(join(root, path));
      if (size > BLOB_BYTES_MAX) return [`${path}  ${size} bytes; make it when it is needed`];
      return KNOWN_TYPES.test(path) ? [] : [`${path}  add the type to KNOWN_TYPES if it is ours`];
    });
  nothingIn(faults);
});

test('every code of a refusal or a failure is in docs/reference/errors.md', () => {
  const page = join(root, 'docs/reference/errors.md');
  if (!existsSync(page)) return;
  const documented = new Set(readFileSync(page, 'utf8').match(/\b[a-z]+(?:_[a-z0-9]+)+\b/g));
  const faults = sources
    .filter(({ path }) => path.startsWith('src/') && !isTest(path))
    .flatMap(({ path, lines }) =>
      lines.flatMap((line) => {
        const code = /\bcode: '([a-z]+(?:_[a-z0-9]+)+)'/.exec(line)?.[1];
        return code === undefined || documented.has(code) ? [] : [`${path}  ${code}`];
      }),
    );
  nothingIn(faults);
});

test('ARCHITECTURE.md can be held in the head', () => {
  const page = join(root, 'ARCHITECTURE.md');
  if (!existsSync(page)) return;
  assert.ok(readFileSync(page, 'utf8').split('\n').length <= 200, 'at most 200 lines');
});

// Runs last: by then every rule has looked up its exceptions.
test('every exception from a rule is still needed', () => {
  const unneeded = EXCEPTIONS.filter(({ rule, file }) => !excused.has(`${rule} ${file}`)).map(
    ({ rule, file }) => `${file} keeps "${rule}" now: delete the exception`,
  );
  nothingIn(unneeded);
});

function nothingIn(faults: readonly string[]): void {
  assert.ok(faults.length === 0, `\n${faults.join('\n')}\n`);
}

function isExcused(rule: string, file: string): boolean {
  if (!EXCEPTIONS.some((exception) => exception.rule === rule && exception.file === file)) {
    return false;
  }
  excused.add(`${rule} ${file}`);
  return true;
}

/** What a file brings to life; a test does not keep a file of the program alive. */
function reachedFrom(file: SourceFile): string[] {
  const targets = file.imports.filter((found) => found.inRepository).map(({ target }) => target);
  return isTest(file.path)
    ? targets.filter(
        (target) => target.startsWith('test/') || /-(fixtures|harness)\.ts$/.test(target),
      )
    : targets;
}
