import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import { statement, type Database, type Tx } from '../src/database/database.ts';
import { openEndpointDesk } from '../src/endpoints/endpoint-desk.ts';
import type { Page, TimelineEntry } from '../src/http/api-types.ts';
import { openRunWorker, type RunWorker } from '../src/journeys/run-worker.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { bucketOf, isId, makeIds } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { openStory, type Story } from './harness.ts';
import { contactOf, newPerson } from './story-people.ts';

/**
 * R-09 for journeys: two workers on one queue, and one of them freezes for a minute, once with a
 * list of due runs in its hands, once in its transaction. Nothing is done twice, nothing lost.
 */
let story: Story;
let journeyId = '';

before(async () => {
  story = await openStory({ seed: 44 });
  const { items } = await story.api.get<Page<{ id: string; readyKey: string }>>('/v1/journeys');
  journeyId = items.find(({ readyKey }) => readyKey === 'delivery-update')?.id ?? '';
});
after(() => story.close());

const WALK = [
  'ask asked',
  'yes yes',
  'call completed',
  'how case',
  'survey sent',
  'told reached',
] as const;

/** It begins a little later, so that both workers find it due at the same instant. */
async function startSoon(to: string): Promise<RunView> {
  const startAt = new Date(story.clock.now() + 3_000).toISOString();
  const body = { to, variables: { order: '1042' }, startAt };
  const run = await story.api.post<RunView>(`/v1/journeys/${journeyId}/runs`, body);
  assert.ok(!isProblem(run), JSON.stringify(run));
  return run;
}

function secondWorker(database: Database): RunWorker {
  const { clock } = story;
  const random = seededRandom(45);
  return openRunWorker({
    database,
    clock,
    ids: makeIds(clock, random),
    changes: makeChanges(),
    packs: makePolicyPacks(),
    doNotCallKey: random.bytes(32),
    endpointDesk: openEndpointDesk({ database, clock, allowedHosts: null }),
    log: silentLog,
  });
}

const LOCK = statement(
  'test_frozen_lock',
  'select id from contacts where bucket = $1 and id = $2 for update',
);

/** Somebody's row, locked by a transaction that does `work` when it is given some. */
async function lockPerson(number: string): Promise<{
  work: (task: (tx: Tx) => Promise<void>) => void;
  over: Promise<void>;
}> {
  const { id } = await contactOf(story, number);
  assert.ok(isId('contact', id));
  const locked = Promise.withResolvers<void>();
  const given = Promise.withResolvers<(tx: Tx) => Promise<void>>();
  const over = story.database.transaction(async (tx) => {
    assert.equal((await tx.run(LOCK, [bucketOf(id), id])).length, 1);
    locked.resolve();
    await (
      await given.promise
    )(tx);
  });
  await locked.promise;
  return { work: given.resolve, over };
}

/** The worker is frozen, its minute passes, and everything but its one person has gone on. */
async function freezeAMinute(others: readonly RunView[]): Promise<void> {
  for (const { id } of others) await ended(id);
  story.clock.advance(60_000);
}

async function ended(id: string): Promise<RunView> {
  return story.until('the end of the run', async () => {
    const now = await story.api.get<RunView>(`/v1/journey-runs/${id}`);
    return now.status === 'ended' ? now : null;
  });
}

async function assertWalkedOnce({ id }: RunView, number: string): Promise<void> {
  const run = await ended(id);
  const walked = run.steps.map(({ step, outcome }) => `${step} ${outcome}`);
  assert.deepEqual(walked, WALK);
  const person = story.simulator.person(number);
  assert.equal(person.messages.filter(({ kind }) => kind === 'permission_request').length, 1);
  assert.equal(person.pastCalls.length, 1, 'called once');
  const contact = await contactOf(story, number);
  const path = `/v1/contacts/${contact.id}/timeline?limit=100`;
  const { items } = await story.api.get<Page<TimelineEntry>>(path);
  const of = (type: string) => items.filter((entry) => entry.type === type);
  assert.equal(of('RunStepped').length, WALK.length);
  for (const type of ['RunStarted', 'RunEnded', 'PermissionRequested', 'CallRequested']) {
    assert.equal(of(type).length, 1, type);
  }
}

test('a worker that freezes with due runs in its hands finds that they have moved on', async () => {
  const number = newPerson(story, '601', '101');
  const run = await startSoon(number);
  const lock = await lockPerson(number);
  const thaw = Promise.withResolvers<void>();
  let isFrozen = false;
  const worker = secondWorker({
    ...story.database,
    async transaction(work) {
      if (!isFrozen) {
        isFrozen = true;
        await thaw.promise;
      }
      return story.database.transaction(work);
    },
  });
  // Nobody gets the lock, so the second worker too comes as far as its transaction.
  await story.until('the frozen worker', () => isFrozen);
  lock.work(async () => {});
  await lock.over;
  await freezeAMinute([run]);
  thaw.resolve();
  await worker.close();
  await assertWalkedOnce(run, number);
});

test('a worker that freezes in its transaction holds up one person, and nobody else', async () => {
  const number = newPerson(story, '603', '101');
  const other = newPerson(story, '604', '101');
  const run = await startSoon(number);
  const lock = await lockPerson(number);
  const thaw = Promise.withResolvers<void>();
  let isFrozen = false;
  const worker = secondWorker({
    ...story.database,
    async transaction(work) {
      if (isFrozen) return story.database.transaction(work);
      const result = Promise.withResolvers<Awaited<ReturnType<typeof work>>>();
      lock.work(async (tx) => {
        result.resolve(await work(tx));
        isFrozen = true;
        await thaw.promise;
      });
      await lock.over;
      return result.promise;
    },
  });
  await story.until('the frozen worker', () => isFrozen);
  const beside = await startSoon(other);
  await freezeAMinute([beside]);
  const held = await story.api.get<RunView>(`/v1/journey-runs/${run.id}`);
  assert.deepEqual(held.steps, [], 'nothing of the frozen step is to be seen');
  thaw.resolve();
  await lock.over;
  await worker.close();
  await assertWalkedOnce(run, number);
  await assertWalkedOnce(beside, other);
});
