import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { statement } from '../src/database/database.ts';
import { canonicalJson } from '../src/platform/canonical-json.ts';
import { seededRandom, type Random } from '../src/platform/random.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import {
  canonical,
  notesOf,
  readKey,
  verify,
  verifierPath,
  type Against,
  type Heads,
  type Key,
  type Verdict,
} from './audit-verifier.ts';
import { call, contactOf, getYes, person, placed, reach } from './story-people.ts';
import {
  isEntry,
  linesOf,
  OTHER_SIGNER,
  rechain,
  rehash,
  reseal,
  STORY_SIGNER,
  textOf,
  type Entry,
  type Line,
} from './record-forger.ts';
import { root } from './repository.ts';

/** whatever is done to a real record, the verifier finds it and names the place. */
let story: Story;
let folder: string;
let bundle: string;
let record: string;
/** What was kept outside: the file of checkpoints, and the public key. */
let noteFile: string;
let outside: ReturnType<typeof notesOf>;
let key: Key;

before(async () => {
  story = await openStory({ seed: 11 });
  folder = mkdtempSync(join(tmpdir(), 'askfirst-ledger-'));
  for (const last3 of ['101', '104']) {
    await getYes(story, person(last3));
    const { id } = await placed(story, person(last3));
    await reach(story, id, 'ended');
    await call(story, person(last3));
  }
  await getYes(story, person('100'));
  story.simulator.act(person('100'), { action: 'write', text: 'STOP' });
  await story.until('a stop', async () => (await contactOf(story, person('100'))).doNotCall);
  await story.pass(1_000);
  story.clock.advance(61_000);
  const { total } = await count();
  await story.until('a checkpoint over all', async () => (await count()).covered === total);
  // What comes now is only chained when the record is taken.
  await call(story, person('104'));
  const { id } = await contactOf(story, person('101'));
  bundle = (await send(story, 'GET', `/v1/contacts/${id}/evidence`)).text;
  record = (await send(story, 'GET', '/v1/ledger/export')).text;
  const { items } = await story.api.get<{ items: Array<{ note: string }> }>(
    '/v1/ledger/checkpoints?limit=100',
  );
  noteFile = items
    .reverse()
    .map(({ note }) => `${note}\n`)
    .join('');
  outside = notesOf(noteFile);
  const shown = await story.api.get<{ verifierKey: string }>('/v1/ledger/checkpoints/key');
  key = readKey(shown.verifierKey) ?? assert.fail('no key');
  for (const file of [bundle, record]) assert.deepEqual((await verify(file)).problems, []);
});
const COUNT = statement<{ total: number; covered: number }>(
  'test_audit_count',
  `select (select count(*) from ledger) as total,
          (select coalesce(max(size), 0) from ledger_checkpoints) as covered`,
);
const count = async () => (await story.database.first(COUNT)) ?? { total: 0, covered: -1 };

after(async () => {
  await story.close();
  rmSync(folder, { recursive: true, force: true });
});

const parseLines = (): Line[] => linesOf(record);

type Edit = (entry: Entry, random: Random) => void;
const hex = (random: Random, bytes: number): string =>
  Buffer.from(random.bytes(bytes)).toString('hex');

const CHANGES: Readonly<Record<string, Edit>> = {
  actor: (entry) => (entry['actor'] = `${String(entry['actor'])}x`),
  type: (entry) =>
    (entry['type'] = entry['type'] === 'OptedOut' ? 'PermissionGranted' : 'OptedOut'),
  id: (entry, random) => (entry['id'] = `evt_${hex(random, 16)}`),
  time: (entry, random) => {
    const ms = Date.parse(String(entry['at'])) + 1 + random.below(86_400_000);
    entry['at'] = new Date(ms).toISOString();
  },
  'clock back': (entry, random) => {
    const ms = Date.parse(String(entry['at'])) - 1 - random.below(86_400_000);
    entry['at'] = new Date(ms).toISOString();
  },
  'time in other words': (entry) => (entry['at'] = String(entry['at']).replace('Z', '+00:00')),
  data: (entry, random) => (entry['data'] = { ...(entry['data'] as object), x: random.below(9) }),
  personal: (entry, random) => (entry['personal'] = { x: random.below(9) }),
  'erased said otherwise': (entry) => (entry['erased'] = entry['erased'] !== true),
  'sealed part': (entry) => (entry['sealed'] = 'AQ=='),
  'key of the sealed part': (entry, random) => (entry['sealKey'] = hex(random, 32)),
  'data emptied': (entry) => (entry['data'] = { nothing: true }),
  sequence: (entry, random) => (entry.sequence += 1 + random.below(5)),
  hash: (entry, random) => (entry.hash = hex(random, 32)),
  'previous hash': (entry, random) => (entry.previousHash = hex(random, 32)),
  'hash in capitals': (entry) => (entry.hash = `${entry.hash.slice(0, 63).toUpperCase()}g`),
  account: (entry) => (entry['accountId'] = 'acct_somebody'),
  contact: (entry) => (entry['contactId'] = 'cont_somebody'),
  'a field more': (entry) => (entry['note'] = 'added later'),
  'a field less': (entry) => delete entry['actor'],
};

/** What is done to the list of lines; gives the index from which on the file is wrong. */
type Surgery = (lines: Line[], at: number, random: Random) => number;

const SURGERY: Readonly<Record<string, Surgery>> = {
  delete: (lines, at) => {
    lines.splice(at, 1);
    return at;
  },
  'insert a copy': (lines, at, random) => {
    const copy = structuredClone(lines[anEntry(lines, random)] ?? {});
    lines.splice(at, 0, copy);
    return at;
  },
  'insert a forged entry that fits': (lines, at) => {
    const next = structuredClone(lines[at]) as Entry;
    rehash(Object.assign(next, { type: 'PermissionGranted', id: 'evt_forged' }));
    lines.splice(at, 0, next);
    return at;
  },
  swap: (lines, at, random) => {
    const other = anEntry(lines, random);
    if (other === at) return SURGERY['delete']?.(lines, at, random) ?? at;
    [lines[at], lines[other]] = [lines[other] ?? {}, lines[at] ?? {}];
    return Math.min(at, other);
  },
  'swap and number anew': (lines, at, random) => {
    const [one, two] = [lines[at], lines[at + 1]];
    if (!isEntry(one) || !isEntry(two)) return SURGERY['delete']?.(lines, at, random) ?? at;
    [one.sequence, two.sequence] = [two.sequence, one.sequence];
    [lines[at], lines[at + 1]] = [two, one];
    return at;
  },
  'change and hash anew': (lines, at) => {
    const entry = lines[at] as Entry;
    entry['actor'] = 'customer, really';
    rehash(entry);
    return at;
  },
};

type Forged = { lines: Line[]; against: Against; place: RegExp };

const IN_FILE = /^checkpoints, line \d+$/;

/**
 * Forgeries by somebody who rebuilds chains, tree and checkpoint, so that the file holds by itself:
 * found with the key, or against the checkpoints that were kept outside.
 */
const RESEALED: Readonly<Record<string, (lines: Line[], random: Random) => Forged>> = {
  'sign with another key': (lines) => ({
    lines: reseal(lines, OTHER_SIGNER),
    against: { key },
    place: /^line 1$/,
  }),
  'sign with another key under the same name': (lines) => {
    const [header, ...rest] = reseal(lines, OTHER_SIGNER);
    const verifierKey = lines[0]?.['verifierKey'];
    return { lines: [{ ...header, verifierKey }, ...rest], against: {}, place: /^line 1$/ };
  },
  fork: (lines, random) => {
    (lines[aCovered(lines, random)] as Entry)['actor'] = 'customer, really';
    rechain(lines);
    return { lines: reseal(lines), against: { key, outside }, place: IN_FILE };
  },
  'cut the tail of a chain and seal anew': (lines, random) => {
    const at = aCovered(lines, random);
    const end = lines.findIndex((line, index) => index > at && !isEntry(line));
    lines.splice(at, end - at);
    setEnd(lines, 0, at - end);
    rechain(lines);
    return { lines: reseal(lines), against: { key, outside }, place: IN_FILE };
  },
  'set the clock of checkpoints back': (lines, random) => {
    const [header = {}] = reseal(lines, STORY_SIGNER, Date.UTC(2026, 4, 1 + random.below(28)));
    const kept = notesOf(`${noteFile}${String(header.note)}\n`);
    return { lines, against: { key, outside: kept }, place: IN_FILE };
  },
  'lose the newest checkpoint': (lines) => {
    const [header = {}, ...rest] = lines.filter(({ tile }) => tile === undefined);
    for (const line of rest) if (line.runs !== undefined) line.runs = [];
    const without = [{ ...header, note: null }, ...rest];
    return { lines: without, against: { key, outside }, place: /^line 1$/ };
  },
};

/** An entry that the checkpoint covers, but not the first of its chain. */
function aCovered(lines: readonly Line[], random: Random): number {
  for (;;) {
    const at = anEntry(lines, random);
    const { sequence } = lines[at] as Entry;
    const contact = lines.findLast((line, index) => index < at && line.head !== undefined);
    const past = contact?.runs?.reduce((sum, [, entries]) => sum + entries, 1) ?? 0;
    if (sequence > 1 && sequence < past) return at;
  }
}

function anEntry(lines: readonly Line[], random: Random): number {
  for (;;) {
    const index = random.below(lines.length);
    if (isEntry(lines[index])) return index;
  }
}

/** In any line but the header, whose signed part has tests of its own. */
function flipABit(random: Random): { bytes: Buffer; line: number } {
  const lines = record.trimEnd().split('\n');
  const line = 1 + random.below(lines.length - 1);
  const start = Buffer.byteLength(lines.slice(0, line).join('\n')) + 1;
  const bytes = Buffer.from(record);
  const at = start + random.below(Buffer.byteLength(lines[line] ?? ''));
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return { bytes, line };
}

function assertFound(verdict: Verdict, line: number, what: string): void {
  assert.equal(verdict.ok, false, `${what} in line ${line + 1} was not found`);
  const place = verdict.problems[0]?.place ?? '';
  if (place === 'file: it is not UTF-8' || place === 'file') return;
  const named = Number(place.replace('line ', ''));
  // Of a change that was hashed anew, the first sign is the next entry, or the head it misses.
  const isNear = named === line + 1 || named === line + 2;
  assert.ok(
    isNear || namesContact(verdict, line, named),
    `${what}: line ${line + 1}, not ${place}`,
  );
}

/** Of a contact's own line: its first or last entry, or the leaves that nobody claims then. */
function namesContact({ problems: [problem] }: Verdict, line: number, named: number): boolean {
  const lines = parseLines();
  if (lines[line]?.head === undefined) return false;
  const next = lines.findIndex((it, index) => index > line && !isEntry(it));
  return (
    named <= next + 1 || (named === lines.length && /leaf|leaves/.test(problem?.message ?? ''))
  );
}

test('a whole contact cut out, put in twice or put elsewhere is found', async () => {
  const lines = parseLines();
  const starts = lines.flatMap((line, index) => (line.head === undefined ? [] : [index]));
  const [first = 0, second = 0, third = 0] = starts;
  const [one, two] = [lines.slice(first, second), lines.slice(second, third)];
  const [header, rest] = [lines.slice(0, first), lines.slice(third)];
  assert.ok((await verify(textOf([...header, ...one, ...two, ...rest]))).ok);
  assert.ok(!(await verify(textOf([...header, ...two, ...rest]))).ok, 'cut out');
  assert.ok(!(await verify(textOf([...header, ...one, ...one, ...two, ...rest]))).ok, 'twice');
  assert.ok(!(await verify(textOf([...header, ...two, ...one, ...rest]))).ok, 'elsewhere');
});

test('a file that ends early is not taken for the whole', async () => {
  for (const part of [0.2, 0.5, 0.99]) {
    assert.ok(!(await verify(record.slice(0, record.length * part))).ok);
    assert.ok(!(await verify(bundle.slice(0, bundle.length * part))).ok);
  }
});

/** Where the last chain begins, and where it ends: the line before the end of the file. */
function lastChain(lines: readonly Line[]): { start: number; last: number } {
  return { start: lines.findLastIndex((line) => line.head !== undefined), last: lines.length - 2 };
}

const setEnd = (lines: Line[], contacts: number, entries: number): void => {
  const line = lines.at(-1) as { end: { contacts: number; entries: number } };
  line.end.contacts += contacts;
  line.end.entries += entries;
};

/** Three forgeries that keep every rule of a chain, because the hashes have no key. */
const FORGERIES: Readonly<Record<string, (lines: Line[]) => void>> = {
  cut: (lines) => {
    const { start, last } = lastChain(lines);
    const { sequence, hash } = lines[last - 1] as Entry;
    lines.splice(last, 1);
    Object.assign(lines[start] ?? {}, { head: { sequence, hash } });
    setEnd(lines, 0, -1);
  },
  written_anew: (lines) => {
    const { start, last } = lastChain(lines);
    for (const [offset, line] of lines.slice(start + 3, last + 1).entries()) {
      const before = lines[start + 2 + offset] as Entry;
      rehash(Object.assign(line as Entry, { actor: 'customer', previousHash: before.hash }));
    }
    const { sequence, hash } = lines[last] as Entry;
    Object.assign(lines[start] ?? {}, { head: { sequence, hash } });
  },
  left_out: (lines) => {
    const { start, last } = lastChain(lines);
    lines.splice(start, last - start + 1);
    setEnd(lines, -1, start - last);
  },
};

async function headsOf(file: string): Promise<Heads> {
  const heads: Heads = new Map();
  assert.ok((await verify(file, { heads })).ok);
  return heads;
}

test('what a chain alone cannot show, the signed tree does', async () => {
  for (const [code, forge] of Object.entries(FORGERIES)) {
    const lines = parseLines();
    forge(lines);
    const { ok, problems } = await verify(textOf(lines));
    assert.equal(ok, false, code);
    assert.equal(problems[0]?.code, code);
  }
});

test('what somebody with the signing key forges, an earlier copy shows', async () => {
  const earlier = await headsOf(record);
  assert.ok((await verify(record, { earlier })).ok);
  for (const [code, forge] of Object.entries(FORGERIES)) {
    const lines = parseLines();
    forge(lines);
    const forged = textOf(reseal(lines));
    assert.ok((await verify(forged)).ok, `${code}: the documents say it holds by itself`);
    const { ok, problems } = await verify(forged, { earlier });
    assert.equal(ok, false, code);
    assert.equal(problems[0]?.code, code);
  }
});

test('a record agrees with all checkpoints that were kept outside, and says so', async () => {
  const all = await verify(record, { key, outside });
  assert.deepEqual(all.problems, []);
  assert.equal(all.outside, outside.length);
  assert.ok(outside.length >= 2);
  const { size = 0, covered, isKeyGiven } = all.checkpoint ?? {};
  assert.ok(size === covered && size < all.entries && isKeyGiven);
  const one = await verify(bundle, { key, outside });
  assert.equal(one.outside, 1);
});

test('a bundle whose proofs or checkpoint were changed is found', async () => {
  type Proven = {
    proofs: Array<{ leaf: number; sequence: number; proof: string[] }>;
    checkpoint: { note: string; verifierKey: string };
  };
  const changes: Array<[string, (it: Proven) => void]> = [
    ['proofs[3]', ({ proofs }) => (proofs[3] = { ...(proofs[3] ?? assert.fail()), leaf: 0 })],
    ['proofs[2]', ({ proofs }) => proofs[2]?.proof.pop()],
    ['proofs[2]', ({ proofs }) => proofs[2]?.proof.push('00'.repeat(32))],
    ['proofs[1]', ({ proofs }) => (proofs[1]?.proof ?? []).splice(0, 1, 'ff'.repeat(32))],
    ['proofs[0]', ({ proofs }) => proofs.splice(0, 1)],
    ['checkpoint', ({ checkpoint: it }) => (it.note = it.note.replace('2026', '2027'))],
    ['checkpoint', ({ checkpoint: it }) => (it.note = it.note.replace(/\n\d+\n/, '\n9\n'))],
    ['checkpoint', ({ checkpoint: it }) => (it.verifierKey = it.verifierKey.slice(0, -4))],
  ];
  for (const [place, change] of changes) {
    const changed = JSON.parse(bundle) as Proven;
    change(changed);
    const { ok, problems } = await verify(JSON.stringify(changed), { key });
    assert.equal(ok, false, place);
    assert.equal(problems[0]?.place, place);
  }
});

test('answers of the API prove an entry, and that a checkpoint only added', async () => {
  const path = '/v1/ledger/checkpoints';
  const { contact } = JSON.parse(bundle) as { contact: { id: string } };
  const entry = `/v1/contacts/${contact.id}/inclusion?sequence=`;
  const sizes = outside.map(({ note }) => (note as { size: number }).size);
  const consistency = `${path}/consistency?from=${sizes[0]}&to=${sizes.at(-1)}`;
  for (const [url, from, to] of [
    [`${entry}3`, '"type":"', '"type":"x'],
    [consistency, '"proof":["', '"proof":["00'],
  ] as const) {
    const { text } = await send(story, 'GET', url);
    assert.deepEqual((await verify(text, { key, outside })).problems, []);
    const forged = await verify(text.replace(from, to), { key });
    assert.equal(forged.ok, false, url);
  }
  const wrong = await send(story, 'GET', `${path}/consistency?from=${sizes.at(-1)}&to=${sizes[0]}`);
  assert.equal(wrong.status, 400);
  const none = await send(story, 'GET', `${entry}999`);
  assert.equal(none.status, 404);
});

test('a ledger that has only grown since the earlier copy holds, and so does a part', async () => {
  for (const shrink of ['cut', 'left_out']) {
    const lines = parseLines();
    FORGERIES[shrink]?.(lines);
    const copy = textOf(reseal(lines));
    assert.ok((await verify(record, { earlier: await headsOf(copy) })).ok);
  }
  assert.ok((await verify(record, { earlier: await headsOf(bundle) })).ok);
  assert.ok((await verify(bundle, { earlier: await headsOf(record) })).ok);
  const [first = ''] = (await headsOf(record)).keys();
  const part = await send(story, 'GET', `/v1/ledger/export?after=${first}`);
  assert.ok((await verify(part.text, { key, outside, earlier: await headsOf(record) })).ok);
});

type Rows = Record<string, unknown>;
type Bundle = Record<'requests' | 'answers' | 'permissions' | 'refusals' | 'calls', Rows[]>;

test('a word changed in the readable part of a bundle is found too', async () => {
  const changes: Array<[string, (it: Bundle) => void]> = [
    ['requests[0].text', ({ requests: [it = {}] }) => (it['text'] = 'May we ring you any time?')],
    ['requests[0].purpose', ({ requests: [it = {}] }) => (it['purpose'] = 'anything')],
    ['requests[0].deliveredAt', ({ requests: [it = {}] }) => (it['deliveredAt'] = null)],
    ['requests', (it) => it.requests.pop()],
    ['answers', (it) => it.answers.pop()],
    ['answers[0].actor', ({ answers: [it = {}] }) => (it['actor'] = 'meta')],
    ['permissions[0].expiresAt', ({ permissions: [it = {}] }) => (it['expiresAt'] = '2027')],
    ['permissions[0].usedByCallId', ({ permissions: [it = {}] }) => (it['usedByCallId'] = null)],
    ['permissions[0].revokedAt', ({ permissions: [it = {}] }) => (it['revokedAt'] = '2026')],
    ['refusals', (it) => it.refusals.pop()],
    ['calls', (it) => it.calls.pop()],
    ['calls[0].outcome', ({ calls: [it = {}] }) => (it['outcome'] = 'no_answer')],
    ['calls[0].grantedIn', ({ calls: [it = {}] }) => (it['grantedIn'] = 1)],
    [
      'calls[0].cdr.endedAt',
      ({ calls: [it = {}] }) => Object.assign(it['cdr'] ?? {}, { endedAt: '' }),
    ],
    ['calls[0].cdr.callId', ({ calls: [it = {}] }) => (it['cdr'] = null)],
  ];
  for (const [place, change] of changes) {
    const changed = JSON.parse(bundle) as Bundle;
    change(changed);
    const { ok, problems } = await verify(JSON.stringify(changed));
    assert.equal(ok, false, place);
    assert.equal(problems[0]?.place, place);
  }
  const pretty = JSON.stringify(JSON.parse(bundle), null, 2);
  assert.ok((await verify(pretty)).ok, 'white space changes nothing');
});

test('a dial without a live yes of its own is named, even in a chain that holds', async () => {
  const changed = JSON.parse(bundle) as Bundle & { ledger: Entry[]; ledgerHead: unknown };
  const kept = changed.ledger.filter(({ type }) => type !== 'PermissionUsed');
  let previousHash = '';
  for (const [index, entry] of kept.entries()) {
    rehash(Object.assign(entry, { sequence: index + 1, previousHash }));
    previousHash = entry.hash;
  }
  const ledgerHead = { sequence: kept.length, hash: previousHash };
  const { checkpoint } = changed as unknown as { checkpoint: object };
  const unproven = { checkpoint: { ...checkpoint, note: null }, proofs: [] };
  const { problems } = await verify(
    JSON.stringify({ ...changed, ...unproven, ledger: kept, ledgerHead }),
  );
  assert.ok(problems.some(({ code }) => code === 'no_yes'));
});

const THROUGH_JSONB = statement<{ value: unknown }>(
  'test_ledger_through_jsonb',
  'select value from unnest($1::jsonb[]) with ordinality v (value, n) order by n',
);

test('verifier and writer have one canonical JSON, also behind PostgreSQL', async () => {
  // What the border lets in: jsonb takes no NUL and no half of a surrogate pair.
  const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((it) => it.replaceAll('\0', ''));
  const { value: tree } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constantFrom(null, undefined, -0, 1e21, 5e-324, Number.MAX_VALUE),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 5 }),
    ),
  }));
  const values = fc.sample(fc.record({ data: tree }), { numRuns: 2_000, seed: 42 });
  const written = values.map((value) => JSON.stringify(value));
  const stored = await story.database.run(THROUGH_JSONB, [written]);
  for (const [index, value] of values.entries()) {
    const hashed = canonicalJson(value);
    assert.equal(canonical(JSON.parse(written[index] ?? '')), hashed);
    assert.equal(canonical(stored[index]?.value), hashed);
  }
});

function run(args: readonly string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, input });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

test('as a command it takes a file or stdin, and says what it found in words or as JSON', () => {
  const good = join(folder, 'good.json');
  const bad = join(folder, 'bad.ndjson');
  writeFileSync(good, bundle);
  writeFileSync(bad, record.replace('"actor":"customer"', '"actor":"customar"'));
  const fine = run([verifierPath, good]);
  assert.equal(fine.status, 0, fine.stderr);
  assert.match(fine.stdout, /^VERIFIED \d+ entries of 1 contact\.\nSigned checkpoint of 2026-/);
  const found = run([verifierPath, bad]);
  assert.equal(found.status, 1);
  assert.match(found.stdout, /^✗ line \d+ \(cont_[^,]+, entry \d+\): its contents/);
  assert.equal(run([verifierPath], record).status, 0);
  const answer = run([verifierPath, '--json', bad]);
  assert.equal((JSON.parse(answer.stdout) as Verdict).ok, false);
  for (const args of [['--what'], [join(folder, 'none')], ['a', 'b']]) {
    assert.equal(run([verifierPath, ...args]).status, 1);
  }
  const copy = join(folder, 'copy.ndjson');
  writeFileSync(copy, record);
  const lines = parseLines();
  FORGERIES['cut']?.(lines);
  const compared = run([verifierPath, '--earlier', copy], textOf(reseal(lines)));
  assert.equal(compared.status, 1);
  assert.match(compared.stdout, /the earlier copy goes on to entry \d+/);
  assert.match(run([verifierPath, '--earlier', copy, good]).stdout, /still there/);
  assert.equal(run([verifierPath, '--earlier', bad, good]).status, 1);
  const [keyFile, notes] = [join(folder, 'key'), join(folder, 'notes.txt')];
  writeFileSync(keyFile, `${key.text}\n`);
  writeFileSync(notes, noteFile);
  const outsider = run([verifierPath, '--key', keyFile, '--checkpoints', notes, copy]);
  assert.match(outsider.stdout, /the key that you gave\.\nIt agrees with \d+ checkpoints/);
  assert.equal(run([verifierPath, '--key', 'no key', copy]).status, 1);
  const through = run(['bin/askfirst.mjs', 'audit', 'verify', '--json', good]);
  assert.equal(through.status, 0, through.stderr);
  assert.equal((JSON.parse(through.stdout) as Verdict).contacts, 1);
});

// Last: it keeps this process so busy that the server's connections time out.
test('10,000 random edits of a real record are all found, and the place is named', async () => {
  const random = seededRandom(1_042);
  const kinds = [
    ...Object.keys(CHANGES),
    ...Object.keys(SURGERY),
    ...Object.keys(RESEALED),
    ...['flip', 'flip', 'flip'],
  ];
  const counted = new Map<string, number>();
  for (let round = 0; round < 10_000; round += 1) {
    const kind = kinds[round % kinds.length] ?? '';
    counted.set(kind, (counted.get(kind) ?? 0) + 1);
    if (kind === 'flip') {
      const { bytes, line } = flipABit(random);
      assertFound(await verify(bytes), line, kind);
      continue;
    }
    const lines = parseLines();
    const forged = RESEALED[kind]?.(lines, random);
    if (forged !== undefined) {
      const { ok, problems } = await verify(textOf(forged.lines), forged.against);
      assert.ok(
        !ok && forged.place.test(problems[0]?.place ?? ''),
        `${kind}: ${ok} ${problems[0]?.place}`,
      );
      continue;
    }
    const at = anEntry(lines, random);
    let wrongFrom = at;
    if (kind in SURGERY) wrongFrom = SURGERY[kind]?.(lines, at, random) ?? at;
    else CHANGES[kind]?.(lines[at] as Entry, random);
    assertFound(await verify(textOf(lines)), wrongFrom, kind);
  }
  assert.ok(
    [...counted.values()].every((count) => count > 250),
    'each kind was tried',
  );
});
