import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { lookAtAll } from '../src/experiments/experiment-worker.ts';
import type { ExperimentView, ResultView } from '../src/experiments/experiment-schemas.ts';
import type { EventView, Page, PermissionRequestView, Problem } from '../src/http/api-types.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import { makeIds } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { must } from './product-peers.ts';
import { assertProblem, secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { PURPOSE, consentStatus, placed, contactOf, newPerson } from './story-people.ts';

/** Experiments from the plan to the winner, through the API, the ledger and the worker. */
const HOUR = 3_600_000;
const OTHER_WORDS = 'the delivery of your order 1042';
let story: Story;
let next = 400;

type WithResult = ExperimentView & { result: ResultView };
type Asked = PermissionRequestView & {
  attribution: { experimentId?: string; arm?: string } | null;
};

before(async () => {
  story = await openStory({ seed: 29 });
});
after(() => story.close());

const plan = (more: object = {}): object => ({
  name: 'Other words',
  arms: [{ name: 'A' }, { name: 'B', overrides: { purpose: OTHER_WORDS } }],
  baseline: 0.6,
  smallestEffect: 0.1,
  windowHours: 2,
  ...more,
});

async function created(more: object = {}): Promise<ExperimentView> {
  return must<ExperimentView>(story.api, '/v1/experiments', plan(more));
}

async function started(more: object = {}): Promise<ExperimentView> {
  const { id } = await created(more);
  return must<ExperimentView>(story.api, `/v1/experiments/${id}/start`, {});
}

const stop = (id: string) => story.api.post<ExperimentView>(`/v1/experiments/${id}/stop`, {});
const read = (id: string) => story.api.get<WithResult>(`/v1/experiments/${id}`);

async function asked(number: string, more: object): Promise<Asked> {
  const body = { to: number, purpose: PURPOSE, ...more };
  return must<Asked>(story.api, '/v1/permission-requests', body);
}

/** What the worker of the server does once a minute. */
function look(): Promise<void> {
  const random = seededRandom(7);
  const { clock, database } = story;
  const changes = { publish: () => undefined, subscribe: () => () => undefined };
  const ids = makeIds(clock, random);
  return lookAtAll({ clock, database, ids, random, changes, log: silentLog });
}

async function eventsOfType(type: string): Promise<EventView[]> {
  const { items } = await story.api.get<Page<EventView>>('/v1/events?limit=100');
  return items.filter((event) => event.type === type);
}

test('a person is asked in the words of their arm, called so, and counted once', async () => {
  const experiment = await started({ layer: 'words' });
  const { id } = experiment;
  const seen = new Map<string, string>();
  for (let person = 0; person < 8; person += 1) {
    const number = newPerson(story, String(next++), '101');
    const { attribution, purpose } = await asked(number, { experimentId: id });
    assert.equal(attribution?.experimentId, id);
    const arm = attribution.arm ?? '';
    assert.equal(purpose, arm === 'B' ? OTHER_WORDS : PURPOSE);
    seen.set(number, arm);
  }
  assert.deepEqual([...new Set(seen.values())].toSorted(), ['A', 'B']);

  const [number, arm] = [...seen].find(([, drawn]) => drawn === 'B') ?? ['', ''];
  await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
  const called = await placed(story, number, { experimentId: id });
  assert.equal(called.purpose, OTHER_WORDS);
  const path = `/v1/experiments/${id}/assignments`;
  const assignment = await must<{ arm: string; counted: boolean }>(story.api, path, { to: number });
  assert.deepEqual([assignment.arm, assignment.counted], [arm, true]);

  await story.until('yes of all', async () => {
    const statuses = await Promise.all([...seen.keys()].map((to) => consentStatus(story, to)));
    return statuses.every((status) => status === 'granted' || status === 'used');
  });
  await look();
  const early = await read(id);
  assert.match(early.result.words, /^Too early: nobody is counted yet/);
  story.clock.advance(25 * HOUR);
  await look();
  const { result } = await read(id);
  const total = (field: 'exposed' | 'counted' | 'hits'): number =>
    result.arms.reduce((sum, one) => sum + one[field], 0);
  assert.deepEqual([total('exposed'), total('counted'), total('hits')], [8, 8, 8]);
  assert.match(result.words, /^Too early for B: 8 of \d+ people are counted/);
  await stop(id);
});

test('one not running changes nothing, and a decided one gives all the winner', async () => {
  const { id } = await created({ layer: 'winner' });
  const [first, second] = [String(next++), String(next++)].map((last) =>
    newPerson(story, last, '101'),
  );
  const before = await asked(first ?? '', { experimentId: id });
  assert.equal(before.attribution, null);
  assert.equal(before.purpose, PURPOSE);
  await story.api.post(`/v1/experiments/${id}/start`, {});
  const decided = await must<ExperimentView>(story.api, `/v1/experiments/${id}/decide`, {
    arm: 'B',
  });
  assert.deepEqual([decided.state, decided.winner], ['decided', 'B']);
  const adopted = await asked(second ?? '', { experimentId: id });
  assert.equal(adopted.purpose, OTHER_WORDS);
  assert.equal(adopted.attribution, null);
  assert.match((await read(id)).result.words, /^Decided: everybody gets B now/);
});

test('an arm whose people opt out is stopped and told of; its people get the control', async () => {
  const experiment = await started({ layer: 'guard', baseline: 0.3, smallestEffect: 0.3 });
  const { id, plannedPeople } = experiment;
  await expose(id, { A: [40, 0], B: [40, 16] });
  await look();
  const { arms, result } = await read(id);
  assert.notEqual(arms[1]?.stoppedAt, null);
  assert.match(result.words, /B was stopped: its people opt out more/);
  assert.ok(plannedPeople > 0);
  const [told] = await eventsOfType('experiment.arm_stopped');
  assert.equal(told?.data['arm'], 'B');
  for (let person = 0; person < 5; person += 1) {
    const number = newPerson(story, String(next++), '101');
    assert.equal((await asked(number, { experimentId: id })).purpose, PURPOSE);
  }
  story.clock.advance(25 * HOUR);
  await look();
  assert.equal((await eventsOfType('experiment.arm_stopped')).length, 1);
  await stop(id);
});

test('arms not as large as drawn raise one alarm, and the words say not to trust', async () => {
  const { id } = await started({ layer: 'ratio' });
  await expose(id, { A: [260, 0], B: [140, 0] });
  await look();
  story.clock.advance(25 * HOUR);
  await look();
  const { result } = await read(id);
  assert.equal(result.sampleRatio?.alarm, true);
  assert.match(result.words, /^Do not trust the comparison/);
  assert.equal((await eventsOfType('experiment.sample_ratio_alarm')).length, 1);
  await stop(id);
});

test('each command in each state does what it may, or says which state forbids it', async () => {
  const bring: Record<string, string[]> = {
    draft: [],
    running: ['start'],
    stopped: ['start', 'stop'],
    decided: ['start', 'decide'],
  };
  const may = new Set(['draft start', 'running stop', 'running decide', 'stopped decide']);
  for (const [state, steps] of Object.entries(bring)) {
    for (const command of ['start', 'stop', 'decide']) {
      const { id } = await created({ layer: `table_${state}_${command}` });
      const move = (name: string) =>
        send(story, 'POST', `/v1/experiments/${id}/${name}`, { body: { arm: 'B' } });
      for (const step of steps) assert.equal((await move(step)).status, 200);
      assert.equal((await read(id)).state, state);
      const answer = await move(command);
      if (may.has(`${state} ${command}`)) assert.equal(answer.status, 200, answer.text);
      else assert.equal(assertProblem(answer, 409).code, 'experiment_state');
    }
  }
});

/** Somebody whom the experiment draws into the arm. */
async function somebodyIn(experimentId: string, arm: string): Promise<string> {
  for (;;) {
    const number = newPerson(story, String(next++), '101');
    const path = `/v1/experiments/${experimentId}/assignments`;
    const drawn = await must<{ arm: string }>(story.api, path, { to: number });
    if (drawn.arm === arm) return number;
  }
}

test('an arm changes template, purpose, script and gap; the control changes nothing', async () => {
  const steps = [{ do: 'hangup' }];
  const script = await must<{ id: string }>(story.api, '/v1/scripts', { name: 'Short', steps });
  const { items } = await story.api.get<Page<{ name: string; language: string }>>('/v1/templates');
  const template = 'call_permission_request';
  assert.ok(items.some(({ name }) => name === template));
  const overrides = { template, purpose: OTHER_WORDS, scriptId: script.id, gapMinutes: 30 };
  const arms = [{ name: 'A' }, { name: 'B', overrides }];
  const { id } = await started({ layer: 'overrides', arms });

  for (const arm of ['A', 'B']) {
    const number = await somebodyIn(id, arm);
    const request = await asked(number, { experimentId: id });
    assert.deepEqual(request.attribution, { experimentId: id, arm });
    const isB = arm === 'B';
    assert.equal(request.purpose, isB ? OTHER_WORDS : PURPOSE);
    if (isB) assert.equal(request.template, template);
    await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
    const before = story.clock.now();
    const call = await placed(story, number, { experimentId: id });
    assert.equal(call.purpose, isB ? OTHER_WORDS : PURPOSE);
    assert.equal(call.script !== null, isB);
    const gapMs = Date.parse(call.dueAt) - before;
    if (isB) assert.ok(gapMs > 29 * 60_000 && gapMs <= 30 * 60_000, `${gapMs} ms`);
    else assert.ok(gapMs <= 0);
    await story.api.post(`/v1/calls/${call.id}/hangup`, {});
  }
  await stop(id);
});

test('a split of a journey deals the arms of an experiment, and counts who is asked', async () => {
  const { id } = await started({ layer: 'split' });
  const ask = (name: string, purpose: string) => ({
    name,
    do: 'ask',
    template: 'call_permission_request',
    purpose,
    next: 'done',
  });
  const journey = {
    name: 'Split',
    steps: [
      { name: 'split', do: 'split', experiment: id, arms: { A: 'as', B: 'other' }, else: 'nobody' },
      ask('as', PURPOSE),
      ask('other', OTHER_WORDS),
      { name: 'done', do: 'end', result: 'asked' },
      { name: 'nobody', do: 'end', result: 'no_arm' },
    ],
  };
  const stored = await must<{ id: string }>(story.api, '/v1/journeys', journey);
  /** Where the split has led somebody. A second request within a day waits, so not to the end. */
  const ledTo = async (number: string): Promise<string | undefined> => {
    const path = `/v1/journeys/${stored.id}/runs`;
    const run = await must<RunView>(story.api, path, { to: number, name: 'Ada' });
    return story.until('the split', async () => {
      const { steps } = await story.api.get<RunView>(`/v1/journey-runs/${run.id}`);
      return steps[0]?.next;
    });
  };
  for (const [arm, step] of [
    ['A', 'as'],
    ['B', 'other'],
  ] as const) {
    const number = await somebodyIn(id, arm);
    assert.equal(await ledTo(number), step);
    await story.until('asked', async () => (await consentStatus(story, number)) !== undefined);
    assert.equal(await ledTo(number), step, 'the same arm again');
  }
  await look();
  const { arms } = (await read(id)).result;
  assert.deepEqual(
    arms.map(({ exposed }) => exposed),
    [1, 1],
  );
  await stop(id);
  const late = newPerson(story, String(next++), '101');
  assert.equal(await ledTo(late), 'as', 'all get the control once it is stopped');
});

test('experiments of one layer share nobody, and a full layer says so', async () => {
  const first = await started({ layer: 'shared', share: 0.7 });
  const second = await created({ layer: 'shared', share: 0.5 });
  const refused = await send(story, 'POST', `/v1/experiments/${second.id}/start`, { body: {} });
  assert.equal(assertProblem(refused, 409).code, 'experiment_layer_full');
  await stop(first.id);
  const now = await must<ExperimentView>(story.api, `/v1/experiments/${second.id}/start`, {});
  assert.equal(now.state, 'running');
  await stop(second.id);
});

test('erasing a person drops the link and keeps the count', async () => {
  const { id } = await started({ layer: 'erasure' });
  const number = newPerson(story, String(next++), '101');
  await asked(number, { experimentId: id });
  const contact = await contactOf(story, number);
  const copy = await story.api.get<{ experiments: object[] }>(`/v1/contacts/${contact.id}/export`);
  assert.equal(copy.experiments?.length, 1);
  await must(story.api, `/v1/contacts/${contact.id}/erase`, { confirm: contact.id });
  await story.until('erased', async () => (await linkedPeople(id)) === 0, 600_000);
  await look();
  const { arms } = (await read(id)).result;
  assert.equal(
    arms.reduce((sum, { exposed }) => sum + exposed, 0),
    1,
  );
  await stop(id);
});

test('what cannot be planned or done is refused with the field or the state at fault', async () => {
  const bad = await send(story, 'POST', '/v1/experiments', {
    body: plan({ arms: [{ name: 'A' }, { name: 'B', overrides: { template: 'no_such' } }] }),
  });
  const problem = JSON.parse(bad.text) as Problem;
  assert.equal(problem.fields?.[0]?.field, 'arms.1.overrides.template');
  const { id } = await created();
  const stopped = await send(story, 'POST', `/v1/experiments/${id}/stop`, { body: {} });
  assert.equal(assertProblem(stopped, 409).code, 'experiment_state');
  const decided = await send(story, 'POST', `/v1/experiments/${id}/decide`, { body: { arm: 'A' } });
  assert.equal(assertProblem(decided, 409).code, 'experiment_state');
  const { key } = await secondAccount(story);
  assert.equal((await send(story, 'GET', `/v1/experiments/${id}`, { key })).status, 404);
  const query = 'baseline=0.6&smallestEffect=0.05';
  const size = await story.api.get<{ people: number }>(`/v1/experiments/size?${query}`);
  assert.ok(size.people > 3_000 && size.people < 3_500);
});

/** People as the ledger would have them, without asking hundreds of them. */
async function expose(
  experimentId: string,
  arms: Readonly<Record<string, readonly [people: number, optedOut: number]>>,
): Promise<void> {
  const now = new Date(story.clock.now());
  for (const [arm, [people, optedOut]] of Object.entries(arms)) {
    await story.database.script(`
      insert into experiment_exposures (bucket, experiment_id, contact_id, account_id, arm, at,
                                        counted_at, opted_out)
      select n % 64, '${experimentId}', null, 'acct', '${arm}', '${now.toISOString()}',
             '${now.toISOString()}', n <= ${optedOut}
        from generate_series(1, ${people}) n`);
  }
}

async function linkedPeople(experimentId: string): Promise<number> {
  const rows = await story.database.run<{ people: number }>(
    {
      name: 'test_linked_people',
      text: `select count(contact_id) as people from experiment_exposures
              where experiment_id = $1`,
    },
    [experimentId],
  );
  return rows[0]?.people ?? 0;
}
