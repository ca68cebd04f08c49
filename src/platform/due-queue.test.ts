import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DueQueue } from './due-queue.ts';

type Step = { add: number } | { removeNth: number } | { takeUntil: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ add: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ removeNth: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ takeUntil: fc.nat(20) }) },
);

test('it gives what a sorted list gives, whatever is added, taken out and taken', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const queue = new DueQueue<number>();
      const removals: Array<() => void> = [];
      let list: Array<{ dueAt: number; item: number }> = [];
      for (const each of steps) {
        if ('add' in each) {
          const item = removals.length;
          removals.push(queue.add(each.add, item));
          list = [...list, { dueAt: each.add, item }].sort(
            (a, b) => a.dueAt - b.dueAt || a.item - b.item,
          );
        } else if ('removeNth' in each) {
          const item = each.removeNth % Math.max(1, removals.length);
          removals[item]?.();
          list = list.filter((other) => other.item !== item);
        } else {
          const first = list[0];
          const isDue = first !== undefined && first.dueAt <= each.takeUntil;
          assert.equal(queue.take(each.takeUntil)?.item, isDue ? first.item : undefined);
          if (isDue) list = list.slice(1);
        }
        assert.equal(queue.size, list.length);
        assert.equal(queue.next(), list[0]?.dueAt ?? Infinity);
      }
    }),
    { seed: 20_260_603, numRuns: 200 },
  );
});
