import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { CallView, Page, TimelineEntry } from '../src/http/api-types.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import { openStory, type Story } from './harness.ts';
import { contactOf, newPerson } from './story-people.ts';

/**
 * R-09 for journeys: the server is abandoned, as kill -9 does, at each step of a run and at moments
 * in between, and another one takes over the rows. Every step is taken once, none is left out.
 */
let story: Story;
let next = 500;
let journeyId = '';

before(async () => {
  story = await openStory({ seed: 43 });
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

async function start(to: string): Promise<RunView> {
  const body = { to, variables: { order: '1042' } };
  const run = await story.api.post<RunView>(`/v1/journeys/${journeyId}/runs`, body);
  assert.ok(!isProblem(run), JSON.stringify(run));
  return run;
}

const runAt = (id: string): Promise<RunView> => story.api.get<RunView>(`/v1/journey-runs/${id}`);

/** Points of a run, each with what tells that it is there. */
const POINTS: ReadonlyArray<
  [string, (run: RunView, number: string) => Promise<boolean> | boolean]
> = [
  ['started', () => true],
  ['asked', (run) => run.waitsFor === 'answer'],
  ['at the phone', (_run, number) => story.simulator.person(number).messages.length > 0],
  ['calling', (run) => run.waitsFor === 'call'],
  ['ringing', async (run) => (await callOf(run))?.status === 'ringing'],
  ['talking', async (run) => (await callOf(run))?.status === 'bridged'],
  ['called', async (run) => (await callOf(run))?.status === 'ended'],
  ['over', (run) => run.status === 'ended'],
];

for (const [point, isThere] of POINTS) {
  test(`a crash when a run is ${point}: nothing twice, nothing lost`, async () => {
    const number = newPerson(story, String(next++), '101');
    const { id } = await start(number);
    await story.until(point, async () => isThere(await runAt(id), number));
    await story.crash();
    // The look that found it calling may have come when its phone already rang.
    await assertWhole(id, number, ['calling', 'ringing', 'talking'].includes(point));
  });
}

for (const ms of [40, 100, 160]) {
  test(`a crash ${ms} ms after the start: nothing twice, nothing lost`, async () => {
    const number = newPerson(story, String(next++), '101');
    const { id } = await start(number);
    await story.pass(ms);
    await story.crash();
    await assertWhole(id, number);
  });
}

async function callOf({ callId }: RunView): Promise<CallView | null> {
  return callId === null ? null : story.api.get<CallView>(`/v1/calls/${callId}`);
}

/** A crash in a talk ends that call in its own way, and the run takes it from there. */
async function assertWhole(id: string, number: string, wasLive = false): Promise<void> {
  const over = async (): Promise<RunView | null> => {
    const now = await runAt(id);
    return now.status === 'ended' ? now : null;
  };
  if (await isLost(number, over)) {
    // It was on its way to Meta when we died, and what may have arrived is never sent again.
    story.clock.advance(4 * 3_600_000);
    const { end } = await story.until('the end of the wait', over);
    const person = story.simulator.person(number);
    assert.deepEqual([end, person.messages.length, person.pastCalls.length], ['no_answer', 0, 0]);
    return;
  }
  const run = await story.until('the end of the run', over);
  const walked = run.steps.map(({ step, outcome }) => `${step} ${outcome}`);
  if (wasLive && run.end !== 'told') assert.equal(run.end, 'not_reached');
  else assert.deepEqual(walked, WALK);
  const person = story.simulator.person(number);
  assert.equal(person.messages.filter(({ kind }) => kind === 'permission_request').length, 1);
  // A dial whose answer died with us is never dialled again, even if its phone never rang.
  const mayBeLost = wasLive && run.end === 'not_reached';
  const rang = person.pastCalls.length;
  assert.ok(rang === 1 || (mayBeLost && rang === 0), `rang ${rang} times`);
  const contact = await contactOf(story, number);
  const path = `/v1/contacts/${contact.id}/timeline?limit=100`;
  const { items } = await story.api.get<Page<TimelineEntry>>(path);
  const of = (type: string) => items.filter((entry) => entry.type === type);
  assert.deepEqual(
    of('RunStepped').map(({ data }) => `${String(data['step'])} ${String(data['outcome'])}`),
    walked,
    'each step once in the ledger',
  );
  for (const type of ['RunStarted', 'RunEnded', 'PermissionRequested', 'CallRequested']) {
    assert.equal(of(type).length, 1, type);
  }
}

/** Whether the question never came, although there was time for it. */
async function isLost(number: string, over: () => Promise<RunView | null>): Promise<boolean> {
  for (let second = 0; second < 5; second += 1) {
    if (story.simulator.person(number).messages.length > 0 || (await over()) !== null) return false;
    await story.pass(1_000);
  }
  return true;
}
