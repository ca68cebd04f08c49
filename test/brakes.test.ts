import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { EventView, Page } from '../src/http/api-types.ts';
import { secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { ask, call, getYes, newPerson, placed, PURPOSE, reach } from './story-people.ts';

/** A line that asks people who do not want it slows, stops, and goes on when somebody says so. */
let story: Story;
let lineId: string;

before(async () => {
  story = await openStory({ seed: 91 });
  lineId = (await story.api.get<Page<{ id: string }>>('/v1/lines')).items[0]?.id ?? '';
});
after(() => story.close());

type Brake = {
  state: 'free' | 'slowed' | 'paused';
  because: Array<{ brake: string; numerator: number; denominator: number }>;
  now: Array<{ brake: string; denominator: number; verdict: string }>;
  callsPerSecond: number | null;
  requestsPerSecond: number | null;
  reason: string | null;
};

const brake = (): Promise<Brake> => story.api.get<Brake>(`/v1/lines/${lineId}/brake`);

const braked = (state: Brake['state']): Promise<Brake> =>
  story.until(`line ${state}`, async () => {
    const now = await brake();
    return now.state === state ? now : null;
  });

async function set(settings: object): Promise<void> {
  const answer = await send(story, 'PUT', '/v1/brakes/settings', { body: settings });
  assert.equal(answer.status, 200, answer.text);
}

async function resume(reason: string): Promise<Brake> {
  const answer = await story.api.post<Brake>(`/v1/lines/${lineId}/brake/resume`, { reason });
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer;
}

async function decided(people: number): Promise<void> {
  await story.until('that they are counted', async () => {
    const rate = (await brake()).now.find((found) => found.brake === 'grant_rate');
    return (rate?.denominator ?? 0) >= people;
  });
}

async function told(type: string): Promise<EventView[]> {
  const found: EventView[] = [];
  for (let next: string | null = ''; next !== null;) {
    const page: Page<EventView> = await story.api.get(`/v1/events?limit=100${next}`);
    found.push(...page.items.filter((event) => event.type === type));
    next = page.next === null ? null : `&after=${encodeURIComponent(page.next)}`;
  }
  return found;
}

async function paces(): Promise<Array<{ setBy: string; callsPerSecond: number | null }>> {
  return (
    await story.api.get<Page<{ setBy: string; callsPerSecond: number | null }>>('/v1/pacing-limits')
  ).items;
}

let granted = '';

test('a line on which most say no is slowed, and its own pace is not lost', async () => {
  const pace = { callsPerSecond: 5, concurrentCalls: null };
  const own = await send(story, 'PUT', `/v1/pacing-limits/line/${lineId}`, { body: pace });
  assert.equal(own.status, 200, own.text);
  await set({ minSample: 10, grant_rate: { slow: 0.6, pause: 0.01 } });
  granted = newPerson(story, '801', '100');
  await getYes(story, granted);
  for (let index = 0; index < 11; index += 1) {
    await ask(story, newPerson(story, String(810 + index), '102'));
  }
  await decided(12);
  const slowed = await braked('slowed');
  assert.deepEqual(
    slowed.because.map(({ brake: name, numerator, denominator }) => [name, numerator, denominator]),
    [['grant_rate', 1, 12]],
  );
  const [event] = await told('line.slowed');
  assert.equal(event?.data['lineId'], lineId);
  assert.deepEqual(
    (await paces()).map(({ setBy, callsPerSecond }) => [setBy, callsPerSecond]),
    [
      ['brake', slowed.callsPerSecond],
      ['operator', 5],
    ],
  );
});

test('requests of a slowed line leave one after the other', async () => {
  const [first, second] = [newPerson(story, '831', '103'), newPerson(story, '832', '103')];
  const startedAt = story.clock.now();
  for (const number of [first, second]) await ask(story, number);
  const messages = (number: string): number => story.simulator.person(number).messages.length;
  await story.until('the first', () => messages(first) + messages(second) === 1);
  await story.until('the second', () => messages(first) + messages(second) === 2, 120_000);
  const gapMs = 1_000 / ((await brake()).requestsPerSecond ?? Infinity);
  assert.ok(story.clock.now() - startedAt >= gapMs - 1_000, 'it waited for its turn');
});

test('what waits for its turn leaves at once when the brakes are off', async () => {
  const waiting = ['833', '834', '835'].map((last3) => newPerson(story, last3, '103'));
  for (const number of waiting) await ask(story, number);
  await story.pass(2_000);
  const sent = (): number =>
    waiting.filter((number) => story.simulator.person(number).messages.length > 0).length;
  assert.ok(sent() < 3);
  await set({ enabled: false });
  assert.equal((await brake()).state, 'free');
  await story.until('all of them', () => sent() === 3, 5_000);
});

test('far below the floor the line is paused: nobody is asked, and no phone rings', async () => {
  const waiting = await placed(story, granted, {
    scheduledAt: new Date(story.clock.now() + 300_000).toISOString(),
  });
  await set({ minSample: 10, grant_rate: { slow: 0.7, pause: 0.6 } });
  const paused = await brake();
  assert.deepEqual([paused.state, paused.callsPerSecond], ['paused', null]);
  assert.deepEqual(
    (await paces()).map(({ setBy }) => setBy),
    ['operator'],
  );
  assert.equal((await told('line.paused')).length, 1);
  const number = newPerson(story, '841', '100');
  const wishes = [
    await story.api.post<object>('/v1/permission-requests', { to: number, purpose: PURPOSE }),
    await call(story, granted),
  ];
  for (const answer of wishes) {
    assert.ok(isProblem(answer) && answer.code === 'line_paused', JSON.stringify(answer));
    assert.match(answer.fix ?? '', /brake\/resume/);
  }
  story.clock.advance(300_000);
  const ended = await reach(story, waiting.id, 'ended');
  assert.deepEqual([ended.outcome, ended.endReason], ['blocked', 'line_paused']);
});

test('good settings alone do not lift a pause; a person does, with a reason', async () => {
  await set({ minSample: 10, grant_rate: null });
  assert.equal((await brake()).state, 'paused');
  await set({ minSample: 10, grant_rate: { slow: 0.7, pause: 0.6 } });
  const resumed = await resume('The template named the wrong clinic.');
  assert.deepEqual(
    [resumed.state, resumed.reason],
    ['slowed', 'The template named the wrong clinic.'],
  );
  assert.ok(resumed.callsPerSecond !== null);
  const slowly = (await told('line.resumed')).filter(({ data }) => data['state'] === 'slowed');
  assert.deepEqual(
    slowly.map(({ data }) => data['reason']),
    ['The template named the wrong clinic.'],
  );
  // The old answers are not held against it again.
  await story.pass(25_000);
  assert.equal((await brake()).state, 'slowed');
});

test('a resumed line goes on freely once its rates are good again', async () => {
  story.clock.advance(3_600_000);
  await story.pass(1_000);
  for (let index = 0; index < 10; index += 1) {
    await ask(story, newPerson(story, String(850 + index), '100'));
    // A slowed line asks one a minute at least.
    story.clock.advance(60_000);
    await story.pass(1_000);
  }
  await decided(10);
  await braked('free');
  const reasons = (await told('line.resumed')).map(({ data }) => data['reason']);
  assert.ok(reasons.includes('Its rates are good again.'), reasons.join());
  assert.deepEqual(
    (await paces()).map(({ setBy }) => setBy),
    ['operator'],
  );
});

test('a template that Meta rates red slows the line until it is green again', async () => {
  await set({ minSample: 10, grant_rate: null, answer_rate: null });
  assert.equal((await brake()).state, 'free');
  const before = (await told('line.slowed')).length;
  const rate = async (quality: string): Promise<void> => {
    const listed = await story.simulator.inject({ method: 'GET', url: '/simulator/templates' });
    const { templates } = listed.body as { templates: Array<{ id: string; name: string }> };
    const asking = templates.find(({ name }) => name === 'call_permission_request');
    const url = `/simulator/templates/${asking?.id}`;
    const answer = await story.simulator.inject({ method: 'POST', url, payload: { quality } });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  };
  await rate('RED');
  // Nobody is asked meanwhile: the webhook itself has the line looked at.
  const slowed = await braked('slowed');
  assert.deepEqual(
    slowed.because.map(({ brake: name, numerator, denominator }) => [
      name,
      numerator === denominator && denominator >= 10,
    ]),
    [['red_templates', true]],
  );
  const events = await told('line.slowed');
  assert.equal(events.length, before + 1);
  const [found] = (events.at(-1)?.data['because'] ?? []) as Array<{ brake: string }>;
  assert.equal(found?.brake, 'red_templates');
  await rate('GREEN');
  await braked('free');
});

test('who is not the owner neither sees nor lifts a brake', async () => {
  const { key } = await secondAccount(story);
  const path = `/v1/lines/${lineId}/brake`;
  assert.equal((await send(story, 'GET', path, { key })).status, 404);
  const body = { reason: 'mine now' };
  assert.equal((await send(story, 'POST', `${path}/resume`, { key, body })).status, 404);
  assert.equal((await send(story, 'POST', `${path}/resume`, { body: {} })).status, 400);
});

test('limits that make no sense are refused', async () => {
  for (const body of [
    { grant_rate: { slow: 0.2, pause: 0.4 } },
    { opt_out_rate: { slow: 0.2, pause: 0.1 } },
    { minSample: 3 },
    { floor: 1 },
  ]) {
    assert.equal((await send(story, 'PUT', '/v1/brakes/settings', { body })).status, 400);
  }
});
