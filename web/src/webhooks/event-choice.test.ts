import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupsOf, withGroup, withType } from './event-choice.ts';

const ALL = ['call.ended', 'optout.late', 'call.ringing', 'call_button.sent'].map((type) => ({
  type,
  when: `When ${type}.`,
}));

test('types are grouped by their first word, in the order in which the words come', () => {
  const groups = groupsOf(ALL).map(({ name, types }) => [name, types.length]);
  assert.deepEqual(groups, [
    ['call', 2],
    ['optout', 1],
    ['call_button', 1],
  ]);
});

test('a type or a group is taken and given back, and nothing is taken twice', () => {
  const [calls] = groupsOf(ALL);
  const one = withType([], 'call.ended', true);
  assert.deepEqual(withType(one, 'call.ended', true), ['call.ended']);
  const both = withGroup(one, calls?.types ?? [], true);
  assert.deepEqual(both, ['call.ended', 'call.ringing']);
  assert.deepEqual(withGroup([...both, 'optout.late'], calls?.types ?? [], false), ['optout.late']);
});
