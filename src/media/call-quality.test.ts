import assert from 'node:assert/strict';
import test from 'node:test';
import { estimatedDelayMs, ratingOf, scoreOf, type QualityInput } from './call-quality.ts';

const GOOD: QualityInput = { codec: 'PCMU', lossShare: 0, delayMs: 0 };

test('the ends of the scale are those of G.107', () => {
  // Annex B: R 93.2 is a MOS of 4.41.
  assert.equal(scoreOf(GOOD), 4.41);
  assert.equal(scoreOf({ ...GOOD, lossShare: 1, delayMs: 5000 }), 1);
});

test('loss costs what G.113 says of G.711 with concealment', () => {
  // Ie,eff = 95 * 5 / (5 + 25.1) = 15.8.
  assert.ok(Math.abs(ratingOf({ ...GOOD, lossShare: 0.05 }) - (93.2 - 15.78)) < 0.01);
  assert.ok(
    scoreOf({ ...GOOD, codec: 'opus', lossShare: 0.05 }) < scoreOf({ ...GOOD, lossShare: 0.05 }),
  );
});

test('delay costs little up to 177 ms and much beyond', () => {
  assert.ok(Math.abs(ratingOf({ ...GOOD, delayMs: 100 }) - 90.8) < 0.01);
  assert.ok(Math.abs(ratingOf({ ...GOOD, delayMs: 277.3 }) - (93.2 - 6.6552 - 11)) < 0.01);
});

test('worse never scores better', () => {
  let before = 5;
  for (let percent = 0; percent <= 100; percent += 1) {
    const score = scoreOf({ codec: 'opus', lossShare: percent / 100, delayMs: 100 + percent });
    assert.ok(score <= before && score >= 1, `${percent} %: ${score} after ${before}`);
    before = score;
  }
});

test('half the round trip and what the jitter needs are in the delay', () => {
  assert.equal(estimatedDelayMs(null, 0), 60);
  assert.equal(estimatedDelayMs(100, 10), 130);
});
