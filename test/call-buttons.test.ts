import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem, makeApiClient } from '../src/cli/api-client.ts';
import type { EventView, Page, Problem } from '../src/http/api-types.ts';
import { seededRandom } from '../src/platform/random.ts';
import { openStory, type Story } from './harness.ts';
import { call, contactOf, newPerson } from './story-people.ts';

/** Where the business may not call, the customer gets a button and calls. */
type Message = {
  id: string;
  contactId: string;
  kind: string;
  status: string;
  deliveredAt: string | null;
  error: { code: string; fix: string } | null;
};

let story: Story;
before(async () => {
  story = await openStory({ seed: 47 });
});
after(() => story.close());

const FREE = { text: 'Your order has a question. Call us when it suits you.', label: 'Call us' };
const TEMPLATE = { template: 'call_invitation', variables: ['Ada', 'your order 1042'] };

const send = (to: string, more: object) =>
  story.api.post<Message>('/v1/call-buttons', { to, ...more });

async function sent(to: string, more: object): Promise<Message> {
  const message = await send(to, more);
  assert.ok(!isProblem(message), JSON.stringify(message));
  return message;
}

async function refusedWith(to: string, more: object): Promise<Problem> {
  const answer = await send(to, more);
  assert.ok(isProblem(answer), JSON.stringify(answer));
  return answer;
}

function reached(id: string, status: string): Promise<Message> {
  return story.until(status, async () => {
    const message = await story.api.get<Message>(`/v1/messages/${id}`);
    return message.status === status ? message : null;
  });
}

/** Meta pauses a template, and its webhook gets lost. */
async function pauseUnheard(name: string): Promise<void> {
  type Listed = { templates: Array<{ id: string; name: string; language: string }> };
  const { body } = await story.simulator.inject({ method: 'GET', url: '/simulator/templates' });
  const found = (body as Listed).templates.find(
    (template) => template.name === name && template.language === 'en_US',
  );
  story.simulator.setFault({ kind: 'drop_webhook', on: 'PAUSED' });
  const payload = { status: 'PAUSED', reason: 'FIRST_PAUSE' };
  await story.simulator.inject({
    method: 'POST',
    url: `/simulator/templates/${found?.id}`,
    payload,
  });
}

async function eventsOf(contactId: string, type: string): Promise<EventView[]> {
  const { items } = await story.api.get<Page<EventView>>('/v1/events?limit=100');
  return items.filter((event) => event.contactId === contactId && event.type === type);
}

test('outside the window only a template goes out, and the customer can tap it', async () => {
  const number = newPerson(story, '741', '001');
  const refused = await refusedWith(number, FREE);
  assert.deepEqual([refused.status, refused.code], [409, 'messaging_window_closed']);
  assert.match(refused.fix, /call_invitation/);

  const { id, contactId } = await sent(number, { ...TEMPLATE, payload: 'order-1042' });
  await reached(id, 'delivered');
  const button = story.simulator.person(number).messages.at(-1)?.buttons[0];
  assert.deepEqual([button?.text, button?.action], ['Call now', 'call_business']);
  assert.equal((await eventsOf(contactId, 'call_button.sent')).length, 1);
  assert.equal((await eventsOf(contactId, 'call_button.refused')).length, 1);
  story.simulator.act(number, { action: 'tap', text: 'Call now' });
  const { call: theirs } = story.simulator.person(number);
  assert.equal(theirs?.direction, 'USER_INITIATED');
  // Their call has opened the window, so a free-form message may follow.
  await story.pass(1_000);
  await reached((await sent(number, FREE)).id, 'delivered');
});

test('inside the window free text goes out with the button, its time and its payload', async () => {
  const number = newPerson(story, '742', '001');
  story.simulator.act(number, { action: 'write', text: 'Where is my order?' });
  await story.pass(1_000);
  const { id } = await sent(number, { ...FREE, ttlMinutes: 60, payload: 'order-7' });
  await reached(id, 'delivered');
  const message = story.simulator.person(number).messages.at(-1);
  assert.equal(message?.kind, 'call_button');
  assert.deepEqual(message?.buttons[0], {
    text: 'Call us',
    action: 'call_business',
    enabled: true,
    payload: 'order-7',
  });
});

test('a call of the customer opens the window as well as words do', async () => {
  const number = newPerson(story, '743', '001');
  await story.simulator.inject({ method: 'GET', url: '/simulator/state' });
  story.simulator.act(number, { action: 'call_business' });
  await story.pass(1_000);
  await reached((await sent(number, FREE)).id, 'delivered');
});

test('whoever said stop is not invited either, and the refusal is kept', async () => {
  const number = newPerson(story, '744', '001');
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('out', async () => {
    const path = `/v1/contacts?number=${encodeURIComponent(number)}`;
    const [contact] = (await story.api.get<Page<{ optedOutAt: string | null }>>(path)).items;
    return contact !== undefined && contact.optedOutAt !== null;
  });
  for (const more of [FREE, TEMPLATE]) {
    const refused = await refusedWith(number, more);
    assert.deepEqual([refused.status, refused.code], [403, 'opted_out']);
  }
  const { id } = await contactOf(story, number);
  assert.equal((await eventsOf(id, 'call_button.refused')).length, 2);
});

test('a customer in a blocked country cannot be called, but can be invited to call', async () => {
  const number = '+12025550143';
  story.simulator.addPerson({ number });
  const refused = await call(story, number);
  assert.ok(isProblem(refused));
  assert.equal(refused.code, 'customer_country_blocked');
  assert.match(refused.fix, /POST \/v1\/call-buttons/);
  await reached((await sent(number, TEMPLATE)).id, 'delivered');
});

test('a customer in a sanctioned country is not even invited', async () => {
  const refused = await refusedWith('+5352345678', TEMPLATE);
  assert.deepEqual([refused.status, refused.code], [403, 'sanctioned_place']);
});

test('what Meta could not deliver is failed, with code and fix', async () => {
  const number = newPerson(story, '745', '001');
  await pauseUnheard('call_invitation');
  const { id, contactId } = await sent(number, TEMPLATE);
  const failed = await reached(id, 'failed');
  assert.equal(failed.error?.code, 'meta_template_paused');
  assert.notEqual(failed.error?.fix ?? '', '');
  assert.equal((await eventsOf(contactId, 'call_button.failed')).length, 1);
});

test('wrong input is named, and without a key nothing is sent or told', async () => {
  const both = await refusedWith('+447700900001', { ...FREE, ...TEMPLATE });
  assert.deepEqual([both.status, both.code], [400, 'invalid_request']);
  const asking = { template: 'call_permission_request', variables: ['Ada', 'it'] };
  const without = await refusedWith('+447700900001', asking);
  assert.deepEqual([without.status, without.code], [422, 'template_without_call_button']);
  const stranger = makeApiClient(story.server.url ?? '', 'af_test_wrong', seededRandom(2));
  const path = '/v1/call-buttons';
  assert.equal((await stranger.post<Problem>(path, {})).status, 401);
  assert.equal((await stranger.get<Problem>('/v1/messages/msg_0')).status, 401);
});

test('all messages to a customer are listed with what became of them', async () => {
  const { id } = await contactOf(story, '+447700900742');
  const { items } = await story.api.get<Page<Message>>(`/v1/contacts/${id}/messages`);
  assert.deepEqual(
    items.map(({ kind, status }) => [kind, status]),
    [['call_button', 'delivered']],
  );
});
