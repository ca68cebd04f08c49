import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { request } from 'undici';
import { isProblem, makeApiClient } from '../src/cli/api-client.ts';
import type { EventView, Page, PermissionRequestView, Problem } from '../src/http/api-types.ts';
import { seededRandom } from '../src/platform/random.ts';
import { PRESET } from '../simulator/simulator.ts';
import { openStory, type Story } from './harness.ts';
import { newPerson, PURPOSE } from './story-people.ts';

/** Templates from the first draft to Meta's last word, as the API tells of them. */
type Template = {
  id: string;
  name: string;
  language: string;
  body: string;
  version: number;
  metaVersion: number | null;
  metaId: string | null;
  status: string;
  sendable: boolean;
  reason: string | null;
  quality: string | null;
  category: string;
  comingCategory: string | null;
  findings: Array<{ rule: string }>;
};
type Sync = { listed: number; imported: number; changed: number; ignored: number };

const BODY =
  'Hello {{1}}, we would like to call you on WhatsApp, free over data/WiFi, about {{2}}. May we?';
const DRAFT = { language: 'en_US', body: BODY, samples: ['Maria', 'your order 1042'] };

let story: Story;
before(async () => {
  story = await openStory({ seed: 41 });
});
after(() => story.close());

async function written(name: string, more: object = {}): Promise<Template> {
  const draft = { name, ...DRAFT, nativePermissionRequest: true, ...more };
  const template = await post<Template>('/v1/templates', draft);
  assert.equal(template.name, name, JSON.stringify(template));
  return template;
}

async function submitted(name: string, more: object = {}): Promise<Template> {
  const { id } = await written(name, more);
  const template = await post<Template>(`/v1/templates/${id}/submit`, {});
  assert.equal(template.name, name, JSON.stringify(template));
  return template;
}

/** A POST that is known to work, or whose answer is looked at as a problem. */
const post = async <T>(path: string, body: object): Promise<T> =>
  (await story.api.post<T>(path, body)) as T;

function send(method: 'PATCH' | 'DELETE', path: string, body?: object) {
  const headers = { authorization: `Bearer ${story.apiKey}`, 'content-type': 'application/json' };
  const text = body === undefined ? null : JSON.stringify(body);
  const bare = { authorization: headers.authorization };
  return request(`${story.server.url}${path}`, {
    method,
    headers: text === null ? bare : headers,
    body: text,
  });
}

async function change(path: string, body: object): Promise<Template> {
  return (await (await send('PATCH', path, body)).body.json()) as Template;
}

const read = (id: string): Promise<Template> => story.api.get<Template>(`/v1/templates/${id}`);

function become(id: string, status: string): Promise<Template> {
  return story.until(status, async () => {
    const template = await read(id);
    return template.status === status ? template : null;
  });
}

function ask(to: string, template: string, more: object = {}) {
  const body = { to, purpose: PURPOSE, template, variables: ['Ada', PURPOSE], ...more };
  return story.api.post<PermissionRequestView>('/v1/permission-requests', body);
}

test('the product comes with templates in eight languages and two forms', async () => {
  const { items } = await story.api.get<Page<Template>>('/v1/templates?limit=100');
  assert.equal(items.length, 88);
  assert.ok(items.every(({ status, sendable }) => status === 'approved' && sendable));
  const arabic = await story.api.get<Page<Template>>('/v1/templates?language=ar&limit=3');
  assert.equal(arabic.items.length, 3);
  assert.notEqual(arabic.next, null);
});

test('a draft is submitted, approved by webhook, and then asked with', async () => {
  const draft = await written('own_callback');
  assert.deepEqual([draft.status, draft.version, draft.metaVersion], ['draft', 1, null]);
  const number = newPerson(story, '701', '103');
  const early = await ask(number, 'own_callback');
  assert.ok(isProblem(early));
  assert.deepEqual([early.status, early.code], [409, 'template_not_approved']);
  assert.match(early.fix, /submit/);

  const path = `/v1/templates/${draft.id}/submit`;
  assert.equal((await post<Template>(path, {})).status, 'pending');
  assert.equal((await post<Problem>(path, {})).code, 'template_in_review');
  await become(draft.id, 'approved');
  const again = await post<Template>(path, {});
  assert.deepEqual([again.status, again.version], ['approved', 1]);
  const asked = await ask(number, 'own_callback');
  assert.ok(!isProblem(asked), JSON.stringify(asked));
  assert.deepEqual([asked.templateVersion, asked.text.slice(0, 9)], [1, 'Hello Ada']);
});

test('a change is a new version; the approved words go out until it is submitted', async () => {
  const { id } = await submitted('changing');
  await become(id, 'approved');
  const body = BODY.replace('May we?', 'Would that be all right?');
  const changed = await change(`/v1/templates/${id}`, { body });
  assert.deepEqual([changed.version, changed.metaVersion, changed.status], [2, 1, 'approved']);
  const first = await ask(newPerson(story, '702', '103'), 'changing');
  assert.ok(!isProblem(first));
  assert.match(first.text, /May we\?$/);
  await story.api.post(`/v1/templates/${id}/submit`, {});
  await become(id, 'approved');
  const second = await ask(newPerson(story, '703', '103'), 'changing');
  assert.ok(!isProblem(second));
  assert.deepEqual([second.templateVersion, second.text.endsWith('all right?')], [2, true]);
  await story.until('the new words', () =>
    story.simulator.person('+447700900703').messages[0]?.text.endsWith('all right?'),
  );
  type Version = { version: number; body: string };
  const { items } = await story.api.get<Page<Version>>(`/v1/templates/${id}/versions`);
  assert.deepEqual(
    items.map(({ version }) => version),
    [2, 1],
  );
});

test('a built-in template can be reworded, and is edited at Meta', async () => {
  const path = '/v1/templates?name=support_callback_request&language=it';
  const [builtIn] = (await story.api.get<Page<Template>>(path)).items;
  assert.ok(builtIn !== undefined);
  await change(`/v1/templates/${builtIn.id}`, { footer: 'La vostra clinica' });
  const handed = await post<Template>(`/v1/templates/${builtIn.id}/submit`, {});
  assert.deepEqual([handed.status, handed.metaVersion], ['pending', 2]);
  await become(builtIn.id, 'approved');
  const { body } = await story.simulator.inject({ method: 'GET', url: '/simulator/templates' });
  const { templates } = body as { templates: Array<{ id: string; components: unknown }> };
  const there = templates.find(({ id }) => id === handed.metaId);
  assert.match(JSON.stringify(there?.components), /La vostra clinica/);
});

test('a rejection tells the reason, and the mended template is submitted again', async () => {
  const { id } = await submitted('sales_rejected');
  const rejected = await become(id, 'rejected');
  assert.equal(rejected.reason, 'INVALID_FORMAT');
  const refused = await ask(newPerson(story, '704', '103'), 'sales_rejected');
  assert.ok(isProblem(refused));
  assert.match(refused.detail, /rejected by Meta \(INVALID_FORMAT\)/);
  await change(`/v1/templates/${id}`, { footer: 'Your clinic' });
  const again = await post<Template>(`/v1/templates/${id}/submit`, {});
  assert.deepEqual([again.status, again.reason, again.version], ['pending', null, 2]);
});

test('a pause stops its use, and quality and category are followed', async () => {
  const paused = await submitted('one_paused');
  const after = await become(paused.id, 'paused');
  assert.equal(after.reason, 'FIRST_PAUSE');
  const refused = await ask(newPerson(story, '705', '103'), 'one_paused');
  assert.ok(isProblem(refused) && refused.code === 'template_not_approved');
  const { items } = await story.api.get<Page<EventView>>('/v1/events?limit=100');
  const told = items.filter(({ type }) => type === 'template.status_changed');
  const ofPaused = told.map(({ data }) => data).filter(({ name }) => name === 'one_paused');
  assert.deepEqual(
    ofPaused.map(({ before: was, status, reason }) => [was, status, reason]),
    [
      ['pending', 'approved', null],
      ['approved', 'paused', 'FIRST_PAUSE'],
    ],
  );
  await story.until('RED', async () => (await read(paused.id)).quality === 'RED');

  const moved = await submitted('one_marketing');
  await story.until('moved', async () => (await read(moved.id)).category === 'MARKETING');
  await story.simulator.inject({
    method: 'POST',
    url: `/simulator/templates/${moved.metaId}`,
    payload: { comingCategory: 'UTILITY' },
  });
  await story.until('news', async () => (await read(moved.id)).comingCategory === 'UTILITY');
});

test('what the linter finds is refused with all findings, or just looked at', async () => {
  const bad = { name: 'bad', language: 'en_US', body: '{{1}} call' };
  const refused = await post<Problem>('/v1/templates', bad);
  assert.deepEqual([refused.status, refused.code], [422, 'template_invalid']);
  const { findings } = refused.evidence as { findings: Array<{ rule: string }> };
  const rules = findings.map(({ rule }) => rule);
  for (const rule of ['variable_at_start', 'samples_missing', 'no_allow_option']) {
    assert.ok(rules.includes(rule), rules.join(', '));
  }
  type Lint = { ok: boolean; findings: Array<{ rule: string }> };
  const lint = await post<Lint>('/v1/templates/lint', bad);
  assert.deepEqual([lint.ok, lint.findings.length], [false, findings.length]);
  const twice = await post<Problem>('/v1/templates', {
    name: 'own_callback',
    ...DRAFT,
    nativePermissionRequest: true,
  });
  assert.deepEqual([twice.status, twice.code], [409, 'template_exists']);
});

test('the comparison finds what others made, changed and deleted at Meta', async () => {
  const mine = await submitted('to_be_lost');
  await become(mine.id, 'approved');
  await graph('POST', `${PRESET.wabaId}/message_templates`, {
    name: 'made_elsewhere',
    language: 'de',
    category: 'UTILITY',
    components: [
      { type: 'BODY', text: 'Dürfen wir Sie wegen Ihrer Lieferung anrufen?' },
      { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Ja, bitte anrufen' }] },
    ],
  });
  await graph('DELETE', `${PRESET.wabaId}/message_templates?name=to_be_lost`);
  const report = await post<Sync>('/v1/templates/sync', {});
  assert.deepEqual([report.imported, report.ignored], [1, 0]);
  assert.ok(report.changed >= 1);
  const path = '/v1/templates?name=made_elsewhere';
  const [found] = (await story.api.get<Page<Template & { buttons: unknown }>>(path)).items;
  assert.deepEqual(found?.buttons, [
    { kind: 'quick_reply', text: 'Ja, bitte anrufen', means: 'yes' },
  ]);
  const lost = await read(mine.id);
  assert.deepEqual([lost.status, lost.reason], ['disabled', 'NOT_AT_META']);
  const calm = await post<Sync>('/v1/templates/sync', {});
  assert.deepEqual([calm.imported, calm.changed], [0, 0]);
});

test('a lost webhook is made up for by the hourly comparison', async () => {
  story.simulator.setFault({ kind: 'drop_webhook', on: 'APPROVED' });
  const { id } = await submitted('unheard_of');
  await story.pass(10_000);
  assert.equal((await read(id)).status, 'pending');
  await story.api.post('/v1/templates/sync', {});
  story.simulator.clearFaults();
  assert.equal((await read(id)).status, 'approved');
  await graphDecision(id, { status: 'DISABLED', reason: 'ABUSE' }, true);
  story.clock.advance(3_600_000);
  await become(id, 'disabled');
});

test('a deleted template is gone here and at Meta, and its words stay as evidence', async () => {
  const { id, metaId } = await submitted('short_lived');
  await become(id, 'approved');
  assert.equal((await send('DELETE', `/v1/templates/${id}`)).statusCode, 204);
  assert.equal((await story.api.get<Problem>(`/v1/templates/${id}`)).status, 404);
  const listed = (await story.simulator.inject({ method: 'GET', url: '/simulator/templates' }))
    .body as { templates: Array<{ id: string }> };
  assert.ok(listed.templates.every((template) => template.id !== metaId));
  const again = await written('short_lived');
  assert.deepEqual([again.id, again.version, again.status], [id, 2, 'draft']);
});

test('an unknown template names its languages, and one that asks nothing is refused', async () => {
  const number = newPerson(story, '706', '103');
  const unknown = await ask(number, 'call_permission_request', { language: 'nl' });
  assert.ok(isProblem(unknown));
  assert.deepEqual([unknown.status, unknown.code], [422, 'template_unknown']);
  assert.match(unknown.fix, /en_US/);
  const { id } = await submitted('ring_us', {
    nativePermissionRequest: false,
    buttons: [{ kind: 'call', text: 'Call us' }],
  });
  await become(id, 'approved');
  const nothing = await ask(number, 'ring_us');
  assert.ok(isProblem(nothing) && nothing.code === 'template_not_asking');
});

test('a customer who was asked in Arabic is asked in Arabic again', async () => {
  const number = newPerson(story, '707', '102');
  const first = await ask(number, 'call_permission_request', { language: 'ar' });
  assert.ok(!isProblem(first));
  assert.match(first.text, /^مرحبًا Ada،/);
  await story.until('no', async () => {
    const path = `/v1/permission-requests/${first.id}`;
    return (await story.api.get<PermissionRequestView>(path)).status === 'declined';
  });
  // Meta lets one person be asked once a day.
  story.clock.advance(25 * 3_600_000);
  const second = await ask(number, 'support_callback_request');
  assert.ok(!isProblem(second), JSON.stringify(second));
  assert.equal(second.language, 'ar');
});

test('without a key nothing about templates is told', async () => {
  const stranger = makeApiClient(story.server.url ?? '', 'af_test_wrong', seededRandom(2));
  assert.equal((await stranger.get<Problem>('/v1/templates')).status, 401);
  assert.equal((await stranger.post<Problem>('/v1/templates/lint', {})).status, 401);
});

async function graph(method: 'POST' | 'DELETE', path: string, payload?: object): Promise<void> {
  const { status, body } = await story.simulator.inject({
    method,
    url: `/v23.0/${path}`,
    headers: { authorization: `Bearer ${PRESET.accessToken}` },
    ...(payload === undefined ? {} : { payload }),
  });
  assert.equal(status, 200, JSON.stringify(body));
}

/** What Meta decides later; `unheard` keeps the webhook from being sent. */
async function graphDecision(id: string, payload: object, unheard: boolean): Promise<void> {
  const { metaId } = await read(id);
  if (unheard) story.simulator.setFault({ kind: 'drop_webhook' });
  await story.simulator.inject({ method: 'POST', url: `/simulator/templates/${metaId}`, payload });
}
