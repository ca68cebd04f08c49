import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegisterOutcome } from '../sip/sip.ts';
import { afterRegister, REGISTER_SECONDS, type Registration } from './registration.ts';

const said = (status: number, more: Partial<RegisterOutcome> = {}): RegisterOutcome => ({
  status,
  reason: 'Reason',
  expiresSeconds: null,
  minExpiresSeconds: null,
  ...more,
});

function after(...steps: Array<[at: number, outcome: RegisterOutcome]>): Registration {
  let held: Registration | null = null;
  for (const [at, outcome] of steps) held = afterRegister(held, outcome, at);
  assert.ok(held !== null);
  return held;
}

test('it is renewed at half of what was granted, and stands since the first time', () => {
  const first = after([1_000, said(200, { expiresSeconds: 120 })]);
  assert.deepEqual([first.state, first.nextAt, first.expiresAt], ['registered', 61_000, 121_000]);
  const renewed = afterRegister(first, said(200), 61_000);
  assert.deepEqual([renewed.since, renewed.expiresAt], [1_000, 61_000 + REGISTER_SECONDS * 1_000]);
  assert.equal(after([0, said(200, { expiresSeconds: 1 })]).nextAt, 15_000);
});

test('a renewal that fails does not end it before its time; then it is tried for', () => {
  const held = after([0, said(200, { expiresSeconds: 60 })], [30_000, said(408)]);
  assert.deepEqual([held.state, held.status, held.nextAt], ['registered', 408, 35_000]);
  const lost = afterRegister(held, said(503), 60_000);
  assert.deepEqual([lost.state, lost.since, lost.expiresAt], ['trying', 60_000, null]);
});

test('trouble is waited out ever longer, up to five minutes', () => {
  const waits: number[] = [];
  let held: Registration | null = null;
  for (let at = 0; waits.length < 9; at = held.nextAt) {
    held = afterRegister(held, said(503), at);
    waits.push((held.nextAt - at) / 1_000);
  }
  assert.deepEqual(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
});

test('a no is a no at once, and a time that is too brief is corrected at once', () => {
  const refused = after([0, said(200)], [10, said(403)]);
  assert.deepEqual([refused.state, refused.expiresAt], ['refused', null]);
  const brief = after([0, said(423, { minExpiresSeconds: 900 })]);
  assert.deepEqual([brief.seconds, brief.nextAt], [900, 0]);
  const again = afterRegister(brief, said(423, { minExpiresSeconds: 900 }), 0);
  assert.ok(again.nextAt > 0, 'no circle');
});
