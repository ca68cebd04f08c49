import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CampaignView, MemberView } from '../src/campaigns/campaign-schemas.ts';
import { isProblem } from '../src/cli/api-client.ts';
import type { Page, Problem, TimelineEntry } from '../src/http/api-types.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import { openStory, type Story } from './harness.ts';

/**
 * A campaign of some fifty people through the whole product, by API: some say yes and pick up,
 * some say no, say nothing, do not pick up, or stop; some were on a do-not-call list before.
 */
const KINDS = ['101', '101', '102', '101', '103', '101', '105', '101', 'stop', 'dnc'] as const;
const PEOPLE = 50;
const HOUR = 3_600_000;
let story: Story;

before(async () => {
  story = await openStory({ seed: 61 });
});
after(() => story.close());

type Person = { number: string; kind: (typeof KINDS)[number] };

/** People who come with a file and were not asked yet; the id of the import names them all. */
async function imported(prefix: string, count: number): Promise<[string, Person[]]> {
  const people = Array.from({ length: count }, (_, index): Person => {
    const number = `+44770${prefix}${String(10_000 + index)}`;
    return { number, kind: KINDS[index % KINDS.length] ?? '101' };
  });
  for (const { number, kind } of people) {
    const like = kind === 'stop' || kind === 'dnc' ? '103' : kind;
    story.simulator.addPerson({ number, like: `+447700900${like}` });
    if (kind !== 'dnc') continue;
    const listed = await story.api.post<object>('/v1/do-not-call', { to: number, reason: 'asked' });
    assert.ok(!isProblem(listed), JSON.stringify(listed));
  }
  const rows = people.map(({ number }, index) => `${number},Ada ${index},${1_000 + index}`);
  const answer = await fetch(`${story.server.url}/v1/contact-imports`, {
    method: 'POST',
    headers: { authorization: `Bearer ${story.apiKey}`, 'content-type': 'text/csv' },
    body: ['phone,name,order', ...rows].join('\n'),
  });
  const job = (await answer.json()) as { id: string };
  assert.equal(answer.status, 202, JSON.stringify(job));
  await story.until('the import', async () => {
    const { state } = await story.api.get<{ state: string }>(`/v1/contact-imports/${job.id}`);
    return state === 'done';
  });
  return [job.id, people];
}

const ASK = {
  template: 'delivery_callback_request',
  templateVariables: ['{{contactName}}', '{{order}}'],
  purpose: 'the delay of your delivery {{order}}',
  waitFor: '4h',
};

async function drafted(importId: string, more: object = {}): Promise<CampaignView> {
  const campaign = await story.api.post<CampaignView>('/v1/campaigns', {
    name: 'Late deliveries',
    audience: { importId },
    ask: ASK,
    variables: { order: { column: 'order' } },
    ...more,
  });
  assert.ok(!isProblem(campaign), JSON.stringify(campaign));
  return campaign;
}

const at = (id: string): Promise<CampaignView> =>
  story.api.get<CampaignView>(`/v1/campaigns/${id}`);

async function move(id: string, name: string): Promise<CampaignView> {
  const answer = await story.api.post<CampaignView>(`/v1/campaigns/${id}/${name}`, {});
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer;
}

test('a campaign: looked at before, started, and everybody ends as they act', async () => {
  const [importId, people] = await imported('1', PEOPLE);
  const draft = await drafted(importId);
  assert.deepEqual([draft.state, draft.gathering, draft.preview], ['draft', true, null]);
  await move(draft.id, 'preview');
  const { preview } = await story.until('the preview', async () => {
    const view = await at(draft.id);
    return view.preview?.state === 'done' ? view : null;
  });
  assert.ok(preview !== null);
  assert.deepEqual([preview.looked, preview.reachable, preview.askable], [50, 0, 45]);
  assert.deepEqual(
    preview.blocked.map(({ code, people: many }) => [code, many]),
    [['do_not_call', 5]],
  );
  assert.match(preview.blocked[0]?.fix ?? '', /do-not-call/i);
  assert.equal(preview.expected?.grantRate.value, null, 'nobody was asked yet');
  assert.equal(preview.expected?.cost, null);
  for (const { number } of people) {
    assert.equal(story.simulator.person(number).messages.length, 0, 'a preview asked somebody');
  }
  await move(draft.id, 'start');
  assert.equal((await move(draft.id, 'start')).state, 'running', 'a start twice is one start');
  const asked = people.filter(({ kind }) => kind !== 'dnc');
  await story.until('every question', () =>
    asked.every(({ number }) => story.simulator.person(number).messages.length > 0),
  );
  for (const { number, kind } of people) {
    if (kind === 'stop') story.simulator.act(number, { action: 'write', text: 'STOP' });
  }
  const silent = people.filter(({ kind }) => kind === '103').length;
  await story.until(
    'all but the silent',
    async () => (await at(draft.id)).people.running <= silent,
    900_000,
  );
  story.clock.advance(4 * HOUR);
  const done = await story.until('the end', async () => {
    const view = await at(draft.id);
    return view.state === 'done' ? view : null;
  });
  assert.deepEqual(done.people, { total: 50, waiting: 0, running: 0, done: 45, skipped: 5 });
  assert.deepEqual(Object.fromEntries(done.ends.map(({ end, people: many }) => [end, many])), {
    reached: 25,
    declined: 5,
    no_answer: 5,
    not_reached: 5,
    opted_out: 5,
  });
  assert.deepEqual(
    done.skipped.map(({ code, people: many }) => [code, many]),
    [['do_not_call', 5]],
  );
  assert.equal(done.progress.share, 1);
  await onceEach(people);
  await figuresAgree(draft.id);
});

/** Nobody was asked or rung twice, nor rung without a yes. */
async function onceEach(people: readonly Person[]): Promise<void> {
  for (const { number, kind } of people) {
    const { messages, pastCalls } = story.simulator.person(number);
    const asked = messages.filter((message) => message.kind === 'permission_request').length;
    assert.equal(asked, kind === 'dnc' ? 0 : 1, `${number} ${kind} was asked ${asked} times`);
    assert.equal(pastCalls.length, kind === '101' || kind === '105' ? 1 : 0, `${number} ${kind}`);
  }
}

type Kpis = { counts: Record<string, number> };

/** What the figures count for the campaign is what happened. */
async function figuresAgree(id: string): Promise<void> {
  const from = new Date(story.clock.now() - 24 * HOUR).toISOString();
  const until = new Date(story.clock.now() + HOUR).toISOString();
  const query = new URLSearchParams({ from, until, campaign: id });
  const counts = await story.until('the figures', async () => {
    const kpis = await story.api.get<Kpis>(`/v1/kpis?${query.toString()}`);
    return kpis.counts['calls_ended'] === 30 ? kpis.counts : null;
  });
  const { requests, requests_granted: granted, calls, calls_answered: answered } = counts;
  assert.deepEqual(
    { requests, granted, calls, answered },
    {
      requests: 45,
      granted: 30,
      calls: 30,
      answered: 25,
    },
  );
}
