import type { Attribution } from '../attribution/attribution.ts';
import type { AccountId, CallId, ContactId, EndpointId, LineId } from '../platform/ids.ts';
import type { CallOutcome, CallStatus, CallStrategy } from '../http/api-types.ts';
import type { MediaStats } from '../media/media.ts';
import type { Announced } from '../recording/recording.ts';
import {
  CONTROL_EVENTS,
  foldControl,
  isControlEvent,
  type ControlEvent,
  type ControlEventType,
} from './call-control.ts';
import {
  foldFact,
  NOTHING_YET,
  type CallFacts,
  type EndedBy,
  type FactEvent,
} from './call-facts.ts';
import { closeOrders } from './order-life.ts';
import type { PlannedScript } from './call-script.ts';

/**
 * A call is one attempt to reach a contact, as a decider: commands and facts go in, events come
 * out, and the state is a fold over the events. Meta tells things late, twice and out of order,
 * so whatever comes from outside is a fact that is recorded once, with Meta's own time; what it
 * means is derived from all facts together. Every call ends exactly once.
 *
 * ```
 * queued ──▶ dialing ──▶ initiated ──▶ ringing ──▶ answered ──▶ bridged
 *    └──────────┴────────────┴────────────┴────────────┴───────────┴──▶ ended
 * ```
 */
export const CALL_MOVES = {
  queued: {
    CallDialing: 'dialing',
    CallOrdered: 'queued',
    CallRescheduled: 'queued',
    CallWaits: 'queued',
    CallWaitEnded: 'queued',
    CallHangUpRequested: 'queued',
    CallEnded: 'ended',
  },
  dialing: {
    ...anywhereWhileLive('dialing'),
    CallInitiated: 'initiated',
    CallRinging: 'ringing',
    CallAnswered: 'answered',
  },
  initiated: {
    ...anywhereWhileLive('initiated'),
    CallRinging: 'ringing',
    CallAnswered: 'answered',
  },
  ringing: { ...anywhereWhileLive('ringing'), CallAnswered: 'answered' },
  answered: { ...anywhereWhileLive('answered'), CallRinging: 'answered', CallBridged: 'bridged' },
  bridged: {
    ...anywhereWhileLive('bridged'),
    CallRinging: 'bridged',
    CallAudioLost: 'bridged',
    CallAudioFound: 'bridged',
    CallDeadAir: 'bridged',
  },
  ended: { CallFactLate: 'ended' },
} as const satisfies Record<CallStatus, Partial<Record<CallEventType, CallStatus>>>;

/** Facts that may come at any time while a call lives and do not move it. */
function anywhereWhileLive<S extends CallStatus>(status: S) {
  return {
    CallInitiated: status,
    CallDialUnknown: status,
    CallMediaAnswered: status,
    CallMediaConnected: status,
    CallRejected: status,
    CallTerminated: status,
    CallHangUpRequested: status,
    ...controlled(status),
    EndpointInvited: status,
    EndpointRinging: status,
    EndpointAnswered: status,
    EndpointFailed: status,
    EndpointEnded: status,
    CallEnded: 'ended',
  } as const;
}

/** What leads a live call never moves it; see `call-control.ts`. */
function controlled<S extends CallStatus>(status: S): Record<ControlEventType, S> {
  const moves = CONTROL_EVENTS.map((type) => [type, status]);
  return Object.fromEntries(moves) as Record<ControlEventType, S>;
}

/** What was asked for. Only its time may be moved, while the call waits. */
export type CallPlan = {
  id: CallId;
  accountId: AccountId;
  contactId: ContactId;
  lineId: LineId;
  endpointId: EndpointId;
  purpose: string;
  strategy: CallStrategy;
  ringTimeoutMs: number;
  clientReference: string | null;
  attribution?: Attribution;
  /** The API key that asked for it, for its caps; rows from before do not have it. */
  keyId?: string | null;
  /** The script that leads the call. */
  script?: PlannedScript | null;
  requestedAt: number;
  dueAt: number;
  /** After this it is not dialled any more; absent: by `CALL_LIMITS.lateMs` after its time. */
  until?: number;
  /** 0 to 9, 9 first; absent: the default. */
  priority?: number;
  /** Recorded from the moment that the two hear each other; absent: not unless ordered. */
  recording?: { announcement: Announced };
};

export type CallEnd = {
  outcome: CallOutcome;
  reason: string;
  by: EndedBy;
  at: number;
  /** Measured by the media plane; null when no media was ever opened, or its process died. */
  media: MediaStats | null;
};

export type CallState = { plan: CallPlan; facts: CallFacts; eventSequence: number } & (
  | { status: Exclude<CallStatus, 'ended'> }
  | { status: 'ended'; end: CallEnd }
);

export type CallEvent =
  | FactEvent
  | ControlEvent
  | { type: 'CallRescheduled'; at: number; dueAt: number; until: number | null }
  | ({ type: 'CallEnded' } & CallEnd);

export type CallEventType = CallEvent['type'];

/** A call as it is asked for: waiting for its due time. */
export function queuedCall(plan: CallPlan): CallState {
  return {
    plan,
    status: 'queued',
    eventSequence: 0,
    facts: NOTHING_YET,
  };
}

export function nextStatus(status: CallStatus, type: CallEventType): CallStatus | undefined {
  const moves: Partial<Record<CallEventType, CallStatus>> = CALL_MOVES[status];
  return moves[type];
}

/** Folds one event into the state. An event the table does not allow changes nothing. */
export function evolve(state: CallState, event: CallEvent): CallState {
  const status = nextStatus(state.status, event.type);
  if (status === undefined) return state;
  const { plan, eventSequence } = state;
  if (event.type === 'CallEnded') {
    const { type: _type, ...end } = event;
    const facts = { ...state.facts, mediaAnswer: null, ...closedControl(state.facts, end.at) };
    return { plan, eventSequence, facts, status: 'ended', end };
  }
  if (state.status === 'ended' || status === 'ended') return state;
  if (event.type === 'CallRescheduled') {
    const { wait: _wait, ...facts } = state.facts;
    return { ...state, facts, plan: movedTo(plan, event) };
  }
  const facts = isControlEvent(event)
    ? foldControl(plan, state.facts, event)
    : foldFact(state.facts, event);
  return { plan, eventSequence, status, facts };
}

function movedTo(plan: CallPlan, to: { dueAt: number; until: number | null }): CallPlan {
  const { until: _until, ...rest } = plan;
  return { ...rest, dueAt: to.dueAt, ...(to.until === null ? {} : { until: to.until }) };
}

function closedControl({ control }: CallFacts, at: number): Pick<CallFacts, 'control'> {
  if (control === undefined) return {};
  return { control: { ...control, orders: closeOrders(control.orders, at) } };
}

/** The public name of an event, where the business is told; facts inside the house have none. */
export const CALL_EVENT_NAMES = {
  CallRescheduled: 'call.rescheduled',
  CallInitiated: 'call.initiated',
  CallRinging: 'call.ringing',
  CallAnswered: 'call.answered',
  CallBridged: 'call.bridged',
  CallAudioLost: 'call.audio_lost',
  CallAudioFound: 'call.audio_found',
  CallDeadAir: 'call.dead_air',
  CallEnded: 'call.ended',
  CallScriptStep: 'call.script.step',
  CallScriptEnded: 'call.script.ended',
  CallHeld: 'call.held',
  CallResumed: 'call.resumed',
  CallMuted: 'call.muted',
  CallUnmuted: 'call.unmuted',
  CallTransferStarted: 'call.transfer_started',
  CallTransferred: 'call.transferred',
  CallTransferFailed: 'call.transfer_failed',
  CallListenerAdded: 'call.listener_added',
  CallListenerRemoved: 'call.listener_removed',
  CallOrderFailed: 'call.action_failed',
} as const satisfies Partial<Record<CallEventType, string>>;

/** Mermaid text of the transition table; docs/explanation/calls.md shows it. */
export function callDiagram(): string {
  const lines = Object.entries(CALL_MOVES).flatMap(([from, moves]) =>
    Object.entries(moves)
      .filter(([, to]) => to !== from)
      .map(([event, to]) => `  ${from} --> ${to}: ${event}`),
  );
  return ['stateDiagram-v2', '  [*] --> queued', ...lines, '  ended --> [*]', ''].join('\n');
}
