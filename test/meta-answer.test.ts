import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ensureAccount } from '../src/accounts/account-store.ts';
import { queuedCall } from '../src/calls/call.ts';
import { CALL_LIMITS } from '../src/calls/call-rules.ts';
import { callRows, readCall } from '../src/calls/call-store.ts';
import { openDialer, type Dialer } from '../src/calls/dialer.ts';
import { applyConsent } from '../src/consent/consent-commands.ts';
import { initialConsent, type ConsentCommand } from '../src/consent/consent.ts';
import { findOrCreateContact, lockContacts } from '../src/contacts/contact-store.ts';
import { saveEndpoint } from '../src/endpoints/endpoint-store.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { PendingUnit, commitUnits } from '../src/ledger/contact-unit.ts';
import { saveLine } from '../src/lines/line-store.ts';
import { openMetaAnswerDesk, type MetaAnswerDesk } from '../src/meta-answers/meta-answer-desk.ts';
import { saveAnswer } from '../src/meta-answers/meta-answer-store.ts';
import { ManualClock } from '../src/platform/clock.ts';
import {
  bucketOf,
  makeIds,
  type AccountId,
  type CallId,
  type ContactId,
} from '../src/platform/ids.ts';
import type { EndpointId, LineId } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { isRefused } from '../src/platform/refusal.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makeSealer } from '../src/platform/sealing.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import type { CallPermissions, WhatsAppClient } from '../src/whatsapp/whatsapp.ts';
import { testDatabase, type TestDatabase } from './database.ts';

/**
 * C-09: a customer took the permission back at Meta, and no webhook has told us yet. Where the
 * pack wants it, Meta is asked right before each ring; a no, or no answer, lets no call pass.
 */
const PACK = 'meta-2026-06';
const PURPOSE = 'your order 1042';
const HOUR_MS = 3_600_000;

const clock = new ManualClock(Date.UTC(2026, 5, 3, 12));
const random = seededRandom(49);
const ids = makeIds(clock, random);
const packs = makePolicyPacks();
const rules = packs.rulesOf(PACK);
const doNotCallKey = random.bytes(32);
const sealer = makeSealer(random.bytes(32), random);

let store: TestDatabase;
let accountId: AccountId;
let lineId: LineId;
let endpointId: EndpointId;
let people = 0;
let asked: string[] = [];
/** What Meta says of a number: yes, no, a word we do not know, or nothing at all. */
const metaSays = new Map<string, 'yes' | 'no' | 'odd' | 'nothing'>();

const ANSWERS: Record<'yes' | 'no' | 'odd', CallPermissions> = {
  yes: { status: 'permanent', expiresAt: null, canCall: true, canRequest: false, limits: [] },
  no: { status: 'none', expiresAt: null, canCall: false, canRequest: true, limits: [] },
  odd: { status: 'unknown', expiresAt: null, canCall: true, canRequest: true, limits: [] },
};

const whatsapp = {
  async callPermissions(_line: unknown, { to = '' }: { to?: string }): Promise<CallPermissions> {
    asked.push(to);
    const word = metaSays.get(to) ?? 'yes';
    if (word === 'nothing') throw new Error('no answer');
    return ANSWERS[word];
  },
} as unknown as WhatsAppClient;

before(async () => {
  store = await testDatabase();
  await store.database.transaction(async (tx) => {
    accountId = await ensureAccount(tx, ids, 'Meta answers');
    endpointId = await saveEndpoint(tx, sealer, {
      id: ids.next('endpoint'),
      accountId,
      name: 'Desk',
      uri: 'sip:desk@127.0.0.1',
      username: null,
      password: null,
      codecs: ['PCMU'],
      strategy: 'on_answer',
      ringTimeoutMs: 30_000,
      srtp: 'off',
      meanwhile: 'silence',
    });
    lineId = ids.next('line');
    await saveLine(tx, sealer, {
      id: lineId,
      accountId,
      name: 'Line',
      displayNumber: '+442079460000',
      country: 'GB',
      policyPack: PACK,
      defaultEndpointId: endpointId,
      access: {
        graphBaseUrl: 'http://127.0.0.1',
        graphVersion: 'v23.0',
        phoneNumberId: '49',
        wabaId: '2',
        accessToken: 'token',
      },
      appSecret: 'secret',
      verifyToken: 'verify',
    });
  });
});
after(() => store.close());

function desk(): MetaAnswerDesk {
  return openMetaAnswerDesk({ database: store.database, clock, log: silentLog, sealer, whatsapp });
}

function dialer(metaAnswers: MetaAnswerDesk): Dialer {
  const ledger = { database: store.database, clock, ids, changes: makeChanges() };
  return openDialer({
    ...ledger,
    packs,
    doNotCallKey,
    owner: 'a/1',
    leaseSeconds: 15,
    metaAnswers,
  });
}

type Person = { contactId: ContactId; number: string };

/** People who said yes an hour ago. */
async function peopleWhoSaidYes(count: number): Promise<Person[]> {
  return store.database.transaction(async (tx) => {
    const made: Person[] = [];
    for (let index = 0; index < count; index += 1) {
      people += 1;
      const number = `+4477${String(people).padStart(8, '0')}`;
      const identity = { e164: number, country: 'GB' };
      const now = clock.now();
      made.push({
        contactId: await findOrCreateContact(tx, ids, accountId, identity, now),
        number,
      });
    }
    const locked = await lockContacts(
      tx,
      made.map(({ contactId }) => contactId),
    );
    const units = locked.map((lock) => new PendingUnit(tx, lock, clock.now(), ids));
    for (const unit of units) await sayYes(unit);
    await commitUnits(tx, { ids, changes: makeChanges() }, units);
    return made;
  });
}

async function sayYes(unit: PendingUnit): Promise<void> {
  const requestId = ids.next('permissionRequest', unit.contact.bucket);
  const permissionId = ids.next('permission', unit.contact.bucket);
  const messageId = `wamid.${requestId}`;
  const at = clock.now() - HOUR_MS;
  const words = { purpose: PURPOSE, template: 'ask', language: 'en', text: 'May we?' };
  const reply = { permanent: false, metaExpiresAt: null, source: 'user' } as const;
  const commands: ConsentCommand[] = [
    {
      type: 'RequestPermission',
      requestId,
      ...words,
      promisedAt: null,
      packName: PACK,
      at,
    },
    { type: 'RecordRequestSent', requestId, messageId, at },
    {
      type: 'RecordReply',
      response: 'accept',
      ...reply,
      contextMessageId: messageId,
      messageId: `${messageId}.yes`,
      permissionId,
      at,
    },
  ];
  let state = initialConsent;
  for (const command of commands) {
    const next = await applyConsent(unit, lineId, state, command, { rules, actor: 'test' });
    assert.ok(!isRefused(next));
    state = next;
  }
}

async function queueCalls(who: readonly Person[]): Promise<CallId[]> {
  return store.database.transaction(async (tx) => {
    const calls = who.map(({ contactId }) =>
      queuedCall({
        id: ids.next('call', bucketOf(contactId)),
        accountId,
        contactId,
        lineId,
        endpointId,
        purpose: PURPOSE,
        strategy: 'on_answer',
        ringTimeoutMs: 30_000,
        clientReference: null,
        requestedAt: clock.now(),
        dueAt: clock.now(),
      }),
    );
    await lockContacts(
      tx,
      who.map(({ contactId }) => contactId),
    );
    await callRows.saveAll(tx, calls);
    return calls.map(({ plan }) => plan.id);
  });
}

/** Claims until nothing is left, with a pause for the answers; returns who was rung. */
async function dialAll(metaAnswers: MetaAnswerDesk, calls: readonly CallId[], maxMs = 90_000) {
  const gateway = dialer(metaAnswers);
  const rung = new Set<string>();
  for (const end = clock.now() + maxMs; clock.now() < end;) {
    const { dialed, errors } = await gateway.claim(200);
    assert.deepEqual(errors, []);
    for (const { state } of dialed) rung.add(state.plan.id);
    const states = await Promise.all(calls.map((id) => readCall(store.database, id)));
    if (states.every((state) => state?.status !== 'queued')) return { rung, states };
    await settle();
    clock.advance(250);
  }
  throw new Error('calls are waiting still');
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

test('1,000 calls after silent revocations: no phone of somebody who said no rings', async () => {
  const metaAnswers = desk();
  let revoked = 0;
  for (let round = 0; round < 10; round += 1) {
    const who = await peopleWhoSaidYes(100);
    // Yesterday's yes is on record; for half of them Meta knows better by now.
    for (const [index, { contactId, number }] of who.entries()) {
      const key = { contactId, lineId };
      const askedAt = clock.now() - (index % 3 === 0 ? 1_000 : HOUR_MS / 2);
      await saveAnswer(store.database, key, { askedAt, ...ANSWERS.yes });
      metaSays.set(number, random.below(2) === 0 ? 'no' : 'yes');
    }
    const calls = await queueCalls(who);
    const { rung, states } = await dialAll(metaAnswers, calls);
    for (const [index, id] of calls.entries()) {
      const says = metaSays.get(who[index]?.number ?? '');
      assert.equal(rung.has(id), says === 'yes', `${says}: ${states[index]?.status}`);
      if (says !== 'no') continue;
      revoked += 1;
      const state = states[index];
      assert.equal(state?.status === 'ended' ? state.end.reason : null, 'meta_says_no');
    }
  }
  assert.ok(revoked > 400, String(revoked));
});

test('what Meta does not say, or says in a word we do not know, is no', async () => {
  const who = await peopleWhoSaidYes(2);
  const [silent, odd] = who;
  assert.ok(silent !== undefined && odd !== undefined);
  metaSays.set(silent.number, 'nothing');
  metaSays.set(odd.number, 'odd');
  const startedAt = clock.now();
  const { rung, states } = await dialAll(desk(), await queueCalls(who));
  assert.equal(rung.size, 0);
  for (const state of states) {
    assert.equal(state?.status === 'ended' ? state.end.reason : null, 'meta_answer_unknown');
  }
  const waited = clock.now() - startedAt;
  assert.ok(waited >= CALL_LIMITS.metaAnswerMs && waited < CALL_LIMITS.metaAnswerMs + 6_000);
});

test('a call waits for the answer, and nothing is asked twice at once', async () => {
  const who = await peopleWhoSaidYes(1);
  const [one] = who;
  assert.ok(one !== undefined);
  metaSays.set(one.number, 'nothing');
  const metaAnswers = desk();
  const calls = await queueCalls(who);
  asked = [];
  const gateway = dialer(metaAnswers);
  assert.deepEqual((await gateway.claim(10)).dialed, []);
  await settle();
  // The line is well again a moment later; the call was put off and not refused.
  metaSays.set(one.number, 'yes');
  const { rung } = await dialAll(metaAnswers, calls);
  assert.equal(rung.size, 1);
  assert.equal(asked.length, 2);
  const both = [metaAnswers, metaAnswers].map((it) => it.waitMs(lineId));
  assert.deepEqual(both, [200, 200]);
});
