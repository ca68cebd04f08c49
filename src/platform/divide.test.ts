import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { divide, unite } from './divide.ts';

const fields = new Set(['text', 'words', 'failed.reason']);

test('named fields are taken out at any depth, and the shape stays', () => {
  const value = {
    id: 'a',
    text: 'hello',
    list: [
      { text: 'one', at: 1 },
      { at: 2, text: null },
    ],
    failed: { status: 404, reason: 'no' },
    end: { reason: 'code' },
    words: { any: ['x'] },
  };
  const { plain, taken } = divide(value, fields);
  assert.deepEqual(plain, {
    id: 'a',
    text: '',
    list: [
      { text: '', at: 1 },
      { at: 2, text: null },
    ],
    failed: { status: 404, reason: '' },
    end: { reason: 'code' },
    words: null,
  });
  assert.deepEqual(
    taken?.map(([path]) => path.join('.')),
    ['text', 'list.0.text', 'failed.reason', 'words'],
  );
});

test('what has no such field has nothing to seal', () => {
  assert.deepEqual(divide({ id: 'a', text: null }, fields), {
    plain: { id: 'a', text: null },
    taken: null,
  });
});

test('any value is whole again after both parts went through JSON', () => {
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('text', 'words', 'failed', 'reason', 'id'), tie('value')),
    ),
  })).value;
  fc.assert(
    fc.property(tree, (value) => {
      const { plain, taken } = divide(value, fields);
      const read = JSON.parse(JSON.stringify({ plain })) as { plain: unknown };
      if (taken !== null) unite(read.plain, JSON.parse(JSON.stringify(taken)));
      assert.deepEqual(read, JSON.parse(JSON.stringify({ plain: value })));
    }),
    { seed: 5, numRuns: 2_000 },
  );
});
