import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readCsv, type CsvRow } from './csv-reader.ts';
import { csvLine } from '../http/csv-text.ts';

/** Reads a text in pieces of that many bytes. */
async function rowsOf(text: string, size = 7): Promise<CsvRow[]> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  return allOf(readCsv(pieces()));
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const fieldsOf = async (text: string, size?: number): Promise<string[][]> =>
  (await rowsOf(text, size)).map((row) => ('fields' in row ? row.fields : [`! ${row.problem}`]));

test('a byte order mark, CRLF, quotes and a last line without an end are read', async () => {
  const text = '\ufeffname,phone\r\n"Ada, ""the first""",+44 7700 900123\r\n"two\r\nlines",1';
  for (const size of [1, 2, 3, 1_000]) {
    assert.deepEqual(await fieldsOf(text, size), [
      ['name', 'phone'],
      ['Ada, "the first"', '+44 7700 900123'],
      ['two\r\nlines', '1'],
    ]);
  }
});

test('semicolons and tabs part fields where the first line has most of them', async () => {
  assert.deepEqual(await fieldsOf('a;b,c;d\n1;2;3\n'), [
    ['a', 'b,c', 'd'],
    ['1', '2', '3'],
  ]);
  assert.deepEqual(await fieldsOf('a\tb\r1\t2\r'), [
    ['a', 'b'],
    ['1', '2'],
  ]);
  assert.deepEqual(await fieldsOf('phone\n+447700900123\n'), [['phone'], ['+447700900123']]);
});

test('empty rows are no rows, and the lines are counted as an editor counts them', async () => {
  const rows = await rowsOf('a,b\n\n,,\n"x\ny",1\n2,3\n');
  assert.deepEqual(
    rows.map(({ line }) => line),
    [1, 4, 6],
  );
});

test('a malformed row is told with its line, and the rows behind it are read', async () => {
  const text = 'a,b\n"x"y,1\nq"q,2\n"never closed,3\n4,5\n';
  const rows = await rowsOf(text);
  assert.deepEqual(
    rows.map((row) => [row.line, 'problem' in row ? 'problem' : row.fields.join()]),
    [
      [1, 'a,b'],
      [2, 'problem'],
      [3, 'problem'],
      [4, 'problem'],
      [5, '4,5'],
    ],
  );
});

test('a file without an end of line does not fill the memory', async () => {
  const rows = await rowsOf(`a,b\n"${'x'.repeat(300_000)}\n1,2\n`, 10_000);
  assert.deepEqual(rows.at(-1), { line: 3, fields: ['1', '2'] });
  assert.ok(rows.some((row) => 'problem' in row && /65536/.test(row.problem)));
});

test('bytes that are no UTF-8 and an empty file do no harm', async () => {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(0x61, 0xff, 0x0a, 0x62);
  }
  const rows = await allOf(readCsv(bytes()));
  assert.deepEqual(rows, [
    { line: 1, fields: ['a\ufffd'] },
    { line: 2, fields: ['b'] },
  ]);
  assert.deepEqual(await rowsOf(''), []);
});

test('what we write is what we read, in pieces of any size', async () => {
  const field = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const table = fc.array(fc.tuple(field, field, field), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 40 }), async (rows, size) => {
      const text = rows.map((row) => csvLine(row)).join('');
      const wanted = rows
        .map((row) => row.map((one) => (/^[=+\-@\t\r]/.test(one) ? `'${one}` : one)))
        .filter((row) => row.some((one) => one.trim() !== ''));
      assert.deepEqual(await fieldsOf(`a,b,c\r\n${text}`, size), [['a', 'b', 'c'], ...wanted]);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('a field that a spreadsheet would run is made plain text', () => {
  assert.equal(csvLine(['=1+1', '+44', '-1', '@x', 'ok']), "'=1+1,'+44,'-1,'@x,ok\r\n");
});
