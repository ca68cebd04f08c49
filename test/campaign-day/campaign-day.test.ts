import assert from 'node:assert/strict';
import { test } from 'node:test';
import { castOf } from './campaigns.ts';
import { playDay } from './day.ts';

/** `npm run prove -- day` plays the same with as many people as it is told to. */
const PEOPLE = 32;
const SEED = 20_260_603;

test('a seed gives one cast and one plan, whose people are the same in a day of any size', () => {
  const cast = castOf(SEED, 1_000);
  assert.deepEqual(castOf(SEED, 1_000), cast);
  assert.deepEqual(castOf(SEED, 64), cast.slice(0, 64));
  assert.notDeepEqual(castOf(SEED + 1, 1_000), cast);
  assert.equal(new Set(cast.map(({ number }) => number)).size, cast.length);
});

test('in a day of eight campaigns no rule is broken, and every figure is right', async (t) => {
  const day = await playDay({ people: PEOPLE, seed: SEED, onProgress: () => {} });
  const { counts, violations, figuresCompared } = day;
  t.diagnostic([...counts].map(([type, count]) => `${count} × ${type}`).join(', '));
  assert.deepEqual(violations.slice(0, 10), [], `${violations.length} violations`);
  for (const type of ['PermissionGranted', 'PermissionDeclined', 'CallConnected', 'OptedOut']) {
    assert.ok((counts.get(type) ?? 0) > 0, `${type} never happened`);
  }
  const live = (counts.get('RunStarted') ?? 0) - (counts.get('RunEnded') ?? 0);
  assert.equal(live, 0, 'every journey is over');
  assert.ok(figuresCompared > 1_000);
});
