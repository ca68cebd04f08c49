import type { ContactUnit } from '../ledger/contact-unit.ts';
import { invariant } from '../platform/invariant.ts';
import type { CallId } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import type { CallOrder, OrderWish } from './call-control.ts';
import { applyCallEvents } from './call-events.ts';
import { askOrder } from './call-orders.ts';
import { readCall } from './call-store.ts';

/** Takes an order to a live call down; the gateway that holds the call follows it. */
export async function orderCall(
  unit: ContactUnit,
  callId: CallId,
  wish: OrderWish,
  actor: string,
): Promise<CallOrder | Refused> {
  const state = await readCall(unit.tx, callId);
  invariant(state !== null, `call ${callId} vanished`);
  const order: CallOrder = {
    id: unit.ids.next('callOrder', unit.contact.bucket),
    wish,
    actor,
    askedAt: unit.now,
    takenAt: null,
    finishedAt: null,
    status: 'waiting',
    code: null,
  };
  const events = askOrder(state, order, unit.now);
  if (isRefused(events)) return events;
  await applyCallEvents(unit, state, events, actor);
  const taken = events.find((event) => event.type === 'CallOrdered');
  return taken?.order ?? order;
}
