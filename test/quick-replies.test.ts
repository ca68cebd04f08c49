import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, test } from 'node:test';
import { request } from 'undici';
import { isProblem } from '../src/cli/api-client.ts';
import type { Page, PermissionRequestView } from '../src/http/api-types.ts';
import { readOptOut } from '../src/consent/opt-out.ts';
import { hearQuickReply } from '../src/consent/quick-reply-commands.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { onContact } from '../src/ledger/contact-unit.ts';
import { findLine } from '../src/lines/line-store.ts';
import { makeIds, type ContactId, type PermissionRequestId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { PACK_FOLDER } from '../src/policy/policy-pack.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { PRESET } from '../simulator/simulator.ts';
import { openStory, type Story } from './harness.ts';
import { call, consentStatus, contactOf, newPerson, PURPOSE } from './story-people.ts';

/**
 * The page's own form: templates with quick replies. A no declines; a yes is followed by Meta's
 * native request, whose answer is the permission.
 */
let story: Story;
before(async () => {
  story = await openStory({ seed: 43 });
});
after(() => story.close());

const QUICK = 'call_permission_request_quick_reply';

async function ask(to: string, more: object = {}): Promise<PermissionRequestView> {
  const answer = await story.api.post<PermissionRequestView>('/v1/permission-requests', {
    to,
    purpose: PURPOSE,
    template: QUICK,
    ...more,
  });
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer;
}

const requestOf = (id: string): Promise<PermissionRequestView> =>
  story.api.get<PermissionRequestView>(`/v1/permission-requests/${id}`);

/** What is on the person's phone, once the request has arrived. */
async function delivered(number: string, kind = 'template') {
  return story.until(`a ${kind}`, () =>
    story.simulator
      .person(number)
      .messages.find((message) => message.kind === kind && message.status === 'delivered'),
  );
}

type Entry = { type: string; data: Record<string, unknown> };

async function ledger(number: string, type: string): Promise<Entry[]> {
  const { id } = await contactOf(story, number);
  const { items } = await story.api.get<Page<Entry>>(`/v1/contacts/${id}/timeline?limit=100`);
  return items.filter((entry) => entry.type === type);
}

test('a yes by quick reply brings the native request, and its answer the permission', async () => {
  const number = newPerson(story, '721', '001');
  const { id } = await ask(number);
  const message = await delivered(number);
  assert.deepEqual(
    message.buttons.map(({ text }) => text),
    ['Allow calls', 'Not now'],
  );
  story.simulator.act(number, { action: 'tap', text: 'Allow calls' });
  const native = await delivered(number, 'permission_request');
  assert.match(native.text, /allow the call in WhatsApp.*your order 1042/);
  const early = await call(story, number);
  assert.ok(isProblem(early) && early.code === 'permission_pending');
  const between = await requestOf(id);
  assert.equal(between.quickReply?.answer, 'yes');
  assert.notEqual(between.quickReply?.nativeMessageId, null);

  story.simulator.act(number, { action: 'allow' });
  await story.until('granted', async () => (await consentStatus(story, number)) === 'granted');
  assert.equal((await requestOf(id)).status, 'granted');
  const placedCall = await call(story, number);
  assert.ok(!isProblem(placedCall), JSON.stringify(placedCall));
  const [entry] = await ledger(number, 'QuickReplyReceived');
  assert.deepEqual([entry?.data['kind'], entry?.data['next']], ['yes', 'native_request']);
});

test('a scripted customer goes the whole way by themselves', async () => {
  const number = newPerson(story, '722', '100');
  await ask(number);
  await story.until('granted', async () => (await consentStatus(story, number)) === 'granted');
});

test('a no by quick reply declines, in the language of the template', async () => {
  for (const [last3, language, no] of [
    ['723', 'de', 'Jetzt nicht'],
    ['724', 'ar', 'ليس الآن'],
    ['725', 'hi', 'अभी नहीं'],
  ] as const) {
    const number = newPerson(story, last3, '001');
    const { id } = await ask(number, { language });
    await delivered(number);
    story.simulator.act(number, { action: 'tap', text: no });
    await story.until('declined', async () => (await requestOf(id)).status === 'declined');
    const { quickReply, answeredAt } = await requestOf(id);
    assert.deepEqual([quickReply?.answer, answeredAt !== null], ['no', true]);
    assert.equal((await contactOf(story, number)).optedOutAt, null);
  }
});

test("a no after a yes declines, and a later yes in Meta's own request counts", async () => {
  const number = newPerson(story, '733', '001');
  const { id } = await ask(number);
  const { id: messageId } = await delivered(number);
  story.simulator.act(number, { action: 'tap', text: 'Allow calls', messageId });
  await delivered(number, 'permission_request');
  // On a second device the other button can still be tapped.
  await tapLate(number, messageId, 'Not now');
  await story.until('declined', async () => (await requestOf(id)).status === 'declined');
  const refused = await call(story, number);
  assert.ok(isProblem(refused) && refused.code === 'permission_declined');
  // The person may still decide in Meta's own request; the newest answer counts.
  await story.pass(2_000);
  story.simulator.act(number, { action: 'allow' });
  await story.until('granted', async () => (await consentStatus(story, number)) === 'granted');
});

test('the same tap told twice brings one native request', async () => {
  const number = newPerson(story, '726', '001');
  await ask(number);
  await delivered(number);
  story.simulator.setFault({ kind: 'duplicate_webhook', on: 'button', times: 1 });
  story.simulator.act(number, { action: 'tap', text: 'Allow calls' });
  await delivered(number, 'permission_request');
  await story.pass(5_000);
  const { messages } = story.simulator.person(number);
  assert.equal(messages.filter(({ kind }) => kind === 'permission_request').length, 1);
  assert.equal((await ledger(number, 'QuickReplyReceived')).length, 1);
  story.simulator.clearFaults();
});

test('a yes that comes after the customer said stop asks for nothing more', async () => {
  const number = newPerson(story, '727', '001');
  await ask(number);
  await delivered(number);
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('out', async () => (await contactOf(story, number)).optedOutAt !== null);
  story.simulator.act(number, { action: 'tap', text: 'Allow calls' });
  const [entry] = await story.until('the tap', async () => {
    const found = await ledger(number, 'QuickReplyReceived');
    return found.length > 0 ? found : null;
  });
  assert.deepEqual([entry?.data['kind'], entry?.data['next']], ['yes', 'nothing']);
  await story.pass(3_000);
  const { messages } = story.simulator.person(number);
  assert.ok(messages.every(({ kind }) => kind !== 'permission_request'));
});

test('a yes that came late, after the request lapsed, is still followed', async () => {
  const number = newPerson(story, '728', '001');
  await ask(number);
  await delivered(number);
  story.clock.advance(7 * 86_400_000 + 60_000);
  await story.until('lapsed', async () => (await consentStatus(story, number)) === 'lapsed');
  story.simulator.act(number, { action: 'tap', text: 'Allow calls' });
  await delivered(number, 'permission_request');
  story.simulator.act(number, { action: 'allow' });
  await story.until('granted', async () => (await consentStatus(story, number)) === 'granted');
});

test('when Meta refuses the native request, the request shows why and the fix', async () => {
  const number = newPerson(story, '729', '001');
  const { id } = await ask(number);
  const { id: messageId } = await delivered(number);
  // Their WhatsApp is asked natively once a day at most, and another asked them today.
  await graphAsk(number);
  story.simulator.act(number, { action: 'tap', text: 'Allow calls', messageId });
  const { error, status } = await story.until('the refusal', async () => {
    const request = await requestOf(id);
    return request.error === null ? null : request;
  });
  assert.match(error?.code ?? '', /^meta_/);
  assert.notEqual(error?.fix, '');
  assert.notEqual(status, 'failed');
});

test('under a pack that takes a quick reply for the permission, the yes is one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'askfirst-packs-'));
  const strict = await readFile(new URL('strict-2026-01.json', PACK_FOLDER), 'utf8');
  const pack = JSON.parse(strict) as { name: string; values: object };
  const values = { ...pack.values, permissionBy: 'quick_reply' };
  const text = JSON.stringify({ ...pack, name: 'own-quick', values });
  await writeFile(join(folder, 'own-quick.json'), text);
  const number = newPerson(story, '734', '001');
  const asked = await ask(number);
  const { id: contextId } = await delivered(number);
  const line = await findLine(story.database, PRESET.phoneNumberId);
  assert.ok(line !== null);
  const packs = makePolicyPacks(pathToFileURL(`${folder}/`));
  const ids = makeIds(story.clock, seededRandom(5));
  const ports = { database: story.database, clock: story.clock, ids, changes: makeChanges() };
  await onContact(ports, asked.contactId as ContactId, (unit) =>
    hearQuickReply(
      unit,
      { packs, doNotCallKey: new Uint8Array(32) },
      { ...line, policyPack: 'own-quick' },
      {
        requestId: asked.id as PermissionRequestId,
        means: 'yes',
        text: 'Allow calls',
        messageId: 'wamid.tap',
        contextId,
        at: unit.now,
      },
    ),
  );
  assert.equal(await consentStatus(story, number), 'granted');
  assert.deepEqual((await requestOf(asked.id)).quickReply?.nativeMessageId, null);
  await rm(folder, { recursive: true });
});

test('a request that the phone is too old for has failed, with code and fix', async () => {
  const number = newPerson(story, '735', '110');
  const { id, contactId } = await ask(number, { template: 'call_permission_request' });
  await story.until('failed', async () => (await requestOf(id)).status === 'failed');
  const { error } = await requestOf(id);
  assert.equal(error?.code, 'meta_undeliverable');
  assert.notEqual(error?.fix, '');
  type Sent = { status: string; requestId: string; error: { code: string } | null };
  const path = `/v1/contacts/${contactId}/messages`;
  const [message] = (await story.api.get<Page<Sent>>(path)).items;
  assert.deepEqual([message?.status, message?.requestId], ['failed', id]);
  assert.equal(message?.error?.code, error?.code);
});

test('a quick reply worded as a stop is an opt-out, whatever the template says', async () => {
  const text = 'Stop calls';
  assert.equal(readOptOut(text), 'exact');
  const buttons = [
    { text: 'Yes, call me', means: 'yes' },
    { text, means: 'no' },
  ];
  const template = await story.api.post<{ id: string }>('/v1/templates', {
    name: 'with_a_stop',
    language: 'en_US',
    body: 'Hello {{1}}, may we call you on WhatsApp, free over data/WiFi, about {{2}} today?',
    samples: ['Ada', 'your order'],
    buttons,
  });
  assert.ok(!isProblem(template), JSON.stringify(template));
  await story.api.post(`/v1/templates/${template.id}/submit`, {});
  await story.until('approved', async () => {
    const { status } = await story.api.get<{ status: string }>(`/v1/templates/${template.id}`);
    return status === 'approved';
  });
  const number = newPerson(story, '730', '001');
  await ask(number, { template: 'with_a_stop' });
  await delivered(number);
  story.simulator.act(number, { action: 'tap', text });
  await story.until('out', async () => (await contactOf(story, number)).doNotCall);
});

test('MARKETING needs a customer who wrote within 24 hours; UTILITY does not', async () => {
  const number = newPerson(story, '731', '001');
  const sales = { to: number, purpose: PURPOSE, template: 'sales_callback_request' };
  const closed = await story.api.post<PermissionRequestView>('/v1/permission-requests', sales);
  assert.ok(isProblem(closed), JSON.stringify(closed));
  assert.deepEqual([closed.status, closed.code], [409, 'messaging_window_closed']);
  assert.equal(closed.rule, 'messaging_window');
  assert.match(closed.fix, /UTILITY/);
  const [refused] = await ledger(number, 'PermissionRequestRefused');
  assert.equal(refused?.data['code'], 'messaging_window_closed');

  story.simulator.act(number, { action: 'write', text: 'Tell me more about the panels' });
  await story.pass(1_000);
  story.clock.advance(86_400_000 - 60_000);
  const open = await story.api.post<PermissionRequestView>('/v1/permission-requests', sales);
  assert.ok(!isProblem(open), JSON.stringify(open));

  const other = newPerson(story, '732', '001');
  story.simulator.act(other, { action: 'write', text: 'Tell me more' });
  await story.pass(1_000);
  story.clock.advance(86_400_000);
  const late = await story.api.post<PermissionRequestView>('/v1/permission-requests', {
    ...sales,
    to: other,
  });
  assert.ok(isProblem(late) && late.code === 'messaging_window_closed');
  assert.ok((await ask(other, { template: 'call_permission_request' })).id !== '');
});

/** A tap that the simulated phone does not offer any more, as Meta would tell of it. */
async function tapLate(number: string, contextId: string, text: string): Promise<void> {
  await story.pass(2_000);
  const message = {
    from: number.slice(1),
    id: `wamid.late.${number}`,
    timestamp: String(Math.floor(story.clock.now() / 1000)),
    type: 'button',
    context: { id: contextId },
    button: { text, payload: text },
  };
  const value = {
    messaging_product: 'whatsapp',
    metadata: { phone_number_id: PRESET.phoneNumberId },
    messages: [message],
  };
  const changes = [{ field: 'messages', value }];
  const entry = [{ id: PRESET.wabaId, changes }];
  const body = JSON.stringify({ object: 'whatsapp_business_account', entry });
  const signature = createHmac('sha256', PRESET.appSecret).update(body).digest('hex');
  const { statusCode } = await request(`${story.server.url}/webhooks/whatsapp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-hub-signature-256': `sha256=${signature}`,
    },
    body,
  });
  assert.equal(statusCode, 200);
}

async function graphAsk(number: string): Promise<void> {
  const { status } = await story.simulator.inject({
    method: 'POST',
    url: '/v23.0/100000000000001/messages',
    headers: { authorization: 'Bearer sim-token' },
    payload: {
      messaging_product: 'whatsapp',
      to: number,
      type: 'template',
      template: {
        name: 'call_permission_request',
        language: { code: 'en_US' },
        components: [
          {
            type: 'body',
            parameters: ['Ada', 'it'].map((text) => ({ type: 'text', text })),
          },
        ],
      },
    },
  });
  assert.equal(status, 200);
}
