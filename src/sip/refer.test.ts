import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, answeredCall, peerRequest, setStage, type SipStage } from '../../test/sip-peer.ts';
import { headerOf, type SipHeader, type SipRequest } from './message.ts';
import { parseReplaces, parseSipfrag } from './refer-values.ts';
import type { SipCallEvent } from './sip.ts';

const FOREVER_MS = 400_000;

function assertNothingLeft(stage: SipStage): void {
  stage.clock.advance(FOREVER_MS);
  assert.equal(stage.core.liveCount, 0);
  assert.equal(stage.clock.pendingTimers, 0);
}

function refer(invite: SipRequest, sequence: number, to: string, more: SipHeader[] = []) {
  return peerRequest(invite, 'REFER', sequence, { headers: [['Refer-To', to], ...more] });
}

function referredIn(events: readonly SipCallEvent[]) {
  const event = events.findLast((one) => one.kind === 'referred');
  assert.ok(event?.kind === 'referred');
  return event;
}

/** What the NOTIFYs said so far. */
function notified(stage: SipStage): string[] {
  return stage.sent.flatMap(({ message }) =>
    message.kind === 'request' && message.method === 'NOTIFY'
      ? [`${message.body.trim()} | ${headerOf(message, 'subscription-state')}`]
      : [],
  );
}

test("the peer's transfer is accepted, told of, and over with its outcome", async () => {
  const stage = setStage();
  const { events, invite } = await answeredCall(stage);
  const by: SipHeader = ['Referred-By', '<sip:agent@pbx.example.com>'];
  stage.deliver(refer(invite, 1, '"Desk" <sip:200@pbx.example.com>', [by]));
  const asked = referredIn(events);
  assert.equal(asked.target, 'sip:200@pbx.example.com');
  assert.equal(asked.referredBy, '<sip:agent@pbx.example.com>');
  assert.equal(asked.replaces, undefined);
  asked.notify(200, 'too early');
  asked.accept();
  asked.accept();
  assert.equal(stage.lastReply().status, 202);
  assert.equal(headerOf(stage.last('NOTIFY'), 'event'), 'refer');
  assert.equal(headerOf(stage.last('NOTIFY'), 'content-type'), 'message/sipfrag;version=2.0');
  asked.notify(180, 'Ring\r\ning');
  stage.deliver(refer(invite, 2, '<sip:300@pbx.example.com>'));
  assert.equal(stage.lastReply().status, 491, 'one at a time');
  asked.notify(200, 'OK');
  asked.notify(503, 'nobody hears this');
  assert.deepEqual(notified(stage), [
    'SIP/2.0 100 Trying | active;expires=180',
    'SIP/2.0 180 Ring ing | active;expires=180',
    'SIP/2.0 200 OK | terminated;reason=noresource',
  ]);
  stage.deliver(refer(invite, 3, '<sip:300@pbx.example.com>'));
  referredIn(events).accept();
  assert.equal(headerOf(stage.last('NOTIFY'), 'event'), 'refer;id=3');
  stage.deliver(peerRequest(invite, 'BYE', 9));
  referredIn(events).notify(200, 'after the end');
  assertNothingLeft(stage);
});

test('an attended transfer names the dialog that the new call replaces', async () => {
  const stage = setStage();
  const { events, call, invite } = await answeredCall(stage);
  const replaces = 'a%40b%3Bto-tag%3Dt%3Bfrom-tag%3Df';
  stage.deliver(refer(invite, 1, `<sip:200@pbx.example.com;x=y?Replaces=${replaces}&A=b>`));
  const asked = referredIn(events);
  assert.equal(asked.target, 'sip:200@pbx.example.com;x=y');
  assert.deepEqual(asked.replaces, { callId: 'a@b', toTag: 't', fromTag: 'f' });
  asked.accept();
  call.hangUp();
  const second = setStage();
  const { call: other } = await second.call({
    target: { uri: asked.target },
    replaces: asked.replaces ?? { callId: '', toTag: '', fromTag: '' },
    referredBy: '<sip:agent@pbx.example.com>',
  });
  const placed = second.last('INVITE');
  assert.equal(headerOf(placed, 'replaces'), 'a@b;to-tag=t;from-tag=f');
  assert.equal(headerOf(placed, 'require'), 'replaces');
  assert.equal(headerOf(placed, 'referred-by'), '<sip:agent@pbx.example.com>');
  other.hangUp();
  second.deliver(answer(placed, 487));
  assertNothingLeft(second);
  assertNothingLeft(stage);
});

test('a REFER that cannot be understood is refused before anybody hears of it', async () => {
  const stage = setStage();
  const { call, events, invite } = await answeredCall(stage);
  const bad = [
    'nonsense',
    '<sip:a@b;method=BYE>',
    '<sip:a@b?Replaces=%zz>',
    '<sip:a@b?Replaces=x>',
    '<sip:>',
  ];
  let sequence = 0;
  for (const to of bad) {
    stage.deliver(refer(invite, (sequence += 1), to));
    assert.equal(stage.lastReply().status, 400, to);
  }
  const twice: SipHeader[] = [['Refer-To', '<sip:a@b>']];
  stage.deliver(refer(invite, (sequence += 1), '<sip:a@b>', twice));
  assert.equal(stage.lastReply().status, 400);
  assert.ok(events.every(({ kind }) => kind !== 'referred'));
  // Another scheme is our user's decision: it is the one who knows what may be called.
  stage.deliver(refer(invite, (sequence += 1), '<tel:+4930123>'));
  assert.equal(referredIn(events).target, 'tel:+4930123');
  referredIn(events).reject(403, 'VoIP only');
  assert.equal(stage.lastReply().status, 403);
  stage.deliver(refer(invite, (sequence += 1), '<sip:a@b>'));
  stage.clock.advance(10_000);
  assert.equal(stage.lastReply().status, 480, 'nobody decided');
  stage.deliver(refer(invite, (sequence += 1), '<sip:a@b>', [['Refer-Sub', 'false']]));
  referredIn(events).accept();
  assert.equal(headerOf(stage.lastReply(), 'refer-sub'), 'false');
  assert.equal(stage.count('NOTIFY'), 0);
  call.hangUp();
  assertNothingLeft(stage);
});

function notify(invite: SipRequest, sequence: number, body: string, state: string) {
  const headers: SipHeader[] = [
    ['Event', 'refer'],
    ['Subscription-State', state],
    ['Content-Type', 'message/sipfrag'],
  ];
  return peerRequest(invite, 'NOTIFY', sequence, { body, headers });
}

test('our transfer: taken, ringing, done, each told once', async () => {
  const stage = setStage();
  const { call, events, invite } = await answeredCall(stage);
  call.refer('sip:200@pbx.example.com', { callId: 'c', toTag: 't', fromTag: 'f' });
  const sent = stage.last('REFER');
  assert.equal(
    headerOf(sent, 'refer-to'),
    '<sip:200@pbx.example.com?Replaces=c%3Bto-tag%3Dt%3Bfrom-tag%3Df>',
  );
  assert.match(headerOf(sent, 'referred-by') ?? '', /<sip:4930123@192\.0\.2\.9>$/);
  stage.deliver(answer(sent, 202));
  call.refer('sip:300@pbx.example.com');
  stage.deliver(notify(invite, 1, 'SIP/2.0 180 Ringing\r\n', 'active;expires=60'));
  assert.equal(stage.lastReply().status, 200);
  stage.deliver(notify(invite, 2, 'SIP/2.0 200 OK', 'terminated;reason=noresource'));
  stage.deliver(notify(invite, 3, 'SIP/2.0 200 OK', 'terminated;reason=noresource'));
  assert.equal(stage.lastReply().status, 481, 'that subscription is over');
  const told = events.flatMap((event) =>
    event.kind === 'referProgress' ? [`${event.status} ${event.final}`] : [],
  );
  assert.deepEqual(told, ['202 false', '491 true', '180 false', '200 true']);
  call.hangUp();
  assertNothingLeft(stage);
});

test('our transfer fails in every way a peer can fail it, and ends in one outcome', async () => {
  const ways: [string, (stage: SipStage, invite: SipRequest) => void, string][] = [
    ['refused', (stage) => stage.deliver(answer(stage.last('REFER'), 603)), '603'],
    ['no answer', (stage) => stage.clock.advance(32_000), '408'],
    [
      'no outcome',
      (stage) => {
        stage.deliver(answer(stage.last('REFER'), 202));
        stage.clock.advance(180_000);
      },
      '202 408',
    ],
    [
      'ended without a status',
      (stage, invite) => {
        stage.deliver(notify(invite, 1, '', 'terminated'));
        stage.deliver(answer(stage.last('REFER'), 202));
      },
      '408',
    ],
    [
      'outcome before the 202',
      (stage, invite) => stage.deliver(notify(invite, 1, 'SIP/2.0 486 Busy', 'active')),
      '486',
    ],
    [
      'silent',
      (stage) =>
        stage.deliver(answer(stage.last('REFER'), 202, { headers: [['Refer-Sub', 'false']] })),
      '202',
    ],
  ];
  for (const [what, happens, expected] of ways) {
    const stage = setStage();
    const { call, events, invite } = await answeredCall(stage);
    call.refer('sip:200@pbx.example.com');
    happens(stage, invite);
    const told = events.flatMap((event) => (event.kind === 'referProgress' ? [event.status] : []));
    assert.equal(told.join(' '), expected, what);
    call.hangUp();
    assertNothingLeft(stage);
  }
});

test('a target that is no SIP URI is not sent', async () => {
  const stage = setStage();
  const { call, events } = await answeredCall(stage);
  for (const target of ['tel:+491', 'sip:a@b?x=y', 'sip:a@b>\r\nX: y', '']) {
    call.refer(target);
    assert.deepEqual(events.at(-1), {
      kind: 'referProgress',
      status: 400,
      reason: 'The target is not a SIP URI',
      final: true,
    });
  }
  assert.equal(stage.count('REFER'), 0);
  assert.deepEqual(call.replaceable()?.toTag, 'peer');
  call.hangUp();
  assert.equal(call.replaceable(), undefined);
  assertNothingLeft(stage);
});

test('fragments and Replaces are read strictly', () => {
  assert.deepEqual(parseSipfrag('SIP/2.0 200 OK\r\nContact: <sip:a@b>'), {
    status: 200,
    reason: 'OK',
  });
  assert.equal(parseSipfrag('INVITE sip:a@b SIP/2.0'), undefined);
  assert.equal(parseSipfrag('SIP/2.0 2000 OK'), undefined);
  assert.deepEqual(parseReplaces('a;from-tag=f;early-only;to-tag=t'), {
    callId: 'a',
    toTag: 't',
    fromTag: 'f',
    earlyOnly: true,
  });
  for (const bad of ['', 'a', 'a;to-tag=t', 'a;to-tag=;from-tag=f', 'a b;to-tag=t;from-tag=f']) {
    assert.equal(parseReplaces(bad), undefined, bad);
  }
});
