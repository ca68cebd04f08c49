import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gatherGateFacts } from '../src/calls/call-gate.ts';
import { unknownContact } from '../src/contacts/contact.ts';
import { parseNumber } from '../src/contacts/phone-number.ts';
import type { Queryable } from '../src/database/database.ts';
import { ManualClock } from '../src/platform/clock.ts';
import { Failure } from '../src/platform/failure.ts';
import { makeIds } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { isRefused } from '../src/platform/refusal.ts';
import { accountPolicyOf, lawLayer, DEFAULT_ACCOUNT_POLICY } from '../src/policy/layers.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { evaluateCall, type CallFacts } from '../src/policy/policy.ts';
import {
  loadLawOverlay,
  loadPolicyPack,
  PACK_FOLDER,
  packNamesIn,
} from '../src/policy/policy-pack.ts';
import { alone, factsOf } from '../src/policy/policy-vectors.ts';

/**
 * Proof C-12: where something is missing, broken or unknown, nobody is called, and whoever asked
 * is told the reason and what to do.
 */
const strict = loadPolicyPack('strict-2026-01');
const june = loadPolicyPack('meta-2026-06');
const france = loadLawOverlay('law-fr-2023');
const allowed = factsOf({ title: 'allowed', kind: 'call', facts: {}, code: null }, strict);
assert.ok(evaluateCall(allowed, alone(strict)).allowed);

type Broken = { title: string; facts: CallFacts; layers?: Parameters<typeof evaluateCall>[1] };
const contact = (more: Partial<CallFacts['contact']>): CallFacts => ({
  ...allowed,
  contact: { ...allowed.contact, ...more },
});
const line = (more: Partial<CallFacts['line']>): CallFacts => ({
  ...allowed,
  line: { ...allowed.line, ...more },
});
const french = { pack: strict, narrower: [lawLayer(france)] };
const { callingWindows, holidays } = france.limits;
assert.ok(callingWindows !== undefined && holidays !== undefined);
const endedHolidays = { ...holidays, listedUntil: '2025-12-31' };
const outdated = { callingWindows, holidays: endedHolidays };
const atDial = { ...allowed, callId: 'call_dialled' };
const answer = { askedAt: allowed.now, canCall: true, canRequest: true };

const REFUSED: Broken[] = [
  { title: 'the number is unknown', facts: contact({ e164: null, country: null }) },
  { title: 'the country of the customer is unknown', facts: contact({ country: null }) },
  { title: 'the country of the business is unknown', facts: line({ country: null }) },
  {
    title: 'the time zone of the contact does not exist',
    facts: contact({ timeZone: 'Mars/Olympus_Mons' }),
    layers: french,
  },
  { title: 'the time zone is empty', facts: contact({ timeZone: '' }), layers: french },
  {
    title: 'a number is of no known zone',
    facts: contact({ e164: '+999123456', country: 'GB' }),
    layers: french,
  },
  {
    title: 'the list of holidays has run out',
    facts: contact({ timeZone: 'Europe/Paris' }),
    layers: { pack: strict, narrower: [{ ...lawLayer(france), limits: outdated }] },
  },
  { title: 'there is no permission', facts: { ...allowed, consent: noConsent() } },
  { title: 'no endpoint is known', facts: { ...allowed, endpointKnown: false } },
  { title: 'Meta was never asked', facts: atDial, layers: alone(june) },
  {
    title: 'Meta was asked too long ago',
    facts: { ...atDial, metaAnswer: { ...answer, askedAt: allowed.now - 60_000 } },
    layers: alone(june),
  },
  {
    title: 'Meta says no',
    facts: { ...atDial, metaAnswer: { ...answer, canCall: false } },
    layers: alone(strict),
  },
  { title: 'the clock has no time', facts: { ...allowed, now: Number.NaN } },
  { title: 'the purpose is empty', facts: { ...allowed, purpose: '' } },
];

for (const { title, facts, layers = alone(strict) } of REFUSED) {
  test(`nobody is called where ${title}`, () => {
    const { allowed: isAllowed, refusal } = evaluateCall(facts, layers);
    assert.equal(isAllowed, false);
    assert.ok((refusal?.message ?? '').length > 10);
    assert.ok((refusal?.fix ?? '').length > 10);
  });
}

test('for a later time the answer of Meta is a warning, for nobody can have it yet', () => {
  const asked = { ...atDial, callId: null };
  const stale = { ...answer, askedAt: allowed.now - 60_000 };
  for (const metaAnswer of [null, stale]) {
    const decision = evaluateCall({ ...asked, metaAnswer }, alone(june));
    const said = decision.verdicts.find(({ rule }) => rule === 'meta_allows');
    assert.deepEqual([decision.allowed, said?.verdict], [true, 'warn']);
  }
  const no = { ...stale, canCall: false };
  const { refusal } = evaluateCall({ ...asked, metaAnswer: no }, alone(june));
  assert.equal(refusal?.code, 'meta_says_no', 'a no is a no, however old');
});

const good = JSON.parse(readFileSync(new URL('strict-2026-01.json', PACK_FOLDER), 'utf8')) as {
  limits: { promise: object };
  rules: Record<string, unknown>;
};
const lawText = readFileSync(new URL('law-fr-2023.json', PACK_FOLDER), 'utf8');
const law = JSON.parse(lawText) as { limits: object; appliesTo: object };
const { do_not_call: _gone, ...rulesWithout } = good.rules;
const { source: _none, ...sourceless } = good.limits.promise as Record<string, unknown>;

/** What is in the folder of packs: file name to text. A good one beside each broken one. */
const FOLDERS: Record<string, Record<string, string>> = {
  'the pack is missing': {},
  'the pack is no JSON': { 'strict-2026-01': '{' },
  'the pack is empty': { 'strict-2026-01': '' },
  'the pack is a list': { 'strict-2026-01': '[]' },
  'the pack is another one': { 'strict-2026-01': JSON.stringify({ ...good, name: 'other' }) },
  'the pack leaves out a rule': {
    'strict-2026-01': JSON.stringify({ ...good, rules: rulesWithout }),
  },
  'the pack has a value that nobody knows': {
    'strict-2026-01': JSON.stringify({ ...good, ignored: true }),
  },
  'a limit of the pack has no source': {
    'strict-2026-01': JSON.stringify({ ...good, limits: { promise: sourceless } }),
  },
  'a limit of the pack is negative': {
    'strict-2026-01': JSON.stringify({
      ...good,
      limits: { promise: { ...good.limits.promise, unpromisedMs: -1 } },
    }),
  },
  'a law is cut off': { 'strict-2026-01': JSON.stringify(good), 'law-fr-2023': lawText.slice(9) },
  'a law applies nowhere': {
    'strict-2026-01': JSON.stringify(good),
    'law-fr-2023': JSON.stringify({
      ...law,
      appliesTo: { countries: [], prefixes: [], elsewhere: false },
    }),
  },
  'a law misspells a limit': {
    'strict-2026-01': JSON.stringify(good),
    'law-fr-2023': JSON.stringify({ ...law, limits: { callingWindow: [] } }),
  },
};

for (const [title, files] of Object.entries(FOLDERS)) {
  test(`nobody is called where ${title}`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'askfirst-closed-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, `${name}.json`), text);
    }
    const packs = makePolicyPacks(pathToFileURL(`${folder}/`));
    const rules = {
      policyPack: 'strict-2026-01',
      accountPolicy: DEFAULT_ACCOUNT_POLICY,
      ownLimits: {},
    };
    assert.throws(() => packs.layersOf(rules, allowed.contact), isUnusable);
  });
}

for (const [title, stored] of [
  ['of another shape', []],
  ['of an unknown kind', { lawOverlays: 'sometimes' }],
  ['with a misspelt limit', { lawOverlays: 'automatic', limits: { promises: {} } }],
] as const) {
  test(`nobody is called where the settings of the account are ${title}`, () => {
    assert.throws(() => accountPolicyOf(stored), isUnusable);
  });
}

test('nobody is called where the store does not answer', async () => {
  const clock = new ManualClock();
  const ids = makeIds(clock, seededRandom(1));
  const down = new Error('statement timed out');
  const reject = (): Promise<never> => Promise.reject(down);
  const store: Queryable = { run: reject, first: reject } as unknown as Queryable;
  const ports = { packs: makePolicyPacks(), doNotCallKey: new Uint8Array(32) };
  const somebody = unknownContact({
    id: ids.next('contact'),
    accountId: ids.next('account'),
    e164: '+447700900001',
    userId: null,
    country: 'GB',
    createdAt: 0,
  });
  const asked = gatherGateFacts(store, ports, [somebody], [ids.next('line')]);
  await assert.rejects(asked, (error) => error === down);
});

test('a text that is no number is refused with the rule that it breaks', () => {
  for (const text of ['', '0044', '+44 (0) none', 'tel:', '+1555', '++447700900001']) {
    const read = parseNumber(text);
    assert.ok(isRefused(read), text);
    assert.ok(read.refused.fix.length > 10);
  }
});

test('every pack and law of this release can be used', () => {
  for (const name of packNamesIn(PACK_FOLDER, 'base')) loadPolicyPack(name);
  for (const name of packNamesIn(PACK_FOLDER, 'law')) loadLawOverlay(name);
  assert.ok(REFUSED.length + Object.keys(FOLDERS).length + 3 + 6 >= 30);
});

function isUnusable(error: unknown): boolean {
  return error instanceof Failure && error.verdict === 'terminal' && error.fix.length > 10;
}

function noConsent(): CallFacts['consent'] {
  return { status: 'none', history: allowed.consent.history };
}
