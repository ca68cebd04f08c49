import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffPacks } from './pack-diff.ts';

test('what was added, removed and changed is told with its place', () => {
  const from = { values: { a: 1, b: 2 }, limits: { x: { max: 3 } }, same: [1, { y: 2 }] };
  const to = { values: { a: 1, b: 5 }, limits: { z: { max: 3 } }, same: [1, { y: 2 }] };
  assert.deepEqual(diffPacks(from, to), [
    { path: 'values.b', change: 'changed', from: 2, to: 5 },
    { path: 'limits.x', change: 'removed', from: { max: 3 }, to: null },
    { path: 'limits.z', change: 'added', from: null, to: { max: 3 } },
  ]);
});

test('lists of words are compared as sets', () => {
  const differences = diffPacks({ blocked: ['US', 'CA'] }, { blocked: ['NG', 'US'] });
  assert.deepEqual(differences, [
    { path: 'blocked', change: 'removed', from: 'CA', to: null },
    { path: 'blocked', change: 'added', from: null, to: 'NG' },
  ]);
});

test('null and absent are different, equal packs differ in nothing', () => {
  assert.deepEqual(diffPacks({ a: null }, {}), [
    { path: 'a', change: 'removed', from: null, to: null },
  ]);
  assert.deepEqual(diffPacks({ a: [{ b: ['c'] }] }, { a: [{ b: ['c'] }] }), []);
});
