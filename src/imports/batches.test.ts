import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { batchesOf, Lanes } from './batches.ts';
import type { ReadRow } from './imports.ts';

async function* rowsOf(count: number): AsyncGenerator<ReadRow<number>> {
  for (let row = 0; row < count; row += 1) yield { row };
}

test('whatever was settled before, in whatever batches, each row is settled once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(60),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.boolean(), { maxLength: 60 }),
      async (count, size, earlierSize, chosen) => {
        const settled = new Map<number, number>();
        const seen: number[] = [];
        let index = 0;
        for await (const { first, rows } of batchesOf(rowsOf(count), new Map(), earlierSize)) {
          if (chosen[index] === true) {
            settled.set(first, rows.length);
            seen.push(...rows.map((_row, at) => first + at));
          }
          index += 1;
        }
        for await (const { first, rows } of batchesOf(rowsOf(count), settled, size)) {
          assert.ok(rows.length <= size);
          for (const [at, row] of rows.entries()) {
            assert.deepEqual(row, { row: first + at });
            seen.push(first + at);
          }
        }
        assert.deepEqual(
          seen.toSorted((a, b) => a - b),
          Array.from({ length: count }, (_, row) => row),
        );
      },
    ),
    { seed: 39, numRuns: 500 },
  );
});

test('batches of one person run one after the other, others beside each other', async () => {
  const lanes = new Lanes(2);
  const told: string[] = [];
  const batch = async (name: string, people: string[]): Promise<() => void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await lanes.room(new Set(people));
    told.push(name);
    lanes.run(new Set(people), promise);
    return resolve;
  };
  const endFirst = await batch('first', ['ada', 'bo']);
  const endSecond = await batch('second', ['cy']);
  const third = batch('third', ['bo']);
  endSecond();
  await Promise.resolve();
  assert.deepEqual(told, ['first', 'second']);
  endFirst();
  (await third)();
  assert.deepEqual(told, ['first', 'second', 'third']);
  await lanes.all();
});

test('a batch that broke off is told, also when nobody waited for it', async () => {
  const lanes = new Lanes(2);
  lanes.run(new Set(['ada']), Promise.reject(new Error('gone')));
  await lanes.idle();
  await assert.rejects(lanes.room(new Set(['bo'])), /gone/);
  await assert.rejects(lanes.all(), /gone/);
});
