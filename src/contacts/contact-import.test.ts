import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { statement, type Database } from '../database/database.ts';
import { csvLine } from '../http/csv-text.ts';
import {
  addChunk,
  createImport,
  failuresOf,
  queueImport,
  readImport,
} from '../imports/import-store.ts';
import { workOffOne } from '../imports/import-worker.ts';
import type { FailedRow, ImportId, StoredImport } from '../imports/imports.ts';
import { makeChanges } from '../ledger/changes.ts';
import { entriesOfContact } from '../ledger/ledger-store.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type AccountId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { detailsOf, findByExternalId, tagsOf } from './contact-detail-store.ts';
import { findByHandle } from './contact-handle-store.ts';
import { contactImports, type ContactImport } from './contact-import-commands.ts';
import { readContact } from './contact-store.ts';
import { numberHandle, type Contact } from './contact.ts';

const clock = new ManualClock();
const ids = makeIds(clock, seededRandom(25));
const accountId: AccountId = ids.next('account');
const NAUGHTY = new URL('../../../shared/corpora/naughty-strings.json', import.meta.url);

let store: TestDatabase;

before(async () => {
  store = await testDatabase();
});
after(() => store.close());

const NO_COLUMNS = { number: null, name: null, language: null, timeZone: null, externalId: null };
const PLAIN: ContactImport = { columns: NO_COLUMNS, keepsOthers: true, country: null, tag: '' };

function workOff(database: Database = store.database, owner = 'only'): Promise<boolean> {
  const ledger = { database, clock, ids, changes: makeChanges() };
  return workOffOne({ ...ledger, log: silentLog, owner }, contactImports(ledger));
}

async function queued(
  text: string | Buffer,
  wish: Partial<ContactImport> & { dryRun?: boolean } = {},
) {
  const id = ids.next('import');
  const { database } = store;
  const { dryRun = false, ...rest } = wish;
  const job = { id, accountId, kind: 'contacts', dryRun, now: clock.now() } as const;
  await createImport(database, { ...job, wish: { ...PLAIN, ...rest } });
  const bytes = Buffer.from(text);
  // In two pieces, the first of which says nothing yet of how the letters are written.
  await addChunk(database, id, 0, bytes.subarray(0, 1));
  await addChunk(database, id, 1, bytes.subarray(1));
  await database.transaction((tx) => queueImport(tx, id, bytes.length));
  return id;
}

async function stored(id: ImportId): Promise<StoredImport<ContactImport>> {
  const job = await readImport<ContactImport>(store.database, accountId, 'contacts', id);
  assert.ok(job !== null);
  return job;
}

async function imported(text: string | Buffer, wish: Parameters<typeof queued>[1] = {}) {
  const id = await queued(text, wish);
  assert.equal(await workOff(), true);
  return stored(id);
}

const counts = ({ added, changed, already, failed }: StoredImport<ContactImport>): number[] => [
  added,
  changed,
  already,
  failed,
];

async function contactAt(number: string): Promise<Contact> {
  const id = await findByHandle(store.database, accountId, numberHandle(number));
  const contact = id === null ? null : await readContact(store.database, accountId, id);
  assert.ok(contact !== null, number);
  return contact;
}

async function failures(id: ImportId): Promise<FailedRow[]> {
  const all: FailedRow[] = [];
  for await (const rows of failuresOf(store.database, id, 100)) all.push(...rows);
  return all;
}

const HEAD = 'Phone;Name;Language;Time zone;External ID;Order no.;Plan\n';

test('a file makes contacts with fields, details and a tag, and changes none again', async () => {
  const text =
    `${HEAD}+442070000001;Ada;en_GB;Europe/London;crm-1;1042;Gold\n` +
    '+442070000002;Bo;;;crm-2;1043;\n';
  const job = await imported(text, { tag: 'spring-2026' });
  assert.deepEqual([job.state, ...counts(job)], ['done', 2, 0, 0, 0]);
  const ada = await contactAt('+442070000001');
  assert.deepEqual(
    [ada.name, ada.language, ada.timeZone, ada.country],
    ['Ada', 'en_GB', 'Europe/London', 'GB'],
  );
  const details = (await detailsOf(store.database, [ada.id])).get(ada.id);
  assert.deepEqual(details, { externalId: 'crm-1', columns: { order_no: '1042', plan: 'Gold' } });
  assert.deepEqual(await tagsOf(store.database, ada.id), ['spring-2026']);
  assert.deepEqual(await findByExternalId(store.database, accountId, 'crm-1', 2), [ada.id]);
  assert.deepEqual(counts(await imported(text, { tag: 'spring-2026' })), [0, 0, 2, 0]);
  const [entry, ...more] = await entriesOfContact(store.database, ada.id, 0, 10);
  assert.equal(more.length, 0, 'the same file again leaves no trace in the ledger');
  assert.deepEqual([entry?.type, entry?.actor], ['ContactChanged', `import:${job.id}`]);
  assert.doesNotMatch(JSON.stringify(entry?.data), /Ada|crm-1|1042|Gold/);
});

test('a known contact learns what is new, and an empty cell takes nothing away', async () => {
  await imported(`${HEAD}+442070000011;Cy;de;;c-11;7;Gold\n`);
  const job = await imported(`${HEAD}+442070000011;;pt-BR;;;8;\n+442070000012;;;;;;\n`);
  assert.deepEqual(counts(job), [1, 1, 0, 0]);
  const cy = await contactAt('+442070000011');
  assert.deepEqual([cy.name, cy.language], ['Cy', 'pt_BR']);
  const details = (await detailsOf(store.database, [cy.id])).get(cy.id);
  assert.deepEqual(details, { externalId: 'c-11', columns: { order_no: '8', plan: 'Gold' } });
});

test('rows that cannot be taken are told with line, reason and fix, and name nobody', async () => {
  const text = [
    'phone,name,language,time zone',
    '02079460123,Dora,,',
    '+442070000021,Eve,english,',
    '+442070000022,Flo,,Mars/Base',
    `+442070000023,${'x'.repeat(101)},,`,
    '"oops"x,Gus,,',
    '+442070000024,Hal,,',
  ].join('\n');
  const job = await imported(text);
  assert.deepEqual([job.state, ...counts(job)], ['done', 1, 0, 0, 5]);
  const rows = await failures(job.id);
  assert.deepEqual(
    rows.map(({ line }) => line),
    [2, 3, 4, 5, 6],
  );
  assert.match(rows[0]?.rule ?? '', /begins with 0/);
  assert.match(rows[1]?.rule ?? '', /the language is a code such as de or pt_BR/);
  assert.match(rows[2]?.rule ?? '', /the time zone is an IANA name/);
  assert.ok(rows.every(({ fix }) => fix !== ''));
  assert.doesNotMatch(JSON.stringify(rows), /Dora|Eve|9460123|2070000021/);
});

test('columns are named, counted or left out, and what is unclear is asked for', async () => {
  const text = 'a,b,c\nx,+442070000031,Ida\n';
  const unclear = await imported(text);
  assert.deepEqual([unclear.state, unclear.error?.code], ['failed', 'import_column_unknown']);
  const columns = { ...NO_COLUMNS, number: '2', name: 'C' };
  assert.deepEqual(counts(await imported(text, { columns, keepsOthers: false })), [1, 0, 0, 0]);
  const ida = await contactAt('+442070000031');
  assert.equal(ida.name, 'Ida');
  assert.equal((await detailsOf(store.database, [ida.id])).size, 0);
  const bare = await imported('+442070000032,extra\n', { columns: { ...NO_COLUMNS, number: '1' } });
  assert.deepEqual(counts(bare), [1, 0, 0, 0]);
  const wrong = await imported(text, { columns: { ...NO_COLUMNS, name: 'nobody' } });
  assert.match(wrong.error?.fix ?? '', /\?name=/);
});

test('a dry run tells what would be, and changes nothing', async () => {
  await imported(`${HEAD}+442070000041;Jo;de;;;1;\n`);
  const jo = '+442070000041;Jo;en;;;1;\n';
  const text = `${HEAD}${jo}+442070000042;Kim;;;;;\n${jo}x;\n`;
  assert.deepEqual(counts(await imported(text, { dryRun: true })), [1, 1, 1, 1]);
  assert.equal((await contactAt('+442070000041')).language, 'de');
  const kim = numberHandle('+442070000042');
  assert.equal(await findByHandle(store.database, accountId, kim), null);
  assert.deepEqual(counts(await imported(text)), [1, 1, 1, 1]);
});

/** Lets that many transactions through, and is gone from then on, as for a process that dies. */
function dyingAfter(transactions: number): Database {
  let left = transactions;
  return {
    ...store.database,
    async transaction(work) {
      if (left === 0) throw new Error('the connection is gone');
      left -= 1;
      return store.database.transaction(work);
    },
  };
}

test('another worker goes on where one died, and nobody is there twice', async () => {
  const rows = Array.from({ length: 1_700 }, (_, n) => `+4420${71_000_000 + n};N${n};;;e${n};;`);
  const id = await queued(`${HEAD}${rows.join('\n')}\n`);
  await assert.rejects(workOff(dyingAfter(2), 'first'), /gone/);
  assert.equal((await stored(id)).rows, 400);
  await store.database.script(`update imports set lease_until = now() - interval '1 s'`);
  assert.equal(await workOff(store.database, 'second'), true);
  assert.deepEqual(counts(await stored(id)), [1_700, 0, 0, 0]);
  const TAGGED = statement<{ people: number }>(
    'test_tagged_people',
    'select count(*) as people from contact_tags where tag = $1',
  );
  assert.equal((await store.database.first(TAGGED, [id]))?.people, 1_700);
});

/** What a file says wrongly, and what its only failed row or the whole job then says. */
const HEADER = 'phone,name,note';
const BAD_ROWS: ReadonlyArray<[what: string, row: string, field: string, rule: RegExp]> = [
  [
    'a comma without quotes',
    '+442070000061,Smith, Ada,x',
    'row',
    /has 4 fields, the first line has 3/,
  ],
  ['an open quote', '+442070000061,"Ada,x', 'row', /opened and never closed/],
  ['a quote within', '+442070000061,A"da,x', 'row', /inside a field without quotes/],
  ['a megabyte', `+442070000061,Ada,${'x'.repeat(1_000_000)}`, 'row', /at most 65536 characters/],
  ['a NUL in a name', '+442070000061,A\u0000da,x', 'name', /the name has no control characters/],
  ['a NUL in a number', '+4420700\u000000061,Ada,x', 'number', /characters other than digits/],
  ['a line break', '+442070000061,"A\nda",x', 'name', /the name has no control characters/],
  ['a long note', `+442070000061,Ada,${'x'.repeat(501)}`, 'note', /the column note/],
  ['no number', ',Ada,x', 'number', /it is empty/],
];

for (const [index, [what, row, field, rule]] of BAD_ROWS.entries()) {
  test(`a row with ${what} is told by line and field, and the next one is taken`, async () => {
    const next = `+4420700001${10 + index}`;
    const job = await imported(`${HEADER}\n${row}\n${next},Bo,y\n`);
    const [told] = await failures(job.id);
    assert.deepEqual([told?.line, told?.field], [2, field]);
    assert.match(told?.rule ?? '', rule);
    assert.ok((told?.fix ?? '').length > 20 && (told?.given.length ?? 0) <= 40);
    // An open quote takes the rest of its line along; a line break ends on the next one.
    assert.deepEqual([job.state, job.added, job.failed], ['done', 1, 1]);
    assert.equal((await contactAt(next)).name, 'Bo');
  });
}

test('UTF-16, Latin-1 and marks in front are read, and what cannot be read is told', async () => {
  const text = 'phone;name\r\n+442070000081;Müller\r\n';
  const swapped = Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
  const files: Array<[string, Buffer, Partial<ContactImport>]> = [
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`), {}],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${text}`, 'utf16le'), {}],
    ['UTF-16 without one', Buffer.from(text, 'utf16le'), {}],
    ['big-endian UTF-16', swapped, {}],
    ['Latin-1 that says so', Buffer.from(text, 'latin1'), { encoding: 'windows-1252' }],
  ];
  for (const [what, bytes, wish] of files) {
    const job = await imported(bytes, wish);
    assert.deepEqual([job.state, job.failed], ['done', 0], what);
    assert.equal((await contactAt('+442070000081')).name, 'Müller', what);
  }
  const unsaid = await imported(Buffer.from(text, 'latin1'));
  const [told] = await failures(unsaid.id);
  assert.deepEqual([told?.line, told?.field, unsaid.failed], [2, 'name', 1]);
  assert.match(told?.fix ?? '', /UTF-8.*encoding=windows-1252/);
  const header = await imported(Buffer.from('phone,größe\n+442070000082,x\n', 'latin1'));
  assert.match(header.error?.message ?? '', /column 2/);
});

test('a file without rows, or without a column of numbers, is no import', async () => {
  for (const text of ['', '\ufeff', HEADER, '\n\n\n', `${HEADER}\n , ,\n`]) {
    const job = await imported(text);
    assert.deepEqual(
      [job.state, job.error?.code],
      ['failed', 'import_empty'],
      JSON.stringify(text),
    );
  }
  const job = await imported('name,note\nAda,x\n');
  assert.deepEqual([job.state, job.error?.code], ['failed', 'import_column_unknown']);
  assert.match(job.error?.message ?? '', /number/);
});

test('of two rows of one person the later counts, however far apart they stand', async () => {
  const others = Array.from({ length: 1_200 }, (_, n) => `+4420${73_000_000 + n},O${n},`);
  const rows = ['+442070000091,First,a', ...others, '+442070000091,Last,'];
  const job = await imported(`${HEADER}\n${rows.join('\n')}\n`);
  assert.deepEqual(counts(job), [1_201, 1, 0, 0]);
  assert.equal((await contactAt('+442070000091')).name, 'Last');
});

const absent = existsSync(NAUGHTY) ? false : 'the public corpora are not beside this repository';
test('no hostile cell breaks a file, and each is kept as it is', { skip: absent }, async () => {
  const strings = JSON.parse(readFileSync(NAUGHTY, 'utf8')) as string[];
  const rows = strings.map((text, n) => csvLine([`+4420${72_000_000 + n}`, text, text]));
  const job = await imported(`phone,name,note\r\n${rows.join('')}`);
  assert.equal(job.state, 'done');
  assert.equal(job.added + job.already + job.failed, job.rows);
  assert.ok(job.added > strings.length / 2, `${job.added} of ${strings.length}`);
  const odd = strings.findIndex((text) => text.includes('田中さん'));
  const contact = await contactAt(`+4420${72_000_000 + odd}`);
  assert.equal(contact.name, strings[odd]);
  // Strings as numbers: none of them may become somebody.
  const wild = strings.map((text) => csvLine([text, 'x'])).join('');
  const second = await imported(`phone,name\r\n${wild}`);
  assert.equal(second.state, 'done');
  const made = second.added + second.changed + second.already;
  assert.ok(made <= 5, `${made} naughty strings were read as numbers`);
});
