import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ImportView, StandingView } from '../src/do-not-call/do-not-call.ts';
import type { Page, TimelineEntry } from '../src/http/api-types.ts';
import { assertProblem, secondAccount, send, type Answer } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import {
  assertOneEnd,
  consentStatus,
  contactOf,
  getYes,
  newPerson,
  person,
  placed,
  reach,
} from './story-people.ts';

let story: Story;

before(async () => {
  story = await openStory({ seed: 32 });
});
after(() => story.close());

const CSV = { 'content-type': 'text/csv' };

function upload(text: string, query = '', sent: { key?: string } = {}): Promise<Answer> {
  return send(story, 'POST', `/v1/do-not-call/imports${query}`, {
    ...sent,
    body: text,
    headers: CSV,
  });
}

async function imported(text: string, query = ''): Promise<ImportView> {
  const answer = await upload(text, query);
  assert.equal(answer.status, 202, answer.text);
  const { id } = JSON.parse(answer.text) as ImportView;
  return story.until('the end of the import', async () => {
    const job = await story.api.get<ImportView>(`/v1/do-not-call/imports/${id}`);
    return ['done', 'failed'].includes(job.state) ? job : null;
  });
}

const failuresOf = async ({ id }: ImportView): Promise<string[]> => {
  const { text } = await send(story, 'GET', `/v1/do-not-call/imports/${id}/failures`);
  return text.trimEnd().split('\r\n');
};

const standing = (to: string): Promise<StandingView> =>
  story.api.get(`/v1/do-not-call?to=${encodeURIComponent(to)}`);

const counts = ({ rows, added, already, failed }: ImportView): number[] => [
  rows,
  added,
  already,
  failed,
];

/** Numbers of London, all different, none of a person of the simulator. */
const londoner = (index: number): string => `+4420${70_000_000 + index}`;

test('a national list is imported with source and day, and again without a change', async () => {
  const text = `\ufeffname;Phone\r\n"Ada; the first";${londoner(1)}\r\nBo;${londoner(2)}\r\n`;
  const query = '?list=tps-2026-06&source=TPS&datedOn=2026-06-01';
  const job = await imported(text, query);
  assert.deepEqual([job.state, ...counts(job)], ['done', 2, 2, 0, 0]);
  const [entry] = (await standing(londoner(2))).entries;
  assert.deepEqual([entry?.list, entry?.reason], ['tps-2026-06', 'imported']);
  const { items } = await story.api.get<Page<Record<string, unknown>>>('/v1/do-not-call/lists');
  const list = items.find(({ name }) => name === 'tps-2026-06');
  assert.deepEqual(
    [list?.['entries'], list?.['source'], list?.['datedOn']],
    [2, 'TPS', '2026-06-01'],
  );
  assert.deepEqual(counts(await imported(text, query)), [2, 0, 2, 0]);
  const { text: ledger } = await send(story, 'GET', '/v1/ledger/export');
  const told = ledger.split('\n').filter((line) => line.includes('DoNotCallImported'));
  assert.equal(told.length, 2);
  assert.ok(told[0]?.includes(`"importId":"${job.id}"`), told[0]);
});

test('bad rows never stop an import, and are told masked, with line, reason and fix', async () => {
  const rows = [
    'phone,name',
    londoner(10),
    '02079460123,no country code',
    '"=HYPERLINK(""http://x"")",formula',
    'Ada Lovelace,a name',
    '"quote"x,malformed',
    `${londoner(11)},good`,
    `${londoner(11)},twice`,
  ];
  const job = await imported(`${rows.join('\n')}\n`);
  assert.deepEqual([job.state, ...counts(job)], ['done', 7, 2, 1, 4]);
  const lines = await failuresOf(job);
  assert.equal(lines[0], 'line,field,given,reason,fix');
  assert.deepEqual(
    lines.slice(1).map((line) => line.split(',')[0]),
    ['3', '4', '5', '6'],
  );
  assert.match(lines[1] ?? '', /^3,number,\*{9}23,.*begins with 0/);
  assert.match(lines[2] ?? '', /^4,number,"?'=/);
  assert.match(lines[3] ?? '', /^5,number,\*{3} \*{6}ce,/);
  assert.doesNotMatch(lines.join(), /2079460123|Lovelace/);
  // Failed rows are forgotten after a day, the counts are not.
  const hours = 3_600_000;
  await story.until(
    'the forgetting',
    async () => {
      story.clock.advance(hours);
      return (await failuresOf(job)).length === 1;
    },
    100 * hours,
  );
  assert.equal((await story.api.get<ImportView>(`/v1/do-not-call/imports/${job.id}`)).failed, 4);
});

test('a dry run counts and changes nothing', async () => {
  await imported(`${londoner(20)}\n`);
  const job = await imported(`${londoner(20)}\n${londoner(21)}\nx\n`, '?dryRun=true');
  assert.deepEqual([job.state, job.dryRun, ...counts(job)], ['done', true, 3, 1, 1, 1]);
  assert.equal((await standing(londoner(21))).listed, false);
});

test('importing somebody we know takes the permission back and ends the live call', async () => {
  const ringing = newPerson(story, '451', '105');
  const granted = newPerson(story, '452', '101');
  await getYes(story, ringing);
  await getYes(story, granted);
  const { id } = await placed(story, ringing);
  await reach(story, id, 'ringing');
  const job = await imported(`${ringing}\n${granted}\n`, '?list=letters');
  assert.equal(job.added, 2);
  const ended = await reach(story, id, 'ended');
  assert.deepEqual([ended.endReason, ended.endedBy], ['do_not_call', 'business']);
  await assertOneEnd(story, id);
  assert.equal(await consentStatus(story, granted), 'revoked');
  const contact = await contactOf(story, granted);
  const path = `/v1/contacts/${contact.id}/timeline?limit=500`;
  const { items } = await story.api.get<Page<TimelineEntry>>(path);
  const told = items.find(({ type }) => type === 'DoNotCallAdded');
  assert.equal(told?.actor, `import:${job.id}`);
  assert.deepEqual(told.data, { list: 'letters' });
  assert.deepEqual(told.personal, { reason: 'imported', source: 'import' });
});

test('the column is named, counted, found, or asked for', async () => {
  const text = `id,contact\n12025550101,${londoner(30)}\n`;
  const unclear = await imported(text);
  assert.deepEqual([unclear.state, unclear.error?.code], ['failed', 'import_column_unknown']);
  assert.match(unclear.error?.fix ?? '', /\?column=/);
  assert.equal((await imported(text, '?column=CONTACT')).added, 1);
  assert.deepEqual(counts(await imported(text, '?column=2')), [1, 0, 1, 0]);
  assert.equal((await imported(text, '?column=3')).state, 'failed');
  assert.equal((await imported(`x,${londoner(31)}\ny,${londoner(32)}\n`)).added, 2);
  assert.deepEqual(counts(await imported('')), [0, 0, 0, 0]);
});

test('numbers in the national form are read when the file says of which country', async () => {
  const rows = ['phone', '020 7946 0123', '2079460124', '+442079460125', '0123', '-2079460126'];
  const text = `${rows.join('\n')}\n`;
  // Without a country the second one is a number of Egypt, which nobody meant.
  assert.deepEqual(counts(await imported(text, '?list=national')), [5, 2, 0, 3]);
  const job = await imported(text, '?list=national&country=GB');
  assert.deepEqual(counts(job), [5, 2, 1, 2]);
  assert.equal((await standing('+442079460123')).listed, true);
  const [, first, second] = await failuresOf(job);
  assert.match(first ?? '', /^5,number,\*\*23,it is no number of GB,/);
  assert.match(second ?? '', /begins with a dash/);
  for (const country of ['gb', 'XX', 'GBR']) {
    assert.equal(assertProblem(await upload('1\n', `?country=${country}`), 400).status, 400);
  }
});

test('20,000 rows are imported, and a stop in between loses and repeats none', async () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => londoner(100_000 + index));
  const answer = await upload(`phone\n${rows.join('\n')}\n`, '?list=many');
  assert.equal(answer.status, 202, answer.text);
  const { id } = JSON.parse(answer.text) as ImportView;
  const read = (): Promise<ImportView> => story.api.get(`/v1/do-not-call/imports/${id}`);
  await story.until('a part of it', async () => (await read()).rows > 0);
  await story.restart();
  const job = await story.until('the end', async () => {
    const view = await read();
    return view.state === 'done' ? view : null;
  });
  assert.deepEqual(counts(job), [20_000, 20_000, 0, 0]);
  assert.ok((job.rowsPerSecond ?? 1) > 0);
  assert.equal((await standing(londoner(119_999))).listed, true);
  // Nothing of the file is left behind.
  const left = await story.database.run<{ left: number }>({
    name: '',
    text: 'select count(*) as left from import_chunks',
  });
  assert.equal(left[0]?.left, 0);
});

test('what is no CSV file, or names a list of people themselves, is refused', async () => {
  const path = '/v1/do-not-call/imports';
  const json = await send(story, 'POST', path, { body: { numbers: [] } });
  const problem = assertProblem(json, 415);
  assert.match(problem.fix, /text\/csv/);
  assertProblem(await send(story, 'POST', path), 415);
  for (const query of ['?list=opt_out', '?list=A%20b', '?datedOn=yesterday', '?dryRun=maybe']) {
    assert.equal(assertProblem(await upload('1\n', query), 400).code, 'invalid_request');
  }
  for (let index = 0; index < 5; index += 1) assert.equal((await upload('1\n')).status, 202);
  assert.equal(assertProblem(await upload('1\n'), 409).code, 'imports_waiting');
  const { key } = await secondAccount(story, 'Another importer');
  assert.equal((await upload(`${person('460')}\n`, '', { key })).status, 202);
  const { items } = await story.api.get<Page<ImportView>>(`${path}?limit=100`);
  assert.ok(items.length > 10);
});

test('a file that is too large is refused, and nothing of it stays', async () => {
  await story.pass(3_000);
  const megabyte = Buffer.from(`${'+442079460000,'.repeat(74_898)}\n`);
  const endless = new ReadableStream({
    pull(controller) {
      controller.enqueue(megabyte);
    },
  });
  const sent: RequestInit = {
    method: 'POST',
    headers: { ...CSV, authorization: `Bearer ${story.apiKey}` },
    body: endless,
    duplex: 'half',
  };
  const answer = await fetch(`${story.server.url}/v1/do-not-call/imports`, sent).catch(() => null);
  // The server stops reading and closes; a client that only writes may see no answer.
  assert.ok(answer === null || answer.status === 413, String(answer?.status));
  await story.until('the clearing', async () => {
    const path = '/v1/do-not-call/imports?limit=100';
    const { items } = await story.api.get<Page<ImportView>>(path);
    return items.every(({ state }) => state !== 'receiving');
  });
});
