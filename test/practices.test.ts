import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { Page, Problem, TimelineEntry } from '../src/http/api-types.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import { isoTime } from '../src/platform/clock.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { PURPOSE, call, contactOf, getYes, newPerson } from './story-people.ts';

/** The best practices of the product page: on by default, each can be switched off. */
const MINUTE = 60_000;
const CHECKED = {
  tooComplexForMessage: true,
  needsImmediateHelp: false,
  savesTime: false,
  actionable: false,
};
let story: Story;
let next = 640;

before(async () => {
  story = await openStory({ seed: 39 });
});
after(() => story.close());

const somebody = (like = '101'): string => newPerson(story, String(next++), like);

type Told = { warnings?: Array<{ warning: string; fix: string }> };

async function practices(body: object): Promise<void> {
  const answer = await send(story, 'PUT', '/v1/practices', { body: JSON.stringify(body) });
  assert.equal(answer.status, 200, answer.text);
}

function ask(to: string, more: object = {}): Promise<(Told & { id: string }) | Problem> {
  return story.api.post('/v1/permission-requests', { to, purpose: PURPOSE, name: 'Ada', ...more });
}

async function entriesOf(number: string, type: string): Promise<TimelineEntry[]> {
  const { id } = await contactOf(story, number);
  const path = `/v1/contacts/${id}/timeline?limit=100`;
  const { items } = await story.api.get<Page<TimelineEntry>>(path);
  return items.filter((entry) => entry.type === type);
}

const called = (to: string, more: object): Promise<Told | Problem> =>
  story.api.post('/v1/calls', { to, purpose: PURPOSE, ...more });

const warned = (answer: Told | Problem): string[] => {
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return (answer.warnings ?? []).map(({ warning }) => warning);
};

test('the defaults are the careful ones', async () => {
  const { text } = await send(story, 'GET', '/v1/practices');
  assert.deepEqual(JSON.parse(text), {
    specificPurpose: 'refuse',
    longGapMinutes: 60,
    checklist: 'ask',
  });
});

test('nobody is asked for "future calls", unless the account says it may be so', async () => {
  const number = somebody();
  const vague = { purpose: 'our offers and future calls' };
  const refused = await ask(number, vague);
  assert.ok(isProblem(refused) && refused.status === 422 && refused.code === 'purpose_vague');
  assert.match(refused.detail, /"future calls"/);
  const [evidence] = await entriesOf(number, 'PermissionRequestRefused');
  assert.equal(evidence?.data['code'], 'purpose_vague');
  await practices({ specificPurpose: 'warn' });
  assert.deepEqual(warned(await ask(number, vague)), ['vague_purpose']);
  await practices({ specificPurpose: 'off' });
  assert.deepEqual(warned(await ask(somebody(), vague)), []);
  await practices({});
});

test('a long wait between permission and call is warned of, unless switched off', async () => {
  const later = isoTime(story.clock.now() + 90 * MINUTE);
  assert.deepEqual(warned(await ask(somebody(), { promisedAt: later })), ['long_gap']);
  const soon = isoTime(story.clock.now() + 10 * MINUTE);
  assert.deepEqual(warned(await ask(somebody(), { promisedAt: soon })), []);
  const number = somebody();
  await getYes(story, number, { promisedAt: later });
  assert.deepEqual(warned(await called(number, { scheduledAt: later })), ['long_gap']);
  await practices({ longGapMinutes: null });
  assert.deepEqual(warned(await ask(somebody(), { promisedAt: later })), []);
  const other = somebody();
  await getYes(story, other, { promisedAt: later });
  assert.deepEqual(warned(await called(other, { scheduledAt: later })), []);
  await practices({});
});

test('the four questions are on record, and wanted only where the account says so', async () => {
  const [free, checked, wanted] = [somebody(), somebody(), somebody()];
  for (const number of [free, checked, wanted]) await getYes(story, number);
  assert.ok(!isProblem(await call(story, free)));
  assert.ok(!isProblem(await call(story, checked, { checklist: CHECKED })));
  const [requested] = await entriesOf(checked, 'CallRequested');
  assert.deepEqual(requested?.data['checklist'], CHECKED);
  await practices({ checklist: 'require' });
  const nothing = { ...CHECKED, tooComplexForMessage: false };
  for (const more of [{}, { checklist: nothing }]) {
    const refused = await call(story, wanted, more);
    assert.ok(isProblem(refused) && refused.status === 422, JSON.stringify(refused));
    assert.equal(refused.code, 'checklist_unanswered');
  }
  const blocked = await entriesOf(wanted, 'CallBlocked');
  assert.deepEqual(
    blocked.map(({ data }) => data['code']),
    ['checklist_unanswered', 'checklist_unanswered'],
  );
  assert.ok(
    !isProblem(await call(story, wanted, { checklist: CHECKED })),
    'the yes is still there',
  );
  await practices({});
});

test('a journey has no hands and is asked for no checklist', async () => {
  await practices({ checklist: 'require' });
  const { items } = await story.api.get<Page<{ id: string; readyKey: string }>>('/v1/journeys');
  const delivery = items.find(({ readyKey }) => readyKey === 'delivery-update')?.id ?? '';
  const started = await story.api.post<RunView>(`/v1/journeys/${delivery}/runs`, {
    to: somebody(),
    name: 'Ada',
    variables: { order: '1042' },
  });
  assert.ok(!isProblem(started));
  const run = await story.until('the end of the run', async () => {
    const now = await story.api.get<RunView>(`/v1/journey-runs/${started.id}`);
    return now.status === 'ended' ? now : null;
  });
  assert.ok(run.steps.some(({ step, outcome }) => step === 'call' && outcome === 'completed'));
  await practices({});
});
