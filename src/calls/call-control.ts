import type { ListenerMode, MediaLeg } from '../media/media.ts';
import type { NobodyEvent, NobodyFacts } from './nobody.ts';
import type { EndpointId, Id } from '../platform/ids.ts';
import type { CallPlan } from './call.ts';
import type { CallFacts } from './call-facts.ts';
import {
  foldScript,
  isScriptEvent,
  SCRIPT_EVENTS,
  type ScriptEvent,
  type ScriptFacts,
} from './call-script.ts';
import { withLegAsEndpoint } from './take-over.ts';

/**
 * How a call is led while it lives: orders of the business, holds, further legs, transfers and
 * listeners, as facts of the call. An order is a row before anybody acts on it; whoever acts says
 * so first, so that no order is ever done twice, whatever dies in between.
 *
 * ```
 * waiting ──▶ taken ──▶ done | failed          waiting ──▶ failed (too late, or the call is over)
 * ```
 */
export type CallControl = {
  /** Open orders, and the last finished ones, in the order they were given. */
  orders: readonly CallOrder[];
  orderCount: number;
  holds: readonly Hold[];
  muted: readonly MediaLeg[];
  /** Every leg beside the one the call was planned with, and that one once it was replaced. */
  legs: readonly LegFacts[];
  transfers: readonly Transfer[];
  /** Who speaks with the customer after a transfer; null is the planned endpoint. */
  taken: { legId: string; endpointId: EndpointId } | null;
  /** What its script has done; absent until one began. */
  script?: ScriptFacts;
  /** Absent where somebody answered. */
  nobody?: NobodyFacts;
};

export const NO_CONTROL: CallControl = {
  orders: [],
  orderCount: 0,
  holds: [],
  muted: [],
  legs: [],
  transfers: [],
  taken: null,
};

export type CallOrderId = Id<'callOrder'>;

export type OrderWish =
  | { action: 'hang_up' }
  | { action: 'complete_transfer' | 'cancel_transfer' }
  | { action: 'hold' | 'resume' }
  | { action: 'mute' | 'unmute' | 'stop_playing'; leg: MediaLeg }
  | { action: 'send_dtmf'; leg: MediaLeg; digits: string; count: number }
  | { action: 'play'; leg: MediaLeg; sound: string; loop: boolean; interrupt: boolean }
  | { action: 'transfer'; mode: TransferMode; endpointId: EndpointId }
  | { action: 'add_listener'; endpointId: EndpointId; mode: ListenerMode }
  | { action: 'remove_listener'; endpointId: EndpointId }
  | {
      action: 'start_recording' | 'pause_recording' | 'resume_recording' | 'stop_recording';
    };
export type OrderAction = OrderWish['action'];
export type OrderStatus = 'waiting' | 'taken' | 'done' | 'failed';

export type CallOrder = {
  id: CallOrderId;
  wish: OrderWish;
  actor: string;
  askedAt: number;
  takenAt: number | null;
  finishedAt: number | null;
  status: OrderStatus;
  /** Why it failed: a code of `order-codes.ts` or of `end-codes.ts`. */
  code: string | null;
};

/** `platform`: an agent's browser is gone, and they are waited for. */
export type HoldBy = 'business' | 'endpoint' | 'script' | 'platform';
/** `to` is null while it lasts; of an ended call: until its end. */
export type Hold = { by: HoldBy; from: number; to: number | null };

export type TransferMode = 'blind' | 'attended';
export type Transfer = {
  mode: TransferMode;
  /** `endpoint`: the PBX asked for it, by REFER. */
  by: 'business' | 'endpoint';
  legId: string;
  fromEndpointId: EndpointId;
  toEndpointId: EndpointId;
  startedAt: number;
  endedAt: number | null;
  /** `transferred`, or why not; null while it is under way. */
  outcome: string | null;
};

export type LegPurpose = 'planned' | 'transfer' | 'listener' | 'script' | 'return';
export type LegFacts = {
  legId: string;
  endpointId: EndpointId;
  purpose: LegPurpose;
  sipCallId: string;
  /** The URI that was called. */
  target: string | null;
  invitedAt: number;
  answeredAt: number | null;
  /** SIP dialog of the answered leg, so that a restarted gateway can still send its BYE. */
  dialog: Record<string, unknown> | null;
  endedAt: number | null;
  endReason: string | null;
  /** For a listener: how it takes part, and since when. */
  mode: ListenerMode | null;
  listensFrom: number | null;
};

export type ControlEvent =
  | ScriptEvent
  | NobodyEvent
  | { type: 'CallOrdered'; at: number; order: CallOrder }
  | { type: 'CallOrderTaken'; at: number; orderId: CallOrderId }
  | { type: 'CallOrderDone'; at: number; orderId: CallOrderId }
  | { type: 'CallOrderFailed'; at: number; orderId: CallOrderId; code: string }
  | { type: 'CallHeld' | 'CallResumed'; at: number; by: HoldBy }
  | { type: 'CallMuted' | 'CallUnmuted'; at: number; leg: MediaLeg }
  | { type: 'CallDigitsSent'; at: number; leg: MediaLeg; count: number }
  | {
      type: 'LegInvited';
      at: number;
      legId: string;
      endpointId: EndpointId;
      purpose: LegPurpose;
      sipCallId: string;
      target: string | null;
    }
  | { type: 'LegAnswered'; at: number; legId: string; dialog: Record<string, unknown> | null }
  | { type: 'LegEnded'; at: number; legId: string; reason: string }
  /** The leg now speaks with the customer, without a transfer: a script connected it. */
  | { type: 'LegTaken'; at: number; legId: string }
  | {
      type: 'CallTransferStarted';
      at: number;
      mode: TransferMode;
      by: 'business' | 'endpoint';
      legId: string;
      endpointId: EndpointId;
    }
  | { type: 'CallTransferred'; at: number; legId: string }
  | { type: 'CallTransferFailed'; at: number; legId: string; reason: string }
  /** The PBX asked for a transfer to where no call may go. */
  | { type: 'CallTransferRefused'; at: number; code: string }
  | {
      type: 'CallListenerAdded';
      at: number;
      legId: string;
      endpointId: EndpointId;
      mode: ListenerMode;
    }
  | { type: 'CallListenerRemoved'; at: number; legId: string; reason: string };

export type ControlEventType = ControlEvent['type'];

/** What control events do to the status: nothing. They are for calls that somebody is in. */
export const CONTROL_EVENTS = [
  ...SCRIPT_EVENTS,
  'CallOrdered',
  'CallOrderTaken',
  'CallOrderDone',
  'CallOrderFailed',
  'CallHeld',
  'CallResumed',
  'CallMuted',
  'CallUnmuted',
  'CallNobodyThere',
  'CallDigitsSent',
  'LegInvited',
  'LegAnswered',
  'LegEnded',
  'LegTaken',
  'CallTransferStarted',
  'CallTransferred',
  'CallTransferFailed',
  'CallTransferRefused',
  'CallListenerAdded',
  'CallListenerRemoved',
] as const satisfies readonly ControlEventType[];

const CONTROL: ReadonlySet<string> = new Set(CONTROL_EVENTS);

export function isControlEvent(event: { type: string }): event is ControlEvent {
  return CONTROL.has(event.type);
}

/** A row must stay small however long a call is led; the ledger keeps every entry. */
const KEPT = { finishedOrders: 50, holds: 50, legs: 20, transfers: 20 };

/** Folds what was done into the facts of the call. */
export function foldControl(plan: CallPlan, facts: CallFacts, event: ControlEvent): CallFacts {
  const before = facts.control ?? NO_CONTROL;
  if (isScriptEvent(event)) {
    return { ...facts, control: { ...before, script: foldScript(before.script, event) } };
  }
  const control = { ...before, ...changed(plan, before, event) };
  if (event.type !== 'LegTaken' && event.type !== 'CallTransferred') return { ...facts, control };
  return withLegAsEndpoint(plan, { ...facts, control }, event.legId, event.at, KEPT.legs);
}

function changed(
  plan: CallPlan,
  control: CallControl,
  event: Exclude<ControlEvent, ScriptEvent>,
): Partial<CallControl> {
  switch (event.type) {
    case 'CallOrdered':
      return {
        orders: [...lastFinished(control.orders), event.order],
        orderCount: control.orderCount + 1,
      };
    case 'CallOrderTaken':
    case 'CallOrderDone':
    case 'CallOrderFailed':
      return {
        orders: control.orders.map((order) =>
          order.id === event.orderId ? foldOrder(order, event) : order,
        ),
      };
    case 'CallHeld':
      return {
        holds: [...control.holds, { by: event.by, from: event.at, to: null }].slice(-KEPT.holds),
      };
    case 'CallResumed':
      return {
        holds: control.holds.map((hold) =>
          hold.by === event.by && hold.to === null ? { ...hold, to: event.at } : hold,
        ),
      };
    case 'CallMuted':
      return { muted: [...control.muted.filter((leg) => leg !== event.leg), event.leg] };
    case 'CallUnmuted':
      return { muted: control.muted.filter((leg) => leg !== event.leg) };
    case 'CallTransferStarted':
      return { transfers: [...control.transfers, begun(plan, control, event)].slice(-20) };
    case 'CallTransferred':
      return { transfers: closed(control.transfers, event.legId, event.at, 'transferred') };
    case 'CallTransferFailed':
      return { transfers: closed(control.transfers, event.legId, event.at, event.reason) };
    case 'CallNobodyThere':
      return { nobody: { action: event.action, reason: event.reason, until: event.until } };
    case 'CallDigitsSent':
    case 'CallTransferRefused':
    case 'LegTaken':
      return {};
    default:
      return { legs: foldLegs(control.legs, event) };
  }
}

/** Digits may be a secret: once they are sent, only their number is kept. */
function foldOrder(
  order: CallOrder,
  event: Extract<ControlEvent, { orderId: CallOrderId }>,
): CallOrder {
  if (event.type === 'CallOrderTaken') return { ...order, status: 'taken', takenAt: event.at };
  const wish = order.wish.action === 'send_dtmf' ? { ...order.wish, digits: '' } : order.wish;
  const finished = { ...order, wish, finishedAt: event.at };
  return event.type === 'CallOrderDone'
    ? { ...finished, status: 'done' }
    : { ...finished, status: 'failed', code: event.code };
}

function begun(
  plan: CallPlan,
  control: CallControl,
  event: Extract<ControlEvent, { type: 'CallTransferStarted' }>,
): Transfer {
  const { mode, by, legId, endpointId: toEndpointId, at: startedAt } = event;
  const fromEndpointId = control.taken?.endpointId ?? plan.endpointId;
  const open = { startedAt, endedAt: null, outcome: null };
  return { mode, by, legId, fromEndpointId, toEndpointId, ...open };
}

function closed(
  transfers: readonly Transfer[],
  legId: string,
  endedAt: number,
  outcome: string,
): Transfer[] {
  return transfers.map((transfer) =>
    transfer.legId === legId && transfer.endedAt === null
      ? { ...transfer, endedAt, outcome }
      : transfer,
  );
}

type LegEvent = Extract<
  ControlEvent,
  { type: 'LegInvited' | 'LegAnswered' | 'LegEnded' | 'CallListenerAdded' | 'CallListenerRemoved' }
>;

function foldLegs(legs: readonly LegFacts[], event: LegEvent): readonly LegFacts[] {
  if (event.type === 'LegInvited') {
    const { type: _type, at: invitedAt, ...invited } = event;
    const { legId } = invited;
    const later = { answeredAt: null, dialog: null, endedAt: null, endReason: null };
    const leg = { ...invited, invitedAt, ...later };
    // A second INVITE of the same leg, where SRTP or a target was refused, begins it anew.
    const others = legs.filter((other) => other.legId !== legId);
    return [...others, { ...leg, mode: null, listensFrom: null }].slice(-KEPT.legs);
  }
  return legs.map((leg) => (leg.legId === event.legId ? foldLeg(leg, event) : leg));
}

function foldLeg(leg: LegFacts, event: Exclude<LegEvent, { type: 'LegInvited' }>): LegFacts {
  switch (event.type) {
    case 'LegAnswered':
      return { ...leg, answeredAt: event.at, dialog: event.dialog };
    case 'CallListenerAdded':
      return { ...leg, mode: event.mode, listensFrom: leg.listensFrom ?? event.at };
    case 'CallListenerRemoved':
    case 'LegEnded':
      return { ...leg, endedAt: event.at, endReason: event.reason, dialog: null };
  }
}

function lastFinished(orders: readonly CallOrder[]): CallOrder[] {
  const finished = orders.filter(isFinished);
  const dropped = new Set(finished.slice(0, Math.max(0, finished.length - KEPT.finishedOrders)));
  return orders.filter((order) => !dropped.has(order));
}

export function isFinished({ status }: CallOrder): boolean {
  return status === 'done' || status === 'failed';
}

/** The transfer that is under way, if one is. */
export function openTransfer({ control }: CallFacts): Transfer | null {
  return control?.transfers.find(({ endedAt }) => endedAt === null) ?? null;
}

/** Who speaks with the customer, or will. */
export function currentEndpoint(plan: CallPlan, { control }: CallFacts): EndpointId {
  return control?.taken?.endpointId ?? plan.endpointId;
}

export function isOnHold({ control }: CallFacts, by?: HoldBy): boolean {
  return (control?.holds ?? []).some(
    (hold) => hold.to === null && (by === undefined || hold.by === by),
  );
}
