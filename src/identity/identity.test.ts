import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialConsent, type ConsentState } from '../consent/consent.ts';
import type { ContactId, PermissionId } from '../platform/ids.ts';
import { planChange, planSighting, sharedConsent, type Known, type OnRecord } from './identity.ts';

const A = 'cont_a' as ContactId;
const B = 'cont_b' as ContactId;
const N = '+447700900001';
const M = '+447700900002';
const [U, V] = ['GB.1', 'GB.2'];

const known = (id: ContactId, e164: string | null, userId: string | null, since = 0): Known => ({
  id,
  e164,
  userId,
  numberSince: since === 0 ? null : since,
});
const nobody: OnRecord = { byNumber: null, byUser: null, former: null, asked: null };
const seen = { e164: N, userId: U, at: 100 };

test('a sighting decides whose fact it is, and what it teaches', () => {
  const cases: Array<[name: string, record: Partial<OnRecord>, owner: ContactId | null, string[]]> =
    [
      ['a stranger', {}, null, []],
      ['both lead to one', { byNumber: known(A, N, U), byUser: known(A, N, U) }, A, []],
      ['a number that learns its user id', { byNumber: known(A, N, null) }, A, []],
      ['a user id that learns its number', { byUser: known(A, null, U) }, A, []],
      ['a number with another user id', { byNumber: known(A, N, V) }, null, ['loseNumber']],
      ['a user id with another number', { byUser: known(A, M, U) }, A, ['changeNumber']],
      [
        'two halves of one person',
        { byNumber: known(A, N, null), byUser: known(B, null, U) },
        A,
        ['merge'],
      ],
      [
        'a number that passed to somebody known',
        { byNumber: known(A, N, V), byUser: known(B, M, U) },
        B,
        ['loseNumber', 'changeNumber'],
      ],
      [
        'an answer to our message under a new user id',
        { asked: known(A, N, V), byNumber: known(A, N, V) },
        A,
        ['changeUserId'],
      ],
    ];
  for (const [name, record, owner, kinds] of cases) {
    const plan = planSighting(seen, { ...nobody, ...record });
    assert.equal(plan.owner, owner, name);
    assert.deepEqual(
      plan.steps.map(({ kind }) => kind),
      kinds,
      name,
    );
  }
});

test('a fact of before a number changed hands moves nothing', () => {
  const late = planSighting(seen, { ...nobody, byNumber: known(B, N, V, 200), former: A });
  assert.deepEqual([late.owner, late.steps, late.isOld], [A, [], true]);
  const gone = planSighting(seen, { ...nobody, byNumber: known(B, N, V, 200) });
  assert.deepEqual([gone.owner, gone.steps, gone.isOld], [null, [], true]);
  const change = { from: { e164: N, userId: U }, to: { e164: M, userId: V }, at: 100 };
  const record = { byNewNumber: null, byNewUser: null, isByOldId: true };
  assert.deepEqual(planChange(change, { ...record, before: known(A, M, V, 200) }).steps, []);
});

test('whoever we knew by the new number alone is not the one who moves there', () => {
  const change = { from: { e164: N, userId: U }, to: { e164: M, userId: V }, at: 100 };
  const record = { before: known(A, N, U), isByOldId: true, byNewUser: null };
  const { owner, steps } = planChange(change, { ...record, byNewNumber: known(B, M, null) });
  assert.equal(owner, A);
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['loseNumber', 'changeNumber', 'changeUserId'],
  );
});

const yesAt = (at: number): ConsentState => ({
  status: 'granted',
  request: null,
  permission: {
    permissionId: 'perm_1' as PermissionId,
    requestId: null,
    purpose: 'x',
    promisedAt: null,
    kind: 'temporary',
    source: 'user',
    grantedAt: at,
    expiresAt: at + 1_000,
    messageId: 'wamid.1',
  },
  history: { ...initialConsent.history, requestsSent: 1, callsAt: [at] },
});

const noAt = (at: number, reason = 'reply'): ConsentState => ({
  status: 'revoked',
  request: null,
  permission: null,
  usedByCallId: null,
  revokedAt: at,
  revokedBy: 'customer',
  reason,
  history: {
    ...initialConsent.history,
    requestsSent: 2,
    callsAt: [at - 50],
    lastAnswer: { at, kind: 'revoke', by: 'customer', messageId: null },
  },
});

test('the gate hears a no that reached the other contact, and counts what was done to both', () => {
  assert.equal(sharedConsent(yesAt(100), []).status, 'granted');
  const later = sharedConsent(yesAt(100), [noAt(100)]);
  assert.equal(later.status, 'revoked');
  assert.equal(later.history.requestsSent, 3);
  assert.deepEqual(later.history.callsAt, [50, 100]);
  assert.equal(sharedConsent(yesAt(100), [noAt(99)]).status, 'granted');
  // What the merge itself took back is nobody's word.
  assert.equal(sharedConsent(yesAt(100), [noAt(500, 'same_person')]).status, 'granted');
});
