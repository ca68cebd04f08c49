import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ensureAccount } from '../src/accounts/account-store.ts';
import { consentIn, decideCall, gatherGateFacts } from '../src/calls/call-gate.ts';
import { makeOptOutLatency } from '../src/consent/opt-out-metrics.ts';
import { findByHandle } from '../src/contacts/contact-handle-store.ts';
import { readContact } from '../src/contacts/contact-store.ts';
import { numberHandle, userHandle, type Contact } from '../src/contacts/contact.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { firstBrokenEntry } from '../src/ledger/ledger.ts';
import { entriesOfContact } from '../src/ledger/ledger-store.ts';
import { readLine, saveLine } from '../src/lines/line-store.ts';
import { ManualClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { makeIds, type AccountId, type ContactId, type LineId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makeSealer } from '../src/platform/sealing.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { foldPersonChange } from '../src/reception/person-changes.ts';
import { foldPersonFact, type PersonFactPorts } from '../src/reception/person-facts.ts';
import type { FactDetail, WhatsAppFact } from '../src/whatsapp/whatsapp.ts';
import { testDatabase, type TestDatabase } from './database.ts';

/** Who is who, on the real database: numbers and user ids change, and change hands. */
const clock = new ManualClock(Date.UTC(2026, 5, 3, 12));
const random = seededRandom(41);
const ids = makeIds(clock, random);
const packs = makePolicyPacks();
const PHONE = '41';

let store: TestDatabase;
let ports: PersonFactPorts;
let accountId: AccountId;
let lineId: LineId;
let facts = 0;

before(async () => {
  store = await testDatabase();
  const { database } = store;
  const sealer = makeSealer(random.bytes(32), random);
  const doNotCallKey = random.bytes(32);
  const changes = makeChanges();
  const optOutLatency = makeOptOutLatency({ clock, log: silentLog, database });
  ports = { database, clock, ids, changes, packs, doNotCallKey, sealer, optOutLatency };
  await database.transaction(async (tx) => {
    accountId = await ensureAccount(tx, ids, 'Identity');
    lineId = ids.next('line');
    await saveLine(tx, sealer, {
      id: lineId,
      accountId,
      name: 'Line',
      displayNumber: '+442079460000',
      country: 'GB',
      policyPack: 'strict-2026-01',
      defaultEndpointId: null,
      access: {
        graphBaseUrl: 'http://127.0.0.1',
        graphVersion: 'v23.0',
        phoneNumberId: PHONE,
        wabaId: '2',
        accessToken: 'token',
      },
      appSecret: 'secret',
      verifyToken: 'verify',
    });
  });
});
after(() => store.close());

type Names = { number?: string; userId?: string };

/** A fact from somebody, that many seconds after the test began. */
function fact(second: number, who: Names, detail: FactDetail): WhatsAppFact {
  facts += 1;
  const at = clock.now() - 100_000 + second * 1_000;
  const person = {
    ...(who.number === undefined ? {} : { waId: who.number.slice(1) }),
    ...(who.userId === undefined ? {} : { userId: who.userId }),
  };
  return { key: `fact:${facts}`, phoneNumberId: PHONE, at, person, ...detail };
}

const says = (second: number, who: Names, text: string): WhatsAppFact =>
  fact(second, who, { kind: 'text', messageId: `wamid.${facts}`, text });

const allows = (second: number, who: Names): WhatsAppFact =>
  fact(second, who, {
    kind: 'permissionReply',
    messageId: `wamid.yes.${facts}`,
    response: 'accept',
    permanent: false,
    expiresAt: clock.now() + 7 * 86_400_000,
    source: 'user',
  });

const changes = (second: number, from: Names, to: Names): WhatsAppFact =>
  fact(second, from, {
    kind: 'personChanged',
    messageId: `wamid.change.${facts}`,
    ...(to.number === undefined ? {} : { newWaId: to.number.slice(1) }),
    ...(to.userId === undefined ? {} : { newUserId: to.userId }),
  });

async function fold(...all: readonly WhatsAppFact[]): Promise<void> {
  for (const each of all) {
    if (each.kind === 'personChanged') await foldPersonChange(ports, each);
    else if (each.kind === 'text' || each.kind === 'permissionReply') {
      await foldPersonFact(ports, each, { waitedMs: 0 });
    }
  }
}

let people = 0;

/** Names that nobody had before. */
function newNames(): { first: Required<Names>; second: Required<Names> } {
  people += 2;
  const name = (index: number): Required<Names> => ({
    number: `+4477001${String(index).padStart(5, '0')}`,
    userId: `GB.9${String(index).padStart(8, '0')}`,
  });
  return { first: name(people), second: name(people + 1) };
}

async function leadsTo({ number, userId }: Names): Promise<ContactId | null> {
  const handle = number === undefined ? userHandle(userId ?? '') : numberHandle(number);
  return findByHandle(store.database, accountId, handle);
}

async function contactOf(names: Names): Promise<Contact> {
  const id = await leadsTo(names);
  const contact = id === null ? null : await readContact(store.database, accountId, id);
  assert.ok(contact !== null, `nobody answers to ${JSON.stringify(names)}`);
  return contact;
}

type Standing = { status: string; blocked: boolean; hasYes: boolean };

/** What the gate sees of whoever answers to these names. */
async function standing(names: Names): Promise<Standing> {
  const contact = await contactOf(names);
  const line = await readLine(store.database, accountId, lineId);
  assert.ok(line !== null);
  const gate = await gatherGateFacts(store.database, ports, [contact], [lineId]);
  const now = clock.now();
  const question = { contact, line, purpose: 'x', callId: null, endpointKnown: true, now };
  const { verdicts } = decideCall(ports, gate, question);
  const of = (rule: string): string | null =>
    verdicts.find((it) => it.rule === rule && it.verdict === 'refuse')?.code ?? null;
  return {
    status: consentIn(gate, contact.id, lineId).status,
    blocked: of('do_not_call') !== null,
    hasYes: of('permission_live') === null,
  };
}

async function assertChains(...idsOf: Array<ContactId | null>): Promise<void> {
  for (const id of idsOf) {
    if (id === null) continue;
    const entries = await entriesOfContact(store.database, id, 0, 1_000);
    assert.equal(firstBrokenEntry(entries), null, id);
  }
}

test('a new number with a new user id takes consent along', async () => {
  const { first, second } = newNames();
  await fold(allows(1, first), changes(2, first, second));
  const { status, hasYes } = await standing({ number: second.number });
  assert.deepEqual([status, hasYes], ['granted', true]);
  assert.equal((await contactOf({ userId: second.userId })).e164, second.number);
  // The old user id is given to nobody else; the old number may be.
  assert.equal(await leadsTo({ userId: first.userId }), await leadsTo({ number: second.number }));
  assert.equal(await leadsTo({ number: first.number }), null);
  await assertChains(await leadsTo({ number: second.number }));
});

test('a stop follows to the new number, and stays on the old one', async () => {
  const { first, second } = newNames();
  await fold(says(1, first, 'STOP'), changes(2, first, second));
  assert.equal((await standing({ number: second.number })).blocked, true);
  // Somebody else has the old number now, and never said stop; nor may they be called.
  const stranger = { number: first.number, userId: newNames().first.userId };
  await fold(says(3, stranger, 'hello'));
  assert.notEqual(await leadsTo(stranger), await leadsTo({ number: second.number }));
  assert.equal((await standing({ number: first.number })).blocked, true);
});

test('whoever takes over a number inherits no consent', async () => {
  const { first, second } = newNames();
  await fold(allows(1, first));
  const before = await leadsTo({ number: first.number });
  // No word from Meta about a change: only another user id on the same number.
  await fold(says(2, { number: first.number, userId: second.userId }, 'hello'));
  const now = await standing({ number: first.number });
  assert.deepEqual([now.status, now.hasYes, now.blocked], ['none', false, false]);
  assert.notEqual(await leadsTo({ number: first.number }), before);
  const left = await contactOf({ userId: first.userId });
  assert.deepEqual([left.id, left.e164], [before, null]);
  assert.equal((await standing({ userId: first.userId })).status, 'revoked');
  await assertChains(before, await leadsTo({ number: first.number }));
});

test('two contacts of one person become one, with two chains that name each other', async () => {
  const { first } = newNames();
  await fold(says(1, { number: first.number }, 'hello'), says(2, { userId: first.userId }, 'hi'));
  const [a, b] = [await leadsTo({ number: first.number }), await leadsTo({ userId: first.userId })];
  assert.notEqual(a, b);
  await fold(says(3, first, 'me again'));
  assert.equal(await leadsTo({ userId: first.userId }), a);
  const [survivor, other] = [a, b].map((id) => id ?? ('' as ContactId));
  assert.ok(survivor !== undefined && other !== undefined);
  const absorbed = await readContact(store.database, accountId, other);
  assert.deepEqual([absorbed?.mergedInto, absorbed?.e164, absorbed?.userId], [a, null, null]);
  const goesOn = await contactOf({ number: first.number });
  assert.deepEqual([goesOn.userId, goesOn.absorbed], [first.userId, [b]]);
  const types = async (id: ContactId): Promise<string[]> =>
    (await entriesOfContact(store.database, id, 0, 100)).map(({ type }) => type);
  assert.ok((await types(survivor)).includes('ContactMerged'));
  assert.ok((await types(other)).includes('ContactAbsorbed'));
  await assertChains(a, b);
});

test('of two contacts of one person the strictest word wins, whoever said it', async () => {
  const cases: Array<[name: string, byNumber: string[], byUser: string[], expected: Standing]> = [
    ['a yes and nothing', ['yes'], [], { status: 'granted', blocked: false, hasYes: true }],
    ['nothing and a yes', [], ['yes'], { status: 'granted', blocked: false, hasYes: true }],
    ['a yes and a no', ['yes'], ['no'], { status: 'revoked', blocked: false, hasYes: false }],
    ['a no and a yes', ['no'], ['yes'], { status: 'revoked', blocked: false, hasYes: false }],
    ['a yes and a stop', ['yes'], ['STOP'], { status: 'revoked', blocked: true, hasYes: false }],
    ['a stop and a yes', ['STOP'], ['yes'], { status: 'revoked', blocked: true, hasYes: false }],
    ['two stops', ['STOP'], ['STOP'], { status: 'revoked', blocked: true, hasYes: false }],
  ];
  for (const [name, byNumber, byUser, expected] of cases) {
    const { first } = newNames();
    const speak = async (who: Names, words: readonly string[]): Promise<void> => {
      await fold(says(1, who, 'hello'));
      for (const word of words) {
        if (word === 'yes') await fold(allows(3, who));
        else if (word === 'no') await fold(declines(2, who));
        else await fold(says(2, who, word));
      }
    };
    await speak({ number: first.number }, byNumber);
    await speak({ userId: first.userId }, byUser);
    await fold(says(9, first, 'both of me'));
    const now = await standing({ number: first.number });
    assert.deepEqual([now.blocked, now.hasYes], [expected.blocked, expected.hasYes], name);
    if (expected.hasYes) assert.equal(now.status, expected.status, name);
  }
});

/** A no that answers a request, which revokes nothing but itself. */
function declines(second: number, who: Names): WhatsAppFact {
  return fact(second, who, {
    kind: 'permissionReply',
    messageId: `wamid.no.${facts}`,
    response: 'reject',
    permanent: false,
    expiresAt: null,
    source: 'user',
    contextId: 'wamid.of.nobody',
  });
}

/** Every order of a few things. */
function* orders<T>(items: readonly T[]): Generator<T[]> {
  if (items.length < 2) yield [...items];
  for (const [index, item] of items.entries()) {
    const rest = items.filter((_, other) => other !== index);
    for (const order of orders(rest)) yield [item, ...order];
  }
}

test('whatever the order, a stop of before the move blocks the person after it', async () => {
  const places = [0, 1, 2, 3];
  for (const order of orders(places)) {
    const { first, second } = newNames();
    const all = [
      allows(1, first),
      says(2, { number: first.number }, 'STOP'),
      changes(3, first, second),
      says(4, second, 'this is my new number'),
    ];
    await fold(...order.flatMap((place) => all[place] ?? []));
    const now = await standing({ number: second.number });
    assert.deepEqual([now.blocked, now.hasYes], [true, false], order.join());
    const stranger = { number: first.number, userId: newNames().first.userId };
    await fold(says(9, stranger, 'hello'));
    assert.equal((await standing(stranger)).hasYes, false, order.join());
  }
});

test('whatever the order, a yes of before never helps who has the number now', async () => {
  for (const order of orders([0, 1, 2, 3])) {
    const { first, second } = newNames();
    const stranger = { number: first.number, userId: newNames().first.userId };
    const all = [
      allows(1, first),
      changes(3, first, second),
      says(4, stranger, 'who are you?'),
      says(5, second, 'it is me'),
    ];
    await fold(...order.flatMap((place) => all[place] ?? []));
    const theirs = await standing({ userId: stranger.userId });
    assert.equal(theirs.hasYes, false, order.join());
    assert.notEqual(
      await leadsTo({ userId: stranger.userId }),
      await leadsTo({ userId: second.userId }),
      order.join(),
    );
  }
});

test('facts about one person that are folded at once leave one person', async () => {
  for (let round = 0; round < 15; round += 1) {
    const { first } = newNames();
    const all = [
      says(1, { number: first.number }, 'a'),
      says(2, { userId: first.userId }, 'b'),
      says(3, first, 'c'),
      says(4, { userId: first.userId }, 'STOP'),
      says(5, first, 'd'),
      allows(2, { number: first.number }),
    ];
    await Promise.all(all.map((each) => fold(each)));
    // Whoever was last to join them is told by the next fact that names both.
    await fold(says(6, first, 'e'));
    assert.equal(await leadsTo({ number: first.number }), await leadsTo({ userId: first.userId }));
    const now = await standing({ number: first.number });
    assert.deepEqual([now.blocked, now.hasYes], [true, false], `round ${round}`);
    const contact = await contactOf(first);
    await assertChains(contact.id, ...contact.absorbed);
  }
});

test('a change that comes twice, or after the next one, changes nothing more', async () => {
  const { first, second } = newNames();
  const third = newNames().first;
  const move = changes(2, first, second);
  await fold(allows(1, first), move, changes(4, second, third), move, says(3, second, 'late'));
  const contact = await contactOf({ number: third.number });
  assert.deepEqual([contact.e164, contact.userId], [third.number, third.userId]);
  assert.equal(await leadsTo({ userId: first.userId }), contact.id);
  assert.equal(await leadsTo({ number: second.number }), null);
  assert.equal((await standing({ number: third.number })).hasYes, true);
});
