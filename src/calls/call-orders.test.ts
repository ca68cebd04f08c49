import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { AccountId, CallId, ContactId, EndpointId, LineId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { evolve, queuedCall, type CallEvent, type CallState } from './call.ts';
import { isFinished, type CallOrder, type CallOrderId, type OrderWish } from './call-control.ts';
import { askOrder, finishOrder, takeOrder, waitingOrders } from './call-orders.ts';
import { holdMs } from './control-views.ts';
import { orderAt, ORDER_LIMITS } from './order-life.ts';

const START = Date.UTC(2026, 5, 3, 12);
const HOLD: OrderWish = { action: 'hold' };

const fold = (state: CallState, events: readonly CallEvent[]): CallState =>
  events.reduce(evolve, state);

function queued(): CallState {
  return queuedCall({
    id: 'call_1' as CallId,
    accountId: 'acct_1' as AccountId,
    contactId: 'cont_1' as ContactId,
    lineId: 'line_1' as LineId,
    endpointId: 'end_1' as EndpointId,
    purpose: 'your order',
    strategy: 'on_answer',
    ringTimeoutMs: 60_000,
    clientReference: null,
    requestedAt: START,
    dueAt: START,
  });
}

function bridged(): CallState {
  const dialing = {
    type: 'CallDialing',
    at: START,
    permissionId: 'perm_1',
    policyPack: 'p',
    permissionAgeMs: 1,
  } as CallEvent;
  return fold(queued(), [
    dialing,
    { type: 'CallAnswered', at: START },
    { type: 'CallBridged', at: START },
  ]);
}

function orderOf(id: string, wish: OrderWish, askedAt = START): CallOrder {
  return {
    id: id as CallOrderId,
    wish,
    actor: 'api:key',
    askedAt,
    takenAt: null,
    finishedAt: null,
    status: 'waiting',
    code: null,
  };
}

function asked(state: CallState, id: string, wish = HOLD, now = START): CallState {
  const events = askOrder(state, orderOf(id, wish, now), now);
  assert.ok(!isRefused(events), JSON.stringify(events));
  return fold(state, events);
}

const codeOf = (state: CallState, wish: OrderWish): string | null => {
  const events = askOrder(state, orderOf('ord_x', wish), START);
  return isRefused(events) ? events.refused.code : null;
};

test('what may be ordered depends on how far the call is', () => {
  const answered = fold(queued(), [
    { type: 'CallDialing', at: START, permissionId: 'perm_1', policyPack: 'p', permissionAgeMs: 1 },
    { type: 'CallAnswered', at: START },
  ] as CallEvent[]);
  const play: OrderWish = {
    action: 'play',
    leg: 'whatsapp',
    sound: 'beep',
    loop: false,
    interrupt: false,
  };
  assert.deepEqual(
    [codeOf(queued(), HOLD), codeOf(queued(), play)],
    ['call_not_up', 'call_not_up'],
  );
  assert.equal(codeOf(queued(), { action: 'hang_up' }), null);
  assert.deepEqual([codeOf(answered, HOLD), codeOf(answered, play)], ['call_not_up', null]);
  assert.equal(codeOf(bridged(), HOLD), null);
  const leaving = fold(bridged(), [
    { type: 'CallHangUpRequested', at: START, by: 'business', reason: 'business_hung_up' },
  ]);
  assert.equal(codeOf(leaving, HOLD), 'call_over');
});

test('a hang-up is done as soon as it is ordered, also of a call that nobody holds', () => {
  const state = asked(queued(), 'ord_1', { action: 'hang_up' });
  assert.equal(state.status, 'ended');
  assert.deepEqual(
    state.facts.control?.orders.map(({ status }) => status),
    ['done'],
  );
});

test('an order is taken once, and only while it is fresh', () => {
  const state = asked(bridged(), 'ord_1');
  const late = START + ORDER_LIMITS.takeMs + 1;
  const tooLate = takeOrder(state, 'ord_1', late);
  assert.deepEqual(
    tooLate.map((event) => [event.type, 'code' in event && event.code]),
    [['CallOrderFailed', 'order_not_taken']],
  );
  assert.equal(orderAt(orderOf('ord_1', HOLD), late).code, 'order_not_taken');
  const taken = fold(state, takeOrder(state, 'ord_1', START + 5));
  assert.deepEqual(takeOrder(taken, 'ord_1', START + 6), []);
  assert.deepEqual(takeOrder(taken, 'ord_unknown', START + 6), []);
  const done = fold(taken, finishOrder(taken, 'ord_1', null, START + 7));
  assert.deepEqual(finishOrder(done, 'ord_1', 'order_failed', START + 8), []);
});

test('a call takes twenty open orders, and a hang-up whatever waits', () => {
  let state = bridged();
  for (let index = 0; index < ORDER_LIMITS.open; index += 1) state = asked(state, `ord_${index}`);
  assert.equal(codeOf(state, HOLD), 'orders_full');
  assert.equal(codeOf(state, { action: 'hang_up' }), null);
});

test('whatever happens, no order is taken twice and none is open after the end', () => {
  const step = fc.oneof(
    fc.constant('ask' as const),
    fc.constant('take' as const),
    fc.constant('done' as const),
    fc.constant('fail' as const),
    fc.constant('wait' as const),
    fc.constant('end' as const),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(30)), { maxLength: 200 }), (steps) => {
      let state = bridged();
      let now = START;
      let next = 0;
      const takes = new Map<string, number>();
      for (const [what, number] of steps) {
        const id = `ord_${number % Math.max(1, next)}`;
        let events: CallEvent[] = [];
        if (what === 'ask') {
          const wish = { action: 'send_dtmf', leg: 'whatsapp', digits: '4711', count: 4 } as const;
          const answer = askOrder(state, orderOf(`ord_${next}`, wish, now), now);
          if (!isRefused(answer)) {
            events = answer;
            next += 1;
          }
        } else if (what === 'take') events = takeOrder(state, id, now);
        else if (what === 'done') events = finishOrder(state, id, null, now);
        else if (what === 'fail') events = finishOrder(state, id, 'order_failed', now);
        else if (what === 'wait') now += number * 500;
        else if (number === 0) {
          const end = { outcome: 'completed', reason: 'r', by: 'customer', media: null } as const;
          events = [{ type: 'CallEnded', at: now, ...end }];
        }
        for (const event of events) {
          if (event.type !== 'CallOrderTaken') continue;
          takes.set(event.orderId, (takes.get(event.orderId) ?? 0) + 1);
        }
        state = fold(state, events);
      }
      const orders = state.facts.control?.orders ?? [];
      for (const times of takes.values()) assert.equal(times, 1);
      for (const { wish, ...order } of orders.filter(isFinished)) {
        assert.ok(!JSON.stringify(wish).includes('4711'), 'digits outlive their order');
        assert.equal(order.code === null, order.status === 'done');
      }
      if (state.status === 'ended') assert.ok(orders.every(isFinished));
      assert.ok(orders.length <= ORDER_LIMITS.open + 51);
      if (state.status === 'ended') assert.deepEqual(waitingOrders(state), []);
    }),
    { seed: 4711, numRuns: 300 },
  );
});

test('holds of several that overlap count once', () => {
  const held = fold(bridged(), [
    { type: 'CallHeld', at: START + 1_000, by: 'business' },
    { type: 'CallHeld', at: START + 2_000, by: 'endpoint' },
    { type: 'CallResumed', at: START + 3_000, by: 'business' },
    { type: 'CallResumed', at: START + 5_000, by: 'endpoint' },
    { type: 'CallHeld', at: START + 8_000, by: 'endpoint' },
  ]);
  assert.equal(holdMs(held, START + 10_000), 6_000);
});

test('a transfer puts the other leg in the place of the endpoint, and keeps the old one', () => {
  const endpointId = 'end_2' as EndpointId;
  const at = START;
  const state = fold(bridged(), [
    { type: 'EndpointInvited', at, sipCallId: 'a', target: 'sip:a@x' },
    { type: 'EndpointAnswered', at, dialog: { tag: 'a' } },
    { type: 'CallTransferStarted', at, mode: 'blind', by: 'business', legId: 'leg2', endpointId },
    {
      type: 'LegInvited',
      at,
      legId: 'leg2',
      endpointId,
      purpose: 'transfer',
      sipCallId: 'b',
      target: 'sip:b@x',
    },
    { type: 'LegAnswered', at, legId: 'leg2', dialog: { tag: 'b' } },
    { type: 'CallTransferred', at: at + 9, legId: 'leg2' },
  ]);
  const { endpoint, control } = state.facts;
  assert.deepEqual([endpoint?.sipCallId, endpoint?.dialog], ['b', { tag: 'b' }]);
  assert.deepEqual(control?.taken, { legId: 'leg2', endpointId });
  assert.deepEqual(
    control?.legs.map(({ legId, dialog, endReason }) => [legId, dialog, endReason]),
    [['main', null, 'transferred']],
  );
  assert.equal(control?.transfers[0]?.outcome, 'transferred');
});
