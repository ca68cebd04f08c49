import assert from 'node:assert/strict';
import test from 'node:test';
import { hears, type Party } from './who-hears-whom.ts';

const ROLES = ['customer', 'agent', 'listen', 'whisper', 'barge', 'idle'] as const;
const party = (role: Party['role']): Party => ({ role, speaks: true, listens: true });
const pairs = (held: boolean): string[] =>
  ROLES.flatMap((listener) =>
    ROLES.filter((speaker) => speaker !== listener)
      .filter((speaker) => hears(party(listener), party(speaker), held))
      .map((speaker) => `${listener} < ${speaker}`),
  );

test('who hears whom in a bridged call, pair by pair', () => {
  assert.deepEqual(pairs(false), [
    'customer < agent',
    'customer < barge',
    'agent < customer',
    'agent < whisper',
    'agent < barge',
    'listen < customer',
    'listen < agent',
    'listen < barge',
    'whisper < customer',
    'whisper < agent',
    'whisper < barge',
    'barge < customer',
    'barge < agent',
  ]);
});

test('on hold the customer is out of it, and the others speak on', () => {
  assert.deepEqual(pairs(true), [
    'agent < whisper',
    'agent < barge',
    'listen < agent',
    'listen < barge',
    'whisper < agent',
    'whisper < barge',
    'barge < agent',
  ]);
});

test('whoever is muted is heard by nobody, whoever does not listen hears nobody', () => {
  for (const listener of ROLES) {
    for (const speaker of ROLES) {
      assert.equal(hears(party(listener), { ...party(speaker), speaks: false }, false), false);
      assert.equal(hears({ ...party(listener), listens: false }, party(speaker), false), false);
    }
  }
});
