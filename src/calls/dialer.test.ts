import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ensureAccount } from '../accounts/account-store.ts';
import { agentsUri, type AgentId } from '../agents/agent.ts';
import { openAgentDesk, type AgentDesk } from '../agents/agent-desk.ts';
import { makeAgentHints } from '../agents/agent-hints.ts';
import { addAgent, readAgent, renewLease, setPresence } from '../agents/agent-store.ts';
import { applyConsent, commandConsent } from '../consent/consent-commands.ts';
import { isLive, initialConsent, type ConsentCommand } from '../consent/consent.ts';
import { readConsent } from '../consent/consent-store.ts';
import { optOut } from '../consent/opt-out-commands.ts';
import { findOrCreateContact, lockContacts } from '../contacts/contact-store.ts';
import { statement, type Tx } from '../database/database.ts';
import { saveEndpoint } from '../endpoints/endpoint-store.ts';
import { DEFAULT_OPTIONS } from '../endpoints/endpoint.ts';
import { makeChanges } from '../ledger/changes.ts';
import { PendingUnit, commitUnits, onContact, withContact } from '../ledger/contact-unit.ts';
import { firstBrokenEntry } from '../ledger/ledger.ts';
import { entriesOfContact } from '../ledger/ledger-store.ts';
import { saveLine } from '../lines/line-store.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type AccountId, type CallId } from '../platform/ids.ts';
import type { ContactId, EndpointId, LineId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { seededRandom } from '../platform/random.ts';
import { makeSealer } from '../platform/sealing.ts';
import { makePolicyPacks } from '../policy/policy-packs.ts';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { queuedCall, type CallState } from './call.ts';
import { applyCallEvents } from './call-events.ts';
import { CALL_LIMITS } from './call-rules.ts';
import { callRows, readCall } from './call-store.ts';
import { callView } from './call-views.ts';
import { readCdr } from './cdr-store.ts';
import { openDialer, type Dialer } from './dialer.ts';

const PURPOSE = 'your order 1042';
const DAY_MS = 86_400_000;
const PACK = 'strict-2026-01';

const clock = new ManualClock();
const random = seededRandom(7);
const ids = makeIds(clock, random);
const packs = makePolicyPacks();
const rules = packs.rulesOf(PACK);
const doNotCallKey = random.bytes(32);
const changes = makeChanges();

let store: TestDatabase;
let accountId: AccountId;
let lineId: LineId;
let endpointId: EndpointId;
let people = 0;

before(async () => {
  store = await testDatabase();
  const sealer = makeSealer(random.bytes(32), random);
  await store.database.transaction(async (tx) => {
    accountId = await ensureAccount(tx, ids, 'Dialer');
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
      meanwhile: 'ringing',
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
        phoneNumberId: '1',
        wabaId: '2',
        accessToken: 'token',
      },
      appSecret: 'secret',
      verifyToken: 'verify',
    });
  });
});
after(() => store.close());

const ledger = () => ({ database: store.database, clock, ids, changes });

function dialerOf(owner: string, agentDesk?: AgentDesk): Dialer {
  const ports = { ...ledger(), packs, doNotCallKey, owner, leaseSeconds: 15 };
  return openDialer({ ...ports, ...(agentDesk === undefined ? {} : { agentDesk }) });
}

/** People who said yes just now. */
async function peopleWhoSaidYes(
  tx: Tx,
  count: number,
  promisedAt: number | null = null,
): Promise<ContactId[]> {
  const contactIds: ContactId[] = [];
  for (let index = 0; index < count; index += 1) {
    people += 1;
    const e164 = `+4477${String(people).padStart(8, '0')}`;
    const identity = { e164, country: 'GB' };
    contactIds.push(await findOrCreateContact(tx, ids, accountId, identity, clock.now()));
  }
  const units = await unitsOf(tx, contactIds);
  for (const unit of units) await sayYes(unit, promisedAt);
  await commitUnits(tx, ledger(), units);
  return contactIds;
}

async function unitsOf(tx: Tx, contactIds: readonly ContactId[]): Promise<PendingUnit[]> {
  const locked = await lockContacts(tx, contactIds);
  return locked.map((lock) => new PendingUnit(tx, lock, clock.now(), ids));
}

async function sayYes(unit: PendingUnit, promisedAt: number | null): Promise<void> {
  const { bucket } = unit.contact;
  const requestId = ids.next('permissionRequest', bucket);
  const messageId = `wamid.${requestId}`;
  const at = clock.now();
  const asked = { purpose: PURPOSE, template: 'ask', language: 'en', text: 'May we?' };
  const commands: ConsentCommand[] = [
    {
      type: 'RequestPermission',
      requestId,
      ...asked,
      promisedAt,
      packName: PACK,
      at,
    },
    { type: 'RecordRequestSent', requestId, messageId, at },
    {
      type: 'RecordReply',
      response: 'accept',
      permanent: false,
      metaExpiresAt: null,
      source: 'user',
      contextMessageId: messageId,
      messageId: `${messageId}.yes`,
      permissionId: ids.next('permission', bucket),
      at,
    },
  ];
  let state = initialConsent;
  for (const command of commands) {
    const next = await applyConsent(unit, lineId, state, command, { rules, actor: 'test' });
    assert.ok(!isRefused(next));
    state = next;
  }
  assert.ok(isLive(state, at));
}

/** Puts one call for each contact into the queue, without asking the gate. */
async function queue(
  tx: Tx,
  contactIds: readonly ContactId[],
  plan: { dueAt?: number; lineId?: LineId; priority?: number; endpointId?: EndpointId } = {},
): Promise<CallId[]> {
  const units = await unitsOf(tx, contactIds);
  const calls = units.map(({ contact }) =>
    queuedCall({
      id: ids.next('call', contact.bucket),
      accountId,
      contactId: contact.id,
      lineId,
      endpointId,
      purpose: PURPOSE,
      strategy: 'on_answer',
      ringTimeoutMs: 60_000,
      clientReference: null,
      requestedAt: clock.now(),
      dueAt: clock.now(),
      ...plan,
    }),
  );
  await callRows.saveAll(tx, calls);
  return calls.map(({ plan: { id } }) => id);
}

async function onePerson(promisedAt: number | null = null): Promise<ContactId> {
  const [contactId] = await store.database.transaction((tx) => peopleWhoSaidYes(tx, 1, promisedAt));
  assert.ok(contactId !== undefined);
  return contactId;
}

async function oneCall(
  contactId: ContactId,
  plan: { dueAt?: number; priority?: number; endpointId?: EndpointId } = {},
): Promise<CallId> {
  const [id] = await store.database.transaction((tx) => queue(tx, [contactId], plan));
  assert.ok(id !== undefined);
  return id;
}

/** Claims until nothing is due any more. */
async function drain(dialer: Dialer): Promise<CallState[]> {
  const states: CallState[] = [];
  for (;;) {
    const { dialed, lookAgainAt, errors } = await dialer.claim(1_000);
    assert.deepEqual(errors, []);
    states.push(...dialed.map(({ state }) => state));
    if (lookAgainAt === null || lookAgainAt > clock.now()) return states;
  }
}

const COUNTS = statement<{ ended: number; used: number }>(
  'test_dialer_counts',
  `select (select count(*) from events where call_id = $1 and type = 'call.ended')::int as ended,
          (select count(*) from ledger where type = 'PermissionUsed'
            and data ->> 'callId' = $1)::int as used`,
);

/** Asserts that the call ended as blocked with one CDR and one `call.ended`, and used no yes. */
async function assertBlocked(id: CallId, reason: string): Promise<void> {
  const state = await readCall(store.database, id);
  assert.ok(state?.status === 'ended');
  assert.deepEqual([state.end.outcome, state.end.reason], ['blocked', reason]);
  const cdr = await readCdr(store.database, accountId, id);
  assert.deepEqual([cdr?.outcome, cdr?.endReason], ['blocked', reason]);
  assert.deepEqual(await store.database.first(COUNTS, [id]), { ended: 1, used: 0 });
}

const TOTALS = statement<{ calls: number; owners: number; used: number; permissions: number }>(
  'test_dialer_totals',
  `select (select count(*) from calls where status = 'dialing' and lease_until > now())::int calls,
          (select count(distinct lease_owner) from calls where status = 'dialing')::int owners,
          (select count(distinct data ->> 'callId') from ledger
            where type = 'PermissionUsed')::int used,
          (select count(*) from permissions where status = 'used')::int permissions`,
);

// Fewer than the line may have live at once, so that the tests after it find room.
test('four dialers at once dial each of 900 due calls exactly once', async () => {
  const contactIds: ContactId[] = [];
  for (let part = 0; part < 4; part += 1) {
    await store.database.transaction(async (tx) => {
      const some = await peopleWhoSaidYes(tx, 225);
      await queue(tx, some);
      contactIds.push(...some);
    });
  }
  const dialers = ['a', 'b', 'c', 'd'].map((name) => dialerOf(`${name}/run`));
  const claimed = (await Promise.all(dialers.map(drain))).flat();
  assert.equal(claimed.length, 900);
  assert.equal(new Set(claimed.map(({ plan }) => plan.id)).size, 900);
  assert.ok(claimed.every(({ status }) => status === 'dialing'));
  const totals = await store.database.first(TOTALS);
  assert.equal(totals?.calls, 900);
  assert.equal(totals.used, 900);
  assert.equal(totals.permissions, 900);
  for (const contactId of contactIds.slice(0, 20)) {
    const entries = await entriesOfContact(store.database, contactId, 0, 100);
    assert.equal(firstBrokenEntry(entries), null);
    assert.equal(entries.filter(({ type }) => type === 'PermissionUsed').length, 1);
  }
});

test('urgent calls go before those that are due longer', async () => {
  const wanted: CallId[] = [];
  for (const [late, priority] of [
    [3, 5],
    [2, 5],
    [2, 7],
    [1, 9],
    [4, 2],
  ] as const) {
    const dueAt = clock.now() - late * 1_000;
    wanted.push(await oneCall(await onePerson(), { dueAt, priority }));
  }
  const dialer = dialerOf('a/run');
  const order: CallId[] = [];
  for (const _ of wanted) {
    const { dialed } = await dialer.claim(1);
    order.push(...dialed.map(({ state }) => state.plan.id));
  }
  assert.deepEqual(
    order,
    [3, 2, 0, 1, 4].map((index) => wanted[index]),
  );
});

test('an opt-out that was committed before the claim cancels what waits', async () => {
  const contactId = await onePerson();
  const id = await oneCall(contactId);
  await onContact(ledger(), contactId, (unit) => optOut(unit, stopPorts(), stop()));
  assert.deepEqual(await drain(dialerOf('a/run')), []);
  const state = await readCall(store.database, id);
  assert.ok(state?.status === 'ended' && state.end.outcome === 'canceled');
});

test('a call that is queued in spite of an opt-out is blocked at the dial', async () => {
  const contactId = await onePerson();
  await onContact(ledger(), contactId, (unit) => optOut(unit, stopPorts(), stop()));
  const id = await oneCall(contactId);
  assert.deepEqual(await drain(dialerOf('a/run')), []);
  await assertBlocked(id, 'opted_out');
});

test('a claim passes over a contact whose opt-out is under way', async () => {
  const contactId = await onePerson();
  const other = await onePerson();
  const id = await oneCall(contactId);
  const otherId = await oneCall(other);
  const dialer = dialerOf('a/run');
  await store.database.transaction((tx) =>
    withContact(ledger(), tx, contactId, async (unit) => {
      await optOut(unit, stopPorts(), stop());
      const { dialed } = await dialer.claim(10);
      assert.deepEqual(
        dialed.map(({ state }) => state.plan.id),
        [otherId],
      );
      const alone = await dialer.claim(10);
      assert.deepEqual(alone.dialed, []);
      assert.ok((alone.lookAgainAt ?? 0) > clock.now());
    }),
  );
  assert.deepEqual(await drain(dialer), []);
  assert.equal((await readCall(store.database, id))?.status, 'ended');
});

test('a permission taken back blocks the dial, with one CDR and one call.ended', async () => {
  const contactId = await onePerson();
  const id = await oneCall(contactId);
  await onContact(ledger(), contactId, (unit) => {
    const revoke = { type: 'Revoke', by: 'meta', reason: 'meta', at: clock.now() } as const;
    return commandConsent(unit, lineId, revoke, { rules, actor: 'meta' });
  });
  assert.deepEqual(await drain(dialerOf('a/run')), []);
  await assertBlocked(id, 'permission_revoked');
});

test('a permission blocks the dial from the very moment it expires', async () => {
  const early = await onePerson(clock.now() + DAY_MS);
  const late = await onePerson(clock.now() + DAY_MS);
  const earlyId = await oneCall(early, { dueAt: clock.now() + DAY_MS - 1 });
  const lateId = await oneCall(late, { dueAt: clock.now() + DAY_MS });
  const dialer = dialerOf('a/run');
  assert.equal((await dialer.claim(10)).lookAgainAt, clock.now() + DAY_MS - 1);
  clock.advance(DAY_MS - 1);
  const dialed = await drain(dialer);
  assert.deepEqual(
    dialed.map(({ plan }) => plan.id),
    [earlyId],
  );
  clock.advance(1);
  assert.deepEqual(await drain(dialer), []);
  await assertBlocked(lateId, 'permission_expired');
});

test('of two due calls to one contact one is dialled, and the other is blocked', async () => {
  const contactId = await onePerson();
  const first = await oneCall(contactId);
  const second = await oneCall(contactId);
  const dialed = await drain(dialerOf('a/run'));
  assert.deepEqual(
    dialed.map(({ plan }) => plan.id),
    [first],
  );
  await assertBlocked(second, 'call_in_progress');
  const consent = await readConsent(store.database, { contactId, lineId });
  assert.ok(consent.status === 'used' && consent.usedByCallId === first);
});

test('a call that is too late is blocked, however good its permission is', async () => {
  const contactId = await onePerson();
  const id = await oneCall(contactId);
  clock.advance(CALL_LIMITS.lateMs + 1);
  assert.deepEqual(await drain(dialerOf('a/run')), []);
  await assertBlocked(id, 'too_late');
});

test('a call that was moved between the look and the lock waits for its new time', async () => {
  const contactId = await onePerson();
  const id = await oneCall(contactId);
  const dueAt = clock.now() + 60_000;
  await onContact(ledger(), contactId, async (unit) => {
    const call = await readCall(unit.tx, id);
    assert.ok(call !== null);
    // Its row keeps the old time, as an unlocked look just before the move would have it.
    const moved = { type: 'CallRescheduled', at: clock.now(), dueAt, until: null } as const;
    await applyCallEvents(unit, call, [moved], 'test');
  });
  assert.deepEqual((await dialerOf('a/run').claim(10)).dialed, []);
  clock.advance(60_000);
  assert.equal((await drain(dialerOf('a/run'))).length, 1);
});

test('one impossible call does not keep its batch from being dialled', async () => {
  const contactIds = await store.database.transaction((tx) => peopleWhoSaidYes(tx, 10));
  const broken = await onePerson();
  const good = await store.database.transaction(async (tx) => {
    await queue(tx, [broken], { lineId: ids.next('line') });
    return queue(tx, contactIds);
  });
  const { dialed, errors } = await dialerOf('a/run').claim(100);
  assert.deepEqual(
    dialed.map(({ state }) => state.plan.id).sort(),
    good.toSorted((a, b) => (a < b ? -1 : 1)),
  );
  assert.equal(errors.length, 1);
  // It would break the claims of the tests behind this one.
  await store.database.run(FORGET, [broken]);
});

const FORGET = statement('test_dialer_forget', 'delete from calls where contact_id = $1');

/** An endpoint whose calls are answered by whoever of the group is there. */
async function anAgentDesk(group: string): Promise<EndpointId> {
  const agents = { group, ringMs: 15_000, wrapUpMs: 0, returnMs: 15_000 };
  return store.database.transaction((tx) =>
    saveEndpoint(tx, makeSealer(random.bytes(32), random), {
      id: ids.next('endpoint'),
      accountId,
      name: group,
      uri: agentsUri(group),
      username: null,
      password: null,
      codecs: ['opus'],
      strategy: 'on_answer',
      ringTimeoutMs: 30_000,
      srtp: 'off',
      meanwhile: 'ringing',
      options: { ...DEFAULT_OPTIONS, agents },
    }),
  );
}

async function anAgent(group: string, presence: 'available' | 'away'): Promise<AgentId> {
  const id = ids.next('agent');
  const tokenHash = Buffer.from(random.bytes(32));
  const agent = { id, accountId, name: `Ann of ${group}`, groups: [group], tokenHash };
  await store.database.transaction((tx) => addAgent(tx, { ...agent, now: clock.now() }));
  await setPresence(store.database, id, presence, clock.now());
  await renewLease(store.database, id, 600);
  return id;
}

test('a call waits while nobody could answer, and goes as soon as an agent is ready', async () => {
  const waiting = await anAgentDesk('waiting');
  const agentId = await anAgent('waiting', 'away');
  const contactId = await onePerson();
  const id = await oneCall(contactId, { endpointId: waiting });
  const hints = makeAgentHints();
  const dialer = dialerOf('a/run', openAgentDesk(hints));
  let woken = 0;
  dialer.onReady?.(() => (woken += 1));
  for (let look = 0; look < 3; look += 1) {
    assert.deepEqual(await drain(dialer), []);
    clock.advance(2_000);
  }
  const state = await readCall(store.database, id);
  assert.ok(state?.status === 'queued');
  assert.equal(callView(state).waitsFor, 'agents_unavailable');
  const entries = await entriesOfContact(store.database, contactId, 0, 100);
  assert.equal(entries.filter(({ type }) => type === 'CallWaits').length, 1);
  assert.deepEqual(await drain(dialer), []);
  await setPresence(store.database, agentId, 'available', clock.now());
  hints.tell(agentId);
  assert.equal(woken, 1);
  // Not due again for two seconds, and dialled all the same.
  const { dialed } = await dialer.claim(10);
  assert.deepEqual(
    dialed.map(({ state: { plan, facts } }) => [plan.id, facts.wait?.to]),
    [[id, clock.now()]],
  );
  assert.equal((await readAgent(store.database, agentId))?.reservedFor, id);
});

test('a call that waited for an agent until its latest time ends with that reason', async () => {
  const empty = await anAgentDesk('empty');
  const id = await oneCall(await onePerson(), { endpointId: empty });
  const dialer = dialerOf('a/run', openAgentDesk(makeAgentHints()));
  assert.deepEqual(await drain(dialer), []);
  clock.advance(CALL_LIMITS.lateMs + 1);
  assert.deepEqual(await drain(dialer), []);
  await assertBlocked(id, 'agents_unavailable');
});

test('of two calls for one agent two gateways dial one, and the other waits', async () => {
  const race = await anAgentDesk('race');
  const agentId = await anAgent('race', 'available');
  const calls = [await onePerson(), await onePerson()];
  const wanted: CallId[] = [];
  for (const contactId of calls) wanted.push(await oneCall(contactId, { endpointId: race }));
  const hints = makeAgentHints();
  const dialers = ['a', 'b'].map((name) => dialerOf(`${name}/run`, openAgentDesk(hints)));
  const claimed = (await Promise.all(dialers.map(drain))).flat();
  assert.equal(claimed.length, 1);
  const kept = (await readAgent(store.database, agentId))?.reservedFor;
  assert.equal(kept, claimed[0]?.plan.id);
  const other = wanted.find((id) => id !== kept);
  assert.ok(other !== undefined);
  const waits = await readCall(store.database, other);
  assert.ok(waits?.status === 'queued' && waits.facts.permissionId === null);
  // The first one is over: the agent is free for the one that waits.
  await store.database.transaction(async (tx) => {
    assert.ok(kept !== null && kept !== undefined);
    await openAgentDesk(hints).release(tx, kept);
  });
  clock.advance(2_000);
  const later = await drain(dialers[0] ?? dialerOf('c/run'));
  assert.deepEqual(
    later.map(({ plan }) => plan.id),
    [other],
  );
});

function stop(): { lineId: LineId; way: 'message'; at: number } {
  return { lineId, way: 'message' as const, at: clock.now() };
}

function stopPorts(): Parameters<typeof optOut>[1] {
  return { doNotCallKey, rulesOfLine: async () => rules };
}
