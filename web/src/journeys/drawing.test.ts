import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawJourney } from './drawing.ts';

const step = (name: string, ...to: string[]) => ({
  name,
  do: 'wait',
  about: '',
  ways: to.map((each, index) => ({ by: index === 0 ? 'next' : 'else', to: each })),
});

test('time goes downwards: each step stands below the one that leads to it first', () => {
  const { boxes, arrows } = drawJourney([
    step('ask', 'wait'),
    step('wait', 'call', 'end'),
    step('call', 'end'),
  ]);
  const y = (name: string) => boxes.find((box) => box.name === name)?.y ?? NaN;
  assert.ok(y('ask') < y('wait') && y('wait') < y('call') && y('call') < y('end'));
  assert.deepEqual(
    arrows.map(({ key, label }) => [key, label]),
    [
      ['ask wait', ''],
      ['wait call', 'next'],
      ['wait end', 'else'],
      ['call end', ''],
    ],
  );
});

test('no two boxes of a journey with a circle lie on each other, and none is left out', () => {
  const { boxes, width, height } = drawJourney([
    step('a', 'b', 'c'),
    step('b', 'a', 'c'),
    step('c', 'end'),
    step('lost', 'end'),
  ]);
  assert.deepEqual(new Set(boxes.map(({ name }) => name)).size, 5);
  assert.equal(new Set(boxes.map(({ x, y }) => `${x} ${y}`)).size, 5);
  assert.ok(boxes.every(({ x, y }) => x >= 0 && y >= 0 && x < width && y < height));
});

test('nothing at all draws nothing', () => {
  assert.deepEqual(drawJourney([]).boxes, []);
});
