import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type {
  CallActionView,
  CallView,
  EndpointView,
  Page,
  Problem,
} from '../src/http/api-types.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, getYes, newPerson, placed, reach } from './story-people.ts';

/** Orders when things die, race or end: none is done twice, none is left open, none is lost. */
let story: Story;
let next = 400;
let second: string;

before(async () => {
  story = await openStory({ seed: 22 });
  const made = await story.api.post<EndpointView>('/v1/endpoints', {
    name: 'second',
    uri: 'sip:second@127.0.0.1:5070',
  });
  assert.ok(!isProblem(made), JSON.stringify(made));
  second = made.id;
});
after(() => story.close());

async function bridged(): Promise<string> {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  return id;
}

const order = (id: string, body: object): Promise<CallActionView | Problem> =>
  story.api.post<CallActionView>(`/v1/calls/${id}/actions`, body);

async function actions(id: string): Promise<CallActionView[]> {
  return (await story.api.get<Page<CallActionView>>(`/v1/calls/${id}/actions`)).items;
}

function told(id: string): string[] {
  const all = story.media.ordersOf(id);
  return all.slice(all.indexOf('bridge') + 1);
}

/** How long after the order the gateway dies: right away, then ever later. */
for (const afterMs of [0, 20, 60, 200]) {
  test(`a gateway that dies ${afterMs} ms after an order: done once or not at all`, async () => {
    const id = await bridged();
    const asked = await order(id, { action: 'send_dtmf', digits: '7' });
    assert.ok(!isProblem(asked));
    if (afterMs > 0) await story.pass(afterMs);
    await story.crash();
    await reach(story, id, 'ended');
    await story.pass(30_000);
    await assertOneEnd(story, id);
    const times = told(id).filter((word) => word === 'dtmf whatsapp 7').length;
    const [kept] = await actions(id);
    assert.ok(times <= 1, `${times} times`);
    if (kept?.status === 'done') assert.equal(times, 1);
    else {
      assert.equal(kept?.status, 'failed');
      assert.match(kept?.code ?? '', /^(call_over|order_interrupted|order_not_taken)$/);
    }
  });
}

test('a gateway that dies in a consultation: both endpoints are told to go', async () => {
  const id = await bridged();
  await order(id, { action: 'transfer', mode: 'attended', endpointId: second });
  await story.until('a consultation', async () => {
    const { transfers } = await story.api.get<CallView>(`/v1/calls/${id}`);
    return transfers[0]?.answered;
  });
  const lost = story.sip.lost.length;
  await story.crash();
  await reach(story, id, 'ended');
  assert.equal(story.sip.lost.length, lost + 2);
  assert.equal(new Set(story.sip.lost.slice(lost)).size, 2);
  await story.pass(5_000);
  await assertOneEnd(story, id);
});

test('a gateway that dies after a transfer ends the leg that is up, and no other', async () => {
  const id = await bridged();
  await order(id, { action: 'transfer', endpointId: second });
  await story.until('transferred', async () => {
    const { transfers } = await story.api.get<CallView>(`/v1/calls/${id}`);
    return transfers[0]?.outcome === 'transferred';
  });
  await story.pass(100);
  const ended = story.sip.ended.length;
  await story.crash();
  await reach(story, id, 'ended');
  assert.deepEqual(
    story.sip.ended.slice(ended).map(({ uri }) => uri),
    ['sip:second@127.0.0.1:5070'],
  );
  await story.pass(5_000);
});

test('50 orders at once: each has an outcome, and they were begun in their order', async () => {
  const id = await bridged();
  const digits = Array.from({ length: 50 }, (_, index) => String(index % 10));
  const answers = await Promise.all(
    digits.map((digit) => order(id, { action: 'send_dtmf', digits: digit })),
  );
  const taken = answers.filter((answer): answer is CallActionView => !isProblem(answer));
  const refused = answers.filter(isProblem);
  // What came while twenty were open was refused, and said so.
  assert.ok(taken.length >= 20, `${taken.length} taken`);
  assert.ok(refused.every(({ code }) => code === 'orders_full'));
  await story.until('all outcomes', async () =>
    (await actions(id)).every(({ status }) => status === 'done'),
  );
  const kept = await actions(id);
  assert.deepEqual(
    kept.map((action) => action.id),
    taken.map((action) => action.id).toSorted(),
  );
  const sent = told(id).filter((word) => word.startsWith('dtmf'));
  assert.equal(sent.length, taken.length);
  const digitOf = new Map(taken.map((action) => [action.id, digits[answers.indexOf(action)]]));
  assert.deepEqual(
    sent,
    kept.map((action) => `dtmf whatsapp ${digitOf.get(action.id)}`),
  );
  await story.api.post(`/v1/calls/${id}/hangup`, {});
  await reach(story, id, 'ended');
  await story.pass(200);
  await assertOneEnd(story, id);
});

test('holds and transfers that race with the end: one end, nothing left open', async () => {
  const id = await bridged();
  const bodies = [
    { action: 'hold' },
    { action: 'transfer', endpointId: second },
    { action: 'hang_up' },
    { action: 'resume' },
    { action: 'transfer', mode: 'attended', endpointId: second },
    { action: 'add_listener', endpointId: second },
    { action: 'mute' },
  ];
  const answers = await Promise.all(bodies.map((body) => order(id, body)));
  for (const answer of answers.filter(isProblem)) assert.equal(answer.code, 'call_over');
  await reach(story, id, 'ended');
  await story.pass(2_000);
  const cdr = await assertOneEnd(story, id);
  assert.equal(cdr.endReason, 'business_hung_up');
  for (const action of await actions(id)) {
    assert.ok(action.status === 'done' || action.status === 'failed', action.action);
    assert.equal(action.code === null, action.status === 'done');
  }
});

test('the customer who hangs up in the middle of a transfer ends it, and every leg', async () => {
  const number = newPerson(story, String(next++), '100');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  await order(id, { action: 'transfer', mode: 'attended', endpointId: second });
  await story.pass(20);
  story.simulator.act(number, { action: 'hang_up' });
  await reach(story, id, 'ended');
  await story.pass(500);
  const cdr = await assertOneEnd(story, id);
  assert.equal(cdr.endedBy, 'customer');
});
