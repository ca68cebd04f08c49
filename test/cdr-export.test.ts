import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { readCsv } from '../src/imports/csv-reader.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import type { Page, Problem } from '../src/http/api-types.ts';
import { openStory, type Story } from './harness.ts';
import { getYes, newPerson, placed, reach } from './story-people.ts';

/** All records of a span as one file. */
let story: Story;
let middle = '';

before(async () => {
  story = await openStory({ seed: 91 });
  for (const last3 of ['711', '712', '713']) {
    const number = newPerson(story, last3, '101');
    await getYes(story, number);
    const more = last3 === '712' ? { clientReference: '=1+1, "quoted"' } : {};
    const { id } = await placed(story, number, more);
    await reach(story, id, 'ended');
    await story.pass(60_000);
    if (last3 === '711') middle = new Date(story.clock.now()).toISOString();
  }
});
after(() => story.close());

async function file(query: string): Promise<{ status: number; type: string; text: string }> {
  const headers = { authorization: `Bearer ${story.apiKey}` };
  const answer = await fetch(`${story.server.url}/v1/cdrs/export${query}`, { headers });
  const type = answer.headers.get('content-type') ?? '';
  return { status: answer.status, type, text: await answer.text() };
}

const linesOf = (text: string): Cdr[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Cdr]));

test('JSON Lines hold the same records as the API, oldest first', async () => {
  const { status, type, text } = await file('?format=jsonl');
  assert.deepEqual([status, type], [200, 'application/jsonl; charset=utf-8']);
  const { items } = await story.api.get<Page<Cdr & { id: string }>>('/v1/cdrs');
  const exported = linesOf(text).map((cdr) => ({ ...cdr, id: cdr.callId }));
  assert.equal(items.length, 3);
  assert.deepEqual(exported, items.toReversed());
});

test('CSV has a column for each field, and no field that a spreadsheet would run', async () => {
  const { text } = await file('');
  const rows: string[][] = [];
  for await (const row of readCsv(Readable.from([Buffer.from(text)]))) {
    rows.push('fields' in row ? row.fields : []);
  }
  const [header = [], ...records] = rows;
  assert.equal(records.length, 3);
  assert.ok(records.every((fields) => fields.length === header.length));
  const [cdr] = linesOf((await file('?format=jsonl')).text);
  assert.deepEqual(header.toSorted(), Object.keys(cdr ?? {}).toSorted());
  const references = records.map((fields) => fields[header.indexOf('clientReference')]);
  assert.deepEqual(references, ['', `'=1+1, "quoted"`, '']);
});

test('a span takes calls by the time at which they were asked for', async () => {
  const at = encodeURIComponent(middle);
  assert.equal(linesOf((await file(`?format=jsonl&to=${at}`)).text).length, 1);
  assert.equal(linesOf((await file(`?format=jsonl&from=${at}`)).text).length, 2);
  const { status, text } = await file('?format=xml&from=yesterday');
  const problem = JSON.parse(text) as Problem;
  assert.equal(status, 400);
  assert.deepEqual(problem.fields?.map(({ field }) => field).toSorted(), ['format', 'from']);
});
