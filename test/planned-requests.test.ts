import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPlannedRequestWorker } from '../src/consent/planned-request-worker.ts';
import type { ExperimentView } from '../src/experiments/experiment-schemas.ts';
import type {
  EventView,
  Page,
  PermissionRequestView,
  TimelineEntry,
} from '../src/http/api-types.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { isoTime } from '../src/platform/clock.ts';
import { makeIds } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { assertProblem, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { must } from './product-peers.ts';
import { PURPOSE, contactOf, newPerson } from './story-people.ts';

/** Requests that are planned for later: rows that wait, and the gate once more at their time. */
const HOUR = 3_600_000;
const MINUTE = 60_000;
const PATH = '/v1/permission-requests';
let story: Story;
let next = 700;

before(async () => {
  // It is 13:00 in Britain.
  story = await openStory({ seed: 91 });
});
after(() => story.close());

const somebody = (): string => newPerson(story, String(next++), '101');
const inHours = (hours: number): string => isoTime(story.clock.now() + hours * HOUR);

function planned(to: string, sendAt: string, more: object = {}): Promise<PermissionRequestView> {
  return must(story.api, PATH, { to, purpose: PURPOSE, sendAt, ...more });
}

const read = (id: string) => story.api.get<PermissionRequestView>(`${PATH}/${id}`);
const cancel = (id: string) =>
  send(story, 'POST', `/v1/planned-requests/${id}/cancel`, { body: {} });

async function waiting(): Promise<PermissionRequestView[]> {
  const path = '/v1/planned-requests?status=planned&limit=100';
  return (await story.api.get<Page<PermissionRequestView>>(path)).items;
}

async function entriesOf(number: string): Promise<TimelineEntry[]> {
  const { id } = await contactOf(story, number);
  const path = `/v1/contacts/${id}/timeline?limit=100`;
  return (await story.api.get<Page<TimelineEntry>>(path)).items;
}

function becomes(id: string, status: PermissionRequestView['status']) {
  return story.until(`the request ${status}`, async () => {
    const view = await read(id);
    return view.status === status ? view : null;
  });
}

test('a planned request is asked at its time, under its id, also after a crash', async () => {
  const number = somebody();
  const sendAt = inHours(3);
  const plan = await planned(number, sendAt, { name: 'Ada' });
  assert.deepEqual([plan.status, plan.sendAt, plan.error], ['planned', sendAt, null]);
  assert.match(plan.text, /Ada/);
  assert.deepEqual((await read(plan.id)).status, 'planned');
  assert.deepEqual(
    (await waiting()).map(({ id }) => id),
    [plan.id],
  );
  await story.pass(5_000);
  assert.equal(story.simulator.person(number).messages.length, 0, 'asked too early');
  await story.crash();
  story.clock.advance(3 * HOUR);
  const granted = await becomes(plan.id, 'granted');
  assert.deepEqual([granted.purpose, granted.sendAt], [PURPOSE, null]);
  assert.ok(Date.parse(granted.createdAt) >= Date.parse(sendAt));
  assert.deepEqual(await waiting(), []);
  const types = (await entriesOf(number)).map(({ type }) => type);
  assert.ok(types.includes('PermissionRequestPlanned') && types.includes('PermissionGranted'));
  const { items } = await story.api.get<Page<EventView>>('/v1/events?limit=100');
  const told = items.find(({ type }) => type === 'permission.planned');
  assert.deepEqual([told?.data['requestId'], told?.data['sendAt']], [plan.id, sendAt]);
});

test('a planned request is taken back once, and not after it was asked', async () => {
  const number = somebody();
  const plan = await planned(number, inHours(2));
  const second = await send(story, 'POST', PATH, {
    body: { to: number, purpose: PURPOSE, sendAt: inHours(4) },
  });
  assert.equal(assertProblem(second, 409).code, 'request_planned');
  for (const answer of [await cancel(plan.id), await cancel(plan.id)]) {
    assert.equal(answer.status, 200, answer.text);
  }
  const view = await read(plan.id);
  assert.deepEqual([view.status, view.error?.code], ['cancelled', 'cancelled']);
  story.clock.advance(3 * HOUR);
  await story.pass(5_000);
  assert.equal(story.simulator.person(number).messages.length, 0);

  const other = somebody();
  const asked = await planned(other, inHours(-1));
  assert.notEqual(asked.status, 'planned', 'the past is now');
  assert.equal(assertProblem(await cancel(asked.id), 409).code, 'request_not_planned');
  assertProblem(await cancel('preq_00000000-0000-7000-8000-000000000000'), 404);
  const far = { to: somebody(), purpose: PURPOSE, sendAt: inHours(91 * 24) };
  const tooFar = await send(story, 'POST', PATH, { body: far });
  assert.equal(assertProblem(tooFar, 422).code, 'request_plan_too_far');
});

test('a stop cancels what is planned at once, and an erasure too', async () => {
  const number = somebody();
  const plan = await planned(number, inHours(2));
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  const stopped = await becomes(plan.id, 'cancelled');
  assert.equal(stopped.error?.code, 'opted_out');
  const refused = await send(story, 'POST', PATH, {
    body: { to: number, purpose: PURPOSE, sendAt: inHours(5) },
  });
  assert.equal(assertProblem(refused, 403).code, 'opted_out');

  const gone = somebody();
  const erased = await planned(gone, inHours(2));
  const { id } = await contactOf(story, gone);
  const copy = await story.api.get<{ plannedRequests: object[] }>(`/v1/contacts/${id}/export`);
  assert.equal(copy.plannedRequests.length, 1);
  await must(story.api, `/v1/contacts/${id}/erase`, { confirm: id });
  const after = await story.until(
    'the erasure',
    async () => {
      const view = await read(erased.id);
      return view.status === 'cancelled' ? view : null;
    },
    600_000,
  );
  assert.deepEqual([after.purpose, after.text], ['', '']);
});

test('the gate is asked again at its time: what it refuses then is not sent', async () => {
  const number = somebody();
  const plan = await planned(number, inHours(2));
  await must(story.api, '/v1/do-not-call', { to: number, reason: 'asked' });
  story.clock.advance(2 * HOUR);
  const view = await becomes(plan.id, 'refused');
  assert.equal(view.error?.code, 'do_not_call');
  assert.equal(story.simulator.person(number).messages.length, 0);
  const entries = await entriesOf(number);
  const no = entries.find(({ type }) => type === 'PermissionRequestRefused');
  assert.equal(no?.data['requestId'], plan.id);
});

test('in hours at which nobody may be asked it waits for their end, and says so', async () => {
  const requestQuietHours = { from: '20:00', until: '09:00' };
  await send(story, 'PATCH', '/v1/policy', { body: { requestQuietHours } });
  const day = Math.floor(story.clock.now() / (24 * HOUR)) * 24 * HOUR;
  const night = day + 25 * HOUR;
  const number = somebody();
  const plan = await planned(number, isoTime(night));
  assert.equal(plan.sendAt, isoTime(day + 32 * HOUR), '09:00 in Britain');
  await send(story, 'PATCH', '/v1/policy', { body: { requestQuietHours: null } });
  assert.equal((await cancel(plan.id)).status, 200);
});

test('STOP ALL holds what is planned, and it goes out once the account goes on', async () => {
  const number = somebody();
  const plan = await planned(number, inHours(1));
  await must(story.api, '/v1/stop-all', { reason: 'a test' });
  story.clock.advance(HOUR);
  await story.pass(10_000);
  assert.equal((await read(plan.id)).status, 'planned');
  await send(story, 'DELETE', '/v1/stop-all');
  story.clock.advance(2 * MINUTE);
  await becomes(plan.id, 'granted');
});

test('an arm with an hour plans by itself, and the arm is that of the moment', async () => {
  const utc = (new Date(story.clock.now()).getUTCHours() + 4) % 24;
  const overrides = { askAtHour: (utc + 1) % 24, purpose: 'your bill of May' };
  const arms = [{ name: 'A' }, { name: 'B', overrides }];
  const wish = { name: 'Hours', layer: 'hours', arms, baseline: 0.6, smallestEffect: 0.1 };
  const { id } = await must<ExperimentView>(story.api, '/v1/experiments', wish);
  await story.api.post(`/v1/experiments/${id}/start`, {});
  const plans = new Map<string, PermissionRequestView>();
  while (plans.size < 2) {
    const body = { to: somebody(), purpose: PURPOSE, experimentId: id };
    const view = await must<PermissionRequestView>(story.api, PATH, body);
    plans.set(view.attribution?.arm ?? '', view);
  }
  const [control, changed] = [plans.get('A'), plans.get('B')];
  assert.equal(control?.status, 'queued');
  assert.equal(changed?.status, 'planned');
  const sendAt = Date.parse(changed.sendAt ?? '');
  assert.deepEqual([new Date(sendAt).getUTCHours(), sendAt % HOUR], [utc, 0], 'summer in Britain');
  story.clock.advance(sendAt - story.clock.now());
  const granted = await becomes(changed.id, 'granted');
  assert.deepEqual([granted.purpose, granted.attribution?.arm], ['your bill of May', 'B']);
});

test('three workers ask what is due once', async () => {
  const { clock, database } = story;
  const ids = makeIds(clock, seededRandom(5));
  const gate = { packs: makePolicyPacks(), doNotCallKey: story.secrets.doNotCallKey };
  const ports = { clock, database, ids, ...gate, changes: makeChanges(), log: silentLog };
  const numbers = Array.from({ length: 6 }, somebody);
  const plans = [];
  for (const number of numbers) plans.push(await planned(number, inHours(1)));
  clock.advance(HOUR);
  const workers = [openPlannedRequestWorker(ports), openPlannedRequestWorker(ports)];
  for (const { id } of plans) await becomes(id, 'granted');
  for (const worker of workers) await worker.close();
  for (const number of numbers) {
    const asked = (await entriesOf(number)).filter(({ type }) => type === 'PermissionRequested');
    assert.equal(asked.length, 1);
  }
});
