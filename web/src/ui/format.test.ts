import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countdown, inWords, offset, talkTime } from './format.ts';

test('a countdown counts whole seconds that have begun and stops at zero', () => {
  assert.equal(countdown(24 * 3_600_000), '24:00:00');
  assert.equal(countdown(3_599_001), '1:00:00');
  assert.equal(countdown(61_000), '0:01:01');
  assert.equal(countdown(1), '0:00:01');
  assert.equal(countdown(-5_000), '0:00:00');
});

test('the length of a talk counts seconds that are over', () => {
  assert.equal(talkTime(59_999), '0:59');
  assert.equal(talkTime(61_000), '1:01');
  assert.equal(talkTime(3_600_000), '1:00:00');
  assert.equal(talkTime(3_600_000 + 605_000), '1:10:05');
});

test('an offset has a sign and one decimal', () => {
  assert.equal(offset(0), '+0.0 s');
  assert.equal(offset(-1_240), '−1.2 s');
  assert.equal(offset(12_960), '+13.0 s');
});

test('names of codes, events and ledger entries read as words', () => {
  assert.equal(inWords('permission_used'), 'Permission used');
  assert.equal(inWords('call.ended'), 'Call ended');
  assert.equal(inWords('PermissionGranted'), 'Permission granted');
});
