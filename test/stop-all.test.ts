import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seedDial } from '../bench/dial-seed.ts';
import { stopAll } from '../src/accounts/stop-all-commands.ts';
import { openDialer } from '../src/calls/dialer.ts';
import { isProblem } from '../src/cli/api-client.ts';
import { statement } from '../src/database/database.ts';
import type { EventView, Page } from '../src/http/api-types.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { systemClock } from '../src/platform/clock.ts';
import { makeIds, type AccountId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { testDatabase } from './database.ts';
import { openStory, type Story } from './harness.ts';
import {
  ask,
  assertOneEnd,
  call,
  getYes,
  newPerson,
  placed,
  PURPOSE,
  reach,
} from './story-people.ts';

/** STOP ALL: nothing is dialled or asked after it, what rings ends, who talks goes on. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 83 });
});
after(() => story.close());

type StopView = { stopped: boolean; reason: string | null; endedCalls?: number };

const stop = (reason: string): Promise<StopView> =>
  story.api.post<StopView>('/v1/stop-all', { reason }) as Promise<StopView>;

async function lift(): Promise<void> {
  const { url } = story.server;
  const headers = { authorization: `Bearer ${story.apiKey}` };
  const answer = await fetch(`${url}/v1/stop-all`, { method: 'DELETE', headers });
  assert.equal(answer.status, 200);
}

test('what rings ends at once, who talks goes on, and nothing new begins', async () => {
  const talking = newPerson(story, '701', '100');
  const ringing = newPerson(story, '702', '105');
  const later = newPerson(story, '703', '100');
  for (const number of [talking, ringing, later]) await getYes(story, number);
  const spoken = await placed(story, talking);
  await reach(story, spoken.id, 'bridged');
  const rung = await placed(story, ringing);
  await reach(story, rung.id, 'ringing');

  const { stopped, endedCalls } = await stop('wrong template went out');
  assert.deepEqual([stopped, endedCalls], [true, 1]);
  const ended = await reach(story, rung.id, 'ended');
  assert.equal(ended.endReason, 'account_stopped');
  assert.equal(
    (await story.api.get<{ status: string }>(`/v1/calls/${spoken.id}`)).status,
    'bridged',
  );

  for (const answer of [
    await call(story, later),
    await story.api.post<object>('/v1/permission-requests', { to: ringing, purpose: PURPOSE }),
  ]) {
    assert.ok(isProblem(answer) && answer.code === 'account_stopped', JSON.stringify(answer));
    assert.match(answer.fix ?? '', /DELETE \/v1\/stop-all/);
  }
  const told = (await story.api.get<Page<EventView>>('/v1/events?limit=100')).items;
  assert.equal(told.filter(({ type }) => type === 'account.stopped').length, 1);

  await lift();
  assert.equal((await story.api.get<StopView>('/v1/stop-all')).stopped, false);
  await story.api.post(`/v1/calls/${spoken.id}/hangup`, {});
  await reach(story, spoken.id, 'ended');
  const again = await placed(story, later);
  await reach(story, again.id, 'bridged');
  await story.api.post(`/v1/calls/${again.id}/hangup`, {});
  await reach(story, again.id, 'ended');
  await assertOneEnd(story, again.id);
});

test('a call that falls due while all is stopped ends as blocked, and never rings', async () => {
  const number = newPerson(story, '704', '100');
  await getYes(story, number);
  const scheduledAt = new Date(story.clock.now() + 60_000).toISOString();
  const waiting = await placed(story, number, { scheduledAt });
  await stop('fire drill');
  const view = await reach(story, waiting.id, 'ended');
  assert.deepEqual([view.outcome, view.endReason], ['blocked', 'account_stopped']);
  assert.equal(view.initiatedAt, null);
  await lift();
});

/** As a message waits that Meta could not take at the first try. */
const WAITS_FOR_SECOND_TRY = statement(
  'stop_all_wait',
  `update messages set status = 'queued', wamid = null, due_at = due_at + interval '5 seconds'
    where request_id is not null
      and id = (select max(id) from messages)`,
);
const LAST_MESSAGE = statement<{ status: string; last_error: string | null }>(
  'stop_all_message',
  'select status, last_error from messages order by id desc limit 1',
);

test('a request whose message waits for another try is not sent', async () => {
  const number = newPerson(story, '705', '103');
  await ask(story, number);
  const messages = (): number => story.simulator.person(number).messages.length;
  await story.until('the message', () => messages() > 0);
  await story.pass(1_000);
  await story.database.run(WAITS_FOR_SECOND_TRY);
  await stop('before the second try');
  const ended = await story.until('the end of the message', async () => {
    const [last] = await story.database.run(LAST_MESSAGE);
    return last?.status === 'failed' ? last : null;
  });
  assert.match(ended.last_error ?? '', /STOP ALL/);
  assert.equal(messages(), 1);
  await lift();
});

const RUNS = 8;
const CALLS = 64;
const AWAKE = statement(
  'stop_all_awake',
  `update accounts set settings = '{"policy": {"lawOverlays": "off", "limits": {}}}'`,
);
const ACCOUNT = statement<{ id: AccountId }>(
  'stop_all_account',
  'select account_id as id from lines',
);
const LEFT = statement<{ going: number; dialled: number; blocked: number }>(
  'stop_all_left',
  `select count(*) filter (
            where phase = 'live' and state -> 'facts' -> 'hangUp' = 'null')::int going,
     count(*) filter (where phase = 'live')::int dialled,
     count(*) filter (where phase = 'ended')::int blocked
     from calls where due_at <= now() and not (status = 'ended' and state ->> 'status' <> 'ended')`,
);

/** Nobody carries these calls on, and the next race begins with the account running. */
const RESET = [
  statement('stop_all_gone', "update calls set status = 'ended' where due_at <= now()"),
  statement('stop_all_lifted', 'update accounts set stopped_at = null'),
];

test(`in ${RUNS} races of a stop with ${CALLS} dials no call outlives the stop`, async () => {
  const random = seededRandom(84);
  const store = await testDatabase({ poolSize: 24 });
  const { database } = store;
  const seed = await seedDial(store.connectionString, database.vault, RUNS * CALLS);
  await database.run(AWAKE);
  const [account] = await database.run(ACCOUNT);
  assert.ok(account !== undefined);
  const ids = makeIds(systemClock, random);
  const ports = { database, clock: systemClock, ids, changes: makeChanges() };
  const gate = { packs: makePolicyPacks(), doNotCallKey: random.bytes(32) };
  const dialer = openDialer({ ...ports, ...gate, owner: 'stop/1', leaseSeconds: 3_600 });
  let both = 0;
  for (let run = 0; run < RUNS; run += 1) {
    await seed.makeDue(CALLS, systemClock.now() - 1_000, 0);
    const drain = async (): Promise<void> => {
      for (let turn = 0; turn < CALLS / 2; turn += 1) {
        assert.deepEqual((await dialer.claim(2 + run)).errors, []);
      }
    };
    const stopping = async (): Promise<void> => {
      // So many statements before the stop: another moment in each run, and no clock.
      for (let turn = 0; turn < run * 3; turn += 1) await database.run(LEFT);
      await stopAll(ports, account.id, { actor: 'test', reason: 'race' });
    };
    await Promise.all([drain(), stopping()]);
    const [left] = await database.run(LEFT);
    assert.equal(left?.going, 0, 'a call was dialled after the stop, or was missed by it');
    if ((left?.dialled ?? 0) > 0 && (left?.blocked ?? 0) > 0) both += 1;
    for (const reset of RESET) await database.run(reset);
  }
  await seed.close();
  await store.close();
  assert.ok(both > 0, 'the stop never came in the middle of the dials');
});
