import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { newTurns, takeFairly, type Waiting } from './fair-share.ts';

const of = (accountId: string, count: number, lane = accountId, rank = 4): Waiting[] =>
  Array.from({ length: count }, () => ({ accountId, lane, rank }));

test('a burst of one account makes the single call of another wait for one turn', () => {
  const taken = takeFairly([...of('big', 1_000), ...of('small', 1)], 10, newTurns());
  assert.ok(taken.findIndex(({ accountId }) => accountId === 'small') <= 1);
  assert.equal(taken.length, 10);
});

test('who had no turn in one claim is first in the next, also with room for one call', () => {
  const turns = newTurns();
  const waiting = [...of('a', 5), ...of('b', 5), ...of('c', 5)];
  const served = Array.from({ length: 6 }, () => takeFairly(waiting, 1, turns)[0]?.accountId);
  assert.deepEqual(served, ['a', 'b', 'c', 'a', 'b', 'c']);
});

test('within an account the higher priority goes first, and equal lanes take turns', () => {
  const waiting = [...of('a', 3, 'x'), ...of('a', 3, 'y'), ...of('a', 1, 'z', 0)];
  const lanes = takeFairly(waiting, 5, newTurns()).map(({ lane }) => lane);
  assert.deepEqual(lanes, ['z', 'x', 'y', 'x', 'y']);
});

test('a lane without room takes no turn away from the others', () => {
  const waiting = [...of('a', 100, 'full', 0), ...of('a', 2, 'free'), ...of('b', 2)];
  const taken = takeFairly(waiting, 10, newTurns(), ({ lane }) => lane !== 'full');
  assert.deepEqual(
    taken.map(({ lane }) => lane),
    ['free', 'b', 'free', 'b'],
  );
});

test('no account gets two more than another that has calls, and nothing is taken twice', () => {
  const counts = fc.array(fc.nat(30), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 60 }), (sizes, limit) => {
      const waiting = sizes.flatMap((size, index) => of(`a${index}`, size));
      const taken = takeFairly(waiting, limit, newTurns());
      assert.equal(new Set(taken).size, Math.min(limit, waiting.length));
      const got = sizes.map((_, i) => taken.filter((call) => call.accountId === `a${i}`).length);
      const open = got.filter((count, i) => count < (sizes[i] ?? 0));
      if (open.length > 0) assert.ok(Math.max(...got) - Math.min(...open) <= 1);
    }),
    { seed: 11 },
  );
});
