import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spansIn, textOfSpans } from './opening-hours.ts';

test('hours are read as people write them, and written the same way', () => {
  const text = 'Mo-Fr 09:00-18:00, Sa 10:00-14:00';
  assert.deepEqual(spansIn(text), [
    { days: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' },
    { days: [6], from: '10:00', to: '14:00' },
  ]);
  assert.equal(textOfSpans(spansIn(text) ?? []), text);
});

test('a span over the end of the week, long names, and a single figure of an hour', () => {
  assert.deepEqual(spansIn('Friday-Monday 9:00-24:00'), [
    { days: [5, 6, 7, 1], from: '09:00', to: '24:00' },
  ]);
  assert.equal(
    textOfSpans([{ days: [1, 3, 4], from: '09:00', to: '10:00' }]),
    'Mo 09:00-10:00, We-Th 09:00-10:00',
  );
});

test('what cannot be read is nothing, not something else', () => {
  for (const text of ['', 'always', 'Mo-Fr', 'Mo-Fr 9-18', 'Xx 09:00-10:00', 'Mo 09:00-10:00 x']) {
    assert.equal(spansIn(text), null, text);
  }
});
