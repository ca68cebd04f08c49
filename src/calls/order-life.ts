import { isFinished, type CallOrder } from './call-control.ts';
import type { OrderCode } from './order-codes.ts';

/** What time and the end of a call do to orders that nobody has finished. */
export const ORDER_LIMITS = {
  /** An order that no gateway has taken by then is not done any more: it would surprise. */
  takeMs: 10_000,
  /** Orders of one call that wait or are being done. */
  open: 20,
  /** Orders in the life of one call. */
  perCall: 1_000,
} as const;

/** The end of a call closes what is open: nobody will come back to it. */
export function closeOrders(orders: readonly CallOrder[], at: number): CallOrder[] {
  return orders.map((order) => {
    if (isFinished(order)) return order;
    const { wish } = order;
    const kept = wish.action === 'send_dtmf' ? { ...wish, digits: '' } : wish;
    return { ...order, wish: kept, status: 'failed', finishedAt: at, code: closingCode(order, at) };
  });
}

function closingCode(order: CallOrder, at: number): OrderCode {
  if (order.status === 'taken') return 'order_interrupted';
  return at - order.askedAt > ORDER_LIMITS.takeMs ? 'order_not_taken' : 'call_over';
}

/** An order as it stands at this instant: one that waits too long has failed, recorded or not. */
export function orderAt(order: CallOrder, now: number): CallOrder {
  if (order.status !== 'waiting' || now - order.askedAt <= ORDER_LIMITS.takeMs) return order;
  return { ...order, status: 'failed', code: 'order_not_taken' };
}
