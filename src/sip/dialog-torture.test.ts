import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  answer,
  answeredCall,
  OWN_SDP,
  PEER,
  PEER_SDP,
  peerRequest,
  sequenceOf,
  setStage,
  settle,
  type SipStage,
} from '../../test/sip-peer.ts';
import { headersOf, serialise, type SipHeader, type SipMessage } from './message.ts';

const FOREVER_MS = 200_000;

function assertNothingLeft(stage: SipStage): void {
  stage.clock.advance(FOREVER_MS);
  assert.equal(stage.core.liveCount, 0);
  assert.equal(stage.clock.pendingTimers, 0);
}

test('a lost ACK: each repeated 200 is acknowledged again, the call is answered once', async () => {
  const stage = setStage();
  const { kinds, invite } = await answeredCall(stage);
  const first = stage.last('ACK');
  stage.deliver(answer(invite, 200));
  stage.deliver(answer(invite, 200));
  assert.equal(stage.count('ACK'), 3);
  assert.deepEqual(stage.last('ACK'), first);
  assert.deepEqual(kinds(), ['answered', 'answerRepeated', 'answerRepeated']);
  stage.deliver(peerRequest(invite, 'BYE', 1));
  assertNothingLeft(stage);
});

test('hanging up before any response: CANCEL waits for the first provisional one', async () => {
  const stage = setStage();
  const { call, kinds } = await stage.call();
  const invite = stage.last('INVITE');
  call.hangUp('Q.850;cause=16');
  assert.deepEqual(kinds(), ['ended by us']);
  assert.equal(stage.count('CANCEL'), 0);
  stage.deliver(answer(invite, 100));
  assert.equal(stage.count('CANCEL'), 1);
  assert.deepEqual(headersOf(stage.last('CANCEL'), 'reason'), ['Q.850;cause=16']);
  stage.deliver(answer(invite, 180));
  assert.equal(stage.count('CANCEL'), 1);
  stage.deliver(answer(invite, 487));
  assert.deepEqual(kinds(), ['ended by us']);
  assertNothingLeft(stage);
});

test('hanging up before the target is looked up sends nothing at all', async () => {
  const stage = setStage({ names: { addresses: () => new Promise(() => undefined) } });
  const { call, kinds } = await stage.call();
  call.hangUp();
  assert.deepEqual(kinds(), ['ended by us']);
  assert.equal(stage.sent.length, 0);
  assertNothingLeft(stage);
});

test('a look-up that never ends is ended by the ring time-out', async () => {
  const stage = setStage({ names: { addresses: () => new Promise(() => undefined) } });
  const { kinds } = await stage.call({ ringTimeoutMs: 10_000 });
  stage.clock.advance(10_000);
  assert.deepEqual(kinds(), ['failed 408']);
  assertNothingLeft(stage);
});

for (const crossing of ['after', 'before'] as const) {
  test(`a 200 that crosses our CANCEL gets ACK and BYE (hung up ${crossing} 180)`, async () => {
    const stage = setStage();
    const { call, kinds } = await stage.call();
    const invite = stage.last('INVITE');
    if (crossing === 'after') stage.deliver(answer(invite, 180));
    call.hangUp();
    const heard = kinds();
    stage.deliver(answer(invite, 200));
    assert.equal(stage.count('ACK'), 1);
    assert.equal(stage.count('BYE'), 1);
    if (crossing === 'after') stage.deliver(answer(stage.last('CANCEL'), 481));
    stage.deliver(answer(stage.last('BYE'), 200));
    assert.deepEqual(kinds(), heard);
    assertNothingLeft(stage);
  });
}

test('a cancelled phone that says nothing more is forgotten after 32 s', async () => {
  const stage = setStage();
  const { call } = await stage.call();
  stage.deliver(answer(stage.last('INVITE'), 180));
  call.hangUp();
  stage.clock.advance(32_000);
  assert.equal(stage.core.liveCount, 0);
  assertNothingLeft(stage);
});

test('of two phones that answer, the second is acknowledged and hung up', async () => {
  const stage = setStage();
  const { call, kinds, invite } = await answeredCall(stage);
  const second = answer(invite, 200, { tag: 'second', contact: '<sip:two@192.0.2.2>' });
  stage.deliver(second);
  assert.equal(stage.last('BYE').uri, 'sip:two@192.0.2.2');
  assert.deepEqual(kinds(), ['answered']);
  stage.deliver(second);
  assert.equal(stage.count('BYE'), 1);
  assert.equal(stage.count('ACK'), 3);
  call.hangUp();
  assert.equal(stage.last('BYE').uri, 'sip:pbx@192.0.2.1:5060');
  assertNothingLeft(stage);
});

test('a hundred phones that answer do not make a hundred dialogs', async () => {
  const stage = setStage();
  const { invite } = await answeredCall(stage);
  for (let i = 0; i < 100; i += 1) stage.deliver(answer(invite, 200, { tag: `fork${i}` }));
  assert.ok(stage.count('BYE') <= 8);
  stage.deliver(peerRequest(invite, 'BYE', 1));
  assertNothingLeft(stage);
});

test('crossing BYEs: theirs is answered although the call is over', async () => {
  const stage = setStage();
  const { call, kinds, invite } = await answeredCall(stage);
  call.hangUp();
  stage.deliver(peerRequest(invite, 'BYE', 1));
  assert.equal(stage.lastReply().status, 200);
  assert.deepEqual(kinds(), ['answered', 'ended by us']);
  stage.clock.advance(FOREVER_MS);
  stage.deliver(peerRequest(invite, 'BYE', 2));
  assert.equal(stage.lastReply().status, 481);
  assertNothingLeft(stage);
});

test('a BYE that nobody answers is resent and given up', async () => {
  const stage = setStage();
  const { call } = await answeredCall(stage);
  call.hangUp();
  stage.clock.advance(32_000);
  assert.equal(stage.count('BYE'), 11);
  assertNothingLeft(stage);
});

test('hold and resume: an offer is told, our reply goes out as 200 until its ACK', async () => {
  const stage = setStage();
  const { events, invite } = await answeredCall(stage);
  const hold = peerRequest(invite, 'INVITE', 1, {
    body: 'hold',
    contact: '<sip:moved@192.0.2.1:5062>',
  });
  stage.deliver(hold);
  assert.equal(stage.lastReply().status, 100);
  const offered = events.at(-1);
  assert.ok(offered?.kind === 'offered');
  assert.equal(offered.sdp, 'hold');
  offered.reply({ sdp: 'held' });
  offered.reply({ status: 488 });
  assert.equal(stage.lastReply().status, 200);
  assert.equal(stage.lastReply().body, 'held');
  const before = stage.sent.length;
  stage.clock.advance(500);
  assert.equal(stage.sent.length, before + 1);
  stage.deliver(peerRequest(invite, 'ACK', 1));
  stage.clock.advance(60_000);
  assert.equal(stage.sent.length, before + 1);
  stage.deliver(peerRequest(invite, 'BYE', 2));
  assertNothingLeft(stage);
});

test('a re-INVITE moves the target of our BYE', async () => {
  const stage = setStage();
  const { call, invite } = await answeredCall(stage);
  const contact = '<sip:moved@192.0.2.1:5062>';
  stage.deliver(peerRequest(invite, 'INVITE', 1, { body: 'x', contact }));
  call.hangUp();
  assert.equal(stage.last('BYE').uri, 'sip:moved@192.0.2.1:5062');
  assert.equal(stage.sent.findLast(({ message }) => isBye(message))?.hop.port, 5062);
  // The offer that was still open is ended, too (RFC 3261 15.1.2).
  assert.equal(stage.lastReply().status, 487);
  assertNothingLeft(stage);
});

function isBye(message: SipMessage): boolean {
  return message.kind === 'request' && message.method === 'BYE';
}

test('an offer is refused when the listener says so, or says nothing for 10 s', async () => {
  const stage = setStage();
  const { events, invite } = await answeredCall(stage);
  stage.deliver(peerRequest(invite, 'INVITE', 1, { body: 'a' }));
  const offered = events.at(-1);
  if (offered?.kind === 'offered') offered.reply({ status: 488 });
  assert.equal(stage.lastReply().status, 488);
  stage.deliver(peerRequest(invite, 'INVITE', 2, { body: 'b' }));
  stage.clock.advance(10_000);
  assert.equal(stage.lastReply().status, 500);
  // Their ACKs are lost; a refusal without ACK must not end the call.
  stage.clock.advance(60_000);
  assert.equal(stage.count('BYE'), 0);
  stage.deliver(peerRequest(invite, 'BYE', 3));
  assertNothingLeft(stage);
});

test('glare: an offer while ours is open gets 491, a second one gets 500', async () => {
  const stage = setStage();
  const { events } = await stage.call();
  const invite = stage.last('INVITE');
  stage.deliver(answer(invite, 180));
  stage.deliver(peerRequest(invite, 'INVITE', 1, { body: 'early' }));
  assert.equal(stage.lastReply().status, 491);
  stage.deliver(answer(invite, 200));
  stage.deliver(peerRequest(invite, 'INVITE', 2, { body: 'a' }));
  stage.deliver(peerRequest(invite, 'INVITE', 3, { body: 'b' }));
  assert.equal(stage.lastReply().status, 500);
  assert.deepEqual(headersOf(stage.lastReply(), 'retry-after'), ['3']);
  assert.equal(events.filter(({ kind }) => kind === 'offered').length, 1);
  stage.deliver(peerRequest(invite, 'BYE', 4));
  assertNothingLeft(stage);
});

test('a re-INVITE without offer gets our session, its ACK brings theirs', async () => {
  const stage = setStage();
  const { events, invite } = await answeredCall(stage);
  stage.deliver(peerRequest(invite, 'INVITE', 1));
  assert.equal(stage.lastReply().status, 200);
  assert.equal(stage.lastReply().body, OWN_SDP);
  stage.deliver(peerRequest(invite, 'ACK', 1, { body: 'moved' }));
  const told = events.at(-1);
  assert.ok(told?.kind === 'offered' && told.sdp === 'moved');
  const before = stage.sent.length;
  told.reply({ sdp: 'nobody asked' });
  assert.equal(stage.sent.length, before);
  stage.deliver(peerRequest(invite, 'BYE', 2));
  assertNothingLeft(stage);
});

test('without an ACK to our 200 the call is ended after 32 s', async () => {
  const stage = setStage();
  const { events, invite } = await answeredCall(stage);
  stage.deliver(peerRequest(invite, 'INVITE', 1, { body: 'a' }));
  const offered = events.at(-1);
  if (offered?.kind === 'offered') offered.reply({ sdp: 'b' });
  stage.clock.advance(32_000);
  assert.equal(stage.count('BYE'), 1);
  assert.deepEqual(events.at(-1), {
    kind: 'ended',
    by: 'us',
    reason: 'No ACK to our answer',
  });
  assertNothingLeft(stage);
});

test('a cancelled re-INVITE gets 487 and its CANCEL 200', async () => {
  const stage = setStage();
  const { invite } = await answeredCall(stage);
  const offer = peerRequest(invite, 'INVITE', 1, { body: 'a' });
  stage.deliver(offer);
  const headers = offer.headers.map(([name, value]): SipHeader => [
    name,
    value.replace('1 INVITE', '1 CANCEL'),
  ]);
  stage.deliver({ ...offer, method: 'CANCEL', headers, body: '' });
  const statuses = stage.sent.slice(-2).map(({ message }) => 'status' in message && message.status);
  assert.deepEqual(statuses, [487, 200]);
  stage.deliver(peerRequest(invite, 'BYE', 2));
  assertNothingLeft(stage);
});

test('other requests inside a call get the answer of their own RFC', async () => {
  const stage = setStage();
  const { invite } = await answeredCall(stage);
  const expected: [string, number][] = [
    ['INFO', 200],
    ['OPTIONS', 200],
    ['NOTIFY', 489],
    ['UPDATE', 200],
    ['REFER', 400],
    ['PRACK', 481],
    ['MESSAGE', 405],
  ];
  let sequence = 10;
  for (const [method, status] of expected) {
    stage.deliver(peerRequest(invite, method, (sequence += 1)));
    assert.equal(stage.lastReply().status, status, method);
  }
  stage.deliver(peerRequest(invite, 'INFO', 5));
  assert.equal(stage.lastReply().status, 500, 'an old CSeq');
  stage.deliver(peerRequest(invite, 'BYE', 99));
  assertNothingLeft(stage);
});

test('a huge Record-Route neither breaks nor blows up the call', async () => {
  const stage = setStage();
  const { call } = await stage.call();
  const routes = Array.from({ length: 90 }, (_, i) => `<sip:192.0.2.${i};lr>`);
  const headers = routes.map((route): SipHeader => ['Record-Route', route]);
  stage.deliver(answer(stage.last('INVITE'), 200, { headers }));
  call.hangUp();
  assert.deepEqual(headersOf(stage.last('BYE'), 'route'), []);
  assert.equal(stage.sent.at(-1)?.hop.address, PEER.address);
  assertNothingLeft(stage);
});

test('an answer with a broken Contact is still acknowledged and can be hung up', async () => {
  for (const contact of ['', '<>', '*', '<tel:+491>', '<sip:a@[::1]>', '"<sip:a@b']) {
    const stage = setStage();
    const { call, kinds } = await stage.call();
    stage.deliver(answer(stage.last('INVITE'), 200, { contact }));
    call.hangUp();
    await Promise.resolve();
    assert.deepEqual(kinds(), ['answered', 'ended by us'], contact);
    assert.equal(stage.count('BYE'), 1, contact);
    assertNothingLeft(stage);
  }
});

test('a response with a wrong branch, two Vias or a wrong method is dropped', async () => {
  const stage = setStage();
  const { kinds } = await stage.call();
  const good = answer(stage.last('INVITE'), 200);
  const changed = (name: string, from: string, to: string): SipHeader[] =>
    good.headers.map(([key, value]) => [key, key === name ? value.replace(from, to) : value]);
  stage.deliver({ ...good, headers: changed('Via', 'z9hG4bK', 'z9hG4bKx') });
  stage.deliver({ ...good, headers: changed('CSeq', 'INVITE', 'BYE') });
  stage.deliver({ ...good, headers: [...good.headers, ['Via', 'SIP/2.0/UDP 192.0.2.5']] });
  assert.deepEqual(kinds(), []);
  stage.clock.advance(32_000);
  assert.deepEqual(kinds(), ['failed 408']);
  assertNothingLeft(stage);
});

test('1,200 damaged messages inside live calls end in nothing worse than a lost call', async () => {
  const damage = fc.record({
    step: fc.integer({ min: 0, max: 9 }),
    at: fc.nat({ max: 600 }),
    cut: fc.nat({ max: 40 }),
    put: fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('\r\n', '\r\n\r\n', '"', '<', ',')),
  });
  const property = fc.asyncProperty(damage, async ({ step, at, cut, put }) => {
    const stage = setStage();
    const staged = await stage.call();
    const invite = stage.last('INVITE');
    const script: SipMessage[] = [
      answer(invite, 183, {
        headers: [
          ['Require', '100rel'],
          ['RSeq', '1'],
        ],
      }),
      answer(invite, 200, { headers: [['Session-Expires', '90;refresher=uac']] }),
      peerRequest(invite, 'INVITE', 1, { body: PEER_SDP }),
      peerRequest(invite, 'ACK', 1),
      peerRequest(invite, 'INFO', 2, {
        body: 'Signal=5\r\nDuration=160',
        headers: [['Content-Type', 'application/dtmf-relay']],
      }),
      peerRequest(invite, 'UPDATE', 3, { headers: [['Session-Expires', '90']] }),
      peerRequest(invite, 'REFER', 4, { headers: [['Refer-To', '<sip:a@b?Replaces=c>']] }),
      peerRequest(invite, 'REFER', 5, { headers: [['Refer-To', '<sip:a@b>']] }),
      peerRequest(invite, 'NOTIFY', 6, {
        body: 'SIP/2.0 200 OK',
        headers: [['Event', 'refer']],
      }),
      peerRequest(invite, 'BYE', 7),
    ];
    for (const [i, message] of script.entries()) {
      const text = serialise(message).toString();
      const damaged = i === step ? text.slice(0, at) + put + text.slice(at + cut) : text;
      stage.core.receive(Buffer.from(damaged), PEER);
    }
    staged.call.hangUp();
    // A damaged Contact may name a host, which is looked up before anything is sent there.
    await settle();
    const ends = staged.kinds().filter((kind) => /failed|ended/.test(kind)).length;
    assert.equal(ends, 1);
    assertNothingLeft(stage);
  });
  await fc.assert(property, { numRuns: 1200, seed: 3261 });
});

test('sequence numbers rise by one from INVITE to BYE', async () => {
  const stage = setStage();
  const { call, invite } = await answeredCall(stage);
  call.hangUp();
  assert.equal(sequenceOf(stage.last('BYE')) - sequenceOf(invite), 1);
  assertNothingLeft(stage);
});
