import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, answeredCall, peerRequest, setStage, type SipStage } from '../../test/sip-peer.ts';
import type { SipRequest } from './message.ts';

const TIMER_F_MS = 32_000;

/** The keys of all INFOs so far, repetitions once. */
function keysOf(stage: SipStage): string {
  const infos = new Set<SipRequest>();
  for (const { message } of stage.sent) {
    if (message.kind === 'request' && message.method === 'INFO') infos.add(message);
  }
  const byNumber = new Map([...infos].map((info) => [cseq(info), info.body]));
  return [...byNumber.values()].map((body) => /^Signal=(.)/.exec(body)?.[1] ?? '?').join('');
}

function cseq(request: SipRequest): string {
  return request.headers.find(([name]) => name === 'CSeq')?.[1] ?? '';
}

test('each key waits for the answer to the one before, also those of two presses', async () => {
  const stage = setStage();
  const { call } = await answeredCall(stage);
  const first = call.sendInfoDtmf('12');
  const second = call.sendInfoDtmf('3');
  for (const expected of ['1', '12', '123']) {
    assert.equal(keysOf(stage), expected);
    stage.clock.advance(1_000);
    assert.equal(keysOf(stage), expected, 'the next key did not wait');
    stage.deliver(answer(stage.last('INFO'), 200));
  }
  assert.deepEqual(await first, { taken: 2, trouble: null });
  assert.deepEqual(await second, { taken: 1, trouble: null });
  call.hangUp();
});

test('a key that nobody answers ends its press, and the next press has its turn', async () => {
  const stage = setStage();
  const { call, events } = await answeredCall(stage);
  const first = call.sendInfoDtmf('12');
  const second = call.sendInfoDtmf('3');
  stage.clock.advance(TIMER_F_MS);
  assert.deepEqual(await first, { taken: 0, trouble: 'unanswered' });
  assert.equal(keysOf(stage), '13');
  stage.deliver(answer(stage.last('INFO'), 415));
  assert.deepEqual(await second, { taken: 0, trouble: 'refused' });
  assert.ok(!events.some(({ kind }) => kind === 'ended'), 'the call goes on');
  call.hangUp();
});

test('the end of the call ends what waits, and a late answer changes nothing', async () => {
  const stage = setStage();
  const { call } = await answeredCall(stage);
  const outcomes = [call.sendInfoDtmf('12'), call.sendInfoDtmf('3')];
  stage.deliver(answer(stage.last('INFO'), 200));
  const open = stage.last('INFO');
  call.hangUp();
  assert.deepEqual(await Promise.all(outcomes), [
    { taken: 1, trouble: 'over' },
    { taken: 0, trouble: 'over' },
  ]);
  stage.deliver(answer(open, 200));
  assert.equal(keysOf(stage), '12');
});

test('an Allow without INFO stands until the next one: nothing is sent against it', async () => {
  const stage = setStage();
  const staged = await stage.call();
  const invite = stage.last('INVITE');
  const without: [string, string] = ['Allow', 'INVITE, ACK, BYE'];
  stage.deliver(answer(invite, 200, { headers: [without] }));
  const refused = { taken: 0, trouble: 'refused' };
  assert.deepEqual(await staged.call.sendInfoDtmf('1'), refused);
  assert.equal(keysOf(stage), '');
  const again: [string, string] = ['Allow', 'INVITE, ACK, BYE, INFO'];
  stage.deliver(peerRequest(invite, 'OPTIONS', 1, { headers: [again] }));
  const taken = staged.call.sendInfoDtmf('23');
  stage.deliver(answer(stage.last('INFO'), 200));
  stage.deliver(answer(stage.last('INFO'), 405, { headers: [without] }));
  assert.deepEqual(await taken, { taken: 1, trouble: 'refused' });
  assert.deepEqual(await staged.call.sendInfoDtmf('4'), refused);
  assert.equal(keysOf(stage), '23');
  staged.call.hangUp();
});

test('more presses than anybody makes are refused', async () => {
  const stage = setStage();
  const { call } = await answeredCall(stage);
  const all = Array.from({ length: 66 }, () => call.sendInfoDtmf('1'));
  assert.deepEqual(await all.at(-1), { taken: 0, trouble: 'refused' });
  call.hangUp();
  const troubles = (await Promise.all(all)).map(({ trouble }) => trouble);
  assert.equal(troubles.filter((trouble) => trouble === 'over').length, 65);
});
