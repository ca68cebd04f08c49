import assert from 'node:assert/strict';
import { test } from 'node:test';

import { layerFault, RULES } from './house-rules.ts';
import { blankOut, functionSpans, type SourceFile } from './repository.ts';

const lines = (text: string): string[] => text.split('\n');

function faultOf(from: string, target: string, typeOnly = false): string | undefined {
  const inRepository = target.includes('/');
  return layerFault(from, { target, inRepository, typeOnly, line: 1 });
}

function findings(rule: string, path: string, text: string): string[] {
  const file: SourceFile = { path, lines: lines(text), code: lines(blankOut(text)), imports: [] };
  const found = RULES.find(({ name }) => name === rule)?.check(file) ?? [];
  return found.map(({ line, message }) => `${line}: ${message}`);
}

test('comments and texts are not mistaken for code', () => {
  assert.equal(blankOut("a('b') // c"), "a(' ')     ");
  assert.equal(blankOut('/* a\nb */ c'), '    \n     c');
  assert.equal(blankOut("const url = 'http://x'; d"), "const url = '        '; d");
});

test('a function counts its own lines, not those of the functions inside it', () => {
  const code = ['function outer() {', '  const inner = () => {', '    work();', '  };', '}'];
  assert.deepEqual(functionSpans(code), [
    { line: 1, length: 2 },
    { line: 2, length: 3 },
  ]);
});

test('a branch is no function', () => {
  assert.deepEqual(functionSpans(['if (a) {', '  b();', '}', 'for (;;) {', '}']), []);
});

test('a long parameter list does not hide a function', () => {
  const code = ['export function make(', '  one: string,', '): Made {', '  work();', '}'];
  assert.deepEqual(functionSpans(code), [{ line: 3, length: 3 }]);
});

test('platform imports no word of the trade', () => {
  assert.ok(faultOf('src/platform/clock.ts', 'src/consent/consent.ts'));
  assert.equal(faultOf('src/platform/clock.ts', 'src/platform/ids.ts'), undefined);
});

test('a deciding file touches neither database nor network, not even through a neighbour', () => {
  assert.ok(faultOf('src/consent/consent.ts', 'src/database/database.ts'));
  assert.ok(faultOf('src/consent/consent.ts', 'src/consent/consent-store.ts'));
  assert.ok(faultOf('src/consent/consent.ts', 'pg'));
  assert.equal(faultOf('src/consent/consent.ts', 'src/consent/consent-store.ts', true), undefined);
  assert.equal(faultOf('src/consent/consent-store.ts', 'src/database/database.ts'), undefined);
});

test('a folder is used through its face or a role, and the program never needs its tests', () => {
  assert.ok(faultOf('src/calls/call-store.ts', 'src/sip/dialog.ts'));
  assert.equal(faultOf('src/calls/call-session.ts', 'src/sip/sip.ts'), undefined);
  assert.equal(faultOf('src/calls/call-store.ts', 'src/lines/line-store.ts'), undefined);
  assert.ok(faultOf('src/calls/call-store.ts', 'test/database.ts'));
  assert.ok(faultOf('src/calls/call-store.ts', 'simulator/people.ts'));
  assert.equal(faultOf('src/main.ts', 'simulator/people.ts'), undefined);
});

test('time and chance are found in code, not in comments', () => {
  const rule = 'time and chance';
  assert.equal(findings(rule, 'src/calls/call.ts', 'const t = Date.now();').length, 1);
  assert.equal(findings(rule, 'src/calls/call.ts', '// Date.now() would be wrong').length, 0);
  assert.equal(findings(rule, 'src/calls/call.ts', 'new Date(0); socket.setTimeout(5);').length, 0);
  assert.equal(findings(rule, 'src/platform/clock.ts', 'Date.now();').length, 0);
});

test('a silenced check needs its reason', () => {
  const path = 'src/calls/call.ts';
  const bare = ['// oxlint', 'disable-next-line no-control-regex'].join('-');
  assert.equal(findings('type escapes', path, bare).length, 1);
  assert.equal(findings('type escapes', path, `${bare} -- they are what is searched`).length, 0);
});

test('vague names and to-do notes without a number are found', () => {
  const note = ['TO', 'DO'].join('');
  assert.equal(findings('names', 'src/utils/text.ts', '').length, 1);
  assert.equal(findings('names', 'src/calls/call-helpers.ts', '').length, 1);
  assert.equal(findings('names', 'src/calls/call.ts', '').length, 0);
  assert.equal(findings('to-do notes', 'src/a.ts', `// ${note} later`).length, 1);
  assert.equal(findings('to-do notes', 'src/a.ts', `// ${note} #12 later`).length, 0);
});
