import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { fieldProblems, type SchemaIssue } from './field-problems.ts';

const schema = z.strictObject({
  name: z.string().min(1).max(5),
  count: z.int().min(1).max(3),
  kind: z.enum(['x', 'y']),
  at: z.iso.datetime({ offset: true }),
  tags: z.array(z.string()).max(1),
  url: z.url(),
  code: z.string().regex(/^a$/, 'is the letter a'),
});
const good = {
  name: 'n',
  count: 1,
  kind: 'x',
  at: '2026-06-03T12:00:00Z',
  tags: [],
  url: 'https://a.example',
  code: 'a',
};

function problemsOf(value: unknown) {
  const issues = (schema.safeParse(value).error?.issues ?? []).map(
    ({ code, path, message, ...params }): SchemaIssue => ({
      instancePath: `/${path.join('/')}`,
      keyword: code,
      message,
      params,
    }),
  );
  return fieldProblems(issues, 'body');
}

const TIME_RULE = 'is a time with a zone, such as 2026-06-03T12:00:00Z (RFC 3339)';

const TABLE: Array<[string, object, string, string]> = [
  ['a missing field', { name: undefined }, 'name', 'is required'],
  ['an empty text', { name: '' }, 'name', 'is not empty'],
  ['a long text', { name: 'abcdef' }, 'name', 'has at most 5 characters'],
  ['a fraction', { count: 1.5 }, 'count', 'is a whole number'],
  ['a number too small', { count: 0 }, 'count', 'has at least 1 as its value'],
  ['an unknown choice', { kind: 'z' }, 'kind', 'is one of: x, y'],
  ['a day without time', { at: '2026-06-03' }, 'at', TIME_RULE],
  ['a long list', { tags: ['a', 'b'] }, 'tags', 'has at most 1 items'],
  ['an item of another type', { tags: [1] }, 'tags.0', 'is a text'],
  ['no URL', { url: 'here' }, 'url', 'is an absolute http or https URL'],
  ['a form with words of its own', { code: 'b' }, 'code', 'is the letter a'],
  ['an unknown field', { nmae: 1 }, 'nmae', 'is not known here'],
];
for (const [what, change, field, rule] of TABLE) {
  test(`${what} is told in plain words`, () => {
    const [problem, ...others] = problemsOf({ ...good, ...change });
    assert.deepEqual(others, []);
    assert.deepEqual([problem?.field, problem?.rule], [field, rule]);
    assert.match(problem?.fix ?? '', /^(Send|Remove) .+\.$/);
  });
}

test('a body of another kind is named as a whole', () => {
  assert.deepEqual(problemsOf([]), [
    { field: 'body', rule: 'is a JSON object', fix: 'Send a JSON object here.' },
  ]);
});

test('a thousand unknown fields give a short answer', () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, 1]));
  assert.equal(problemsOf({ ...good, ...many }).length, 20);
});
