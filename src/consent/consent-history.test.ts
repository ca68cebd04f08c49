import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CallId, PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import {
  completeConsent,
  decide,
  evolveAll,
  heldSince,
  initialConsent,
  NEVER,
  reachEvent,
  wakesAt,
  type ConsentCommand,
  type ConsentRules,
  type ConsentState,
} from './consent.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5, 12);
/** As Meta has it: several calls on one yes, a permanent one until it is revoked. */
const lenient: ConsentRules = {
  grantValidMs: 7 * DAY,
  permanentValidMs: null,
  callsPerGrant: null,
  requestCaps: [],
  requestLapsesMs: 7 * DAY,
};
const three: ConsentRules = { ...lenient, callsPerGrant: 3 };
const PERMISSION = 'perm_1' as PermissionId;
const callId = (n: number): CallId => `call_${n}` as CallId;

function after(
  state: ConsentState,
  command: ConsentCommand,
  { now = START, rules = lenient }: { now?: number; rules?: ConsentRules } = {},
): ConsentState {
  const decided = decide(command, state, { now, rules });
  assert.ok(!isRefused(decided), `${command.type} was refused`);
  return evolveAll(state, decided.events);
}

function yes(permanent: boolean, rules = lenient): ConsentState {
  const reply: ConsentCommand = {
    type: 'RecordReply',
    response: 'accept',
    permanent,
    metaExpiresAt: null,
    source: 'user',
    contextMessageId: null,
    messageId: 'wamid.yes',
    permissionId: PERMISSION,
    at: START,
  };
  return after(initialConsent, reply, { rules });
}

const consume = (n: number): ConsentCommand => ({
  type: 'Consume',
  callId: callId(n),
  permissionId: PERMISSION,
});
const release = (n: number): ConsentCommand => ({
  type: 'Release',
  callId: callId(n),
  reason: 'refused',
});

test('of three calls on one yes the first two leave it granted, and the third uses it up', () => {
  let state = yes(false, three);
  for (const n of [1, 2]) {
    state = after(state, consume(n), { now: START + n, rules: three });
    assert.equal(state.status, 'granted');
    assert.equal(heldSince(state, callId(n)), START + n);
  }
  state = after(state, consume(3), { now: START + 3, rules: three });
  assert.equal(state.status, 'used');
  assert.deepEqual(state.history.callsAt, [START + 1, START + 2, START + 3]);
  const fourth = decide(consume(4), state, { now: START + 4, rules: three });
  assert.ok(isRefused(fourth) && fourth.refused.code === 'permission_used');
});

test('consuming twice for one call counts once, also when others came between', () => {
  let state = yes(false, three);
  for (const n of [1, 2, 1, 2]) state = after(state, consume(n), { rules: three });
  assert.equal(state.history.callsPlaced, 2);
});

test('a definite refusal gives back one call of several, and the last one too', () => {
  let state = yes(false, three);
  for (const n of [1, 2, 3]) state = after(state, consume(n), { now: START + n, rules: three });
  state = after(state, release(2), { rules: three });
  assert.equal(state.status, 'granted');
  assert.deepEqual(state.history.callsAt, [START + 1, START + 3]);
  assert.equal(heldSince(state, callId(2)), null);
  assert.deepEqual(after(state, release(2), { rules: three }), state);
  state = after(state, consume(4), { rules: three });
  assert.equal(state.status, 'used');
  state = after(state, release(4), { rules: three });
  assert.equal(state.status, 'granted');
});

test('a new yes counts its calls anew', () => {
  let state = yes(false, three);
  for (const n of [1, 2]) state = after(state, consume(n), { rules: three });
  const again: ConsentCommand = {
    type: 'RecordReply',
    response: 'accept',
    permanent: false,
    metaExpiresAt: null,
    source: 'user',
    contextMessageId: null,
    messageId: 'wamid.again',
    permissionId: 'perm_2' as PermissionId,
    at: START + HOUR,
  };
  state = after(state, again, { now: START + HOUR, rules: three });
  assert.equal(state.history.callsPlaced, 0);
  assert.equal(heldSince(state, callId(1)), null);
  assert.equal(state.history.callsAt.length, 2);
});

test('a permanent permission never wakes the clock, and ends by a no alone', () => {
  const state = yes(true);
  assert.ok(state.status === 'granted');
  assert.equal(state.permission.expiresAt, NEVER);
  assert.equal(wakesAt(state), null);
  const century = START + 100 * 366 * DAY;
  assert.deepEqual(after(state, { type: 'Expire' }, { now: century }), state);
  assert.equal(after(state, consume(1), { now: century }).status, 'granted');
  const revoke = { type: 'Revoke', by: 'customer', reason: 'no', at: century } as const;
  assert.equal(after(state, revoke, { now: century }).status, 'revoked');
  // The strict pack takes a permanent yes for one of 24 hours.
  const strict = { ...lenient, permanentValidMs: DAY };
  const brief = yes(true, strict);
  assert.ok(brief.status === 'granted' && brief.permission.expiresAt === START + DAY);
});

test('the end of calls is remembered in whatever status the consent is', () => {
  const stages: ConsentState[] = [initialConsent, yes(false), after(yes(false), consume(1))];
  for (const stage of stages) {
    const rang = (at: number) =>
      reachEvent({ callId: callId(1), outcome: 'unanswered', at: START + at });
    const twice = evolveAll(stage, [rang(1), rang(2)]);
    assert.equal(twice.status, stage.status);
    assert.equal(twice.history.unansweredInRow, 2);
    assert.equal(twice.history.lastUnansweredAt, START + 2);
    const talk = reachEvent({ callId: callId(2), outcome: 'connected', at: START + 3 });
    const reached = evolveAll(twice, [talk]);
    assert.deepEqual(reached.history.connectedAt, [START + 3]);
    assert.equal(reached.history.unansweredInRow, 0);
  }
});

test('a connected call sets back the requests before it, and no later one', () => {
  let state: ConsentState = initialConsent;
  for (const [n, at] of [START, START + DAY].entries()) {
    const request: ConsentCommand = {
      type: 'RequestPermission',
      requestId: `preq_${n}` as PermissionRequestId,
      purpose: 'your order 1042',
      template: 'ask',
      language: 'en',
      text: 'May we?',
      promisedAt: null,
      packName: 'test',
      at,
    };
    state = after(state, request, { now: at });
  }
  const at = START + DAY / 2;
  const reached = evolveAll(state, [reachEvent({ callId: callId(1), outcome: 'connected', at })]);
  assert.deepEqual(reached.history.requestsSinceConnected, [START + DAY]);
  assert.equal(reached.history.requestsWithoutYes.length, 2);
});

test('what is counted stays bounded, however many calls there are', () => {
  const calls = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.boolean()), {
    maxLength: 600,
  });
  fc.assert(
    fc.property(calls, (all) => {
      let state = yes(true);
      for (const [index, [day, isReached]] of all.entries()) {
        const at = START + day * DAY;
        const used = { type: 'PermissionPartlyUsed', permissionId: PERMISSION } as const;
        const outcome = isReached ? 'connected' : 'unanswered';
        const id = callId(index);
        state = evolveAll(state, [
          { ...used, callId: id, at },
          reachEvent({ callId: id, outcome, at }),
        ]);
      }
      const { callsAt, connectedAt, placedCalls, callsPlaced } = state.history;
      assert.ok(callsAt.length <= 200 && connectedAt.length <= 200 && placedCalls.length <= 8);
      assert.equal(callsPlaced, all.length);
    }),
    { seed: 1, numRuns: 50 },
  );
});

test('rows of earlier versions load, with what was not counted then at nothing', () => {
  const { requestsSent, requestsWithoutYes, lastRequestAt, lastAnswer, earlierRequests } = {
    ...initialConsent.history,
    requestsSent: 2,
    requestsWithoutYes: [START],
  };
  const old = { requestsSent, requestsWithoutYes, lastRequestAt, lastAnswer, earlierRequests };
  const stored = { status: 'none', history: old } as unknown as ConsentState;
  const loaded = completeConsent(stored);
  assert.deepEqual(loaded.history, {
    ...initialConsent.history,
    requestsSent: 2,
    requestsWithoutYes: [START],
    requestsSinceConnected: [START],
  });
  assert.equal(completeConsent(loaded), loaded);
  const granted = yes(false);
  const used = { ...granted, status: 'used', usedByCallId: callId(7), usedAt: START + 5 };
  const usedRow = { ...used, history: old } as unknown as ConsentState;
  assert.equal(heldSince(completeConsent(usedRow), callId(7)), START + 5);
  assert.deepEqual(completeConsent(usedRow).history.callsAt, [START + 5]);
  assert.equal(after(completeConsent(usedRow), release(7)).status, 'granted');
});
