import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { readCsv } from '../src/imports/csv-reader.ts';
import { PassThrough } from 'node:stream';
import { runCdrExport } from '../src/cli/cdr-commands.ts';
import { systemClock } from '../src/platform/clock.ts';
import { makeOne } from '../src/calls/cdr-export-worker.ts';
import type { CdrRecord } from '../src/calls/cdr-record-lookup.ts';
import { silentLog } from '../src/platform/log.ts';
import type { CallView, Page, Problem } from '../src/http/api-types.ts';
import { assertProblem, secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { must } from './product-peers.ts';
import { contactOf, getYes, newPerson, person, placed, reach } from './story-people.ts';

/** All records of a span as one file: at once, or made in the background. */
let story: Story;
let folder = '';
let middle = '';
const calls: string[] = [];

/** Figures of nobody's rate card. */
const PRICES = {
  format: 'askfirst-prices-1',
  currency: 'EUR',
  source: 'made up for this test',
  calls: [
    { countries: ['GB'], from: '2026-01-01', tiers: [{ fromMinutes: 0, perMinute: '0.05' }] },
  ],
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'askfirst-prices-'));
  const path = join(folder, 'prices.json');
  await writeFile(path, JSON.stringify(PRICES));
  story = await openStory({ seed: 91, settings: { ASKFIRST_PRICE_FILE: path } });
  for (const last3 of ['711', '712', '713']) {
    const number = newPerson(story, last3, '101');
    await getYes(story, number);
    const more = last3 === '712' ? { clientReference: '=1+1, "quoted"' } : {};
    const { id } = await placed(story, number, more);
    calls.push(id);
    await reach(story, id, 'ended');
    story.clock.advance(60_000);
    await story.pass(100);
    if (last3 === '711') middle = new Date(story.clock.now()).toISOString();
  }
});
after(async () => {
  await story.close();
  await rm(folder, { recursive: true, force: true });
});

async function file(query: string): Promise<{ status: number; type: string; text: string }> {
  const headers = { authorization: `Bearer ${story.apiKey}` };
  const answer = await fetch(`${story.server.url}/v1/cdrs/export${query}`, { headers });
  const type = answer.headers.get('content-type') ?? '';
  return { status: answer.status, type, text: await answer.text() };
}

const linesOf = (text: string): CdrRecord[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as CdrRecord]));

test('JSON Lines hold the same records as the API, oldest first', async () => {
  const { status, type, text } = await file('?format=jsonl');
  assert.deepEqual([status, type], [200, 'application/jsonl; charset=utf-8']);
  const { items } = await story.api.get<Page<CdrRecord & { id: string }>>('/v1/cdrs');
  const exported = linesOf(text).map((cdr) => ({ ...cdr, id: cdr.callId }));
  assert.equal(items.length, 3);
  assert.deepEqual(exported, items.toReversed());
});

test('a record says whose call it was, when it was due, its keys and both codecs', async () => {
  const records = linesOf((await file('?format=jsonl')).text);
  const { items } = await story.api.get<Page<CallView>>('/v1/calls');
  for (const { callId, accountId, dueAt, dtmfCount, media } of records) {
    assert.match(accountId, /^acct_/);
    assert.equal(dueAt, items.find(({ id }) => id === callId)?.dueAt);
    assert.equal(dtmfCount, media?.whatsapp.dtmfIn ?? null);
    if (media !== null) assert.deepEqual([media.codec, media.whatsappCodec], ['PCMU', 'opus']);
  }
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

test('a record says what came after its call, and what it may have cost', async () => {
  const [callId = ''] = calls;
  const body = { outcome: 'follow_up', note: 'wants an offer' };
  assert.equal((await send(story, 'PUT', `/v1/calls/${callId}/outcome`, { body })).status, 200);
  const record = await story.api.get<CdrRecord>(`/v1/calls/${callId}/cdr`);
  assert.deepEqual([record.agentOutcome, record.surveyScore], ['follow_up', null]);
  const { billablePulses, costAmount, costCurrency, costUnitPrice, costReason } = record;
  assert.ok(billablePulses > 0);
  assert.deepEqual([costCurrency, costUnitPrice, costReason], ['EUR', '0.05', null]);
  assert.equal(Number(costAmount), (billablePulses * 5) / 1_000);
  assert.deepEqual(
    [record.permissionType, record.templateName],
    ['temporary', 'call_permission_request'],
  );
  assert.ok(!JSON.stringify(record).includes('wants an offer'), 'notes are not for files');
});

type ExportJob = {
  id: string;
  state: string;
  records: number;
  total: number | null;
  bytes: number;
  url: string | null;
  expiresAt: string | null;
};

const order = (body: object) => must<ExportJob>(story.api, '/v1/cdr-exports', body);
const readJob = (id: string) => story.api.get<ExportJob>(`/v1/cdr-exports/${id}`);

function made(id: string): Promise<ExportJob> {
  return story.until('the file', async () => {
    const job = await readJob(id);
    return job.state === 'done' ? job : null;
  });
}

async function fetched(url: string | null): Promise<{ status: number; text: string }> {
  const answer = await fetch(url ?? '');
  return { status: answer.status, text: await answer.text() };
}

/** Works as another node would, with pieces so small that three records are three of them. */
function workOff(owner: string, piecesAtMost = Infinity): Promise<boolean> {
  let pieces = 0;
  const { database, clock } = story;
  const ports = { database, clock, log: silentLog, owner, prices: null };
  return makeOne(ports, { isClosing: () => pieces++ >= piecesAtMost, pieceRecords: 1 });
}

test('an export is made in the background, and its link needs no key for a while', async () => {
  const { id, state, url } = await order({ format: 'csv' });
  assert.deepEqual([state, url], ['queued', null]);
  const job = await made(id);
  assert.deepEqual([job.records, job.total], [3, 3]);
  const { text } = await fetched(job.url);
  assert.equal(text, (await file('')).text);
  assert.equal(Buffer.byteLength(text), job.bytes);
  const forged = (job.url ?? '').replace(/exports\/.{9}/, 'exports/AAAAAAAAA');
  assert.equal((await fetched(forged)).status, 404);
  assert.equal((await fetched((job.url ?? '').replace('.csv', '.jsonl'))).status, 404);
  story.clock.advance(16 * 60_000);
  assert.equal((await fetched(job.url)).status, 404, 'the link is too old');
  assert.equal((await fetched((await readJob(id)).url)).status, 200, 'a new one is not');
  const { key } = await secondAccount(story);
  assert.equal((await send(story, 'GET', `/v1/cdr-exports/${id}`, { key })).status, 404);
});

test('askfirst cdr export orders, waits, and writes the file', async () => {
  const data = new PassThrough();
  const said: string[] = [];
  const output = { clock: story.clock, data, say: (text: string) => void said.push(text) };
  const options = { url: story.server.url ?? '', key: story.apiKey, format: 'jsonl' };
  let code: number | null = null;
  void runCdrExport(options, output).then((ended) => (code = ended));
  await story.until('the end', () => code !== null);
  assert.equal(code, 0, said.join(''));
  assert.equal(String(data.read()), (await file('?format=jsonl')).text);
  assert.equal(said.at(-1), '3 records.\n');
  const wrong = { ...options, key: 'wrong' };
  assert.equal(await runCdrExport(wrong, { ...output, clock: systemClock }), 2);
  assert.match(said.at(-1) ?? '', /Fix:/);
});

test('a span without calls gives a file without records', async () => {
  const to = '2020-01-01T00:00:00Z';
  const csv = await made((await order({ format: 'csv', to })).id);
  const header = (await file('')).text.split('\r\n')[0];
  assert.equal((await fetched(csv.url)).text, `${header}\r\n`);
  const lines = await made((await order({ format: 'jsonl', to })).id);
  assert.deepEqual([lines.records, lines.bytes, lines.total], [0, 0, 0]);
  assert.deepEqual(await fetched(lines.url), { status: 200, text: '' });
});

test('whoever goes on with an export begins behind the last piece', async () => {
  await story.server.close();
  const { database, clock } = story;
  await database.script(`
    insert into cdr_exports (id, account_id, format, to_at, state, created_at)
    select 'cdx_01a20735-0000-7000-8000-000000000001', account_id, 'jsonl',
           now() + interval '9 years', 'queued', now() from cdrs limit 1`);
  assert.equal(await workOff('first', 1), false, 'it was told to close');
  assert.equal(await workOff('second', 1), false);
  assert.equal(await workOff('third'), true);
  assert.equal(await workOff('third'), false, 'nothing is left');
  clock.advance(1);
  await story.crash();
  const job = await readJob('cdx_01a20735-0000-7000-8000-000000000001');
  assert.deepEqual([job.state, job.records, job.total], ['done', 3, 3]);
  const ids = linesOf((await fetched(job.url)).text).map(({ callId }) => callId);
  assert.deepEqual(ids, calls);
});

test('an erasure has files made again without the person, and their links stay good', async () => {
  const { id } = await order({ format: 'jsonl' });
  const { url } = await made(id);
  assert.match((await fetched(url)).text, /447700900713/);
  const { id: contactId } = await contactOf(story, person('713'));
  await must(story.api, `/v1/contacts/${contactId}/erase`, { confirm: contactId });
  await story.until('made again', async () => {
    const { status, text } = await fetched(url);
    return status === 200 && !text.includes('447700900713');
  });
  const records = linesOf((await fetched(url)).text);
  assert.equal(records.length, 3);
  assert.equal(records.find(({ callId }) => callId === calls[2])?.customerNumber, '');
});

test('files go after a day or when told to, and not more than five wait at once', async () => {
  const { id } = await order({ format: 'csv' });
  await made(id);
  const canceled = await send(story, 'DELETE', `/v1/cdr-exports/${id}`);
  assert.equal((JSON.parse(canceled.text) as ExportJob).state, 'canceled');
  const kept = await made((await order({ format: 'csv' })).id);
  story.clock.advance(24 * 3_600_000);
  const isExpired = async (): Promise<boolean> => {
    // Files are looked at once an hour.
    story.clock.advance(600_000);
    return (await readJob(kept.id)).state === 'expired';
  };
  await story.until('expired', isExpired, 30 * 3_600_000);
  assert.equal((await fetched(kept.url)).status, 404);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => send(story, 'POST', '/v1/cdr-exports', { body: {} })),
  );
  const refused = answers.filter(({ status }) => status !== 202);
  for (const answer of refused) assert.equal(assertProblem(answer, 409).code, 'exports_waiting');
  const { items } = await story.api.get<Page<ExportJob>>('/v1/cdr-exports?limit=2');
  assert.equal(items.length, 2);
});
