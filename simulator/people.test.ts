import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { rehearse, SAMPLE_OFFER, type Rehearsal, type WebhookValue } from './simulator-harness.ts';
import { sentinel } from './people.ts';
import { PRESET } from './simulator.ts';

const DAY = 86_400_000;
const SECOND = 1000;

function messagesIn(stage: Rehearsal): WebhookValue[] {
  return stage.received
    .flatMap(({ body }) => body.entry.flatMap((entry) => entry.changes))
    .filter((change) => change.field === 'messages')
    .map((change) => change.value);
}

function replies(stage: Rehearsal): Array<Record<string, unknown>> {
  return messagesIn(stage)
    .flatMap((value) => value.messages ?? [])
    .filter((message) => message.type === 'interactive');
}

function reply(stage: Rehearsal): Record<string, unknown> {
  const last = replies(stage).at(-1) as { interactive: Record<string, unknown> };
  return last.interactive.call_permission_reply as Record<string, unknown>;
}

describe('people who act by themselves', () => {
  let stage: Rehearsal;
  beforeEach(async () => {
    stage = await rehearse({});
  });
  afterEach(async () => {
    await stage.close();
    assert.equal(stage.clock.pendingTimers, 0, 'a closed simulator leaves no timer behind');
  });

  const play = async (nnn: string, ms: number): Promise<string[]> => {
    const asked = await stage.ask(sentinel(nnn));
    assert.match(asked, /^wamid\./);
    await stage.pass(2 * SECOND);
    stage.received.length = 0;
    assert.match(await stage.dial(sentinel(nnn)), /^wacid\./);
    await stage.pass(ms);
    return stage.callEvents();
  };

  test('100 allows for seven days, answers, and talks until we hang up', async () => {
    const wamid = await stage.ask(sentinel('100'));
    await stage.pass(2 * SECOND);
    const statuses = messagesIn(stage).flatMap((value) => value.statuses ?? []);
    assert.deepEqual(
      statuses.map((status) => status.status),
      ['sent', 'delivered', 'read'],
    );
    const answeredAt = Number((replies(stage)[0] as { timestamp: string }).timestamp);
    const { response, is_permanent: permanent, expiration_timestamp: expiry } = reply(stage);
    assert.deepEqual([response, permanent], ['accept', false]);
    assert.equal(Number(expiry), answeredAt + (7 * DAY) / 1000);
    assert.deepEqual(replies(stage)[0]?.context, { from: '442079460000', id: wamid });

    const wacid = await stage.dial(sentinel('100'), 'my-call');
    await stage.pass(10 * SECOND);
    assert.deepEqual(stage.callEvents(), ['connect', 'RINGING', 'ACCEPTED']);
    const ended = await stage.graph('POST', `${PRESET.phoneNumberId}/calls`, {
      messaging_product: 'whatsapp',
      call_id: wacid,
      action: 'terminate',
    });
    assert.deepEqual(ended.body, { messaging_product: 'whatsapp', success: true });
    await stage.pass(SECOND);
    assert.equal(stage.callEvents().at(-1), 'terminate COMPLETED');
    const [terminate] = stage.received.at(-1)?.body.entry[0]?.changes[0]?.value.calls ?? [];
    assert.equal(terminate?.duration, 7);
    assert.equal(terminate?.biz_opaque_callback_data, 'my-call');
    assert.equal(typeof terminate?.start_time, 'string');
  });

  test('101 hangs up after five seconds', async () => {
    assert.deepEqual(await play('101', 10 * SECOND), [
      'connect',
      'RINGING',
      'ACCEPTED',
      'terminate COMPLETED',
    ]);
    assert.equal(stage.simulator.person(sentinel('101')).pastCalls[0]?.ending, 'person_hung_up');
  });

  test('102 declines the request, and cannot be called', async () => {
    await stage.ask(sentinel('102'));
    await stage.pass(2 * SECOND);
    assert.deepEqual(reply(stage), { response: 'reject', response_source: 'user_action' });
    assert.equal(await stage.dial(sentinel('102')), 'refused 138006');
  });

  test('103 never answers the request', async () => {
    stage.received.length = 0;
    await stage.ask(sentinel('103'));
    await stage.pass(10 * SECOND);
    assert.deepEqual(replies(stage), []);
    assert.equal(await stage.dial(sentinel('103')), 'refused 138006');
  });

  test('104 declines the call', async () => {
    assert.deepEqual(await play('104', 10 * SECOND), [
      'connect',
      'RINGING',
      'REJECTED',
      'terminate FAILED',
    ]);
  });

  test('105 lets it ring until the time-out', async () => {
    assert.deepEqual(await play('105', 70 * SECOND), ['connect', 'RINGING', 'terminate FAILED']);
    const call = stage.simulator.person(sentinel('105')).pastCalls[0];
    assert.equal(call?.ending, 'no_answer');
    assert.equal(Date.parse(call?.endedAt ?? '') - Date.parse(call?.ringingAt ?? ''), 60_000);
  });

  test('106 revokes while it rings', async () => {
    const events = await play('106', 5 * SECOND);
    assert.deepEqual(events, ['connect', 'RINGING']);
    assert.deepEqual(reply(stage), { response: 'reject', response_source: 'user_action' });
    assert.equal(replies(stage).at(-1)?.context, undefined);
    assert.equal(stage.simulator.person(sentinel('106')).permissions[0]?.status, 'no_permission');
  });

  test('107 presses 1 2 3 #', async () => {
    await play('107', 10 * SECOND);
    assert.equal(stage.simulator.person(sentinel('107')).call?.digitsSent, '123#');
  });

  test('108 stops sending, and WhatsApp ends the call with 138022', async () => {
    assert.deepEqual(await play('108', 60 * SECOND), [
      'connect',
      'RINGING',
      'ACCEPTED',
      'terminate FAILED 138022',
    ]);
  });

  test('109 never rings and ends with 138020', async () => {
    assert.deepEqual(await play('109', 30 * SECOND), ['connect', 'terminate FAILED 138020']);
    assert.equal(stage.simulator.person(sentinel('109')).permissions[0]?.unansweredInARow, 0);
  });

  test('110 takes neither requests (131026) nor calls (138001)', async () => {
    stage.received.length = 0;
    await stage.ask(sentinel('110'));
    await stage.pass(SECOND);
    const [status] = messagesIn(stage).flatMap((value) => value.statuses ?? []);
    assert.equal(status?.status, 'failed');
    assert.equal((status?.errors as Array<{ code: number }> | undefined)?.[0]?.code, 131026);
    assert.equal(await stage.dial(sentinel('110')), 'refused 138001');
  });

  test('111 allows permanently', async () => {
    const events = await play('111', 5 * SECOND);
    assert.deepEqual(events, ['connect', 'RINGING', 'ACCEPTED']);
    assert.equal(stage.simulator.person(sentinel('111')).permissions[0]?.status, 'permanent');
    assert.equal(await stage.ask(sentinel('111')), 'refused 138017');
  });

  test('112 writes "stop calls" during the call', async () => {
    await play('112', 10 * SECOND);
    const texts = messagesIn(stage).flatMap((value) => value.messages ?? []);
    assert.deepEqual(texts.at(-1)?.text, { body: 'stop calls' });
    assert.equal(stage.simulator.person(sentinel('112')).call?.state, 'answered');
  });

  test('113 answers, but no media comes up: 138007', async () => {
    assert.deepEqual(await play('113', 30 * SECOND), [
      'connect',
      'RINGING',
      'ACCEPTED',
      'terminate FAILED 138007',
    ]);
  });
});

describe('people driven by hand', () => {
  test('Ada allows, is called, answers and hangs up', async () => {
    await using stage = await rehearse({});
    const ada = sentinel('001');
    await stage.ask(ada);
    await stage.pass(5 * SECOND);
    const card = stage.simulator.person(ada).messages[0];
    assert.equal(card?.kind, 'permission_request');
    assert.deepEqual(
      card?.buttons.map((button) => button.text),
      ['Allow calls', 'Always allow', 'Not now'],
    );
    stage.simulator.act(ada, { action: 'allow' });
    await stage.dial(ada);
    await stage.pass(2 * SECOND);
    assert.equal(stage.simulator.person(ada).call?.businessName, 'Askfirst Demo Clinic');
    stage.simulator.act(ada, { action: 'answer' });
    await stage.pass(3 * SECOND);
    stage.simulator.act(ada, { action: 'hang_up' });
    await stage.pass(SECOND);
    assert.equal(stage.callEvents().at(-1), 'terminate COMPLETED');
    assert.throws(() => stage.simulator.act(ada, { action: 'answer' }), /No call is ringing/);
  });

  test('Bo is known by user id alone', async () => {
    await using stage = await rehearse({});
    const bo = sentinel('002');
    const { userId } = stage.simulator.person(bo);
    await stage.ask(bo);
    await stage.pass(SECOND);
    stage.simulator.act(bo, { action: 'allow' });
    const answer = await stage.graph('POST', `${PRESET.phoneNumberId}/calls`, {
      messaging_product: 'whatsapp',
      recipient: userId,
      action: 'connect',
      session: { sdp_type: 'offer', sdp: SAMPLE_OFFER },
    });
    assert.equal(answer.status, 200);
    await stage.pass(2 * SECOND);
    assert.deepEqual(stage.callEvents(), ['connect', 'RINGING']);
    const raw = stage.received.map((one) => one.raw.toString()).join('');
    assert.ok(raw.includes(userId));
    assert.ok(!raw.includes('447700900002'), 'no webhook carries the number');
    assert.ok(raw.includes('\\u00c5ngstr\\u00f6m'), 'the name is escaped in lower case');
  });

  test('the answer may be changed while the request is open, for seven days', async () => {
    await using stage = await rehearse({});
    const ada = sentinel('001');
    const wamid = await stage.ask(ada);
    await stage.pass(SECOND);
    stage.simulator.act(ada, { action: 'not_now' });
    stage.simulator.act(ada, { action: 'allow', messageId: wamid });
    assert.equal(stage.simulator.person(ada).permissions[0]?.status, 'temporary');
    stage.clock.advance(7 * DAY);
    assert.equal(stage.simulator.person(ada).permissions[0]?.status, 'no_permission');
    assert.throws(
      () => stage.simulator.act(ada, { action: 'allow', messageId: wamid }),
      /no longer be answered/,
    );
  });

  test('two missed calls give a notice, four take the permission away', async () => {
    await using stage = await rehearse({ settings: { ringTimeoutMs: 5000 } });
    const hal = sentinel('105');
    await stage.ask(hal);
    await stage.pass(2 * SECOND);
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      assert.match(await stage.dial(hal), /^wacid/);
      await stage.pass(8 * SECOND);
    }
    const kinds = stage.simulator.person(hal).messages.map((message) => message.kind);
    assert.equal(kinds.filter((kind) => kind === 'system').length, 1);
    assert.deepEqual(reply(stage), { response: 'reject', response_source: 'automatic' });
    assert.equal(await stage.dial(hal), 'refused 138006');
  });

  test('a quick reply of an ordinary template comes back as a button message', async () => {
    await using stage = await rehearse({});
    const ada = sentinel('001');
    await stage.graph('POST', `${PRESET.wabaId}/message_templates`, {
      name: 'may_we_call',
      language: 'en_US',
      category: 'UTILITY',
      components: [
        { type: 'BODY', text: 'May we call you about your order today?' },
        {
          type: 'BUTTONS',
          buttons: [
            { type: 'QUICK_REPLY', text: 'Allow calls' },
            { type: 'QUICK_REPLY', text: 'Not now' },
          ],
        },
      ],
    });
    await stage.pass(3 * SECOND);
    const sent = await stage.graph('POST', `${PRESET.phoneNumberId}/messages`, {
      messaging_product: 'whatsapp',
      to: ada,
      type: 'template',
      template: { name: 'may_we_call', language: { code: 'en_US' } },
    });
    stage.simulator.act(ada, { action: 'tap', text: 'Allow calls' });
    await stage.pass(SECOND);
    const button = messagesIn(stage)
      .flatMap((value) => value.messages ?? [])
      .find((message) => message.type === 'button');
    assert.deepEqual(button?.button, { text: 'Allow calls', payload: 'Allow calls' });
    const context = button?.context as { id: string } | undefined;
    assert.equal(context?.id, sent.body.messages?.[0]?.id);
    // The tap is consent toward the business; it is not Meta's permission.
    assert.equal(await stage.dial(ada), 'refused 138006');
  });

  test('a person who calls the business gives a callback permission', async () => {
    await using stage = await rehearse({});
    const ada = sentinel('001');
    stage.simulator.act(ada, { action: 'call_business' });
    await stage.pass(SECOND);
    assert.deepEqual(stage.callEvents(), ['connect']);
    stage.simulator.act(ada, { action: 'hang_up' });
    await stage.pass(SECOND);
    assert.equal(reply(stage).response_source, 'automatic');
    assert.match(await stage.dial(ada), /^wacid/);
  });
});
