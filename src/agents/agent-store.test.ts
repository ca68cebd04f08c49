import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ensureAccount } from '../accounts/account-store.ts';
import { saveEndpoint } from '../endpoints/endpoint-store.ts';
import { DEFAULT_OPTIONS } from '../endpoints/endpoint.ts';
import { systemClock } from '../platform/clock.ts';
import { makeIds, type AccountId, type EndpointId } from '../platform/ids.ts';
import { systemRandom } from '../platform/random.ts';
import { makeSealer } from '../platform/sealing.ts';
import { testDatabase } from '../../test/database.ts';
import { agentsUri, type AgentId, type RingId } from './agent.ts';
import {
  addAgent,
  answerRing,
  clearRing,
  isGroupBusy,
  readRings,
  leaveRing,
  readAgent,
  renewLease,
  setPresence,
  takeAgent,
} from './agent-store.ts';
import { availableAgents, releaseAgents, reserveAgent } from './reservation-store.ts';

const ids = makeIds(systemClock, systemRandom);
const now = systemClock.now();
let opened: Awaited<ReturnType<typeof testDatabase>>;
let accountId: AccountId;
let endpointId: EndpointId;
let sold = 0;
let group = '';

before(async () => {
  opened = await testDatabase();
  accountId = await opened.database.transaction((tx) => ensureAccount(tx, ids, 'agents'));
});
after(() => opened.close());

/** Every test has a group, and an endpoint, of its own. */
beforeEach(async () => {
  sold += 1;
  group = `sales-${sold}`;
  const one = { uri: agentsUri(group), username: null, password: null, srtp: 'off' } as const;
  const options = {
    ...DEFAULT_OPTIONS,
    agents: { group, ringMs: 15_000, wrapUpMs: 30_000, returnMs: 15_000 },
  };
  endpointId = await opened.database.transaction((tx) =>
    saveEndpoint(tx, makeSealer(new Uint8Array(32), systemRandom), {
      ...one,
      id: ids.next('endpoint'),
      accountId,
      name: group,
      codecs: ['opus'],
      strategy: 'on_answer',
      meanwhile: 'ringing',
      ringTimeoutMs: 60_000,
      options,
    }),
  );
});

async function anAgent(name: string, idleSince = now): Promise<AgentId> {
  const { database } = opened;
  const id = ids.next('agent');
  const tokenHash = Buffer.from(systemRandom.bytes(32));
  const agent = { id, accountId, name: `${group} ${name}`, groups: [group], tokenHash };
  await database.transaction((tx) => addAgent(tx, { ...agent, now: idleSince }));
  await setPresence(database, id, 'available', idleSince);
  await renewLease(database, id, 10);
  return id;
}

function ring(tried: readonly AgentId[] = [], ringId: RingId = ids.next('agentRing')) {
  const wish = { accountId, group, tried, ringId, callId: ids.next('call'), owner: group, now };
  return takeAgent(opened.database, { ...wish, offer: 'v=0' });
}

test('an agent is available with a browser open, a word of theirs, and no call', async () => {
  const { database } = opened;
  const count = () => availableAgents(database, endpointId, now);
  assert.equal(await count(), 0);
  const id = await anAgent('Ann');
  assert.equal(await count(), 1);
  await setPresence(database, id, 'away', now);
  assert.equal(await count(), 0);
  await setPresence(database, id, 'available', now);
  await renewLease(database, id, -1);
  assert.equal(await count(), 0);
  await renewLease(database, id, 10);
  assert.equal(await ring(), id);
  assert.equal(await count(), 0);
  assert.equal(await availableAgents(database, ids.next('endpoint'), now), null);
});

test('the longest idle agent is asked first, and nobody twice', async () => {
  const later = await anAgent('later', now - 1_000);
  const first = await anAgent('first', now - 9_000);
  assert.equal(await ring(), first);
  assert.equal(await ring([later]), null);
  assert.equal(await ring(), later);
  assert.equal(await ring(), null);
  assert.equal(await isGroupBusy(opened.database, accountId, group, [first]), true);
  assert.equal(await isGroupBusy(opened.database, accountId, group, [first, later]), false);
});

test('many calls at once never take the same agent', async () => {
  const agents = await Promise.all(Array.from({ length: 5 }, (_, at) => anAgent(`a${at}`)));
  const taken = await Promise.all(Array.from({ length: 12 }, () => ring()));
  const got = taken.filter((id) => id !== null);
  assert.equal(new Set(got).size, got.length);
  assert.ok(got.length <= agents.length);
});

test('an answer counts once, and not after the ring was given up', async () => {
  const { database } = opened;
  const id = await anAgent('Ann');
  const ringId = ids.next('agentRing');
  await ring([], ringId);
  const both = await Promise.all([
    answerRing(database, id, ringId, 'one'),
    answerRing(database, id, ringId, 'two'),
  ]);
  assert.notEqual(both[0], both[1]);
  assert.equal((await readRings(database, group))[0]?.answer, both[0] ? 'one' : 'two');
  await clearRing(database, ringId, { wrapUpMs: 0, toAway: false, only: null, now });
  assert.equal(await answerRing(database, id, ringId, 'late'), false);
});

test('a talk is followed by a pause that ends by itself, a declined ring is not', async () => {
  const { database } = opened;
  const id = await anAgent('Ann');
  const declined = ids.next('agentRing');
  await ring([], declined);
  assert.equal(await leaveRing(database, id, declined), true);
  await clearRing(database, declined, { wrapUpMs: 30_000, toAway: false, only: null, now });
  assert.equal((await readAgent(database, id))?.presence, 'available');
  const talked = ids.next('agentRing');
  await ring([], talked);
  await answerRing(database, id, talked, 'v=0');
  await leaveRing(database, id, talked);
  await clearRing(database, talked, { wrapUpMs: 30_000, toAway: false, only: null, now });
  assert.equal((await readAgent(database, id))?.presence, 'wrap_up');
  assert.equal(await availableAgents(database, endpointId, now + 29_000), 0);
  assert.equal(await availableAgents(database, endpointId, now + 31_000), 1);
});

test('an agent who is kept for a call is nobody for another until they are let go', async () => {
  const { database } = opened;
  const id = await anAgent('Ann');
  const [first, second] = [ids.next('call'), ids.next('call')];
  const keep = (callId: typeof first, forMs = 60_000) =>
    database.transaction((tx) => reserveAgent(tx, { accountId, group, callId, forMs, now }));
  const both = await Promise.all([keep(first), keep(second)]);
  assert.deepEqual(both.filter((kept) => kept !== null).length, 1);
  const owner = both[0] === null ? second : first;
  assert.equal((await readAgent(database, id))?.reservedFor, owner);
  assert.equal(await keep(owner), id);
  assert.equal(await keep(owner === first ? second : first), null);
  assert.equal(await availableAgents(database, endpointId, now), 0);
  assert.equal(await ring(), null);
  assert.deepEqual(await releaseAgents(database, owner), [id]);
  assert.equal(await availableAgents(database, endpointId, now), 1);
  assert.equal(await keep(first, -1), id);
  // Whoever kept it died: its time is over by the database's clock.
  assert.equal(await keep(second), id);
  const wish = { accountId, group, tried: [], ringId: ids.next('agentRing'), callId: second };
  assert.equal(await takeAgent(database, { ...wish, owner: group, offer: 'v=0', now }), id);
  assert.equal((await readAgent(database, id))?.reservedFor, null);
});
