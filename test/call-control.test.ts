import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readCall } from '../src/calls/call-store.ts';
import { isProblem } from '../src/cli/api-client.ts';
import type {
  CallActionView,
  CallView,
  EndpointView,
  Page,
  Problem,
  TimelineEntry,
} from '../src/http/api-types.ts';
import type { CallId } from '../src/platform/ids.ts';
import { assertProblem, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, eventsOf, getYes, newPerson, placed, reach } from './story-people.ts';

/**
 * Orders to a live call: done once, in their order, with an outcome that is kept. Whatever a
 * transfer meets, the customer is never left alone with music.
 */
let story: Story;
let next = 300;
const endpoints = new Map<string, string>();

before(async () => {
  story = await openStory({ seed: 21 });
  for (const user of ['second', 'third', 'busy', 'late', 'never', 'info', 'no-info']) {
    const made = await story.api.post<EndpointView>('/v1/endpoints', {
      name: user,
      uri: `sip:${user}@127.0.0.1:5070`,
      healthCheck: 'off',
      ringTimeoutMs: 10_000,
    });
    assert.ok(!isProblem(made), JSON.stringify(made));
    endpoints.set(user, made.id);
  }
});
after(() => story.close());

const idOf = (user: string): string => endpoints.get(user) ?? '';

async function bridged(user?: string): Promise<string> {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const more = user === undefined ? {} : { endpointId: idOf(user) };
  const { id } = await placed(story, number, more);
  await reach(story, id, 'bridged');
  return id;
}

function order(id: string, body: object): Promise<CallActionView | Problem> {
  return story.api.post<CallActionView>(`/v1/calls/${id}/actions`, body);
}

/** Orders, and moves time until it is known what became of it. */
async function done(id: string, body: object): Promise<CallActionView> {
  const asked = await order(id, body);
  assert.ok(!isProblem(asked), JSON.stringify(asked));
  return story.until(`the outcome of ${JSON.stringify(body)}`, async () => {
    const found = (await actions(id)).find((action) => action.id === asked.id);
    return found?.status === 'done' || found?.status === 'failed' ? found : null;
  });
}

async function actions(id: string): Promise<CallActionView[]> {
  return (await story.api.get<Page<CallActionView>>(`/v1/calls/${id}/actions`)).items;
}

const view = (id: string): Promise<CallView> => story.api.get<CallView>(`/v1/calls/${id}`);

async function hungUp(id: string) {
  await story.api.post(`/v1/calls/${id}/hangup`, {});
  await reach(story, id, 'ended');
  await story.pass(200);
  return assertOneEnd(story, id);
}

/** Moves time until the last transfer of the call has that outcome. */
const transferOutcome = (id: string, outcome: string): Promise<CallView> =>
  story.until(`a transfer that is ${outcome}`, async () => {
    const shown = await view(id);
    return shown.transfers.at(-1)?.outcome === outcome ? shown : null;
  });

/** What the media of the call was told after it was bridged. */
function told(id: string): string[] {
  const all = story.media.ordersOf(id);
  return all.slice(all.indexOf('bridge') + 1);
}

test('hold and resume are done once, shown, announced and measured in the CDR', async () => {
  const id = await bridged();
  assert.equal((await done(id, { action: 'hold' })).status, 'done');
  assert.equal((await done(id, { action: 'hold' })).status, 'done');
  const held = await view(id);
  assert.equal(held.status, 'bridged');
  assert.deepEqual([held.holds.length, held.holds[0]?.to], [1, null]);
  await story.pass(3_000);
  await done(id, { action: 'resume' });
  await done(id, { action: 'resume' });
  assert.deepEqual(told(id), ['hold', 'resume']);
  await story.pass(1_500);
  const cdr = await hungUp(id);
  assert.ok(cdr.holdMs >= 3_000 && cdr.holdMs < 4_000, String(cdr.holdMs));
  assert.equal(cdr.holds[0]?.by, 'business');
  const events = await eventsOf(story, id);
  assert.equal(events.filter((type) => type === 'call.held').length, 1);
  assert.equal(events.filter((type) => type === 'call.resumed').length, 1);
});

test('keys reach an endpoint without telephone events by SIP INFO, and no other way', async () => {
  const id = await bridged('info');
  const ordered = await done(id, { action: 'send_dtmf', digits: '47#', leg: 'endpoint' });
  assert.equal(ordered.status, 'done');
  story.media.press(id, '5', true);
  await done(id, { action: 'send_dtmf', digits: '8' });
  assert.deepEqual(story.sip.informed, ['info 47#', 'info 5']);
  assert.deepEqual(told(id), ['dtmf whatsapp 8']);
  await hungUp(id);
});

test('an endpoint that takes neither way fails the order, and the call goes on', async () => {
  const id = await bridged('no-info');
  const ordered = await done(id, { action: 'send_dtmf', digits: '1', leg: 'endpoint' });
  assert.deepEqual([ordered.status, ordered.code], ['failed', 'keys_refused']);
  assert.match(ordered.fix ?? '', /telephone-event/);
  story.media.press(id, '5', true);
  await story.pass(1_000);
  assert.equal((await view(id)).status, 'bridged');
  assert.deepEqual(told(id), []);
  await hungUp(id);
});

test('mute, keys and sounds reach the media, and digits are kept nowhere', async () => {
  const id = await bridged();
  await done(id, { action: 'mute' });
  assert.deepEqual((await view(id)).muted, ['endpoint']);
  await done(id, { action: 'unmute' });
  await done(id, { action: 'send_dtmf', digits: '4711#' });
  assert.equal((await done(id, { action: 'play', sound: 'beep' })).status, 'done');
  await done(id, { action: 'play', sound: 'hold_music', loop: true });
  await done(id, { action: 'stop_playing' });
  const unknown = await done(id, { action: 'play', sound: 'no such prompt' });
  assert.deepEqual([unknown.status, unknown.code], ['failed', 'sound_unknown']);
  assert.match(unknown.fix ?? '', /prompt/);
  assert.deepEqual(told(id), [
    'mute endpoint',
    'unmute endpoint',
    'dtmf whatsapp 4711#',
    'play whatsapp beep',
    'play whatsapp hold_music',
    'stop whatsapp',
  ]);
  const state = await readCall(story.database, id as CallId);
  assert.ok(!JSON.stringify(state).includes('4711'));
  const timeline = await story.api.get<Page<TimelineEntry>>(`/v1/calls/${id}/timeline`);
  assert.ok(!JSON.stringify(timeline).includes('4711'));
  assert.ok(
    timeline.items.some(({ type, data }) => type === 'CallDigitsSent' && data['count'] === 5),
  );
  assert.ok((await eventsOf(story, id)).includes('call.action_failed'));
  await hungUp(id);
});

test('a blind transfer: music, the other endpoint, the first one is told to go', async () => {
  const id = await bridged();
  const ended = story.sip.ended.length;
  const outcome = await done(id, { action: 'transfer', endpointId: idOf('second') });
  assert.equal(outcome.status, 'done', JSON.stringify(outcome));
  assert.deepEqual(told(id), ['hold', 'use leg2', 'close main', 'resume']);
  assert.equal(story.sip.ended.length, ended + 1);
  assert.match(story.sip.ended.at(-1)?.reason ?? '', /transferred/);
  const { transfers, status } = await view(id);
  assert.equal(status, 'bridged');
  assert.deepEqual(
    transfers.map(({ mode, outcome: how, toEndpointId }) => [mode, how, toEndpointId]),
    [['blind', 'transferred', idOf('second')]],
  );
  // Who speaks with the customer now ends the call, and nobody else.
  story.sip.tell('second', { kind: 'ended', by: 'endpoint' });
  await reach(story, id, 'ended');
  const cdr = await assertOneEnd(story, id);
  assert.deepEqual([cdr.outcome, cdr.endReason], ['completed', 'endpoint_hung_up']);
  assert.equal(cdr.transfers.length, 1);
});

test('a transfer by address goes to an endpoint of the account, and onward', async () => {
  const id = await bridged();
  await done(id, { action: 'transfer', uri: 'sip:second@127.0.0.1:5070' });
  const outcome = await done(id, { action: 'transfer', endpointId: idOf('third') });
  assert.equal(outcome.status, 'done');
  const { transfers } = await view(id);
  assert.deepEqual(
    transfers.map(({ fromEndpointId, toEndpointId }) => [fromEndpointId, toEndpointId]).at(-1),
    [idOf('second'), idOf('third')],
  );
  await hungUp(id);
});

test('a blind transfer to somebody busy brings the customer back', async () => {
  const id = await bridged();
  const outcome = await done(id, { action: 'transfer', endpointId: idOf('busy') });
  assert.deepEqual([outcome.status, outcome.code], ['failed', 'endpoint_busy']);
  assert.deepEqual(told(id), ['hold', 'close leg2', 'resume']);
  const { transfers, status } = await view(id);
  assert.deepEqual([status, transfers[0]?.outcome], ['bridged', 'endpoint_busy']);
  await hungUp(id);
});

test('an agent who hangs up in a blind transfer is not missed if the other comes', async () => {
  const id = await bridged();
  story.sip.lateMs = 2_000;
  await order(id, { action: 'transfer', endpointId: idOf('late') });
  await story.pass(500);
  story.sip.peers.at(-2)?.tell({ kind: 'ended', by: 'endpoint' });
  await transferOutcome(id, 'transferred');
  await hungUp(id);
});

test('an agent who hangs up before a transfer that fails: the call ends and says so', async () => {
  const id = await bridged();
  await order(id, { action: 'transfer', endpointId: idOf('never') });
  await story.pass(500);
  story.sip.peers.at(-2)?.tell({ kind: 'ended', by: 'endpoint' });
  await reach(story, id, 'ended');
  const cdr = await assertOneEnd(story, id);
  assert.equal(cdr.endReason, 'transfer_failed');
  assert.equal(cdr.transfers[0]?.outcome, 'endpoint_no_answer');
});

test('an attended transfer: the endpoints speak, then the customer is handed over', async () => {
  const id = await bridged();
  const asked = await done(id, {
    action: 'transfer',
    mode: 'attended',
    endpointId: idOf('second'),
  });
  assert.equal(asked.status, 'done');
  assert.deepEqual((await view(id)).transfers[0]?.outcome, null);
  assert.equal((await done(id, { action: 'complete_transfer' })).status, 'done');
  assert.deepEqual(told(id), [
    'hold',
    'listen leg2 whisper',
    'unlisten leg2',
    'use leg2',
    'close main',
    'resume',
  ]);
  assert.equal((await view(id)).transfers[0]?.outcome, 'transferred');
  await hungUp(id);
});

test('an attended transfer that is taken back, or that the other one leaves', async () => {
  const id = await bridged();
  const attended = { action: 'transfer', mode: 'attended', endpointId: idOf('second') };
  await done(id, attended);
  const second = await done(id, attended);
  assert.deepEqual([second.status, second.code], ['failed', 'transfer_under_way']);
  assert.equal((await done(id, { action: 'cancel_transfer' })).status, 'done');
  assert.equal((await view(id)).transfers[0]?.outcome, 'transfer_canceled');
  await done(id, attended);
  story.sip.tell('second', { kind: 'ended', by: 'endpoint' });
  assert.equal((await transferOutcome(id, 'endpoint_hung_up')).status, 'bridged');
  assert.equal(told(id).at(-1), 'resume');
  const none = await done(id, { action: 'complete_transfer' });
  assert.equal(none.code, 'no_transfer');
  await hungUp(id);
});

test('an agent who hangs up in a consultation has handed the customer over', async () => {
  const id = await bridged();
  await done(id, { action: 'transfer', mode: 'attended', endpointId: idOf('second') });
  story.sip.peers.at(-2)?.tell({ kind: 'ended', by: 'endpoint' });
  assert.equal((await transferOutcome(id, 'transferred')).status, 'bridged');
  await hungUp(id);
});

test('a listener comes, changes how it takes part, and goes', async () => {
  const id = await bridged();
  const endpointId = idOf('second');
  await done(id, { action: 'add_listener', endpointId });
  await done(id, { action: 'add_listener', endpointId, mode: 'whisper' });
  assert.deepEqual(
    (await view(id)).listeners.map(({ mode, to }) => [mode, to]),
    [['whisper', null]],
  );
  await done(id, { action: 'remove_listener', endpointId });
  const gone = await done(id, { action: 'remove_listener', endpointId });
  assert.equal(gone.code, 'listener_unknown');
  await done(id, { action: 'add_listener', endpointId: idOf('third'), mode: 'barge' });
  story.sip.tell('third', { kind: 'ended', by: 'endpoint' });
  await story.until('two gone', async () =>
    (await view(id)).listeners.every(({ to }) => to !== null),
  );
  const cdr = await hungUp(id);
  assert.equal(cdr.listeners.length, 2);
  assert.ok(cdr.listeners.every(({ to }) => to !== null));
  assert.equal(cdr.endedBy, 'business');
  const events = await eventsOf(story, id);
  assert.equal(events.filter((type) => type === 'call.listener_removed').length, 2);
});

test("the PBX's own transfer is followed, and out of bounds refused", async () => {
  const id = await bridged();
  const said: string[] = [];
  const endedBefore = story.sip.ended.length;
  const refer = (target: string, more: object = {}): void => {
    story.sip.peers.at(-1)?.tell({
      kind: 'referred',
      target,
      ...more,
      accept: () => void said.push('accept'),
      // Once its leg is hung up, the PBX can be told nothing more.
      notify: (status) => {
        const isUp = story.sip.ended.length === endedBefore;
        said.push(isUp ? `notify ${status}` : `notify ${status} too late`);
      },
      reject: (status) => void said.push(`reject ${status}`),
    });
  };
  refer('tel:+15551234567');
  refer('sip:+15551234567@127.0.0.1:5070');
  refer('sip:agent@elsewhere.example');
  await story.until('three answers', () => said.length === 3);
  assert.deepEqual(said.splice(0), ['reject 403', 'reject 403', 'reject 403']);
  // As desk phones do: hold first.
  const offer = { kind: 'offered', sdp: 'v=0\r\na=sendonly\r\n', reply: () => {} } as const;
  story.sip.peers.at(-1)?.tell(offer);
  await story.until('held', async () => (await view(id)).holds.length === 1);
  const replaces = { callId: 'c1', toTag: 't1', fromTag: 'f1' };
  refer('sip:third@127.0.0.1:5070', { replaces, referredBy: '<sip:agent@127.0.0.1>' });
  await story.until('the last word', () => said.includes('notify 200'));
  assert.deepEqual(said, ['accept', 'notify 180', 'notify 200']);
  const invite = story.sip.invites.at(-1);
  assert.deepEqual(invite?.replaces, replaces);
  assert.equal(invite?.referredBy, '<sip:agent@127.0.0.1>');
  const { transfers, holds } = await transferOutcome(id, 'transferred');
  assert.equal(transfers[0]?.by, 'endpoint');
  await story.until('no hold left', async () => (await view(id)).holds[0]?.to);
  assert.equal(holds.length, 1);
  await hungUp(id);
});

test("the PBX's own hold is shown and announced", async () => {
  const id = await bridged();
  const offer = (direction: string): void =>
    story.sip.peers
      .at(-1)
      ?.tell({ kind: 'offered', sdp: `v=0\r\na=${direction}\r\n`, reply: () => {} });
  offer('sendonly');
  await story.until('held', async () => (await view(id)).holds[0]?.by === 'endpoint');
  await story.pass(2_000);
  offer('sendrecv');
  await story.until('resumed', async () => (await view(id)).holds[0]?.to);
  // Meta tells the end in whole seconds, rounded down.
  await story.pass(1_500);
  const cdr = await hungUp(id);
  assert.ok(cdr.holdMs >= 2_000 && cdr.holdMs < 2_500, String(cdr.holdMs));
});

test('an order that cannot be meant is refused at once, with the way out', async () => {
  const number = newPerson(story, String(next++), '105');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'ringing');
  const path = `/v1/calls/${id}/actions`;
  const post = (body: object, status: number) =>
    send(story, 'POST', path, { body }).then((answer) => assertProblem(answer, status));
  assert.equal((await post({ action: 'hold' }, 409)).code, 'call_not_up');
  assert.equal((await post({ action: 'play', sound: 'beep' }, 409)).code, 'call_not_up');
  assert.equal((await post({ action: 'hold', leg: 'endpoint' }, 400)).code, 'invalid_request');
  assert.equal((await post({ action: 'send_dtmf', digits: '12e' }, 400)).code, 'invalid_request');
  const transfer = { action: 'transfer' };
  assert.equal((await post({ ...transfer, endpointId: 'x' }, 422)).code, 'endpoint_unknown');
  const tel = await post({ ...transfer, uri: 'tel:+4420' }, 422);
  assert.equal(tel.code, 'target_not_voip');
  const foreign = await post({ ...transfer, uri: 'sip:a@elsewhere.example' }, 422);
  assert.equal(foreign.code, 'endpoint_unknown');
  await order(id, { action: 'hang_up' });
  await reach(story, id, 'ended');
  assert.equal((await actions(id))[0]?.status, 'done');
  assert.equal((await post({ action: 'hold' }, 409)).code, 'call_over');
  await assertOneEnd(story, id);
});

test('the same key is one order, however often it comes', async () => {
  const id = await bridged();
  const sent = { body: { action: 'send_dtmf', digits: '1' }, headers: { 'idempotency-key': id } };
  const path = `/v1/calls/${id}/actions`;
  const first = await send(story, 'POST', path, sent);
  const again = await send(story, 'POST', path, sent);
  assert.equal(first.text, again.text);
  await story.until('done', async () => (await actions(id))[0]?.status === 'done');
  assert.deepEqual([(await actions(id)).length, ...told(id)], [1, 'dtmf whatsapp 1']);
  await hungUp(id);
});
