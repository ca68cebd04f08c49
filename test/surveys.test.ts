import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { EventView, Page, TimelineEntry } from '../src/http/api-types.ts';
import { toneAt, wavOf } from '../src/prompts/prompt-fixtures.ts';
import { assertProblem, secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, contactOf, getYes, newPerson, placed, reach } from './story-people.ts';

/** How satisfied customers were, asked once after each call and never against their will. */
let story: Story;
let next = 520;

type Survey = { callId: string; status: string; way: string; score: number | null };
type Settings = { enabled: boolean; lines: Array<{ lineId: string; enabled: boolean }> };

before(async () => {
  story = await openStory({ seed: 77 });
  const set = await put<Settings>('/v1/surveys/settings', { enabled: true, minSeconds: 0 });
  assert.deepEqual([set.enabled, set.lines[0]?.enabled], [true, true]);
});
after(() => story.close());

async function put<T extends object>(path: string, body: object): Promise<T> {
  const answer = await fetch(`${story.server.url}${path}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${story.apiKey}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text) as T;
}

/** A call that was answered and is over. */
async function talked(number: string, more: object = {}): Promise<string> {
  await getYes(story, number);
  const { id } = await placed(story, number, more);
  await reach(story, id, 'bridged');
  story.simulator.act(number, { action: 'hang_up' });
  await reach(story, id, 'ended');
  return id;
}

const somebody = (): string => newPerson(story, String(next++), '100');

/** Past the day in which a number alone is an answer. Nothing waits, so one step does it. */
async function muchLater(): Promise<void> {
  story.clock.advance(25 * 3_600_000);
  await story.pass(2_000);
}

/** The lists on a phone. */
function lists(number: string) {
  return story.simulator.person(number).messages.filter(({ kind }) => kind === 'list');
}

async function asked(number: string): Promise<void> {
  await story.until('the question', () =>
    lists(number).some(({ status }) => status === 'delivered' || status === 'read'),
  );
}

async function surveyOf(callId: string): Promise<Survey | undefined> {
  const { items } = await story.api.get<Page<Survey>>('/v1/surveys?limit=100');
  return items.find((survey) => survey.callId === callId);
}

function answered(callId: string): Promise<Survey> {
  return story.until('the answer', async () => {
    const survey = await surveyOf(callId);
    return survey?.status === 'answered' ? survey : null;
  });
}

async function eventsOfCall(callId: string, type: string): Promise<EventView[]> {
  const path = `/v1/events?callId=${callId}&limit=100`;
  const { items } = await story.api.get<Page<EventView>>(path);
  return items.filter((event) => event.type === type);
}

async function timeline(number: string, type: string): Promise<TimelineEntry[]> {
  const { id } = await contactOf(story, number);
  const path = `/v1/contacts/${id}/timeline?limit=100`;
  const { items } = await story.api.get<Page<TimelineEntry>>(path);
  return items.filter((entry) => entry.type === type);
}

test('after an answered call a list of five is sent, and a tap on a row answers it', async () => {
  const number = somebody();
  const id = await talked(number);
  await asked(number);
  const [list] = lists(number);
  assert.ok(list !== undefined);
  assert.match(list.text, /How was your call with .+\? 1 means very bad, 5 means very good\./);
  assert.deepEqual(
    list.buttons.map(({ text }) => text),
    ['1 ★', '2 ★★', '3 ★★★', '4 ★★★★', '5 ★★★★★'],
  );
  story.simulator.act(number, { action: 'tap', text: '4 ★★★★' });
  const survey = await answered(id);
  assert.deepEqual([survey.score, survey.way], [4, 'message']);
  const [told] = await eventsOfCall(id, 'survey.answered');
  assert.deepEqual([told?.data['score'], told?.data['by']], [4, 'tap']);
  assert.equal((await eventsOfCall(id, 'survey.sent')).length, 1);
  await assertOneEnd(story, id);
});

test('the first answer counts: a second tap changes nothing and is on record', async () => {
  const number = somebody();
  const id = await talked(number);
  await asked(number);
  story.simulator.act(number, { action: 'tap', text: '5 ★★★★★' });
  await answered(id);
  story.simulator.act(number, { action: 'tap', text: '1 ★' });
  await story.until('the second', async () => {
    return (await timeline(number, 'SurveyReplyIgnored')).length === 1;
  });
  assert.equal((await surveyOf(id))?.score, 5);
  const [ignored] = await timeline(number, 'SurveyReplyIgnored');
  assert.deepEqual([ignored?.data['reason'], ignored?.data['score']], ['doubled', 1]);
});

test('a number alone answers while the question is open, and a stop is no answer', async () => {
  const number = somebody();
  const id = await talked(number);
  await asked(number);
  story.simulator.act(number, { action: 'write', text: 'which one is the best?' });
  await story.pass(2_000);
  assert.equal((await surveyOf(id))?.status, 'sent');
  story.simulator.act(number, { action: 'write', text: '٣' });
  assert.equal((await answered(id)).score, 3);

  const other = somebody();
  const call = await talked(other);
  await asked(other);
  story.simulator.act(other, { action: 'write', text: 'STOP' });
  await story.until('the stop', async () => (await contactOf(story, other)).optedOutAt !== null);
  assert.equal((await surveyOf(call))?.status, 'sent');
  assert.equal((await surveyOf(call))?.score, null);
});

test('a number that comes after the day of the question answers nothing', async () => {
  const number = somebody();
  const id = await talked(number);
  await asked(number);
  await muchLater();
  story.simulator.act(number, { action: 'write', text: '5' });
  await story.pass(2_000);
  assert.equal((await surveyOf(id))?.score, null);
  story.simulator.act(number, { action: 'tap', text: '2 ★★' });
  assert.equal((await answered(id)).score, 2, 'a tap names its question');
});

test('who has said stop in the call, or has not answered it, is not asked', async () => {
  const number = somebody();
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  story.simulator.act(number, { action: 'write', text: 'stop calling me' });
  await reach(story, id, 'ended');
  const silent = newPerson(story, String(next++), '104');
  await getYes(story, silent);
  const unanswered = await placed(story, silent);
  await reach(story, unanswered.id, 'ended');
  await story.pass(3_000);
  assert.deepEqual([lists(number).length, lists(silent).length], [0, 0]);
  const byHand = await story.api.post<Survey>(`/v1/calls/${id}/survey`, {});
  assert.ok(isProblem(byHand));
  assert.equal(byHand.code, 'opted_out');
  const early = await story.api.post<Survey>(`/v1/calls/${unanswered.id}/survey`, {});
  assert.ok(isProblem(early));
  assert.equal(early.code, 'survey_without_call');
});

test('a call is asked about once, and one line may keep out of it', async () => {
  const number = somebody();
  const id = await talked(number);
  await asked(number);
  const again = await story.api.post<Survey>(`/v1/calls/${id}/survey`, {});
  assert.ok(isProblem(again));
  assert.deepEqual([again.code, again.status], ['survey_already_sent', 409]);

  const [line] = (await story.api.get<Settings>('/v1/surveys/settings')).lines;
  assert.ok(line !== undefined);
  const off = await put<Settings>(`/v1/lines/${line.lineId}/surveys`, { enabled: false });
  assert.deepEqual([off.enabled, off.lines[0]?.enabled], [true, false]);
  const quiet = somebody();
  const call = await talked(quiet);
  await story.pass(3_000);
  assert.equal(lists(quiet).length, 0);
  const byHand = await story.api.post<Survey>(`/v1/calls/${call}/survey`, {});
  assert.ok(!isProblem(byHand), JSON.stringify(byHand));
  await asked(quiet);
  await put(`/v1/lines/${line.lineId}/surveys`, {});
});

test('outside the window of 24 hours nothing is sent, and the ledger says why', async () => {
  const [line] = (await story.api.get<Settings>('/v1/surveys/settings')).lines;
  await put(`/v1/lines/${line?.lineId}/surveys`, { enabled: false });
  const number = somebody();
  const id = await talked(number);
  await muchLater();
  const late = await story.api.post<Survey>(`/v1/calls/${id}/survey`, {});
  assert.ok(isProblem(late));
  assert.equal(late.code, 'messaging_window_closed');
  const [refused] = await timeline(number, 'SurveyRefused');
  assert.equal(refused?.data['code'], 'messaging_window_closed');
  await put(`/v1/lines/${line?.lineId}/surveys`, {});
});

test('a script asks by key press, in the call, and then no message follows', async () => {
  const upload = await fetch(`${story.server.url}/v1/prompts?name=how`, {
    method: 'POST',
    headers: { authorization: `Bearer ${story.apiKey}`, 'content-type': 'audio/wav' },
    body: new Uint8Array(wavOf({ samples: toneAt(523, 8_000, 0.2), rate: 8_000 })),
  });
  assert.equal(upload.status, 201);
  const steps = [{ name: 'how', do: 'survey', prompt: { play: 'how' } }];
  const script = await story.api.post<{ id: string }>('/v1/scripts', { name: 'Asks', steps });
  assert.ok(!isProblem(script), JSON.stringify(script));
  const number = somebody();
  await getYes(story, number);
  const { id } = await placed(story, number, { scriptId: script.id });
  await story.until('the question', () =>
    story.media.ordersOf(id).some((order) => order.startsWith('play')),
  );
  story.media.press(id, '5');
  await reach(story, id, 'ended');
  const survey = await answered(id);
  assert.deepEqual([survey.score, survey.way], [5, 'key_press']);
  await story.pass(3_000);
  assert.equal(lists(number).length, 0);
  await assertOneEnd(story, id);
});

test('the question comes in the language that the business knows of the person', async () => {
  const number = somebody();
  await getYes(story, number);
  const { id: contactId } = await contactOf(story, number);
  const path = `/v1/contacts/${contactId}`;
  const changed = await send(story, 'PATCH', path, { body: { language: 'de_DE' } });
  assert.equal(changed.status, 200, changed.text);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  story.simulator.act(number, { action: 'hang_up' });
  await asked(number);
  assert.match(lists(number)[0]?.text ?? '', /^Wie war Ihr Gespräch mit .+ sehr gut\.$/);
});

test('a stop between the question and the answer holds, and the answer still counts', async () => {
  const number = somebody();
  const id = await talked(number);
  await asked(number);
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('the stop', async () => (await contactOf(story, number)).optedOutAt !== null);
  story.simulator.act(number, { action: 'tap', text: '2 ★★' });
  assert.equal((await answered(id)).score, 2);
  const { optedOutAt, consents } = await contactOf(story, number);
  assert.notEqual(optedOutAt, null);
  assert.notEqual(consents[0]?.status, 'granted');
  assert.equal(lists(number).length, 1);
});

test('an erasure leaves the number of stars, and nobody to whom it could lead', async () => {
  const number = somebody();
  const id = await talked(number);
  await asked(number);
  story.simulator.act(number, { action: 'tap', text: '5 ★★★★★' });
  await answered(id);
  const body = { outcome: 'resolved', note: 'Ada was glad of it' };
  await put(`/v1/calls/${id}/outcome`, body);
  const contact = await contactOf(story, number);
  type Copy = { surveys: Array<{ score: number }>; outcomes: Array<{ note: string | null }> };
  const copy = await story.api.get<Copy>(`/v1/contacts/${contact.id}/export`);
  assert.deepEqual([copy.surveys[0]?.score, copy.outcomes[0]?.note], [5, body.note]);

  const path = `/v1/contacts/${contact.id}/erase`;
  assert.ok(!isProblem(await story.api.post<object>(path, { confirm: contact.id })));
  await story.until('erased', async () => {
    const { items } = await story.api.get<Page<{ id: string }>>(
      `/v1/contacts?number=${encodeURIComponent(number)}`,
    );
    return items.length === 0;
  });
  assert.equal((await surveyOf(id))?.score, 5);
  const outcome = await story.api.get<{ outcome: string; note: string | null }>(
    `/v1/calls/${id}/outcome`,
  );
  assert.deepEqual([outcome.outcome, outcome.note], ['resolved', null]);
  const more = await send(story, 'PUT', `/v1/calls/${id}/outcome`, { body });
  assert.equal(assertProblem(more, 409).code, 'outcome_of_erased');
  const again = await send(story, 'POST', `/v1/calls/${id}/survey`, { body: {} });
  assert.equal(assertProblem(again, 403).code, 'opted_out');
});

type Outcome = { version: number; outcome: string | null; note: string | null };

test('an outcome has versions, and nobody overwrites one that they have not seen', async () => {
  const number = somebody();
  const id = await talked(number);
  const path = `/v1/calls/${id}/outcome`;
  const empty = await story.api.get<Outcome & { setBy: string | null }>(path);
  assert.deepEqual([empty.version, empty.outcome, empty.note, empty.setBy], [0, null, null, null]);
  const first = await put<Outcome>(path, { outcome: 'follow_up', note: 'wants an offer' });
  const same = await put<Outcome>(path, { outcome: 'follow_up', note: 'wants an offer' });
  assert.deepEqual([first.version, same.version], [1, 1], 'the same words are no version');
  const second = await put<Outcome>(path, { outcome: 'resolved', version: 1 });
  assert.deepEqual([second.version, second.note], [2, null]);
  const late = await send(story, 'PUT', path, { body: { outcome: 'other', version: 1 } });
  assert.equal(assertProblem(late, 409).code, 'outcome_changed');
  const told = await eventsOfCall(id, 'outcome.set');
  const set = await timeline(number, 'CallOutcomeSet');
  assert.deepEqual([told.length, set.map(({ data }) => data['version'])], [2, [1, 2]]);
  assert.deepEqual(set[0]?.personal, { note: 'wants an offer' });
});

test('outcomes are of the list of the account, and of its own calls', async () => {
  const number = somebody();
  const id = await talked(number);
  const path = `/v1/calls/${id}/outcome`;
  const codes = { items: [{ code: 'sold', label: 'Sold' }] };
  await put('/v1/call-outcomes', codes);
  assert.deepEqual(await story.api.get('/v1/call-outcomes'), codes);
  const unknown = await send(story, 'PUT', path, { body: { outcome: 'resolved' } });
  assert.equal(assertProblem(unknown, 422).code, 'outcome_unknown');
  assert.equal((await put<Outcome>(path, { outcome: 'sold' })).outcome, 'sold');
  const bad = [
    { outcome: 'Not a code' },
    { note: 'x'.repeat(2_001) },
    { note: 'bell \u0007' },
    { outcome: 'sold', score: 5 },
  ];
  for (const body of bad) assertProblem(await send(story, 'PUT', path, { body }), 400);
  for (const items of [[], [codes.items[0], codes.items[0]], [{ code: '1', label: 'x' }]]) {
    assertProblem(await send(story, 'PUT', '/v1/call-outcomes', { body: { items } }), 400);
  }
  const { key } = await secondAccount(story);
  assertProblem(await send(story, 'GET', path, { key }), 404);
  assertProblem(await send(story, 'PUT', path, { key, body: { outcome: 'sold' } }), 404);
});
