import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { EventView, Page, Problem, TimelineEntry } from '../src/http/api-types.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import { isoTime } from '../src/platform/clock.ts';
import { assertProblem, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { consentStatus, contactOf, newPerson } from './story-people.ts';

/** People on journeys, through the API, the worker and the simulated Meta; signalling only. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let story: Story;
let next = 300;
const keys = new Map<string, string>();

before(async () => {
  story = await openStory({ seed: 41 });
  const { items } = await story.api.get<Page<{ id: string; readyKey: string }>>('/v1/journeys');
  for (const { id, readyKey } of items) keys.set(readyKey, id);
});
after(() => story.close());

const somebody = (like: string): string => newPerson(story, String(next++), like);
const journeyId = (key: string): string => keys.get(key) ?? '';

async function started(key: string, to: string, body: object): Promise<RunView> {
  const path = `/v1/journeys/${journeyId(key)}/runs`;
  const run = await story.api.post<RunView>(path, { to, name: 'Ada', ...body });
  assert.ok(!isProblem(run), JSON.stringify(run));
  return run;
}

const runAt = (id: string): Promise<RunView> => story.api.get<RunView>(`/v1/journey-runs/${id}`);

function over(id: string): Promise<RunView> {
  return story.until('the end of the run', async () => {
    const run = await runAt(id);
    return run.status === 'ended' ? run : null;
  });
}

function reached(id: string, step: string): Promise<RunView> {
  return story.until(`step ${step}`, async () => {
    const run = await runAt(id);
    return run.step === step ? run : null;
  });
}

const walked = ({ steps }: RunView): string[] =>
  steps.map((each) => `${each.step} ${each.outcome}`);

async function ledgerOf(number: string): Promise<TimelineEntry[]> {
  const { id } = await contactOf(story, number);
  const path = `/v1/contacts/${id}/timeline?limit=100`;
  return (await story.api.get<Page<TimelineEntry>>(path)).items;
}

test('a late delivery: asked, called by an agent, asked how it was; all is told', async () => {
  const number = somebody('101');
  const run = await started('delivery-update', number, { variables: { order: '1042' } });
  assert.deepEqual([run.status, run.step], ['live', 'ask']);
  const ended = await over(run.id);
  assert.equal(ended.end, 'told');
  assert.deepEqual(walked(ended), [
    'ask asked',
    'yes yes',
    'call completed',
    'how case',
    'survey sent',
    'told reached',
  ]);
  const entries = await ledgerOf(number);
  const types = entries.map(({ type }) => type);
  assert.equal(types.filter((type) => type === 'RunStepped').length, 6);
  assert.equal(types.filter((type) => type === 'RunStarted').length, 1);
  assert.equal(types.filter((type) => type === 'RunEnded').length, 1);
  assert.ok(types.includes('SurveyRequested'));
  const asked = entries.find(({ type }) => type === 'PermissionRequested');
  assert.match(JSON.stringify(asked?.data), new RegExp(run.id), 'the request names its run');
  const { items } = await story.api.get<Page<EventView>>('/v1/events?limit=100');
  const told = items.filter(({ type }) => type.startsWith('journey.'));
  assert.deepEqual(
    told.map(({ type }) => type),
    ['journey.run.started', 'journey.run.ended'],
  );
  assert.equal(story.simulator.person(number).pastCalls.length, 1);
});

test('a sales follow-up: the ledger tells that the rep called within five minutes', async () => {
  const number = somebody('101');
  // Sales talk needs a customer who wrote first.
  story.simulator.act(number, { action: 'write', text: 'Tell me about the family plan' });
  await story.until('the chat', async () => {
    const path = `/v1/contacts?number=${encodeURIComponent(number)}`;
    return (await story.api.get<Page<object>>(path)).items[0];
  });
  const run = await started('sales-follow-up', number, { variables: { product: 'family plan' } });
  assert.equal((await over(run.id)).end, 'talked');
  const call = (await ledgerOf(number)).find(({ data }) => data['promiseKept'] !== undefined);
  assert.equal(call?.data['promiseKept'], true);
  assert.equal(call?.data['withinMs'], 300_000);
});

test('a support callback goes to the agent who asked', async () => {
  const number = somebody('101');
  const variables = { issue: 'your account set-up', agent: 'Demo PBX' };
  const run = await started('support-callback', number, { variables });
  assert.equal((await over(run.id)).end, 'helped');
  const other = somebody('101');
  const nobody = { variables: { issue: 'your account set-up', agent: 'Nobody' } };
  const lost = await over((await started('support-callback', other, nobody)).id);
  assert.deepEqual([lost.end, lost.reason], ['not_called', 'endpoint_unknown']);
  assert.equal(story.simulator.person(other).pastCalls.length, 0);
});

test('an appointment: asked a day before, called an hour before', async () => {
  const number = somebody('101');
  const appointmentAt = isoTime(story.clock.now() + 26 * HOUR);
  const variables = { appointmentAt, date: 'Thursday', time: 'two' };
  const { id } = await started('appointment-reminder', number, { variables });
  const waiting = await runAt(id);
  assert.equal(waiting.status, 'live');
  await story.pass(5_000);
  assert.equal(story.simulator.person(number).messages.length, 0, 'asked too early');
  story.clock.advance(2 * HOUR);
  await story.until('the yes', async () => (await consentStatus(story, number)) === 'granted');
  const { dueAt } = await reached(id, 'call');
  assert.equal(Date.parse(dueAt ?? ''), Date.parse(appointmentAt) - HOUR);
  story.clock.advance(23 * HOUR - MINUTE);
  const ended = await over(id);
  assert.deepEqual(walked(ended).slice(0, 3), ['ask asked', 'yes yes', 'call completed']);
  const [past] = story.simulator.person(number).pastCalls;
  assert.ok(past !== undefined);
});

test('whoever says no, or nothing, is not called', async () => {
  const no = somebody('102');
  const said = await over((await started('delivery-update', no, { variables: { order: '1' } })).id);
  assert.equal(said.end, 'declined');
  const silent = somebody('103');
  const { id } = await started('delivery-update', silent, { variables: { order: '2' } });
  await reached(id, 'yes');
  story.clock.advance(4 * HOUR);
  assert.equal((await over(id)).end, 'no_answer');
  for (const number of [no, silent]) {
    assert.equal(story.simulator.person(number).pastCalls.length, 0);
  }
});

test('a stop ends the run in the transaction that records it', async () => {
  const number = somebody('103');
  const { id } = await started('delivery-update', number, { variables: { order: '3' } });
  await reached(id, 'yes');
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  assert.equal((await over(id)).end, 'opted_out');
  const entries = await ledgerOf(number);
  const at = (type: string) => entries.find((entry) => entry.type === type);
  assert.equal(Number(at('RunEnded')?.sequence) > Number(at('OptedOut')?.sequence), true);
  const again = await story.api.post<RunView>(`/v1/journeys/${journeyId('delivery-update')}/runs`, {
    to: number,
    variables: { order: '3' },
  });
  assert.ok(isProblem(again));
  assert.equal(again.code, 'opted_out');
});

test('one run per person and journey; variables are checked at the start', async () => {
  const number = somebody('103');
  const path = `/v1/journeys/${journeyId('delivery-update')}/runs`;
  const post = (body: object) => story.api.post<Problem>(path, { to: number, ...body });
  const without = await post({ variables: { parcel: '4' } });
  assert.equal(without.code, 'journey_variables_invalid');
  assert.deepEqual(without['evidence'], {
    missing: ['order'],
    unknown: ['parcel'],
    noInstants: [],
  });
  const run = await started('delivery-update', number, { variables: { order: '4' } });
  const twice = await post({ variables: { order: '4' } });
  assert.deepEqual([twice.code, twice.status], ['journey_run_live', 409]);
  const cancelled = await story.api.post<RunView>(`/v1/journey-runs/${run.id}/cancel`, {});
  assert.ok(!isProblem(cancelled));
  assert.deepEqual([cancelled.status, cancelled.end], ['ended', 'cancelled']);
});

test('everybody can be taken off a journey at once, and it can be deleted', async () => {
  const { journey } = await story.api.get<{ journey: object }>(
    `/v1/journeys/${journeyId('delivery-update')}`,
  );
  const made = await story.api.post<{ id: string; diagram: string }>('/v1/journeys', journey);
  assert.ok(!isProblem(made));
  assert.match(made.diagram, /^flowchart TD/);
  keys.set('own', made.id);
  const people = [somebody('103'), somebody('103')];
  const runs = [];
  for (const to of people) runs.push(await started('own', to, { variables: { order: '5' } }));
  for (const { id } of runs) await reached(id, 'yes');
  await story.api.post(`/v1/journeys/${made.id}/cancel-runs`, {});
  for (const { id } of runs) assert.equal((await over(id)).end, 'cancelled');
  const gone = await send(story, 'DELETE', `/v1/journeys/${made.id}`);
  assert.equal(gone.status, 204);
  const late = await story.api.post<Problem>(`/v1/journeys/${made.id}/runs`, { to: people[0] });
  assert.ok(isProblem(late));
  assert.equal(late.status, 404);
});

test('STOP ALL holds every run where it is, and lifting it lets them go on', async () => {
  const number = somebody('101');
  await story.api.post('/v1/stop-all', { reason: 'test' });
  const { id } = await started('delivery-update', number, { variables: { order: '6' } });
  await story.pass(3_000);
  assert.equal((await runAt(id)).step, 'ask');
  assert.equal(story.simulator.person(number).messages.length, 0);
  assert.equal((await send(story, 'DELETE', '/v1/stop-all')).status, 200);
  story.clock.advance(MINUTE);
  assert.equal((await over(id)).end, 'told');
});

test('an erased person is on no journey, and nothing of their variables is left', async () => {
  const number = somebody('103');
  const { id } = await started('delivery-update', number, { variables: { order: 'X-778' } });
  await reached(id, 'yes');
  const contact = await contactOf(story, number);
  assert.ok(
    (
      await send(story, 'POST', `/v1/contacts/${contact.id}/erase`, {
        body: { confirm: contact.id },
      })
    ).status < 300,
  );
  await story.until('the erasure', async () => (await runAt(id)).variables['order'] === undefined);
  assert.equal((await runAt(id)).end, 'erased');
});

test('a journey that cannot run is refused by step and field; a dry run plays one', async () => {
  const steps = [{ do: 'ask', template: 'no_such_template', purpose: 'your order 1042' }];
  const bad = await send(story, 'POST', '/v1/journeys', { body: { name: 'Bad', steps } });
  assert.equal(assertProblem(bad, 422).code, 'journey_invalid');
  const checked = await story.api.post<{ ok: boolean; problems: Array<{ rule: string }> }>(
    '/v1/journeys/check',
    { journey: { name: 'Bad', steps: [{ name: 'call', do: 'call' }] } },
  );
  assert.ok(!isProblem(checked));
  assert.match(checked.problems[0]?.rule ?? '', /has an ask before it/);
  const dry = await story.api.post<{ end: string; steps: Array<{ step: string; at: string }> }>(
    `/v1/journeys/${journeyId('appointment-reminder')}/dry-run`,
    {
      startAt: '2026-06-01T12:00:00Z',
      variables: { appointmentAt: '2026-06-03T12:00:00Z', date: 'x', time: 'y' },
      calls: [{ result: 'confirmed' }],
    },
  );
  assert.ok(!isProblem(dry));
  assert.equal(dry.end, 'confirmed');
  assert.equal(dry.steps[0]?.at, '2026-06-02T12:00:00.000Z');
});
