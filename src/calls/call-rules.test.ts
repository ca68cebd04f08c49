import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CallStatus } from '../http/api-types.ts';
import type { PermissionId } from '../platform/ids.ts';
import {
  CALL_MOVES,
  evolve,
  nextStatus,
  queuedCall,
  type CallEvent,
  type CallState,
} from './call.ts';
import {
  CALL_LIMITS,
  abandon,
  dial,
  endOf,
  hangUp,
  observe,
  wake,
  wakesAt,
  type CallFact,
} from './call-rules.ts';

const T0 = Date.UTC(2026, 0, 5, 12);

function queued(): CallState {
  return queuedCall({
    id: 'call_1' as never,
    accountId: 'acct_1' as never,
    contactId: 'cont_1' as never,
    lineId: 'line_1' as never,
    endpointId: 'end_1' as never,
    purpose: 'your order 1042',
    strategy: 'on_answer',
    ringTimeoutMs: 60_000,
    clientReference: null,
    requestedAt: T0,
    dueAt: T0,
  });
}

const GRANT = {
  permissionId: 'perm_1' as PermissionId,
  policyPack: 'strict-2026-01',
  permissionAgeMs: 60_000,
};

const fold = (state: CallState, events: CallEvent[]): CallState => events.reduce(evolve, state);
const see = (state: CallState, fact: CallFact, now = fact.at): CallState =>
  fold(state, observe(state, fact, now));

function dialing(): CallState {
  const state = queued();
  return fold(state, dial(state, GRANT, T0));
}

const INITIATED: CallFact = { type: 'CallInitiated', at: T0 + 300, wacid: 'wacid.1' };
const MEDIA: CallFact = { type: 'CallMediaAnswered', at: T0 + 1000, sdp: 'v=0' };
const RINGING: CallFact = { type: 'CallRinging', at: T0 + 2000 };
const ANSWERED: CallFact = { type: 'CallAnswered', at: T0 + 8000 };
const REJECTED: CallFact = { type: 'CallRejected', at: T0 + 8000 };

function terminated(picked: boolean): CallFact {
  const times = picked
    ? { startedAt: T0 + 8000, endedAt: T0 + 30_000, durationSeconds: 22 }
    : { startedAt: null, endedAt: null, durationSeconds: null };
  const at = T0 + 30_000;
  return { type: 'CallTerminated', learnedAt: at, at, completed: picked, ...times, errors: [] };
}

/** Everything a call may meet, for the table test. */
const EVENTS: CallEvent[] = [
  { type: 'CallDialing', at: T0, ...GRANT },
  INITIATED,
  { type: 'CallDialUnknown', at: T0, reason: 'x' },
  MEDIA,
  { type: 'CallMediaConnected', at: T0 },
  RINGING,
  ANSWERED,
  REJECTED,
  { type: 'CallBridged', at: T0 },
  terminated(true),
  { type: 'CallHangUpRequested', at: T0, by: 'business', reason: 'x' },
  { type: 'EndpointInvited', at: T0, sipCallId: 'sip-1' },
  { type: 'EndpointRinging', at: T0 },
  { type: 'EndpointAnswered', at: T0, dialog: null },
  { type: 'EndpointFailed', at: T0, status: 486, reason: 'Busy Here' },
  { type: 'EndpointEnded', at: T0 },
  { type: 'CallEnded', at: T0, outcome: 'failed', reason: 'x', by: 'platform', media: null },
  { type: 'CallFactLate', at: T0, fact: 'x' },
];

function inStatus(status: CallStatus): CallState {
  const facts: Record<CallStatus, CallFact[]> = {
    queued: [],
    dialing: [],
    initiated: [INITIATED],
    ringing: [INITIATED, RINGING],
    answered: [INITIATED, RINGING, ANSWERED],
    bridged: [INITIATED, RINGING, ANSWERED, { type: 'CallBridged', at: T0 + 9000 }],
    ended: [],
  };
  if (status === 'queued') return queued();
  if (status === 'ended') return fold(queued(), abandon(queued(), 'blocked', 'x', T0));
  return facts[status].reduce((state, fact) => see(state, fact), dialing());
}

test('every status takes every event as the table says, and nothing else moves it', () => {
  for (const status of Object.keys(CALL_MOVES) as CallStatus[]) {
    const state = inStatus(status);
    assert.equal(state.status, status);
    for (const event of EVENTS) {
      const expected = nextStatus(status, event.type) ?? status;
      assert.equal(evolve(state, event).status, expected, `${status} × ${event.type}`);
    }
  }
});

test('a call that is answered, bridged and hung up by the customer is completed', () => {
  const facts = [INITIATED, MEDIA, RINGING, ANSWERED];
  let state = facts.reduce((before, fact) => see(before, fact), dialing());
  state = see(state, { type: 'CallBridged', at: T0 + 8200 });
  state = see(state, terminated(true));
  const [end] = wake(state, T0 + 30_000, null);
  assert.deepEqual(end, {
    type: 'CallEnded',
    outcome: 'completed',
    reason: 'customer_hung_up',
    by: 'customer',
    at: T0 + 30_000,
    media: null,
  });
});

test('webhooks doubled and in any order give one final state', () => {
  const picked = [INITIATED, MEDIA, RINGING, ANSWERED, terminated(true)];
  const rejected = [INITIATED, MEDIA, RINGING, REJECTED, terminated(false)];
  const missed = [INITIATED, MEDIA, RINGING, terminated(false)];
  for (const story of [picked, rejected, missed]) {
    const end = (facts: readonly CallFact[]): CallState => {
      const settled = facts.reduce((state, fact) => see(state, fact), dialing());
      return fold(settled, wake(settled, T0 + 30_000 + CALL_LIMITS.settleMs, null));
    };
    const expected = end(story);
    assert.equal(expected.status, 'ended');
    const order = fc.shuffledSubarray([...story, ...story], { minLength: story.length * 2 });
    fc.assert(
      fc.property(order, (facts) => assert.deepEqual(end(facts), expected)),
      { seed: 2026, numRuns: 2000 },
    );
  }
});

test('a terminate without its companions waits two seconds for them', () => {
  let state = see(see(dialing(), INITIATED), terminated(false), T0 + 30_000);
  assert.equal(wakesAt(state), T0 + 32_000);
  assert.deepEqual(wake(state, T0 + 31_999, null), []);
  state = see(state, REJECTED, T0 + 31_000);
  assert.equal(endOf(state, T0 + 32_000).outcome, 'rejected');
});

test('an unanswered ring is hung up at its time-out and counts as no answer', () => {
  let state = see(see(see(dialing(), INITIATED), MEDIA), RINGING);
  assert.equal(wakesAt(state), T0 + 2000 + 60_000);
  state = fold(state, wake(state, T0 + 62_000, null));
  assert.equal(state.facts.hangUp?.reason, 'ring_timeout');
  state = see(state, terminated(false), T0 + 62_500);
  state = fold(state, wake(state, T0 + 62_500, null));
  assert.ok(state.status === 'ended' && state.end.outcome === 'no_answer');
});

test('a dial whose answer was lost is given up after 30 s, never repeated', () => {
  let state = see(dialing(), {
    type: 'CallDialUnknown',
    at: T0 + 10_000,
    reason: 'meta_outcome_unknown',
  });
  assert.equal(state.status, 'dialing');
  assert.deepEqual(dial(state, GRANT, T0 + 11_000), []);
  state = fold(state, wake(state, T0 + 30_000, null));
  assert.equal(state.facts.hangUp?.reason, 'dial_unknown');
});

test('a lost dial answer is healed by the webhooks that carry our call id', () => {
  const unknown = see(dialing(), { type: 'CallDialUnknown', at: T0 + 500, reason: 'x' });
  const healed = [INITIATED, MEDIA, RINGING].reduce((state, fact) => see(state, fact), unknown);
  assert.equal(healed.status, 'ringing');
  assert.equal(healed.facts.wacid, 'wacid.1');
});

test('hanging up a queued call cancels it at once; the second wish changes nothing', () => {
  const state = queued();
  const ended = fold(state, hangUp(state, 'business', 'business_hung_up', T0));
  assert.ok(ended.status === 'ended' && ended.end.outcome === 'canceled');
  assert.deepEqual(hangUp(ended, 'business', 'again', T0), []);
});

test('an endpoint that is busy fails the call with its reason', () => {
  let state = [INITIATED, MEDIA, RINGING, ANSWERED].reduce((s, fact) => see(s, fact), dialing());
  state = fold(state, hangUp(state, 'endpoint', 'endpoint_busy', T0 + 9000));
  const end = endOf(state, T0 + 9000);
  assert.deepEqual([end.outcome, end.reason, end.by], ['failed', 'endpoint_busy', 'endpoint']);
});

test('a fact after the end is kept as late and changes nothing', () => {
  const state = queued();
  const ended = fold(state, abandon(state, 'failed', 'meta_permission_missing', T0));
  const late = observe(ended, RINGING, T0 + 5000);
  assert.deepEqual(late, [{ type: 'CallFactLate', at: T0 + 5000, fact: 'CallRinging' }]);
  assert.deepEqual(fold(ended, late), ended);
});

test('every live call has a deadline, except one that is bridged', () => {
  for (const status of ['dialing', 'initiated', 'ringing', 'answered'] as const) {
    assert.notEqual(wakesAt(inStatus(status)), null, status);
  }
  assert.equal(wakesAt(inStatus('bridged')), null);
});
