import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answer,
  answeredCall,
  OWN_SDP,
  peerRequest,
  sequenceOf,
  setStage,
  settle,
  type SipStage,
} from '../../test/sip-peer.ts';
import { headerOf, headersOf, type SipHeader } from './message.ts';
import { OWN_OFFER_MACHINE } from './own-offers.ts';
import { PEER_REFER_MACHINE } from './peer-refer.ts';
import type { ReofferOutcome, SipCallEvent } from './sip.ts';

const FOREVER_MS = 400_000;

function assertNothingLeft(stage: SipStage): void {
  stage.clock.advance(FOREVER_MS);
  assert.equal(stage.core.liveCount, 0);
  assert.equal(stage.clock.pendingTimers, 0);
}

function lastEvent<K extends SipCallEvent['kind']>(
  events: readonly SipCallEvent[],
  kind: K,
): Extract<SipCallEvent, { kind: K }> {
  const event = events.findLast((one) => one.kind === kind);
  assert.ok(event !== undefined, `no ${kind}`);
  return event as Extract<SipCallEvent, { kind: K }>;
}

function heard(promise: Promise<ReofferOutcome>): ReofferOutcome[] {
  const outcomes: ReofferOutcome[] = [];
  void promise.then((outcome) => outcomes.push(outcome));
  return outcomes;
}

test('every state of the offer and refer tables leads to a state that exists', () => {
  for (const machine of [OWN_OFFER_MACHINE, PEER_REFER_MACHINE]) {
    for (const moves of Object.values(machine)) {
      for (const to of Object.values(moves)) assert.ok(Object.hasOwn(machine, to));
    }
  }
});

test('our re-INVITE is answered and acknowledged, its repeated 200 once more', async () => {
  const stage = setStage();
  const { call, events, invite } = await answeredCall(stage);
  const outcome = heard(call.reoffer('new offer'));
  const again = stage.last('INVITE');
  assert.equal(again.body, 'new offer');
  assert.equal(sequenceOf(again), sequenceOf(invite) + 1);
  assert.equal(headerOf(again, 'to'), `${headerOf(invite, 'to')};tag=peer`);
  const moved = { body: 'new answer', contact: '<sip:moved@192.0.2.1:5070>' };
  stage.deliver(answer(again, 200, moved));
  stage.deliver(answer(again, 200, moved));
  await settle();
  assert.deepEqual(outcome, [{ sdp: 'new answer' }]);
  assert.equal(stage.count('ACK'), 3);
  assert.equal(sequenceOf(stage.last('ACK')), sequenceOf(again));
  call.hangUp();
  assert.equal(stage.last('BYE').uri, 'sip:moved@192.0.2.1:5070');
  assert.equal(sequenceOf(stage.last('BYE')), sequenceOf(again) + 1);
  assert.equal(events.length, 2);
  assertNothingLeft(stage);
});

test('glare: 491 both ways, the peer first, ours again after 2.1 to 4 s', async () => {
  const stage = setStage();
  const { call, events, invite } = await answeredCall(stage);
  const outcome = heard(call.reoffer('ours'));
  const first = stage.last('INVITE');
  stage.deliver(peerRequest(invite, 'INVITE', 1, { body: 'theirs' }));
  assert.equal(stage.lastReply().status, 491, 'theirs crosses ours');
  stage.deliver(answer(first, 491));
  stage.deliver(peerRequest(invite, 'INVITE', 2, { body: 'theirs' }));
  lastEvent(events, 'offered').reply({ sdp: 'answer to theirs' });
  stage.clock.advance(2099);
  assert.equal(stage.count('INVITE'), 2);
  stage.clock.advance(2000);
  assert.equal(stage.count('INVITE'), 2, 'the ACK of theirs has not come yet');
  stage.deliver(peerRequest(invite, 'ACK', 2));
  assert.equal(stage.count('INVITE'), 3);
  stage.deliver(answer(stage.last('INVITE'), 200, { body: 'at last' }));
  await settle();
  assert.deepEqual(outcome, [{ sdp: 'at last' }]);
  call.hangUp();
  assertNothingLeft(stage);
});

test('a peer that always says 491 gets five offers and no more', async () => {
  const stage = setStage();
  const { call } = await answeredCall(stage);
  const outcome = heard(call.reoffer('ours'));
  for (let i = 0; i < 6; i += 1) {
    stage.deliver(answer(stage.last('INVITE'), 491));
    stage.clock.advance(4100);
  }
  await settle();
  const invites = stage.sent.flatMap(({ message }) =>
    message.kind === 'request' && message.method === 'INVITE' ? [sequenceOf(message)] : [],
  );
  assert.equal(new Set(invites).size, 6, 'the call and five offers');
  assert.deepEqual(outcome, [{ status: 491, reason: 'Reason' }]);
  call.hangUp();
  assertNothingLeft(stage);
});

test('an offer that is refused, too early, too late or second has one outcome', async () => {
  const stage = setStage();
  const early = await stage.call();
  const beforehand = heard(early.call.reoffer('x'));
  const invite = stage.last('INVITE');
  stage.deliver(answer(invite, 200));
  const refused = heard(early.call.reoffer('y'));
  const second = heard(early.call.reoffer('z'));
  stage.deliver(answer(stage.last('INVITE'), 488));
  await settle();
  const ending = heard(early.call.reoffer('w'));
  early.call.hangUp();
  const late = heard(early.call.reoffer('v'));
  await settle();
  const statuses = [beforehand, refused, second, ending, late].map(([outcome]) =>
    outcome !== undefined && 'status' in outcome ? outcome.status : 0,
  );
  assert.deepEqual(statuses, [481, 488, 491, 481, 481]);
  assertNothingLeft(stage);
});

test('a peer that says nothing to a re-INVITE, or 481, has lost the call', async () => {
  for (const how of ['silent', '481'] as const) {
    const stage = setStage();
    const { call, events } = await answeredCall(stage);
    const outcome = heard(call.reoffer('x'));
    if (how === '481') stage.deliver(answer(stage.last('INVITE'), 481));
    else stage.clock.advance(32_000);
    await settle();
    assert.equal(outcome.length, 1);
    assert.deepEqual(events.at(-1), {
      kind: 'ended',
      by: 'us',
      reason: 'The endpoint lost the call',
    });
    assert.equal(stage.count('BYE'), 1);
    assertNothingLeft(stage);
  }
});

test("the peer's UPDATE with an offer is answered like a re-INVITE, without an ACK", async () => {
  const stage = setStage();
  const { events, invite } = await answeredCall(stage);
  stage.deliver(peerRequest(invite, 'UPDATE', 1, { body: 'hold' }));
  stage.deliver(peerRequest(invite, 'UPDATE', 2, { body: 'again' }));
  assert.equal(stage.lastReply().status, 500);
  lastEvent(events, 'offered').reply({ sdp: 'held' });
  assert.equal(stage.lastReply().status, 200);
  assert.equal(stage.lastReply().body, 'held');
  stage.deliver(peerRequest(invite, 'UPDATE', 3));
  assert.equal(stage.lastReply().status, 200);
  assert.equal(stage.lastReply().body, '');
  // An INVITE without an offer now gets what was negotiated last, not the first offer.
  stage.deliver(peerRequest(invite, 'INVITE', 4));
  assert.equal(stage.lastReply().body, 'held');
  assert.notEqual(stage.lastReply().body, OWN_SDP);
  stage.deliver(peerRequest(invite, 'BYE', 5));
  assertNothingLeft(stage);
});

test('keys by INFO are heard in both forms, and sent in the better known one', async () => {
  const stage = setStage();
  const { call, events, invite } = await answeredCall(stage);
  const cases: [string, string, number, string][] = [
    ['application/dtmf-relay', 'Signal=5\r\nDuration=200\r\n', 200, '5 200'],
    ['application/dtmf-relay', 'signal = 11\nduration = 90', 200, '# 90'],
    ['application/dtmf', '*\r\n', 200, '* 160'],
    ['application/DTMF-Relay; x=y', 'Signal=d\r\nDuration=99999', 200, 'D 6000'],
    ['application/dtmf-relay', 'Signal=flash\r\n', 400, ''],
    ['application/media_control+xml', '<x/>', 415, ''],
  ];
  let sequence = 0;
  for (const [type, body, status, expected] of cases) {
    const before = events.length;
    const headers: SipHeader[] = [['Content-Type', type]];
    stage.deliver(peerRequest(invite, 'INFO', (sequence += 1), { body, headers }));
    assert.equal(stage.lastReply().status, status, body);
    const [key] = events.slice(before).filter((event) => event.kind === 'infoDtmf');
    assert.equal(key === undefined ? '' : `${key.digit} ${key.durationMs}`, expected);
  }
  const sent = call.sendInfoDtmf('#', 120);
  assert.equal(stage.last('INFO').body, 'Signal=#\r\nDuration=120\r\n');
  assert.deepEqual(headersOf(stage.last('INFO'), 'content-type'), ['application/dtmf-relay']);
  stage.deliver(answer(stage.last('INFO'), 200));
  assert.deepEqual(await sent, { taken: 1, trouble: null });
  assert.deepEqual(await call.sendInfoDtmf('1x'), { taken: 0, trouble: 'refused' });
  call.hangUp();
  assert.deepEqual(await call.sendInfoDtmf('1'), { taken: 0, trouble: 'over' });
  assert.equal(stage.count('INFO'), 1);
  assertNothingLeft(stage);
});

test('OPTIONS inside the call tells what we can do', async () => {
  const stage = setStage();
  const { call, invite } = await answeredCall(stage);
  stage.deliver(peerRequest(invite, 'OPTIONS', 1));
  const reply = stage.lastReply();
  assert.equal(reply.status, 200);
  assert.match(headerOf(reply, 'allow') ?? '', /UPDATE, REFER/);
  assert.equal(headerOf(reply, 'supported'), '100rel, replaces, timer');
  call.hangUp();
  assertNothingLeft(stage);
});
