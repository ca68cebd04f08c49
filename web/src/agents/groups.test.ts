import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupsIn } from './groups.ts';

test('groups are read by commas, blanks and semicolons, each once', () => {
  assert.deepEqual(groupsIn(' Sales, night-desk; sales\n'), ['sales', 'night-desk']);
  assert.deepEqual(groupsIn(' , '), []);
});
