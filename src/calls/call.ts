import type {
  AccountId,
  CallId,
  ContactId,
  EndpointId,
  LineId,
  PermissionId,
} from '../platform/ids.ts';
import type { CallOutcome, CallStatus, CallStrategy } from '../http/api-types.ts';
import type { MediaLeg, MediaStats, SilenceCause } from '../media/media.ts';
import type { Announced } from '../recording/recording.ts';
import type { MetaError } from '../whatsapp/whatsapp.ts';
import {
  CONTROL_EVENTS,
  foldControl,
  isControlEvent,
  type CallControl,
  type ControlEvent,
  type ControlEventType,
} from './call-control.ts';
import { foldEndpoint, type EndpointEvent, type EndpointFacts } from './endpoint-facts.ts';
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

export type EndedBy = 'customer' | 'business' | 'endpoint' | 'platform';

/** What was asked for. It never changes. */
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
  /** The API key that asked for it, for its caps; rows from before do not have it. */
  keyId?: string | null;
  /** The script that leads the call. */
  script?: PlannedScript | null;
  requestedAt: number;
  dueAt: number;
  /** Recorded from the moment that the two hear each other; absent: not unless ordered. */
  recording?: { announcement: Announced };
};

/** Everything known to have happened; null means not (yet). Instants in ms. */
export type CallFacts = {
  permissionId: PermissionId | null;
  policyPack: string | null;
  permissionAgeMs: number | null;
  dialingAt: number | null;
  dialUnknown: boolean;
  wacid: string | null;
  initiatedAt: number | null;
  /** Meta's SDP answer, until the call has ended. */
  mediaAnswer: string | null;
  mediaAnsweredAt: number | null;
  mediaConnectedAt: number | null;
  ringingAt: number | null;
  answeredAt: number | null;
  rejectedAt: number | null;
  bridgedAt: number | null;
  endpoint: EndpointFacts | null;
  /** When one side could not be heard although it should; absent in rows from before it. */
  audioGaps?: readonly AudioGap[];
  /** How often both were connected and neither made a sound for long; absent for never. */
  deadAirs?: number;
  /** Orders, holds, transfers, listeners; absent until there was one. */
  control?: CallControl;
  hangUp: { by: EndedBy; reason: string; at: number } | null;
  terminated: TerminateFact | null;
};

/** A while in which nothing came from a side of a bridged call. */
export type AudioGap = {
  leg: MediaLeg;
  cause: SilenceCause;
  from: number;
  /** Null: until the end of the call. */
  to: number | null;
};

export type TerminateFact = {
  /** When we learned it, by our clock: the settling time counts from here. */
  learnedAt: number;
  at: number;
  completed: boolean;
  startedAt: number | null;
  endedAt: number | null;
  durationSeconds: number | null;
  errors: MetaError[];
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
  | {
      type: 'CallDialing';
      at: number;
      permissionId: PermissionId;
      policyPack: string;
      permissionAgeMs: number;
    }
  | { type: 'CallInitiated'; at: number; wacid: string }
  | { type: 'CallDialUnknown'; at: number; reason: string }
  | { type: 'CallMediaAnswered'; at: number; sdp: string }
  | { type: 'CallMediaConnected'; at: number }
  | { type: 'CallRinging'; at: number }
  | { type: 'CallAnswered'; at: number }
  | { type: 'CallRejected'; at: number }
  | { type: 'CallBridged'; at: number }
  | { type: 'CallAudioLost'; at: number; leg: MediaLeg; cause: SilenceCause }
  | { type: 'CallAudioFound'; at: number; leg: MediaLeg }
  | { type: 'CallDeadAir'; at: number; silentMs: number }
  | ({ type: 'CallTerminated' } & TerminateFact)
  | { type: 'CallHangUpRequested'; at: number; by: EndedBy; reason: string }
  | EndpointEvent
  | ControlEvent
  | ({ type: 'CallEnded' } & CallEnd)
  | { type: 'CallFactLate'; at: number; fact: string };

export type CallEventType = CallEvent['type'];

/** A call as it is asked for: waiting for its due time. */
export function queuedCall(plan: CallPlan): CallState {
  return {
    plan,
    status: 'queued',
    eventSequence: 0,
    facts: {
      permissionId: null,
      policyPack: null,
      permissionAgeMs: null,
      dialingAt: null,
      dialUnknown: false,
      wacid: null,
      initiatedAt: null,
      mediaAnswer: null,
      mediaAnsweredAt: null,
      mediaConnectedAt: null,
      ringingAt: null,
      answeredAt: null,
      rejectedAt: null,
      bridgedAt: null,
      endpoint: null,
      hangUp: null,
      terminated: null,
    },
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
  const facts = isControlEvent(event)
    ? foldControl(plan, state.facts, event)
    : foldFact(state.facts, event);
  return { plan, eventSequence, status, facts };
}

function closedControl({ control }: CallFacts, at: number): Pick<CallFacts, 'control'> {
  if (control === undefined) return {};
  return { control: { ...control, orders: closeOrders(control.orders, at) } };
}

type FactEvent = Exclude<CallEvent, { type: 'CallEnded' } | ControlEvent>;

function foldFact(facts: CallFacts, event: FactEvent): CallFacts {
  switch (event.type) {
    case 'CallDialing':
      return {
        ...facts,
        dialingAt: event.at,
        permissionId: event.permissionId,
        policyPack: event.policyPack,
        permissionAgeMs: event.permissionAgeMs,
      };
    case 'CallInitiated':
      return { ...facts, wacid: event.wacid, initiatedAt: event.at };
    case 'CallDialUnknown':
      return { ...facts, dialUnknown: true };
    case 'CallMediaAnswered':
      return { ...facts, mediaAnswer: event.sdp, mediaAnsweredAt: event.at };
    case 'CallMediaConnected':
      return { ...facts, mediaConnectedAt: event.at };
    case 'CallRinging':
      return { ...facts, ringingAt: event.at };
    case 'CallAnswered':
      return { ...facts, answeredAt: event.at };
    case 'CallRejected':
      return { ...facts, rejectedAt: event.at };
    case 'CallBridged':
      return { ...facts, bridgedAt: event.at };
    case 'CallAudioLost': {
      const { leg, cause, at: from } = event;
      return { ...facts, audioGaps: [...(facts.audioGaps ?? []), { leg, cause, from, to: null }] };
    }
    case 'CallDeadAir':
      return { ...facts, deadAirs: (facts.deadAirs ?? 0) + 1 };
    case 'CallAudioFound':
      return {
        ...facts,
        audioGaps: (facts.audioGaps ?? []).map((gap) =>
          gap.leg === event.leg && gap.to === null ? { ...gap, to: event.at } : gap,
        ),
      };
    case 'CallTerminated': {
      const { type: _type, ...terminated } = event;
      return { ...facts, terminated, answeredAt: facts.answeredAt ?? terminated.startedAt };
    }
    case 'CallHangUpRequested':
      return { ...facts, hangUp: { by: event.by, reason: event.reason, at: event.at } };
    case 'CallFactLate':
      return facts;
    default:
      return { ...facts, endpoint: foldEndpoint(facts.endpoint, event) };
  }
}

/** The public name of an event, where the business is told; facts inside the house have none. */
export const CALL_EVENT_NAMES = {
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
