import type { Refused } from '../platform/refusal.ts';
import type { CallEvent, CallState } from './call.ts';
import { isFinished, NO_CONTROL, type CallOrder, type OrderAction } from './call-control.ts';
import { hangUp } from './call-rules.ts';
import { ORDER_CODES, type OrderCode } from './order-codes.ts';
import { ORDER_LIMITS } from './order-life.ts';

/**
 * What may be ordered of a call, and when, as pure functions: state and the instant go in, events
 * or a refusal come out.
 */
/** These need only a call that is being set up; all others need both sides to be there. */
const ANY_TIME: ReadonlySet<OrderAction> = new Set(['hang_up']);
const FROM_ANSWER: ReadonlySet<OrderAction> = new Set([
  'play',
  'stop_playing',
  'send_dtmf',
  'mute',
  'unmute',
  'start_recording',
  'pause_recording',
  'resume_recording',
  'stop_recording',
]);

/**
 * Takes an order down, or says why it cannot be followed. A hang-up is done with it.
 */
export function askOrder(state: CallState, order: CallOrder, now: number): CallEvent[] | Refused {
  const no = whyNot(state, order.wish.action);
  if (no !== null) return refusedOrder(no, state, order.wish.action);
  if (order.wish.action !== 'hang_up') return [{ type: 'CallOrdered', at: now, order }];
  // The end needs nobody to take it: it is in the row as soon as it is asked for.
  const done = { ...order, status: 'done', takenAt: now, finishedAt: now } as const;
  const end = hangUp(state, 'business', 'business_hung_up', now);
  return [{ type: 'CallOrdered', at: now, order: done }, ...end];
}

function whyNot(state: CallState, action: OrderAction): OrderCode | null {
  const { facts, status } = state;
  if (isGoingDown(state)) return 'call_over';
  const isAnswered = status === 'answered' || status === 'bridged';
  const isUp = FROM_ANSWER.has(action) ? isAnswered : status === 'bridged';
  if (!isUp && !ANY_TIME.has(action)) return 'call_not_up';
  const { orders, orderCount } = facts.control ?? NO_CONTROL;
  const open = orders.filter((order) => !isFinished(order)).length;
  const isFull = open >= ORDER_LIMITS.open || orderCount >= ORDER_LIMITS.perCall;
  // Whatever waits, a call can always be ended.
  return isFull && action !== 'hang_up' ? 'orders_full' : null;
}

function refusedOrder(code: OrderCode, state: CallState, action: OrderAction): Refused {
  const { title, fix } = ORDER_CODES[code];
  const evidence = { status: state.status, action };
  return { refused: { code, message: `${title}.`, fix, evidence } };
}

/**
 * The gateway is about to follow an order: whoever gets `CallOrderTaken` out of this, and only
 * they, may act. Nothing comes out for an order that somebody has taken before.
 */
export function takeOrder(state: CallState, orderId: string, now: number): CallEvent[] {
  const order = orderOf(state, orderId);
  if (order === undefined || order.status !== 'waiting' || state.status === 'ended') return [];
  if (now - order.askedAt > ORDER_LIMITS.takeMs) {
    return [{ type: 'CallOrderFailed', at: now, orderId: order.id, code: 'order_not_taken' }];
  }
  if (isGoingDown(state)) {
    return [{ type: 'CallOrderFailed', at: now, orderId: order.id, code: 'call_over' }];
  }
  return [{ type: 'CallOrderTaken', at: now, orderId: order.id }];
}

/** What became of a taken order: `code` is null when it was done. */
export function finishOrder(
  state: CallState,
  orderId: string,
  code: string | null,
  now: number,
): CallEvent[] {
  const order = orderOf(state, orderId);
  if (order === undefined || isFinished(order)) return [];
  if (state.status === 'ended') return [];
  if (code === null) return [{ type: 'CallOrderDone', at: now, orderId: order.id }];
  return [{ type: 'CallOrderFailed', at: now, orderId: order.id, code }];
}

export function waitingOrders({ facts }: CallState): CallOrder[] {
  return (facts.control?.orders ?? []).filter(({ status }) => status === 'waiting');
}

export function orderOf({ facts }: CallState, orderId: string): CallOrder | undefined {
  return facts.control?.orders.find(({ id }) => id === orderId);
}

function isGoingDown({ facts, status }: CallState): boolean {
  return status === 'ended' || facts.hangUp !== null || facts.terminated !== null;
}
