import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { ManualClock } from '../platform/clock.ts';
import { makeIds } from '../platform/ids.ts';
import { seededRandom } from '../platform/random.ts';
import { afterIdOf, pageOf, pageQuery, cursorOf } from './pagination.ts';
import { HttpError } from './problem.ts';

const ids = makeIds(new ManualClock(), seededRandom(1));

test('a full page names the next one, the last page does not', () => {
  const rows = Array.from({ length: 3 }, () => ({ id: ids.next('call') as string }));
  const first = pageOf(rows, 2, (row) => row.id);
  assert.equal(first.items.length, 2);
  assert.equal(afterIdOf({ limit: 2, after: first.next ?? '' }), rows[1]?.id);
  assert.equal(pageOf(rows, 3, (row) => row.id).next, null);
  assert.deepEqual(
    pageOf([], 3, () => 0),
    { items: [], next: null },
  );
});

test('a cursor that is not ours is refused with the field', () => {
  assert.equal(afterIdOf({ limit: 5 }), null);
  for (const after of ['x', cursorOf("call_' or 1=1"), cursorOf('7')]) {
    assert.throws(() => afterIdOf({ limit: 5, after }), HttpError);
  }
});

test('the limit is 25 unless given, and 1 to 100', () => {
  const schema = z.object(pageQuery);
  assert.equal(schema.parse({}).limit, 25);
  assert.equal(schema.parse({ limit: '100' }).limit, 100);
  for (const limit of ['0', '101', '1.5', 'x']) {
    assert.equal(schema.safeParse({ limit }).success, false);
  }
});
