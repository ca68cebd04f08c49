import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Cdr } from '../src/calls/cdr.ts';
import { isProblem } from '../src/cli/api-client.ts';
import type { CallView, Problem } from '../src/http/api-types.ts';
import { toneAt, wavOf } from '../src/prompts/prompt-fixtures.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, contactOf, eventsOf, getYes, newPerson, placed } from './story-people.ts';

/** Calls that a script leads, through the whole product: the appointment of use case 1. */
let story: Story;
let scriptId: string;
let next = 600;

const SOUNDS = ['reminder', 'hint', 'confirmed', 'reschedule', 'busy', 'bye'];

const APPOINTMENT = {
  name: 'Appointment',
  optOutKey: '9',
  variables: { date: {} },
  steps: [
    {
      name: 'reminder',
      do: 'gather',
      prompt: { play: 'reminder' },
      onInvalid: { play: 'hint' },
      cases: { '1': 'confirmed', '2': 'reschedule', '0': 'receptionist' },
      onFail: 'bye',
    },
    step('confirmed', 'end'),
    step('reschedule', 'end'),
    { name: 'receptionist', do: 'connect', set: { result: 'receptionist' }, onFail: 'busy' },
    step('busy', 'end'),
    step('bye', 'end'),
  ],
};

function step(name: string, then: string): object {
  return { name, do: 'play', prompt: name, set: { result: name }, next: then };
}

before(async () => {
  story = await openStory({ seed: 61 });
  for (const name of SOUNDS) {
    const answer = await upload(name, wavOf({ samples: toneAt(523, 8_000, 0.2), rate: 8_000 }));
    assert.equal(answer.status, 201, await answer.text());
  }
  const saved = await story.api.post<{ id: string }>('/v1/scripts', APPOINTMENT);
  assert.ok(!isProblem(saved), JSON.stringify(saved));
  scriptId = saved.id;
});
after(() => story.close());

function upload(name: string, body: Buffer, type = 'audio/wav'): Promise<Response> {
  return fetch(`${story.server.url}/v1/prompts?name=${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${story.apiKey}`, 'content-type': type },
    body: new Uint8Array(body),
  });
}

/** A customer who has picked up a scripted call and hears its first words. */
async function listening(more: object = {}): Promise<{ id: string; number: string }> {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const script = { scriptId, scriptVariables: { date: 'Tuesday' }, clientReference: 'A-17' };
  const { id } = await placed(story, number, { ...script, ...more });
  await story.until('the first words', () => playsOf(id).length > 0);
  return { id, number };
}

function playsOf(callId: string): string[] {
  return story.media.ordersOf(callId).filter((order) => order.startsWith('play'));
}

async function ended(id: string): Promise<{ view: CallView; cdr: Cdr }> {
  const view = await story.until('the end', async () => {
    const seen = await story.api.get<CallView>(`/v1/calls/${id}`);
    return seen.status === 'ended' ? seen : null;
  });
  return { view, cdr: await assertOneEnd(story, id) };
}

test('1 confirms: the result is in the CDR and in the events', async () => {
  const { id } = await listening();
  story.media.press(id, '1');
  const { view, cdr } = await ended(id);
  assert.deepEqual([view.outcome, view.endReason], ['completed', 'script_ended']);
  assert.equal(cdr.script?.result, 'confirmed');
  assert.equal(cdr.script?.end, 'finished');
  assert.deepEqual(
    cdr.script?.steps.map(({ name, outcome, digits }) => [name, outcome, digits]),
    [
      ['reminder', 'digits', '1'],
      ['confirmed', 'played', null],
    ],
  );
  const told = await eventsOf(story, id);
  assert.equal(told.filter((type) => type === 'call.script.step').length, 2);
  assert.equal(told.filter((type) => type === 'call.script.ended').length, 1);
  assert.equal(story.sip.liveCount(), 0, 'no endpoint was disturbed');
});

test('a customer who hangs up after the key has still confirmed', async () => {
  const { id, number } = await listening();
  story.media.press(id, '1');
  await story.until('thanks', () => playsOf(id).length > 1);
  story.simulator.act(number, { action: 'hang_up' });
  const { view, cdr } = await ended(id);
  assert.deepEqual([view.outcome, view.endReason], ['completed', 'customer_hung_up']);
  assert.deepEqual([cdr.script?.result, cdr.script?.end], ['confirmed', 'left']);
});

test('0 speaks with the receptionist', async () => {
  const { id } = await listening();
  story.media.press(id, '0');
  await story.until('the bridge', async () => {
    const view = await story.api.get<CallView>(`/v1/calls/${id}`);
    return view.status === 'bridged';
  });
  await story.pass(5_000);
  await story.api.post(`/v1/calls/${id}/hangup`, {});
  const { view, cdr } = await ended(id);
  assert.deepEqual([view.outcome, view.endReason], ['completed', 'business_hung_up']);
  assert.deepEqual([cdr.script?.result, cdr.script?.end], ['receptionist', 'connected']);
});

test('9 stops all calls, everywhere', async () => {
  const { id, number } = await listening();
  story.media.press(id, '9');
  const { view, cdr } = await ended(id);
  assert.deepEqual([view.outcome, view.endReason], ['canceled', 'opted_out']);
  assert.equal(cdr.script?.end, 'opted_out');
  assert.notEqual((await contactOf(story, number)).optedOutAt, null);
});

test("the line's stop key is a digit inside a number, and stops everywhere else", async () => {
  await story.database.run({ name: '', text: "update lines set opt_out_key = '9'" }, []);
  const steps = [
    {
      name: 'code',
      do: 'gather',
      prompt: { play: 'hint' },
      maxDigits: 4,
      set: { result: 'asked' },
    },
    { name: 'thanks', do: 'play', prompt: 'bye', set: { result: 'taken' } },
  ];
  const saved = await story.api.post<{ id: string }>('/v1/scripts', { name: 'Code', steps });
  assert.ok(!isProblem(saved), JSON.stringify(saved));
  const { id, number } = await listening({ scriptId: saved.id, scriptVariables: {} });
  for (const digit of '9199') story.media.press(id, digit);
  await story.until('the thanks', () => playsOf(id).length > 1);
  assert.equal((await contactOf(story, number)).optedOutAt, null);
  story.media.press(id, '9');
  const { view, cdr } = await ended(id);
  assert.equal(view.endReason, 'opted_out');
  assert.equal(cdr.script?.steps[0]?.digits, '9199');
  await story.database.run({ name: '', text: 'update lines set opt_out_key = null' }, []);
});

test('silence ends the call with words, after the tries that the script gives', async () => {
  const { id } = await listening();
  const { cdr } = await ended(id);
  assert.equal(cdr.script?.result, 'bye');
  assert.equal(cdr.script?.steps[0]?.outcome, 'nothing');
  assert.equal(playsOf(id).length, 4, 'three tries, then goodbye');
});

test('a call keeps the version that it was asked for with', async () => {
  const before = await listening();
  const changed = { ...APPOINTMENT, name: 'Appointment, shorter', steps: [step('bye', 'end')] };
  const saved = await fetchJson('PUT', `/v1/scripts/${scriptId}`, changed);
  assert.equal((saved as { version: number }).version, 2);
  story.media.press(before.id, '2');
  assert.equal((await ended(before.id)).cdr.script?.result, 'reschedule');
  const after2 = await listening();
  assert.equal((await ended(after2.id)).cdr.script?.version, 2);
  await fetchJson('PUT', `/v1/scripts/${scriptId}`, APPOINTMENT);
});

async function fetchJson(method: string, path: string, body: unknown): Promise<unknown> {
  const authorization = `Bearer ${story.apiKey}`;
  const json = { 'content-type': 'application/json' };
  const answer = await fetch(`${story.server.url}${path}`, {
    method,
    headers: { authorization, ...(body === undefined ? {} : json) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.status === 204 ? null : answer.json();
}

test('a call without what its script needs is refused before anybody is rung', async () => {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const wish = { to: number, purpose: 'your order 1042', scriptId };
  const refused = await story.api.post<CallView>('/v1/calls', wish);
  assert.ok(isProblem(refused) && refused.code === 'script_variables_missing');
  const unknown = { ...wish, scriptId: 'scr_0190c3a0-0000-7000-8000-000000000000' };
  const missing = await story.api.post<CallView>('/v1/calls', unknown);
  assert.ok(isProblem(missing) && missing.code === 'not_found');
});

test('a script that cannot run here is refused by step and field', async () => {
  const steps = [
    { name: 'a', do: 'play', prompt: 'nowhere' },
    { name: 'b', do: 'connect', endpoint: 'nobody', onFail: 'end' },
  ];
  const refused = (await story.api.post('/v1/scripts', { name: 'x', steps })) as Problem;
  assert.equal(refused.code, 'script_invalid');
  assert.deepEqual(
    refused.fields?.map(({ field }) => field),
    ['a.prompt', 'b.endpoint'],
  );
});

test('a script can be played dry', async () => {
  const wish = { script: APPOINTMENT, variables: { date: 'Tuesday' }, entries: ['7', '0'] };
  const checked = (await story.api.post('/v1/scripts/check', wish)) as {
    ok: boolean;
    dryRun: Array<{ what: string; text: string }>;
  };
  assert.ok(checked.ok);
  const told = checked.dryRun.map(({ what, text }) => `${what} ${text}`);
  assert.deepEqual(told.slice(0, 5), [
    'play reminder',
    'key 7',
    'play hint',
    'key 0',
    'step reminder: digits',
  ]);
  assert.ok(told.includes('end connected receptionist'));
});

test('prompts are listed, heard, and deleted only when nothing plays them', async () => {
  const { items } = await story.api.get<{ items: Array<{ id: string; name: string }> }>(
    '/v1/prompts',
  );
  const hint = items.find(({ name }) => name === 'hint');
  assert.ok(hint !== undefined && items.length === SOUNDS.length);
  const authorization = `Bearer ${story.apiKey}`;
  const url = `${story.server.url}/v1/prompts/${hint.id}/audio`;
  const audio = await fetch(url, { headers: { authorization } });
  assert.equal(audio.headers.get('content-type'), 'audio/ogg; codecs=opus');
  const ogg = Buffer.from(await audio.arrayBuffer());
  const inUse = (await fetchJson('DELETE', `/v1/prompts/${hint.id}`, undefined)) as Problem;
  assert.equal(inUse.code, 'prompt_in_use');
  const spare = await upload('spare', ogg, 'audio/ogg');
  assert.equal(spare.status, 201, 'what we hand out we take');
  const { id } = (await spare.json()) as { id: string };
  const desk = { name: 'desk', uri: 'sip:desk@127.0.0.1:5070' };
  const music = { ...desk, whenNobody: { action: 'queue_with_music', prompt: 'spare' } };
  const put = await story.api.post<{ id: string }>('/v1/endpoints', music);
  assert.ok(!isProblem(put), JSON.stringify(put));
  await fetchJson('PATCH', '/v1/recording-settings', { announcementPrompt: 'spare' });
  const played = await fetchJson('DELETE', `/v1/prompts/${id}`, undefined);
  const { evidence } = played as Problem & { evidence: object };
  assert.deepEqual(evidence, { scripts: [], endpoints: ['desk'], announcement: true });
  await fetchJson('PATCH', '/v1/recording-settings', { announcementPrompt: null });
  await fetchJson('DELETE', `/v1/endpoints/${put.id}`, undefined);
  assert.equal(await fetchJson('DELETE', `/v1/prompts/${id}`, undefined), null);
  assert.equal((await upload('bad', Buffer.from('RIFF no sound'))).status, 400);
  assert.equal((await upload('bad', Buffer.from('{}'), 'application/json')).status, 415);
  assert.equal((await upload('Bad Name', Buffer.alloc(8))).status, 400);
});

test('samples are whole and can be saved as they are, where texts can be spoken', async () => {
  const { items } = await story.api.get<{ items: object[] }>('/v1/scripts/samples');
  assert.ok(items.length >= 2);
});

test('an 8x8 call flow becomes a script that can run', async () => {
  const document = {
    validUntil: '2027-01-01T00:00:00Z',
    callflow: [
      { action: 'makeCall', params: { source: '1', destination: '2' } },
      { action: 'playFile', params: { fileUrl: 'https://example.com/sounds/Reminder.wav' } },
      { action: 'hangup' },
    ],
  };
  const made = (await story.api.post('/v1/scripts/import', { name: 'Moved', document })) as {
    script: object;
    problems: unknown[];
  };
  assert.deepEqual(made.problems, []);
  const saved = await story.api.post<object>('/v1/scripts', made.script);
  assert.ok(!isProblem(saved), JSON.stringify(saved));
});
