import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, setStage, settle, type SipStage } from '../../test/sip-peer.ts';
import { headerOf } from './message.ts';

/** What goes by TCP because a datagram would not hold it (RFC 3261 section 18.1.1). */
const LARGE = { offer: `v=0\r\n${'a=candidate\r\n'.repeat(120)}` };

function routes(stage: SipStage): string[] {
  return stage.sent.map(({ message, hop }) => {
    const via = headerOf(message, 'via') ?? '';
    const method = message.kind === 'request' ? message.method : message.status;
    return `${method} ${hop.transport} ${/SIP\/2\.0\/(\w+)/.exec(via)?.[1]}`;
  });
}

test('a large INVITE goes by TCP, and so does its CANCEL; a small BYE goes by UDP', async () => {
  const stage = setStage({ tcp: true });
  const { call, kinds } = await stage.call(LARGE);
  stage.deliver(answer(stage.last('INVITE'), 180));
  call.hangUp();
  assert.deepEqual(routes(stage), ['INVITE tcp TCP', 'CANCEL tcp TCP']);
  assert.match(headerOf(stage.last('INVITE'), 'contact') ?? '', /transport=tcp/);
  stage.deliver(answer(stage.last('INVITE'), 200));
  assert.deepEqual(routes(stage).slice(2), ['ACK udp UDP', 'BYE udp UDP']);
  assert.deepEqual(kinds(), ['ringing 180', 'ended by us']);
  stage.clock.advance(200_000);
  assert.equal(stage.core.liveCount, 0);
});

test('an operator who wrote transport=udp, or switched TCP off, gets UDP', async () => {
  const named = setStage({ tcp: true });
  await named.call({ ...LARGE, target: { uri: 'sip:100@pbx.example.com;transport=udp' } });
  assert.deepEqual(routes(named), ['INVITE udp UDP']);
  const off = setStage();
  await off.call(LARGE);
  assert.deepEqual(routes(off), ['INVITE udp UDP']);
  const small = setStage({ tcp: true });
  await small.call();
  assert.deepEqual(routes(small), ['INVITE udp UDP']);
});

test('a peer without TCP gets UDP after all, and for ten minutes at once', async () => {
  const stage = setStage({ tcp: true, failTcp: true });
  const first = await stage.call(LARGE);
  await settle();
  assert.deepEqual(routes(stage), ['INVITE udp UDP']);
  stage.deliver(answer(stage.last('INVITE'), 486));
  assert.deepEqual(first.kinds(), ['failed 486']);
  stage.clock.advance(599_000);
  await stage.call(LARGE);
  assert.equal(stage.tcpTries(), 1);
  stage.clock.advance(2000);
  await stage.call(LARGE);
  await settle();
  assert.equal(stage.tcpTries(), 2);
  stage.clock.advance(200_000);
  assert.equal(stage.core.liveCount, 0);
});
