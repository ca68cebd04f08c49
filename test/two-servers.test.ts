import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeApiClient, isProblem, type ApiClient } from '../src/cli/api-client.ts';
import type { CallActionView, CallView, Page } from '../src/http/api-types.ts';
import { openServer } from '../src/main.ts';
import { makeIds } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { readSettings } from '../src/settings.ts';
import { openWhatsAppClient } from '../src/whatsapp/client.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, getYes, newPerson, placed, reach } from './story-people.ts';

/**
 * The API and the gateway as two servers that share nothing but the database: an order that is
 * given to the one is done by the other, and the end of either loses no order and doubles none.
 */
let story: Story;
let front: Front;
let next = 640;

/** A server with the `api` role alone. */
type Front = { api: ApiClient; close(): Promise<void> };

async function openFront(seed: number): Promise<Front> {
  const { clock, database, media, sip, secrets, dataDir, apiKey } = story;
  const random = seededRandom(seed);
  const whatsapp = openWhatsAppClient({ clock, log: silentLog });
  const server = await openServer({
    clock,
    database,
    media,
    sip,
    whatsapp,
    settings: readSettings({
      PORT: '0',
      ASKFIRST_DATA_DIR: dataDir,
      ASKFIRST_ROLES: 'api',
      ASKFIRST_REQUESTS_PER_MINUTE: '1000000',
    }),
    random,
    ids: makeIds(clock, random),
    log: silentLog,
    secrets,
    simulatorUrl: null,
    webFolder: null,
  });
  assert.ok(server.url !== null && server.gateway === null);
  return {
    api: makeApiClient(server.url, apiKey, random),
    async close() {
      const state = { closed: false };
      const closing = server.close().finally(() => {
        state.closed = true;
      });
      while (!state.closed) await story.pass(20);
      await closing;
      await whatsapp.close();
    },
  };
}

before(async () => {
  story = await openStory({ seed: 64 });
  front = await openFront(65);
});
after(async () => {
  await front?.close();
  await story?.close();
});

async function bridged(): Promise<string> {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  return id;
}

async function order(id: string, body: object): Promise<CallActionView> {
  const answer = await front.api.post<CallActionView>(`/v1/calls/${id}/actions`, body);
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer;
}

async function lastOf(id: string): Promise<CallActionView | undefined> {
  const { items } = await front.api.get<Page<CallActionView>>(`/v1/calls/${id}/actions`);
  return items.at(-1);
}

const keysSent = (id: string, digit: string): number =>
  story.media.ordersOf(id).filter((word) => word === `dtmf whatsapp ${digit}`).length;

test('an order to the one server is done by the other, once, and both say so', async () => {
  const id = await bridged();
  await order(id, { action: 'hold' });
  await story.until('held', () => story.media.ordersOf(id).includes('hold'));
  await order(id, { action: 'resume' });
  await story.until('resumed', () => story.media.ordersOf(id).includes('resume'));
  await order(id, { action: 'send_dtmf', digits: '7' });
  await story.until('done', async () => (await lastOf(id))?.status === 'done');
  assert.equal(keysSent(id, '7'), 1);
  const answer = await front.api.post<CallView>(`/v1/calls/${id}/hangup`, {});
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  await reach(story, id, 'ended');
  await assertOneEnd(story, id);
});

test('a call that is asked of the one server is dialled by the other', async () => {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const wish = { to: number, purpose: 'your order 1042' };
  const call = await front.api.post<CallView>('/v1/calls', wish);
  assert.ok(!isProblem(call), JSON.stringify(call));
  await reach(story, call.id, 'bridged');
  await front.api.post(`/v1/calls/${call.id}/hangup`, {});
  await reach(story, call.id, 'ended');
});

test('an API that goes right after its answer has lost no order', async () => {
  const id = await bridged();
  await order(id, { action: 'send_dtmf', digits: '8' });
  await front.close();
  await story.until('the key', () => keysSent(id, '8') === 1);
  front = await openFront(66);
  await story.until('done', async () => (await lastOf(id))?.status === 'done');
  assert.equal(keysSent(id, '8'), 1);
  await front.api.post(`/v1/calls/${id}/hangup`, {});
  await reach(story, id, 'ended');
});

test('a gateway that dies leaves no order open, and the API tells what became of it', async () => {
  const id = await bridged();
  await order(id, { action: 'send_dtmf', digits: '9' });
  await story.crash();
  await story.until('the end', async () => {
    return (await front.api.get<CallView>(`/v1/calls/${id}`)).status === 'ended';
  });
  await assertOneEnd(story, id);
  // What was killed lets go of its sockets once its own patience is over.
  await story.pass(30_000);
  const kept = await story.until('its end', async () => {
    const last = await lastOf(id);
    return last?.status === 'done' || last?.status === 'failed' ? last : null;
  });
  assert.equal(keysSent(id, '9'), kept.status === 'done' ? 1 : keysSent(id, '9'));
  assert.ok(keysSent(id, '9') <= 1);
  if (kept.status === 'failed') {
    assert.match(kept.code ?? '', /^(call_over|order_interrupted|order_not_taken)$/);
  }
});
