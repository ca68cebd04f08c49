import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineOfStep } from './step-line.ts';

test('a step is found by its name, and one without a name is not', () => {
  const text = JSON.stringify({ name: 'x', steps: [{ name: 'a', do: 'say' }] }, null, 2);
  assert.equal(lineOfStep(text, 'a'), 5);
  assert.equal(lineOfStep(text, 'step2'), null);
});
