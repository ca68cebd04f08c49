import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CampaignView } from '../src/campaigns/campaign-schemas.ts';
import { isProblem } from '../src/cli/api-client.ts';
import type { ExperimentView } from '../src/experiments/experiment-schemas.ts';
import type {
  CallView,
  Page,
  PermissionRequestView,
  TimelineEntry,
} from '../src/http/api-types.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { must } from './product-peers.ts';
import { PURPOSE, contactOf, newPerson } from './story-people.ts';

/** Journeys and campaigns of an experiment: people are asked and called as their arm says. */
const HOUR = 3_600_000;
const MINUTE = 60_000;
const OTHER_WORDS = 'the delivery of your order 1042';
let story: Story;
let journeyId: string;
let scriptId: string;
let next = 500;

before(async () => {
  // It is 13:00 in Britain.
  story = await openStory({ seed: 73 });
  const steps = [{ do: 'hangup' }];
  scriptId = (await must<{ id: string }>(story.api, '/v1/scripts', { name: 'Short', steps })).id;
  journeyId = (await must<{ id: string }>(story.api, '/v1/journeys', JOURNEY)).id;
});
after(() => story.close());

const JOURNEY = {
  name: 'Delivery',
  steps: [
    { name: 'ask', do: 'ask', template: 'call_permission_request', purpose: PURPOSE },
    { name: 'yes', do: 'wait', for: 'yes', until: { after: '24h' }, else: 'end' },
    { name: 'call', do: 'call', purpose: PURPOSE },
    { name: 'over', do: 'end', result: 'called' },
  ],
};

async function running(overrides: object, layer: string): Promise<ExperimentView> {
  const arms = [{ name: 'A' }, { name: 'B', overrides }];
  const plan = { name: layer, layer, arms, baseline: 0.6, smallestEffect: 0.1 };
  const { id } = await must<ExperimentView>(story.api, '/v1/experiments', plan);
  return must<ExperimentView>(story.api, `/v1/experiments/${id}/start`, {});
}

/** Somebody new whom the experiment draws into the arm. */
async function somebodyIn(id: string, arm: string, like = '101'): Promise<string> {
  for (;;) {
    const number = newPerson(story, String(next++), like);
    const path = `/v1/experiments/${id}/assignments`;
    const drawn = await must<{ arm: string }>(story.api, path, { to: number });
    if (drawn.arm === arm) return number;
  }
}

async function started(experimentId: string, to: string, more: object = {}): Promise<RunView> {
  const body = { to, name: 'Ada', experimentId, ...more };
  return must<RunView>(story.api, `/v1/journeys/${journeyId}/runs`, body);
}

const runAt = (id: string) => story.api.get<RunView>(`/v1/journey-runs/${id}`);

function stepped(id: string, step: string, phase: RunView['waitsFor']): Promise<RunView> {
  return story.until(`step ${step}`, async () => {
    const run = await runAt(id);
    return run.step === step && run.waitsFor === phase ? run : null;
  });
}

async function requestsOf(number: string): Promise<PermissionRequestView[]> {
  const { id } = await contactOf(story, number);
  const path = `/v1/permission-requests?contactId=${id}`;
  return (await story.api.get<Page<PermissionRequestView>>(path)).items;
}

/** At its question, until the hour of the arm comes. */
function waitsForHour(id: string): Promise<RunView> {
  return story.until('the wait for the hour', async () => {
    const run = await runAt(id);
    return run.steps.some(({ outcome }) => outcome === 'waits_for_hour') ? run : null;
  });
}

const callOf = ({ callId }: RunView) => story.api.get<CallView>(`/v1/calls/${callId}`);

/** The next instant at which it is that full hour in UTC. */
function nextUtc(hour: number): number {
  const day = Math.floor(story.clock.now() / (24 * HOUR)) * 24 * HOUR;
  const today = day + hour * HOUR;
  return today > story.clock.now() ? today : today + 24 * HOUR;
}

test('arms ask at their hour in their words, wait their gap and bring their script', async () => {
  const overrides = { purpose: OTHER_WORDS, askAtHour: 18, gapMinutes: 30, scriptId };
  const { id } = await running(overrides, 'all');
  const [control, other] = [await somebodyIn(id, 'A'), await somebodyIn(id, 'B')];
  const plain = await started(id, control);
  const changed = await started(id, other);

  const asIs = await stepped(plain.id, 'call', 'call');
  assert.deepEqual(asIs.attribution.arm, 'A');
  const [request] = await requestsOf(control);
  assert.deepEqual([request?.purpose, request?.attribution?.arm], [PURPOSE, 'A']);
  assert.equal((await callOf(asIs)).script, null);

  const waiting = await waitsForHour(changed.id);
  const hour = nextUtc(17);
  assert.equal(Date.parse(waiting.dueAt ?? ''), hour, '18:00 in Britain');
  assert.deepEqual(await requestsOf(other), []);
  assert.deepEqual(
    waiting.steps.map(({ outcome }) => outcome),
    ['waits_for_hour'],
  );

  await story.crash();
  story.clock.advance(hour - story.clock.now());
  const called = await stepped(changed.id, 'call', 'call');
  const [asked] = await requestsOf(other);
  assert.deepEqual([asked?.purpose, asked?.attribution?.arm], [OTHER_WORDS, 'B']);
  const askedAt = Date.parse(asked?.createdAt ?? '');
  assert.ok(askedAt >= hour && askedAt < hour + MINUTE, asked?.createdAt);
  const call = await callOf(called);
  assert.deepEqual([call.purpose, call.attribution?.arm], [OTHER_WORDS, 'B']);
  assert.equal(call.script?.scriptId, scriptId);
  const gapMs = Date.parse(call.dueAt) - Date.parse(asked?.answeredAt ?? '');
  assert.equal(gapMs, 30 * MINUTE);

  await story.pass(5_000);
  assert.equal(story.simulator.person(other).pastCalls.length, 0, 'called before its gap');
  story.clock.advance(30 * MINUTE);
  const ended = await story.until('the end', async () => {
    const run = await runAt(changed.id);
    return run.status === 'ended' ? run : null;
  });
  assert.equal(ended.end, 'called');
  const walked = ended.steps.map(({ step, outcome }) => `${step} ${outcome}`);
  assert.deepEqual(walked.slice(0, 3), ['ask waits_for_hour', 'ask asked', 'yes yes']);
});

test('a stop while somebody waits for their hour ends it, and nothing is asked', async () => {
  const { id } = await running({ askAtHour: 5 }, 'stops');
  const number = await somebodyIn(id, 'B');
  const run = await started(id, number);
  await waitsForHour(run.id);
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  const ended = await story.until('the end', async () => {
    const now = await runAt(run.id);
    return now.status === 'ended' ? now : null;
  });
  assert.equal(ended.end, 'opted_out');
  assert.deepEqual(await requestsOf(number), []);
});

test('an hour at which nobody may be asked gives way to the first minute of the gate', async () => {
  const requestQuietHours = { from: '20:00', until: '09:00' };
  await send(story, 'PATCH', '/v1/policy', { body: { requestQuietHours } });
  const { id } = await running({ purpose: 'your bill of May', askAtHour: 3 }, 'night');
  const number = await somebodyIn(id, 'B');
  const run = await started(id, number);
  const { dueAt } = await waitsForHour(run.id);
  assert.equal(Date.parse(dueAt ?? ''), nextUtc(2));
  story.clock.advance(nextUtc(2) - story.clock.now());
  const later = await story.until('the word of the gate', async () => {
    const now = await runAt(run.id);
    return now.waitsFor === 'time' && now.dueAt !== dueAt ? now : null;
  });
  const allowedAt = Date.parse(later.dueAt ?? '');
  assert.ok(allowedAt > story.clock.now(), later.dueAt ?? '');
  story.clock.advance(allowedAt - story.clock.now());
  const [asked] = await story.until('the question', async () => {
    const found = await requestsOf(number);
    return found.length === 0 ? null : found;
  });
  assert.equal(asked?.purpose, 'your bill of May');
  assert.equal(new Date(asked?.createdAt ?? '').getUTCHours(), 8, '09:00 in Britain');
  await send(story, 'PATCH', '/v1/policy', { body: { requestQuietHours: null } });
});

test('a campaign of an experiment asks each of its people as their arm says', async () => {
  const { id } = await running({ purpose: OTHER_WORDS, askAtHour: 16 }, 'campaign');
  const numbers = [await somebodyIn(id, 'A'), await somebodyIn(id, 'B')];
  const contacts = await Promise.all(numbers.map((number) => contactOf(story, number)));
  const made = await must<CampaignView>(story.api, '/v1/campaigns', {
    name: 'Words',
    audience: { contactIds: contacts.map((contact) => contact.id) },
    ask: { template: 'call_permission_request', purpose: PURPOSE },
    experimentId: id,
  });
  assert.equal(made.experimentId, id);
  await story.api.post(`/v1/campaigns/${made.id}/start`, {});
  const [first = '', second = ''] = numbers;
  const [asked] = await story.until('the question to A', async () => {
    const found = await requestsOf(first);
    return found.length === 0 ? null : found;
  });
  assert.deepEqual([asked?.purpose, asked?.attribution?.arm], [PURPOSE, 'A']);
  assert.equal(asked?.attribution?.campaignId, made.id);
  assert.deepEqual(await requestsOf(second), []);
  const hour = nextUtc(15);
  story.clock.advance(hour - story.clock.now());
  const [changed] = await story.until('the question to B', async () => {
    const found = await requestsOf(second);
    return found.length === 0 ? null : found;
  });
  assert.deepEqual([changed?.purpose, changed?.attribution?.arm], [OTHER_WORDS, 'B']);
  assert.ok(Date.parse(changed?.createdAt ?? '') >= hour);
});

test('an experiment that there is not starts nothing', async () => {
  const unknown = 'exp_00000000-0000-7000-8000-000000000000';
  const number = newPerson(story, String(next++), '101');
  const body = { to: number, experimentId: unknown };
  const run = await story.api.post<object>(`/v1/journeys/${journeyId}/runs`, body);
  assert.ok(isProblem(run) && run.status === 404, JSON.stringify(run));
  const ask = { template: 'call_permission_request', purpose: PURPOSE };
  const wish = { name: 'None', audience: { everybody: true }, ask, experimentId: unknown };
  const campaign = await story.api.post<object>('/v1/campaigns', wish);
  assert.ok(isProblem(campaign) && campaign.status === 400, JSON.stringify(campaign));
});

test('the ledger tells the arm of a person who waits, and that they wait', async () => {
  const { id } = await running({ askAtHour: 4 }, 'ledger');
  const number = await somebodyIn(id, 'B');
  const run = await started(id, number);
  await waitsForHour(run.id);
  const contact = await contactOf(story, number);
  const path = `/v1/contacts/${contact.id}/timeline?limit=100`;
  const { items } = await story.api.get<Page<TimelineEntry>>(path);
  const waits = items.find(({ data }) => data['outcome'] === 'waits_for_hour');
  assert.deepEqual([waits?.data['experimentId'], waits?.data['arm']], [id, 'B']);
});
