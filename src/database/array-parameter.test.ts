import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';

import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { withBinaryArrays } from './array-parameter.ts';
import { statement } from './database.ts';

let store: TestDatabase;

before(async () => {
  store = await testDatabase();
});
after(() => store.close());

const ECHO = statement<Record<string, unknown>>(
  'array_parameter_test_echo',
  `select small, whole, big, word, document, bytes, moment
     from unnest($1::smallint[], $2::integer[], $3::bigint[], $4::text[], $5::jsonb[],
       $6::bytea[], $7::timestamptz[])
       with ordinality v (small, whole, big, word, document, bytes, moment, place)
    order by place`,
);

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true });
const words = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\u0000'));
const row = record({
  small: fc.integer({ min: -32_768, max: 32_767 }),
  whole: fc.integer(),
  big: fc.maxSafeInteger(),
  word: words,
  document: record({ text: words, list: fc.array(fc.integer()), none: fc.constant(null) }),
  bytes: fc.uint8Array(),
  moment: fc.date({
    min: new Date(0),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  }),
});
type Row = { [Name in keyof (typeof row extends fc.Arbitrary<infer R> ? R : never)]: unknown };

async function echo(rows: readonly Row[]): Promise<Row[]> {
  const of = (name: keyof Row) => rows.map((each) => each[name]);
  const documents = rows.map(({ document }) =>
    document === null ? null : JSON.stringify(document),
  );
  const columns = [of('small'), of('whole'), of('big'), of('word'), documents];
  const found = await store.database.run(ECHO, [...columns, of('bytes'), of('moment')]);
  return found.map(({ bytes, moment, ...rest }) => ({
    ...rest,
    bytes: bytes === null ? null : new Uint8Array(bytes as Buffer),
    moment: moment === null ? null : new Date(moment as number),
  })) as Row[];
}

test('the server reads back what was sent, whatever it was and with nulls between', async () => {
  const some = fc.array(fc.option(row, { nil: null }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(some, async (given) => {
      const none = { small: null, whole: null, big: null, word: null, document: null };
      const rows = given.map((each) => each ?? { ...none, bytes: null, moment: null });
      assert.deepEqual(await echo(rows), rows);
    }),
    { seed: 43, numRuns: 60 },
  );
});

test('all known arrays go in binary, an empty one too', () => {
  const sent = withBinaryArrays(ECHO.text, [[1], [2], [], ['a'], ['{}'], [Buffer.of(1)], [null]]);
  assert.ok(sent.every((value) => value instanceof Buffer));
});

test('what has no binary form here is left to the driver', () => {
  const text = 'select $1::text[], $2::float8[], $3::bigint[], $4, $5::text[]';
  const values = [['a', 1], [0.5], [1.5], ['b'], 'c'];
  assert.deepEqual(withBinaryArrays(text, values), values);
});
