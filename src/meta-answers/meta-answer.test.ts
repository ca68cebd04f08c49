import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerInForce, type MetaAnswer } from './meta-answer.ts';

const NOW = Date.UTC(2026, 5, 3, 12);
const yes: MetaAnswer = {
  askedAt: NOW - 5_000,
  status: 'temporary',
  expiresAt: NOW + 60_000,
  canCall: true,
  canRequest: false,
  limits: [],
};
const no: MetaAnswer = { ...yes, status: 'none', expiresAt: null, canCall: false };
const moment = { now: NOW, grantedAt: null };

test('an answer says what it said until something overtakes it', () => {
  assert.deepEqual(answerInForce(yes, moment), yes);
  assert.deepEqual(answerInForce(no, moment), no);
  assert.equal(answerInForce(undefined, moment), null);
});

test('a word that we do not know says nothing', () => {
  assert.equal(answerInForce({ ...yes, status: 'unknown' }, moment), null);
});

test('a later yes of the customer makes an older no unknown, and never the other way', () => {
  assert.equal(answerInForce(no, { now: NOW, grantedAt: no.askedAt + 1 }), null);
  // Meta's times are whole seconds, so the same second decides nothing.
  assert.equal(answerInForce(no, { now: NOW, grantedAt: no.askedAt - 999 }), null);
  assert.deepEqual(answerInForce(no, { now: NOW, grantedAt: no.askedAt - 1_000 }), no);
});

test('a permission that ended at Meta since then allows nothing', () => {
  const over = answerInForce(yes, { now: NOW + 60_000, grantedAt: null });
  assert.equal(over?.canCall, false);
});

test('no permission at Meta allows no call, whatever the actions say', () => {
  assert.equal(answerInForce({ ...no, canCall: true }, moment)?.canCall, false);
});

test('a limit that has freed itself since makes the answer unknown', () => {
  const limit = { action: 'start_call', period: 'PT24H', max: 100, used: 100 };
  const full = { ...yes, canCall: false, limits: [{ ...limit, resetsAt: NOW + 1 }] };
  assert.equal(answerInForce(full, moment)?.canCall, false);
  assert.equal(answerInForce(full, { ...moment, now: NOW + 1 }), null);
});
