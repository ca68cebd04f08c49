import assert from 'node:assert/strict';
import { test } from 'node:test';
import { behaviourOf } from './behaviour.ts';

test('sentinel names say what happens, with a number where they have one', () => {
  assert.equal(behaviourOf('busy').behaviour.refuse?.status, 486);
  assert.equal(behaviourOf('unavailable').behaviour.refuse?.status, 503);
  assert.equal(behaviourOf('never').behaviour.answerAfterMs, undefined);
  assert.equal(behaviourOf('ring-3').behaviour.answerAfterMs, 3000);
  assert.equal(behaviourOf('hangup-3').behaviour.hangUpAfterMs, 3000);
  assert.equal(behaviourOf('hold-2').behaviour.holdAfterMs, 2000);
  assert.equal(behaviourOf('bad-sdp').behaviour.answersWith, 'brokenSdp');
  assert.deepEqual(behaviourOf('tone-784').behaviour.plays, { kind: 'tone', hz: 784 });
});

test('-opus only changes the codec', () => {
  assert.deepEqual(behaviourOf('ring-3-opus').behaviour, behaviourOf('ring-3').behaviour);
  assert.ok(behaviourOf('ring-3-opus').prefersOpus);
  assert.ok(!behaviourOf('ring-3').prefersOpus);
});

test('an unknown or hostile name echoes', () => {
  const echo = behaviourOf('echo').behaviour;
  for (const name of ['', 'sales', '__proto__', 'constructor', 'toString', 'x'.repeat(10_000)]) {
    assert.deepEqual(behaviourOf(name).behaviour, echo, name.slice(0, 20));
  }
});
