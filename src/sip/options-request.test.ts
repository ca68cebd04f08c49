import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, PEER, setStage, settle } from '../../test/sip-peer.ts';
import { headerOf, type SipHeader } from './message.ts';
import type { OptionsOutcome } from './sip.ts';

const TARGET = { uri: 'sip:100@pbx.example.com', username: 'u', password: 'p' };
const CHALLENGE: SipHeader = ['WWW-Authenticate', 'Digest realm="r",nonce="n",qop="auth"'];

function heard(promise: Promise<OptionsOutcome>): OptionsOutcome[] {
  const outcomes: OptionsOutcome[] = [];
  void promise.then((outcome) => outcomes.push(outcome));
  return outcomes;
}

test('any final answer says that the target is there, and how far away', async () => {
  for (const status of [200, 404, 503]) {
    const stage = setStage();
    const outcome = heard(stage.core.options(TARGET));
    await settle();
    stage.clock.advance(120);
    stage.deliver(answer(stage.last('OPTIONS'), status));
    await settle();
    assert.deepEqual(outcome, [{ status, reason: 'Reason', roundTripMs: 120 }]);
    stage.clock.advance(40_000);
    assert.equal(stage.core.liveCount, 0);
    assert.equal(stage.clock.pendingTimers, 0);
  }
});

test('silence is 408 in good time, no route and no name are 503', async () => {
  const silent = setStage();
  const late = heard(silent.core.options(TARGET, 2000));
  await settle();
  silent.clock.advance(2000);
  await settle();
  assert.equal(late[0]?.status, 408);
  silent.clock.advance(40_000);
  assert.equal(silent.core.liveCount, 0);
  const broken = [
    { failSends: true },
    { names: { addresses: () => Promise.reject(new Error('ENOTFOUND')) } },
  ];
  for (const options of broken) {
    const stage = setStage(options);
    const outcome = heard(stage.core.options(TARGET));
    await settle();
    assert.equal(outcome[0]?.status, 503);
    assert.equal(stage.clock.pendingTimers, 0);
  }
});

test('a challenge is answered once, and only to the host that was asked', async () => {
  const stage = setStage();
  const outcome = heard(stage.core.options(TARGET));
  await settle();
  stage.deliver(answer(stage.last('OPTIONS'), 401, { headers: [CHALLENGE] }));
  assert.match(headerOf(stage.last('OPTIONS'), 'authorization') ?? '', /^Digest username="u"/);
  stage.deliver(answer(stage.last('OPTIONS'), 401, { headers: [CHALLENGE] }));
  await settle();
  assert.equal(outcome[0]?.status, 401);
  const other = setStage();
  const elsewhere = heard(other.core.options(TARGET));
  await settle();
  const reply = answer(other.last('OPTIONS'), 401, { headers: [CHALLENGE] });
  other.deliver(reply, { ...PEER, address: '192.0.2.66' });
  await settle();
  assert.equal(elsewhere[0]?.status, 401);
  assert.equal(other.count('OPTIONS'), 1);
});

test('after closing nothing is asked any more', async () => {
  const stage = setStage();
  stage.core.hangUpAll();
  assert.equal((await stage.core.options(TARGET)).status, 503);
  assert.equal(stage.sent.length, 0);
});
