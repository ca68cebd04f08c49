import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { LineView, Page, Problem } from '../src/http/api-types.ts';
import type { Checklist } from '../src/golive/golive.ts';
import { runDoctor } from '../src/cli/doctor.ts';
import { makeApiClient, isProblem } from '../src/cli/api-client.ts';
import { seededRandom } from '../src/platform/random.ts';
import { PRESET } from '../simulator/simulator.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';

let story: Story;
let lineId: string;

before(async () => {
  story = await openStory();
  const { items } = await story.api.get<Page<LineView>>('/v1/lines');
  lineId = items[0]?.id ?? '';
});
after(() => story.close());
afterEach(() => story.simulator.clearFaults());

async function states(id = lineId): Promise<Record<string, string>> {
  const { checks } = await list(id);
  return Object.fromEntries(checks.map((check) => [check.id, check.state]));
}

/** Time goes on meanwhile: the endpoint of the story may be silent, and is given three seconds. */
async function list(id = lineId): Promise<Checklist & { lineId: string }> {
  const asking = story.api.get<Checklist & { lineId: string }>(`/v1/lines/${id}/go-live`);
  return inTime(asking);
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let done = false;
  void work.finally(() => (done = true)).catch(() => {});
  await story.until('the answer', () => done, 30_000);
  return work;
}

/** Talks to the simulated Graph API as somebody in WhatsApp Manager would. */
async function graph(path: string, body: object, method: 'POST' | 'DELETE' = 'POST') {
  const { status } = await story.simulator.inject({
    method,
    url: `/v23.0/${path}`,
    headers: { authorization: `Bearer ${PRESET.accessToken}` },
    payload: body,
  });
  assert.equal(status, 200);
}

const callingSettings = (calling: object) => graph(`${PRESET.phoneNumberId}/settings`, { calling });

async function addLine(change: object): Promise<string> {
  const line = await story.api.post<LineView>('/v1/lines', {
    name: 'Second line',
    displayNumber: '+442079460001',
    phoneNumberId: '100000000000009',
    wabaId: PRESET.wabaId,
    graphBaseUrl: story.simulator.url,
    accessToken: PRESET.accessToken,
    appSecret: PRESET.appSecret,
    verifyToken: PRESET.verifyToken,
    ...change,
  });
  assert.ok(!isProblem(line), JSON.stringify(line));
  return line.id;
}

test('before any webhook came the line is not ready, and the list says what to do', async () => {
  const { live, ready, checks } = await list();
  assert.deepEqual([live, ready], [false, false]);
  const waiting = checks.filter(({ required, state }) => required && state !== 'ok');
  assert.deepEqual(
    waiting.map(({ id }) => id),
    ['webhook_received'],
  );
  assert.match(checks.find(({ id }) => id === 'webhook_received')?.fix ?? '', /message/);
});

test('without a subscribed app the line is not ready', async () => {
  await graph(`${PRESET.wabaId}/subscribed_apps`, {}, 'DELETE');
  assert.equal((await states())['app_subscribed'], 'failed');
  await graph(`${PRESET.wabaId}/subscribed_apps`, {});
  assert.equal((await states())['app_subscribed'], 'ok');
});

test('a line whose webhook works is ready', async () => {
  story.simulator.act('+447700900101', { action: 'write', text: 'hello' });
  await story.until('a webhook', async () => (await states())['webhook_received'] === 'ok');
  const { ready, checks } = await list();
  assert.ok(ready, JSON.stringify(checks, null, 1));
});

test('calling switched off and SIP switched on at Meta are found', async () => {
  await callingSettings({ status: 'DISABLED' });
  assert.equal((await states())['calling_enabled'], 'failed');
  await callingSettings({ sip: { status: 'ENABLED', servers: [{ hostname: 'sip.example' }] } });
  assert.equal((await states())['sip_off'], 'failed');
  await callingSettings({ sip: { status: 'DISABLED' } });
  const answer = await story.api.post<{ enabled: boolean }>(`/v1/lines/${lineId}/calling`, {
    enabled: true,
  });
  assert.ok(!isProblem(answer) && answer.enabled);
  const now = await states();
  assert.deepEqual([now['calling_enabled'], now['sip_off']], ['ok', 'ok']);
});

test('hours and call back are set at Meta, read from there, and refused by field', async () => {
  type Calling = { enabled: boolean; callback: boolean; hours: object | null };
  const path = `/v1/lines/${lineId}/calling`;
  const before = await story.api.get<Calling>(path);
  assert.deepEqual([before.enabled, before.callback, before.hours], [true, true, null]);
  const week = [1, 2, 3, 4, 5];
  const hours = {
    zone: 'Europe/London',
    open: [
      { days: week, from: '09:00', to: '12:30' },
      { days: week, from: '13:30', to: '17:00' },
    ],
    closed: ['2026-12-25'],
  };
  const set = (await story.api.post<Calling>(path, { callback: false, hours })) as Calling;
  assert.deepEqual([set.enabled, set.callback, set.hours], [true, false, hours]);
  assert.deepEqual((await story.api.get<Calling>(path)).hours, hours);
  const [first] = hours.open;
  for (const [body, field] of [
    [{}, 'body'],
    [{ hours: { ...hours, open: [...hours.open, { ...first, from: '18:00', to: '19:00' }] } }],
    [{ hours: { ...hours, open: [first, { ...first, from: '12:00', to: '14:00' }] } }],
    [{ hours: { ...hours, zone: 'Mars' } }, 'hours.zone'],
  ] as const) {
    const answer = await story.api.post<object>(path, body);
    assert.ok(isProblem(answer));
    assert.deepEqual([answer.status, answer.fields?.[0]?.field], [400, field ?? 'hours.open']);
  }
  await story.api.post(path, { callback: true, hours: null });
  assert.equal((await story.api.get<Calling>(path)).hours, null);
});

test('one question answered with 5xx or a web page leaves the others visible', async () => {
  story.simulator.setFault({ kind: 'server_error', on: 'settings' });
  const broken = await states();
  assert.deepEqual(
    [broken['calling_enabled'], broken['token'], broken['template_approved']],
    ['unknown', 'ok', 'ok'],
  );
  story.simulator.clearFaults();
  story.simulator.setFault({ kind: 'html_answer' });
  const dark = await states();
  assert.deepEqual([dark['token'], dark['number'], dark['country']], ['unknown', 'unknown', 'ok']);
  assert.equal((await list()).ready, false);
});

test('a slow answer becomes unknown after the time-out, not a hanging request', async () => {
  story.simulator.setFault({ kind: 'slow_answer', on: 'settings', delayMs: 60_000 });
  const found = (await list()).checks.find(({ id }) => id === 'calling_enabled');
  assert.equal(found?.state, 'unknown');
});

test('a wrong token, a wrong number and a missing endpoint are each named', async () => {
  const badToken = await states(await addLine({ accessToken: 'expired' }));
  assert.deepEqual([badToken['token'], badToken['number']], ['failed', 'unknown']);
  story.simulator.addLine({
    phoneNumberId: '100000000000009',
    wabaId: PRESET.wabaId,
    displayNumber: '+442079460009',
    businessName: 'Other',
  });
  const wrongNumber = await states(await addLine({}));
  assert.deepEqual(
    [wrongNumber['token'], wrongNumber['number'], wrongNumber['endpoint']],
    ['ok', 'failed', 'failed'],
  );
  assert.equal(wrongNumber['webhook_received'], 'failed');
});

test('a business number of a blocked country is told before anything is spent on it', async () => {
  const id = await addLine({ displayNumber: '+12025550123', phoneNumberId: '100000000000010' });
  assert.equal((await states(id))['country'], 'failed');
});

test('templates are submitted once, and asking again changes nothing', async () => {
  type Items = { items: Array<{ name: string; status: string; submitted: boolean }> };
  story.simulator.addLine({
    phoneNumberId: '100000000000011',
    wabaId: '200000000000011',
    displayNumber: '+442079460011',
    businessName: 'Fresh',
  });
  const id = await addLine({
    displayNumber: '+442079460011',
    phoneNumberId: '100000000000011',
    wabaId: '200000000000011',
  });
  assert.equal((await states(id))['template_approved'], 'failed');
  const path = `/v1/lines/${id}/templates`;
  const first = (await story.api.post<Items>(path, {})) as Items;
  assert.deepEqual(
    first.items.map(({ submitted, status }) => [submitted, status]),
    Array.from({ length: 5 }, () => [true, 'PENDING']),
  );
  await story.until('approval', async () => (await states(id))['template_approved'] === 'ok');
  const second = (await story.api.post<Items>(path, {})) as Items;
  assert.ok(second.items.every(({ submitted, status }) => !submitted && status === 'APPROVED'));
});

test('the steps of go-live.md make a new line ready, one check after another', async () => {
  const ids = { phoneNumberId: '100000000000021', wabaId: '200000000000021' };
  const displayNumber = '+442079460021';
  const businessName = 'New clinic';
  story.simulator.addLine({ ...ids, displayNumber, businessName, callingEnabled: false });
  await graph(`${ids.wabaId}/subscribed_apps`, {}, 'DELETE');
  const id = await addLine({ ...ids, displayNumber });
  const missing = async (): Promise<string[]> =>
    (await list(id)).checks
      .filter(({ required, state }) => required && state === 'failed')
      .map(({ id: check }) => check);
  const all = ['calling_enabled', 'app_subscribed', 'webhook_received', 'template_approved'];
  assert.deepEqual(await missing(), [...all, 'endpoint']);

  const refused = await story.api.post<object>(`/v1/lines/${id}/calling`, { enabled: true });
  assert.ok(isProblem(refused));
  assert.equal(refused.code, 'meta_calls_not_subscribed');

  const endpoint = { name: 'Queue', uri: 'sip:talk@127.0.0.1:5070' };
  const { id: defaultEndpointId } = (await story.api.post('/v1/endpoints', endpoint)) as {
    id: string;
  };
  assert.equal(await addLine({ ...ids, displayNumber, defaultEndpointId }), id);
  await graph(`${ids.wabaId}/subscribed_apps`, {});
  assert.deepEqual(await missing(), ['calling_enabled', 'webhook_received', 'template_approved']);
  await story.api.post(`/v1/lines/${id}/calling`, { enabled: true });
  await story.api.post(`/v1/lines/${id}/templates`, {});
  const { phoneNumberId } = ids;
  story.simulator.act('+447700900102', { action: 'write', text: 'hello', phoneNumberId });
  await story.until('ready', async () => (await list(id)).ready);
  assert.deepEqual(await missing(), []);
});

test('name, endpoint and stop key change without the secrets of Meta', async () => {
  const id = await addLine({ displayNumber: '+442079460031', phoneNumberId: '100000000000031' });
  const { id: endpointId } = (await story.api.post('/v1/endpoints', {
    name: 'Night desk',
    uri: 'sip:talk@127.0.0.1:5070',
  })) as { id: string };
  const at = `/v1/lines/${id}`;
  const patch = async (body: object, path = at) => {
    const { status, text } = await send(story, 'PATCH', path, { body });
    return { status, line: JSON.parse(text) as LineView };
  };
  const { line: named } = await patch({ name: 'Night', defaultEndpointId: endpointId });
  assert.deepEqual(
    [named.name, named.defaultEndpointId, named.optOutKey],
    ['Night', endpointId, null],
  );
  const { line: keyed } = await patch({ optOutKey: '9' });
  assert.deepEqual(
    [keyed.name, keyed.defaultEndpointId, keyed.optOutKey],
    ['Night', endpointId, '9'],
  );
  assert.equal((await patch({ defaultEndpointId: null })).line.defaultEndpointId, null);
  for (const [body, path, status] of [
    [{ defaultEndpointId: 'end_0' }, at, 404],
    [{ optOutKey: '12' }, at, 400],
    [{ accessToken: 'no' }, at, 400],
    [{ name: 'x' }, '/v1/lines/ln_0', 404],
  ] as const) {
    assert.equal((await patch(body, path)).status, status, JSON.stringify(body));
  }
});

test('an unknown line is 404, and without a key nothing is told', async () => {
  const unknown = await story.api.get<Problem>('/v1/lines/ln_0/go-live');
  assert.deepEqual([unknown.status, unknown.code], [404, 'not_found']);
  const stranger = makeApiClient(story.server.url ?? '', 'af_test_wrong', seededRandom(2));
  for (const answer of [
    await stranger.get<Problem>(`/v1/lines/${lineId}/go-live`),
    await stranger.post<Problem>(`/v1/lines/${lineId}/templates`, {}),
    await stranger.post<Problem>(`/v1/lines/${lineId}/calling`, { enabled: false }),
  ]) {
    assert.equal(answer.status, 401);
  }
});

test('the doctor prints every line with its fixes, and its exit code tells', async () => {
  let text = '';
  const write = (part: string): void => void (text += part);
  const url = story.server.url ?? '';
  const ask = { url, apiKey: story.apiKey, json: false, write };
  assert.equal(await inTime(runDoctor(ask)), 1);
  assert.match(text, /Askfirst Demo Clinic \(\+442079460000, simulated\): ready/);
  assert.match(text, /Second line .*: not ready/);
  assert.match(text, /failed {2}number[^\n]+\n +fix: /);
  text = '';
  assert.equal(await inTime(runDoctor({ ...ask, json: true })), 1);
  assert.equal((JSON.parse(text) as { ok: boolean }).ok, false);
  text = '';
  assert.equal(await inTime(runDoctor({ ...ask, apiKey: 'af_test_wrong' })), 2);
  assert.match(text, /Fix: /);
  assert.equal(await inTime(runDoctor({ ...ask, url: 'http://127.0.0.1:1' })), 2);
});

test('what Meta refuses in a step at Meta comes back with its code and fix', async () => {
  const id = await addLine({ accessToken: 'expired', phoneNumberId: '100000000000012' });
  const answer = await story.api.post<object>(`/v1/lines/${id}/calling`, { enabled: true });
  assert.ok(isProblem(answer));
  assert.equal(answer.code, 'meta_token_invalid');
  assert.ok(answer.fix.length > 0);
});
