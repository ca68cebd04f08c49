import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unstorableText } from './storable-text.ts';

const REFUSED: Array<[string, unknown, string]> = [
  ['NUL in a field', { a: 'x\0y' }, 'a'],
  ['NUL deep inside', { a: { b: ['x', '\0'] } }, 'a.b.1'],
  ['NUL in a name', { a: { 'b\0': 1 } }, 'a'],
  ['a high surrogate alone', { a: '\ud83d' }, 'a'],
  ['a low surrogate alone', { a: 'x\ude00' }, 'a'],
  ['a whole body of text', '\0', 'body'],
];
for (const [what, input, field] of REFUSED) {
  test(`${what} is refused by name`, () => {
    assert.equal(unstorableText(input, 'body')?.field, field);
  });
}

const TAKEN: Array<[string, unknown]> = [
  ['nothing', undefined],
  ['null', null],
  ['emoji, accents and every script', { a: '😀 Zoë 漢字 ‏שלום' }],
  ['the six characters backslash, u and zeros', { a: '\\u0000' }],
  ['bytes', Buffer.from([0, 1])],
];
for (const [what, input] of TAKEN) {
  test(`${what} can be stored`, () => {
    assert.equal(unstorableText(input, 'body'), null);
  });
}

test('100,000 levels of nesting are refused without overflowing the stack', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  assert.match(unstorableText(deep, 'body')?.rule ?? '', /32 levels/);
});
