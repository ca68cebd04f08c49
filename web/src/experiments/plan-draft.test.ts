import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, firstDraft, nextArm, sizeWords } from './plan-draft.ts';

test('what is typed becomes fractions, and an arm names only what it changes', () => {
  const draft = { ...firstDraft(), name: ' Shorter ', baseline: '62.5', smallestEffect: '5' };
  const [control, other] = draft.arms;
  assert.ok(control !== undefined && other !== undefined);
  const arms = [control, { ...other, purpose: 'your order', gapMinutes: '0', askAtHour: ' ' }];
  const body = bodyOf({ ...draft, arms });
  assert.deepEqual([body.name, body.baseline, body.smallestEffect], ['Shorter', 0.625, 0.05]);
  assert.deepEqual([body.power, body.share], [0.8, 1]);
  assert.deepEqual(body.arms, [
    { name: 'A', weight: 1, overrides: {} },
    { name: 'B', weight: 1, overrides: { purpose: 'your order', gapMinutes: 0 } },
  ]);
});

test('a new arm takes the next free letter', () => {
  const { arms } = firstDraft();
  assert.deepEqual(
    [...arms, nextArm(arms)].map(({ name }) => name),
    ['A', 'B', 'C'],
  );
});

test('the size is said in people and days, with the weights and the share in it', () => {
  const draft = { ...firstDraft(), peoplePerDay: '100', windowHours: '24' };
  const even = 'You need 500 people per arm, 1000 in all. At 100 a day that is about 11 days.';
  assert.equal(sizeWords(draft, 500), even);
  const arms = draft.arms.map((arm, index) => ({ ...arm, weight: index === 0 ? '3' : '1' }));
  assert.match(sizeWords({ ...draft, arms, share: '50' }, 500), /2000 in all\. .* about 41 days/);
  assert.equal(
    sizeWords({ ...draft, peoplePerDay: '' }, 5),
    'You need 5 people per arm, 10 in all.',
  );
});
