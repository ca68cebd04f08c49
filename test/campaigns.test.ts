import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CampaignView, MemberView } from '../src/campaigns/campaign-schemas.ts';
import { isProblem } from '../src/cli/api-client.ts';
import { statement } from '../src/database/database.ts';
import type { CallView, EventView, Page, Problem } from '../src/http/api-types.ts';
import { delay } from '../src/platform/clock.ts';
import { assertProblem, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { contactOf, getYes, placed, reach } from './story-people.ts';

/**
 * A campaign through the whole product, by API: some say yes and pick up,
 * some say no, say nothing, do not pick up, or stop; some were on a do-not-call list before.
 */
const KINDS = ['101', '101', '102', '101', '103', '101', '105', '101', 'stop', 'dnc'] as const;
const PEOPLE = Number(process.env['ASKFIRST_CAMPAIGN_PEOPLE'] ?? 10);
const TEN = KINDS.length;
const HOUR = 3_600_000;
let story: Story;

before(async () => {
  story = await openStory({ seed: 61 });
  // Of these people one in ten stops, which would rightly pause the line.
  const body = { enabled: false };
  const set = await send(story, 'PUT', '/v1/brakes/settings', { body });
  assert.equal(set.status, 200, set.text);
});
after(() => story.close());

type Person = { number: string; kind: (typeof KINDS)[number] };

/** People who come with a file and were not asked yet; the id of the import names them all. */
async function imported(
  prefix: string,
  count: number,
  kinds: readonly Person['kind'][] = KINDS,
): Promise<[string, Person[]]> {
  const people = Array.from({ length: count }, (_, index): Person => {
    const number = `+447701${prefix}${String(1_000 + index)}`;
    return { number, kind: kinds[index % kinds.length] ?? '101' };
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

/** So many of every ten people. */
const part = (ofTen: number): number => (PEOPLE / TEN) * ofTen;

const endsOf = ({ ends }: CampaignView): Record<string, number> =>
  Object.fromEntries(ends.map(({ end, people }) => [end, people]));

const questionsTo = (number: string): number =>
  story.simulator.person(number).messages.filter(({ kind }) => kind === 'permission_request')
    .length;

const askedOf = (people: readonly Person[]): number =>
  people.reduce((sum, { number }) => sum + questionsTo(number), 0);

const callsTo = (people: readonly Person[]): number =>
  people.reduce((sum, { number }) => sum + story.simulator.person(number).pastCalls.length, 0);

const over = (id: string): Promise<CampaignView> =>
  story.until(
    'the end of the campaign',
    async () => {
      const view = await at(id);
      return view.state === 'done' || view.state === 'stopped' ? view : null;
    },
    900_000,
  );

test('a campaign: looked at before, started, and everybody ends as they act', async () => {
  const [importId, people] = await imported('10', PEOPLE);
  const draft = await drafted(importId);
  assert.deepEqual([draft.state, draft.gathering, draft.preview], ['draft', true, null]);
  await move(draft.id, 'preview');
  const { preview } = await story.until('the preview', async () => {
    const view = await at(draft.id);
    return view.preview?.state === 'done' ? view : null;
  });
  assert.ok(preview !== null);
  assert.deepEqual([preview.looked, preview.reachable, preview.askable], [PEOPLE, 0, part(9)]);
  assert.deepEqual(
    preview.blocked.map(({ code, people: many }) => [code, many]),
    [['do_not_call', part(1)]],
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
  const through = { waiting: 0, running: 0, done: part(9), skipped: part(1) };
  assert.deepEqual(done.people, { total: PEOPLE, ...through });
  assert.deepEqual(endsOf(done), {
    reached: part(5),
    declined: part(1),
    no_answer: part(1),
    not_reached: part(1),
    opted_out: part(1),
  });
  assert.deepEqual(
    done.skipped.map(({ code, people: many }) => [code, many]),
    [['do_not_call', part(1)]],
  );
  assert.equal(done.progress.share, 1);
  await onceEach(people);
  await figuresAgree(draft.id);
});

/** Nobody was asked or rung twice, nor rung without a yes. */
async function onceEach(people: readonly Person[]): Promise<void> {
  for (const { number, kind } of people) {
    const { pastCalls } = story.simulator.person(number);
    const asked = questionsTo(number);
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
    return kpis.counts['calls_ended'] === part(6) ? kpis.counts : null;
  });
  const { requests, requests_granted: granted, calls, calls_answered: answered } = counts;
  assert.deepEqual(
    { requests, granted, calls, answered },
    {
      requests: part(9),
      granted: part(6),
      calls: part(6),
      answered: part(5),
    },
  );
}

test('a pause longer than a call may be late holds all of it, and loses nobody', async () => {
  const [importId, people] = await imported('11', 12, ['101']);
  const { id } = await drafted(importId, { startsPerMinute: 60 });
  await move(id, 'start');
  await story.until('the first yes', async () => (await at(id)).people.running > 3);
  const paused = await move(id, 'pause');
  assert.deepEqual([paused.state, paused.rests], ['paused', { why: 'paused', until: null }]);
  // What was already queued to Meta or rang goes on; then all is still.
  await story.pass(30_000);
  const [asked, called] = [askedOf(people), callsTo(people)];
  assert.ok(asked < 12, 'all were asked before the pause');
  const { items } = await story.api.get<Page<CallView>>('/v1/calls?limit=100');
  const held = items.filter((call) => call.status === 'queued');
  story.clock.advance(20 * 60_000);
  await story.pass(10_000);
  assert.deepEqual([askedOf(people), callsTo(people)], [asked, called], 'it went on paused');
  assert.equal((await move(id, 'resume')).state, 'running');
  const done = await over(id);
  assert.deepEqual(endsOf(done), { reached: 12 }, `${held.length} calls waited`);
  await onceEach(people);
});

const BEGUN = statement<{ begun: number; asked: number }>(
  'campaign_test_begun',
  `select count(*) filter (where l.type = 'RunStarted')::int as begun,
          count(*) filter (where l.type = 'PermissionRequested')::int as asked
     from campaign_members m
     join ledger l on l.bucket = m.bucket and l.contact_id = m.contact_id
    where m.campaign_id = $1`,
);

/** So often the worker of campaigns looks. */
const LOOK_MS = 250;

test('pauses amid the questions: who is not asked by then is asked after them, once', async () => {
  const many = 30;
  const [importId, people] = await imported('15', many, ['103']);
  const { id } = await drafted(importId, { startsPerMinute: 1_200 });
  await story.until('everybody gathered', async () => !(await at(id)).gathering);
  const begun = () => story.database.first(BEGUN, [id]);
  await move(id, 'start');
  await story.until('the first question', async () => ((await begun())?.asked ?? 0) > 0);
  let inTheMiddle = 0;
  for (const trips of [0, 2, 5, 9]) {
    const pausing = async () => {
      await delay(story.clock, LOOK_MS);
      // So many statements after the worker's look: another moment each time.
      for (let trip = 0; trip < trips; trip += 1) await begun();
      await move(id, 'pause');
      return begun();
    };
    const [atAnswer] = await Promise.all([pausing(), story.pass(400)]);
    await story.pass(500);
    assert.deepEqual(await begun(), atAnswer, 'somebody began or was asked after the pause');
    const { asked } = atAnswer ?? { asked: 0 };
    if (asked > 0 && asked < many) inTheMiddle += 1;
    await move(id, 'resume');
  }
  assert.ok(inTheMiddle > 0, 'no pause came amid the questions');
  await story.until('every question', () => askedOf(people) === many);
  await story.pass(1_000);
  assert.ok(people.every(({ number }) => questionsTo(number) === 1));
  assert.deepEqual(await begun(), { begun: many, asked: many });
  await move(id, 'stop');
});

/** A campaign for nobody that is paused at once: calls may name it as theirs. */
async function pausedCampaign(): Promise<CampaignView> {
  const made = await story.api.post<CampaignView>('/v1/campaigns', {
    name: 'Calls of our own',
    audience: { country: 'AQ' },
    ask: ASK,
    variables: { order: { text: '1042' } },
  });
  assert.ok(!isProblem(made), JSON.stringify(made));
  await move(made.id, 'start');
  return move(made.id, 'pause');
}

test('a call that a pause held is dialled after it, or ends by the name of its lapse', async () => {
  const [early, late] = ['+447701901001', '+447701901002'];
  const { id } = await pausedCampaign();
  const calls: string[] = [];
  for (const number of [early, late]) {
    story.simulator.addPerson({ number, like: '+447700900101' });
    await getYes(story, number);
    calls.push((await placed(story, number, { attribution: { campaignId: id } })).id);
  }
  const [first = '', second = ''] = calls;
  // Longer than a call may be late, shorter than the promise of `now` holds.
  story.clock.advance(7 * 60_000);
  await story.pass(6_000);
  const held = await story.api.get<CallView>(`/v1/calls/${first}`);
  assert.equal(held.status, 'queued', 'late by the pause alone is not lost');
  await move(id, 'resume');
  assert.equal((await reach(story, first, 'ended')).outcome, 'completed');
  await reach(story, second, 'ended');
  const other = await pausedCampaign();
  await getYes(story, late);
  const third = await placed(story, late, { attribution: { campaignId: other.id } });
  story.clock.advance(8 * 24 * HOUR);
  const lapsed = await reach(story, third.id, 'ended');
  assert.equal(lapsed.outcome, 'blocked');
  assert.match(lapsed.endReason ?? '', /^(permission_expired|promise_missed)$/);
});

test('a stop leaves out who waits and takes off who is on the way', async () => {
  const [importId, people] = await imported('12', 12, ['103']);
  const { id } = await drafted(importId, { startsPerMinute: 60 });
  await move(id, 'start');
  await story.until('some asked', () => askedOf(people) >= 3);
  await move(id, 'stop');
  const stopped = await story.until('nobody on the way', async () => {
    const view = await at(id);
    return view.people.waiting + view.people.running === 0 ? view : null;
  });
  assert.equal(stopped.people.done + stopped.people.skipped, 12);
  assert.deepEqual(Object.keys(endsOf(stopped)), ['campaign_stopped']);
  assert.deepEqual(
    stopped.skipped.map(({ code }) => code),
    ['campaign_stopped'],
  );
  const asked = askedOf(people);
  await story.pass(20_000);
  assert.equal(askedOf(people), asked);
  await assertState(id, 'start');
  const { items } = await story.api.get<Page<EventView>>('/v1/events?type=campaign.stopped');
  assert.ok(
    items.some(({ type, data }) => type === 'campaign.stopped' && data['campaignId'] === id),
  );
});

async function assertState(id: string, name: string): Promise<void> {
  const answer = await send(story, 'POST', `/v1/campaigns/${id}/${name}`, { body: {} });
  assert.equal(assertProblem(answer, 409).code, 'campaign_state');
}

test('a stop of the person, and STOP ALL, reach those who still wait', async () => {
  const [importId, people] = await imported('13', 4, ['101']);
  const [first] = people;
  assert.ok(first !== undefined);
  const { id } = await drafted(importId, { startsPerMinute: 60 });
  await story.until('everybody gathered', async () => !(await at(id)).gathering);
  const stop = await send(story, 'POST', '/v1/stop-all', { body: { reason: 'a drill' } });
  assert.ok(stop.status < 300, stop.text);
  await move(id, 'start');
  await story.pass(10_000);
  assert.equal(askedOf(people), 0);
  const contact = await contactOf(story, first.number);
  const said = { body: { reason: 'asked by letter' } };
  const opted = await send(story, 'POST', `/v1/contacts/${contact.id}/opt-out`, said);
  assert.ok(opted.status < 300, opted.text);
  const out = await story.api.get<Page<MemberView>>(`/v1/campaigns/${id}/members?state=skipped`);
  assert.deepEqual(
    out.items.map(({ contactId, reason }) => [contactId, reason]),
    [[contact.id, 'opted_out']],
  );
  await send(story, 'DELETE', '/v1/stop-all', {});
  const done = await over(id);
  assert.deepEqual(endsOf(done), { reached: 3 });
  assert.equal(story.simulator.person(first.number).messages.length, 0);
  const copy = await send(story, 'GET', `/v1/contacts/${contact.id}/export`);
  assert.match(copy.text, new RegExp(`"campaignId":"${id}"`), 'the copy names the campaign');
});

test('a worker that dies between its batches: nothing twice, nothing lost', async () => {
  const [importId, people] = await imported('14', 20, ['102']);
  const { id } = await drafted(importId, { startsPerMinute: 600 });
  await move(id, 'preview');
  await story.crash();
  await move(id, 'start');
  for (const begun of [3, 9, 15]) {
    await story.until(`${begun} begun`, async () => (await at(id)).people.waiting <= 20 - begun);
    await story.crash();
  }
  const done = await over(id);
  assert.equal(done.preview?.state, 'done');
  assert.deepEqual(endsOf(done), { declined: 20 });
  assert.equal(askedOf(people), 20, 'somebody was asked twice, or nobody');
});

test('what a campaign still needs is not taken away before it is over', async () => {
  const uri = 'sip:late@127.0.0.1:5070';
  const desk = await story.api.post<{ id: string }>('/v1/endpoints', { name: 'Late desk', uri });
  assert.ok(!isProblem(desk), JSON.stringify(desk));
  const template = 'delivery_callback_request';
  const purpose = 'the delay of your delivery';
  const steps = (endpoint: string): object[] => [
    { name: 'ask', do: 'ask', template, language: 'en_US', purpose },
    { name: 'yes', do: 'wait', for: 'yes', until: { after: '1h' }, else: 'end' },
    { name: 'call', do: 'call', endpoint },
  ];
  const document = {
    name: 'By the desk',
    variables: { desk: { about: 'Who calls' } },
    steps: steps('{{desk}}'),
  };
  const journey = await story.api.post<{ id: string }>('/v1/journeys', document);
  assert.ok(!isProblem(journey), JSON.stringify(journey));
  const campaign = await story.api.post<CampaignView>('/v1/campaigns', {
    name: 'For the desk',
    audience: { country: 'AQ' },
    journeyId: journey.id,
    variables: { desk: { text: 'Late desk' } },
  });
  assert.ok(!isProblem(campaign), JSON.stringify(campaign));
  // The journey has moved on since; the campaign keeps the version that it was made with.
  const newer = { ...document, steps: steps('Demo PBX') };
  const body = { ...newer, variables: { desk: { about: 'Who calls', default: 'x' } } };
  assert.equal((await send(story, 'PUT', `/v1/journeys/${journey.id}`, { body })).status, 200);
  const users = await usersOf(`/v1/endpoints/${desk.id}`, 'endpoint_in_use');
  assert.deepEqual(users, { ...NOTHING, rules: [], scripts: [], calls: 0, lines: [] });
  const wanted = `/v1/templates?name=${template}&language=en_US`;
  const [asks] = (await story.api.get<Page<{ id: string }>>(wanted)).items;
  const needs = await usersOf(`/v1/templates/${asks?.id}`, 'template_in_use');
  assert.ok((needs['journeys'] as string[]).includes('By the desk'), JSON.stringify(needs));
  assert.deepEqual(needs['campaigns'], NOTHING.campaigns);
  await move(campaign.id, 'stop');
  assert.equal((await send(story, 'DELETE', `/v1/endpoints/${desk.id}`)).status, 204);
});

const NOTHING = { journeys: [], campaigns: ['For the desk'] };

/** Who stands in the way of deleting what is at that path. */
async function usersOf(path: string, code: string): Promise<Record<string, unknown>> {
  const problem = assertProblem(await send(story, 'DELETE', path), 409);
  assert.equal(problem.code, code);
  return (problem as unknown as { evidence: Record<string, unknown> }).evidence;
}

test('what cannot be is refused, with the field and the fix', async () => {
  const variables = { order: { text: '1' } };
  const body = { name: 'x', audience: { everybody: true }, ask: ASK, variables };
  const bad: Array<[object, number, string]> = [
    [{ ...body, audience: {} }, 400, 'audience'],
    [{ ...body, journeyId: 'jrn_1' }, 400, 'journeyId'],
    [{ ...body, audience: { importId: 'imp_1' } }, 400, 'importId'],
    [{ ...body, ask: { ...ASK, template: 'nothing_like_it' } }, 422, 'template'],
    [{ ...body, variables: {} }, 422, 'order'],
  ];
  for (const [sent, status, word] of bad) {
    const answer = await send(story, 'POST', '/v1/campaigns', { body: sent });
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, new RegExp(word));
  }
  const made = await story.api.post<CampaignView | Problem>('/v1/campaigns', {
    ...body,
    audience: { country: 'AQ' },
  });
  assert.ok(!isProblem(made), JSON.stringify(made));
  await assertState(made.id, 'resume');
  await move(made.id, 'stop');
});
