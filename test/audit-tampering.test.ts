import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
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
import { canonical, verify, verifierPath, type Heads, type Verdict } from './audit-verifier.ts';
import { call, contactOf, getYes, person, placed, reach } from './story-people.ts';
import { root } from './repository.ts';

/** whatever is done to a real record, the verifier finds it and names the place. */
type Entry = Record<string, unknown> & { sequence: number; hash: string; previousHash: string };
type Line = Partial<Entry> & { contactId?: string; head?: { sequence: number; hash: string } };

let story: Story;
let folder: string;
let bundle: string;
let record: string;

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
  const { id } = await contactOf(story, person('101'));
  bundle = (await send(story, 'GET', `/v1/contacts/${id}/evidence`)).text;
  record = (await send(story, 'GET', '/v1/ledger/export')).text;
  for (const file of [bundle, record]) assert.deepEqual((await verify(file)).problems, []);
});
after(async () => {
  await story.close();
  rmSync(folder, { recursive: true, force: true });
});

const parseLines = (): Line[] =>
  record
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const textOf = (lines: readonly unknown[]): string =>
  `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
const isEntry = (line: Line | undefined): line is Entry => line?.hash !== undefined;

/** The hash as docs/explanation/ledger.md defines it: what somebody who forges would compute. */
function rehash(entry: Entry): void {
  const { hash: _hash, previousHash, at, ...rest } = entry;
  const { sealed, sealKey: _key, personal: _personal, erased: _erased, ...hashed } = rest;
  const bytes = Buffer.from(String(sealed), 'base64');
  const sealedHash = sealed === null ? null : createHash('sha256').update(bytes).digest('hex');
  const text = canonicalJson({ ...hashed, sealedHash, at: Date.parse(String(at)) });
  const digest = createHash('sha256').update(Uint8Array.of(0));
  entry.hash = digest.update(Buffer.from(previousHash, 'hex')).update(text).digest('hex');
}

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
    return at + 1;
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
    return at + 1;
  },
};

function anEntry(lines: readonly Line[], random: Random): number {
  for (;;) {
    const index = random.below(lines.length);
    if (isEntry(lines[index])) return index;
  }
}

function flipABit(random: Random): { bytes: Buffer; line: number } {
  const lines = record.split('\n');
  const line = anEntry(parseLines(), random);
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
  assert.ok(named === line + 1 || named === line + 2, `${what}: line ${line + 1}, not ${place}`);
}

test('10,000 random edits of a real record are all found, and the place is named', async () => {
  const random = seededRandom(1_042);
  const kinds = [...Object.keys(CHANGES), ...Object.keys(SURGERY), 'flip', 'flip'];
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
    const at = anEntry(lines, random);
    let wrongFrom = at;
    if (kind in SURGERY) wrongFrom = SURGERY[kind]?.(lines, at, random) ?? at;
    else CHANGES[kind]?.(lines[at] as Entry, random);
    assertFound(await verify(textOf(lines)), wrongFrom, kind);
  }
  assert.ok(
    [...counted.values()].every((count) => count > 300),
    'each kind was tried',
  );
});

test('a whole contact cut out, put in twice or put elsewhere is found', async () => {
  const lines = parseLines();
  const starts = lines.flatMap((line, index) => (line.head === undefined ? [] : [index]));
  const [first = 0, second = 0, third = 0] = starts;
  const [one, two] = [lines.slice(first, second), lines.slice(second, third)];
  const [header, rest] = [lines.slice(0, 1), lines.slice(third)];
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

test('what a chain alone cannot show, an earlier copy does', async () => {
  const earlier = await headsOf(record);
  assert.ok((await verify(record, { earlier })).ok);
  for (const [code, forge] of Object.entries(FORGERIES)) {
    const lines = parseLines();
    forge(lines);
    assert.ok((await verify(textOf(lines))).ok, `${code}: the documents say it holds by itself`);
    const { ok, problems } = await verify(textOf(lines), { earlier });
    assert.equal(ok, false, code);
    assert.equal(problems[0]?.code, code);
  }
});

test('a ledger that has only grown since the earlier copy holds, and so does a part', async () => {
  for (const shrink of ['cut', 'left_out']) {
    const lines = parseLines();
    FORGERIES[shrink]?.(lines);
    assert.ok((await verify(record, { earlier: await headsOf(textOf(lines)) })).ok);
  }
  assert.ok((await verify(record, { earlier: await headsOf(bundle) })).ok);
  assert.ok((await verify(bundle, { earlier: await headsOf(record) })).ok);
  const [first = ''] = (await headsOf(record)).keys();
  const part = await send(story, 'GET', `/v1/ledger/export?after=${first}`);
  assert.ok((await verify(part.text, { earlier: await headsOf(record) })).ok);
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
  const { problems } = await verify(JSON.stringify({ ...changed, ledger: kept, ledgerHead }));
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
  assert.match(fine.stdout, /^VERIFIED \d+ entries of 1 contact\.\nA cut tail/);
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
  const compared = run([verifierPath, '--earlier', copy], textOf(lines));
  assert.equal(compared.status, 1);
  assert.match(compared.stdout, /the earlier copy goes on to entry \d+/);
  assert.match(run([verifierPath, '--earlier', copy, good]).stdout, /still there/);
  assert.equal(run([verifierPath, '--earlier', bad, good]).status, 1);
  const through = run(['bin/askfirst.mjs', 'audit', 'verify', '--json', good]);
  assert.equal(through.status, 0, through.stderr);
  assert.equal((JSON.parse(through.stdout) as Verdict).contacts, 1);
});
