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
  act: z.discriminatedUnion('do', [
    z.strictObject({ do: z.enum(['hold', 'resume']) }),
    z.strictObject({ do: z.literal('play'), sound: z.string() }),
  ]),
  laws: z.union([z.enum(['all', 'off']), z.array(z.string().regex(/^law-/, 'is a law')).min(1)]),
  from: z.union([z.strictObject({ text: z.string() }), z.strictObject({ column: z.string() })]),
  when: z.union([z.literal('now'), z.int()], { error: 'is "now" or a number of seconds' }),
  names: z.record(z.string().regex(/^[a-z]+$/, 'has small letters only'), z.int()),
});
const good = {
  name: 'n',
  count: 1,
  kind: 'x',
  at: '2026-06-03T12:00:00Z',
  tags: [],
  url: 'https://a.example',
  code: 'a',
  act: { do: 'hold' },
  laws: 'all',
  from: { text: 't' },
  when: 'now',
  names: {},
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
  ['an unknown shape', { act: { do: 'dtmf' } }, 'act.do', 'is one of: hold, resume, play'],
  ['no shape', { act: {} }, 'act.do', 'is one of: hold, resume, play'],
  ['a known shape', { act: { do: 'play' } }, 'act.sound', 'is required'],
  ['none of several kinds', { laws: 7 }, 'laws', 'is one of: all, off, or is a list'],
  ['an item of the kind that was meant', { laws: ['x'] }, 'laws.0', 'is a law'],
  ['an empty list where a list was meant', { laws: [] }, 'laws', 'is not empty'],
  ['a wrong text in the form that was meant', { from: { text: 1 } }, 'from.text', 'is a text'],
  ['one of two', { from: {} }, 'from', 'text is required, or column is required'],
  ['kinds with words of their own', { when: {} }, 'when', 'is "now" or a number of seconds'],
  ['a name in a record', { names: { A: 1 } }, 'names.A', 'a name in it has small letters only'],
  ['an unknown field', { nmae: 1 }, 'nmae', 'is not known here'],
];
for (const [what, change, field, rule] of TABLE) {
  test(`${what} is told in plain words`, () => {
    const [problem, ...others] = problemsOf({ ...good, ...change });
    assert.deepEqual(others, []);
    assert.deepEqual([problem?.field, problem?.rule], [field, rule]);
    assert.match(problem?.fix ?? '', /^(Send|Remove|Rename) .+\.$/);
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
