import assert from 'node:assert/strict';
import { test } from 'node:test';
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
import { silentLog } from '../platform/log.ts';
import { headerOf, headersOf } from './message.ts';
import type { SavedDialog } from './sip.ts';

/** After this long nothing of any call may be alive, whatever happened to it. */
const FOREVER_MS = 200_000;

function assertNothingLeft(stage: SipStage): void {
  stage.clock.advance(FOREVER_MS);
  assert.equal(stage.core.liveCount, 0);
  assert.equal(stage.clock.pendingTimers, 0);
}

test('a call is invited, rings, is answered, acknowledged and hung up', async () => {
  const stage = setStage();
  const { call, events } = await stage.call();
  const invite = stage.last('INVITE');
  assert.equal(invite.uri, 'sip:100@pbx.example.com');
  assert.equal(invite.body, OWN_SDP);
  assert.match(
    headerOf(invite, 'from') ?? '',
    /^"Anna \\"A\\" Müller" <sip:4930123@192.0.2.9>;tag=/,
  );
  assert.equal(headerOf(invite, 'x-wa-call-id'), 'call_1');
  assert.equal(headerOf(invite, 'call-id'), call.sipCallId);
  stage.deliver(answer(invite, 100));
  stage.deliver(answer(invite, 180));
  stage.deliver(answer(invite, 183, { body: 'early' }));
  stage.deliver(answer(invite, 200));
  const ack = stage.last('ACK');
  assert.equal(ack.uri, 'sip:pbx@192.0.2.1:5060');
  assert.equal(sequenceOf(ack), sequenceOf(invite));
  assert.notEqual(headerOf(ack, 'via'), headerOf(invite, 'via'));
  call.hangUp('Q.850;cause=16;text="done"\r\nX: y');
  const bye = stage.last('BYE');
  assert.equal(sequenceOf(bye), sequenceOf(invite) + 1);
  assert.equal(headerOf(bye, 'reason'), 'Q.850;cause=16;text="done" X: y');
  stage.deliver(answer(bye, 200));
  call.hangUp();
  const [answered] = events.filter((event) => event.kind === 'answered');
  assert.deepEqual(events, [
    { kind: 'ringing', status: 180 },
    { kind: 'ringing', status: 183, sdp: 'early' },
    { kind: 'answered', sdp: PEER_SDP, dialog: answered?.dialog },
    { kind: 'ended', by: 'us' },
  ]);
  assert.equal(stage.count('BYE'), 1);
  assertNothingLeft(stage);
});

test('a dialog of a run that was killed is ended by the next run', async () => {
  const killed = setStage();
  const { events, invite } = await answeredCall(killed);
  const [answered] = events.filter((event) => event.kind === 'answered');
  const kept = JSON.parse(JSON.stringify(answered?.dialog)) as SavedDialog;
  const next = setStage();
  next.core.endLost(kept, { uri: 'sip:100@pbx.example.com' }, 'Q.850;cause=41');
  await settle();
  const bye = next.last('BYE');
  assert.equal(headerOf(bye, 'call-id'), headerOf(invite, 'call-id'));
  assert.equal(bye.uri, 'sip:pbx@192.0.2.1:5060');
  // Above whatever the dead run may have used without having saved it.
  assert.ok(sequenceOf(bye) > sequenceOf(invite) + 1);
  next.deliver(answer(bye, 200));
  assertNothingLeft(next);
  next.core.endLost({ made: 'up' }, { uri: 'sip:100@pbx.example.com' });
  assertNothingLeft(next);
});

test('the peer hangs up: 200, the reason is told, a repeated BYE gets 200 again', async () => {
  const stage = setStage();
  const { events, invite } = await answeredCall(stage);
  const bye = peerRequest(invite, 'BYE', 7, { headers: [['Reason', 'Q.850;cause=31']] });
  stage.deliver(bye);
  assert.equal(stage.lastReply().status, 200);
  const before = stage.sent.length;
  stage.deliver(bye);
  assert.equal(stage.sent.length, before + 1);
  assert.deepEqual(events.at(-1), { kind: 'ended', by: 'endpoint', reason: 'Q.850;cause=31' });
  assert.equal(events.length, 2);
  assertNothingLeft(stage);
});

test('refusals arrive with their status, redirects are not followed', async () => {
  for (const status of [302, 404, 486, 503, 603]) {
    const stage = setStage();
    const { kinds } = await stage.call();
    const contact = '<sip:elsewhere@192.0.2.66>';
    stage.deliver(answer(stage.last('INVITE'), status, { contact }));
    assert.deepEqual(kinds(), [`failed ${status}`]);
    assert.equal(stage.count('ACK'), 1);
    assert.equal(stage.count('INVITE'), 1);
    assert.ok(stage.sent.every(({ hop }) => hop.address === PEER.address));
    assertNothingLeft(stage);
  }
});

test('no answer at all fails with 408 after 32 s', async () => {
  const stage = setStage();
  const { kinds } = await stage.call();
  stage.clock.advance(31_999);
  assert.deepEqual(kinds(), []);
  stage.clock.advance(1);
  assert.deepEqual(kinds(), ['failed 408']);
  assert.equal(stage.count('INVITE'), 7);
  assertNothingLeft(stage);
});

test('a phone that only rings is cancelled at the ring time-out', async () => {
  const stage = setStage();
  const { kinds } = await stage.call({ ringTimeoutMs: 30_000 });
  const invite = stage.last('INVITE');
  stage.deliver(answer(invite, 180));
  stage.clock.advance(30_000);
  assert.deepEqual(kinds(), ['ringing 180', 'failed 408']);
  const cancel = stage.last('CANCEL');
  assert.equal(headerOf(cancel, 'via'), headerOf(invite, 'via'));
  stage.deliver(answer(cancel, 200));
  stage.deliver(answer(invite, 487));
  assert.equal(stage.count('ACK'), 1);
  assertNothingLeft(stage);
});

test('a wrong order fails with 400, no name or no route with 503', async () => {
  const bad: [string, object][] = [
    ['line break', { headers: { 'X-A': 'b\r\nVia: c' } }],
    ['not a token', { headers: { 'X A': 'b' } }],
    ['our own header', { headers: { Contact: '<sip:a@b>' } }],
    ['no SIP URI', { target: { uri: 'tel:+4930123' } }],
    ['line break in URI', { target: { uri: 'sip:a@b\r\nX: y' } }],
    ['TLS over UDP', { target: { uri: 'sips:a@b;transport=udp' } }],
  ];
  for (const [what, request] of bad) {
    const stage = setStage();
    const { kinds } = await stage.call(request);
    assert.deepEqual(kinds(), ['failed 400'], what);
    assert.equal(stage.sent.length, 0);
    assertNothingLeft(stage);
  }
  for (const options of [
    { names: { addresses: () => Promise.reject(new Error('ENOTFOUND')) } },
    { failSends: true },
  ]) {
    const stage = setStage(options);
    const { kinds } = await stage.call();
    await settle();
    assert.deepEqual(kinds(), ['failed 503']);
    assertNothingLeft(stage);
  }
});

test('users and names from outside cannot break out of the From header', async () => {
  const stage = setStage();
  await stage.call({ from: { user: 'a>;x=\r\ny@z', displayName: '"><\r\nX: y\u0000\\' } });
  const from = headerOf(stage.last('INVITE'), 'from') ?? '';
  assert.match(from, /^"\\"><  X: y \\\\" <sip:a%3E%3Bx=%0D%0Ay%40z@192.0.2.9>;tag=[0-9a-f]{16}$/);
});

test('a 200 without a session description is ended and fails with 488', async () => {
  const stage = setStage();
  const { kinds } = await stage.call();
  stage.deliver(answer(stage.last('INVITE'), 200, { body: ' ' }));
  assert.deepEqual(kinds(), ['failed 488']);
  assert.equal(stage.count('ACK'), 1);
  assert.equal(stage.count('BYE'), 1);
  assertNothingLeft(stage);
});

test('Record-Route becomes Route in reverse, and the first is where requests go', async () => {
  const stage = setStage();
  const { call } = await stage.call();
  const headers: [string, string][] = [
    ['Record-Route', '<sip:192.0.2.3;lr>, <sip:192.0.2.2;lr>'],
    ['Record-Route', '<sip:192.0.2.1:5080;lr>'],
  ];
  stage.deliver(answer(stage.last('INVITE'), 200, { headers }));
  call.hangUp();
  for (const method of ['ACK', 'BYE']) {
    const request = stage.last(method);
    assert.equal(request.uri, 'sip:pbx@192.0.2.1:5060');
    assert.deepEqual(headersOf(request, 'route'), [
      '<sip:192.0.2.1:5080;lr>',
      '<sip:192.0.2.2;lr>',
      '<sip:192.0.2.3;lr>',
    ]);
  }
  assert.deepEqual(stage.sent.at(-1)?.hop, { ...PEER, port: 5080, mayChange: true });
});

test('a strict router gets itself as Request-URI and the target as last route', async () => {
  const stage = setStage();
  const { call } = await stage.call();
  const headers: [string, string][] = [['Record-Route', '<sip:192.0.2.3>, <sip:192.0.2.2>']];
  stage.deliver(answer(stage.last('INVITE'), 200, { headers }));
  call.hangUp();
  assert.equal(stage.last('BYE').uri, 'sip:192.0.2.2');
  assert.deepEqual(headersOf(stage.last('BYE'), 'route'), [
    '<sip:192.0.2.3>',
    '<sip:pbx@192.0.2.1:5060>',
  ]);
});

test('requests outside a call are answered without leaving a trace', async () => {
  const stage = setStage();
  const { invite } = await answeredCall(stage);
  stage.clock.advance(40_000);
  const live = stage.core.liveCount;
  const stranger = { ...invite, uri: 'sip:us@192.0.2.9', headers: strangerHeaders('INVITE') };
  const expected: [string, number][] = [
    ['INVITE', 403],
    ['OPTIONS', 200],
    ['REGISTER', 405],
    ['CANCEL', 481],
    ['BREW', 501],
  ];
  for (const [method, status] of expected) {
    stage.deliver({ ...stranger, method, headers: strangerHeaders(method) });
    assert.equal(stage.lastReply().status, status, method);
  }
  stage.deliver(peerRequest(invite, 'BYE', 9, { tag: 'somebody-else' }));
  assert.equal(stage.lastReply().status, 481);
  const before = stage.sent.length;
  stage.deliver({ ...stranger, method: 'ACK', headers: strangerHeaders('ACK') });
  assert.equal(stage.sent.length, before);
  stage.clock.advance(40_000);
  assert.equal(stage.core.liveCount, live);
});

function strangerHeaders(method: string): [string, string][] {
  return [
    ['Via', 'SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKstranger;rport'],
    ['From', '<sip:a@192.0.2.77>;tag=1'],
    ['To', '<sip:us@192.0.2.9>'],
    ['Call-ID', 'nobody knows'],
    ['CSeq', `1 ${method}`],
  ];
}

test('a listener that throws harms nothing but itself', async () => {
  const stage = setStage({ log: silentLog });
  const call = stage.core.invite(
    {
      target: { uri: 'sip:100@192.0.2.1' },
      from: { user: 'a' },
      headers: {},
      offer: OWN_SDP,
      ringTimeoutMs: 1000,
    },
    () => {
      throw new Error('listener');
    },
  );
  await settle();
  stage.deliver(answer(stage.last('INVITE'), 200));
  assert.equal(stage.count('ACK'), 1);
  call.hangUp();
  assert.equal(stage.count('BYE'), 1);
  assertNothingLeft(stage);
});

test('1,000 calls of every kind leave no transaction, no call and no timer', async () => {
  const stage = setStage();
  const ends = { failed: 0, ended: 0 };
  for (let i = 0; i < 1000; i += 1) {
    const { call, events } = await stage.call({ ringTimeoutMs: 5000 });
    const invite = stage.last('INVITE');
    if (i % 8 > 0) stage.deliver(answer(invite, 180));
    if (i % 8 === 1) call.hangUp();
    if (i % 8 === 2) stage.deliver(answer(invite, 486));
    if (i % 8 > 3) stage.deliver(answer(invite, 200));
    if (i % 8 === 4) stage.deliver(peerRequest(invite, 'BYE', 1));
    if (i % 8 === 5) stage.deliver(peerRequest(invite, 'INVITE', 1, { body: PEER_SDP }));
    if (i % 8 === 6) stage.deliver(answer(invite, 200, { tag: 'fork' }));
    if (i % 8 > 4) call.hangUp();
    stage.clock.advance(10_000);
    const [last] = events.slice(-1);
    if (last?.kind === 'failed' || last?.kind === 'ended') ends[last.kind] += 1;
    stage.sent.length = 0;
  }
  // A call that got no response at all is told of its end by the ring time-out, too.
  assert.equal(ends.failed + ends.ended, 1000);
  assertNothingLeft(stage);
});
