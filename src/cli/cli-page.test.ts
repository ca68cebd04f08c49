import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('docs/reference/cli.md names every command', () => {
  const folder = new URL('.', import.meta.url);
  const files = readdirSync(folder).filter((name) => !name.endsWith('.test.ts'));
  const names = files.flatMap((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    return [...text.matchAll(/\.command\('([a-z]+)'\)/g)].map(([, command]) => command ?? '');
  });
  assert.ok(names.length > 15, 'the commands are found');
  const page = readFileSync(new URL('../../docs/reference/cli.md', folder), 'utf8');
  const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
  assert.deepEqual(missing, []);
});
