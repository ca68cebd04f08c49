/**
 * The consent of one contact on one line, as a decider: `decide(command, state)` answers with
 * events or a refusal, `evolve(state, event)` folds them. Nothing here reads a clock or a
 * database; the same facts in any order, doubled or late, end in the same state.
 *
 * It promises: a permission exists only after the customer's own yes, is valid while
 * now < expiresAt, serves one call, and is gone for good once a later no has arrived.
 */
import type { Attribution } from '../attribution/attribution.ts';
import type { CallId, PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { unreachable } from '../platform/invariant.ts';
import type { Refused } from '../platform/refusal.ts';
import {
  evolve,
  isFurther,
  NEVER,
  permissionOf,
  requestById,
  type ConsentEvent,
  type ConsentEventType,
  type ConsentRequest,
  type ConsentState,
  type RevokedBy,
} from './consent-state.ts';
import { decideReply, decideRevoke } from './consent-answer.ts';
import { callRefusal, notInForce, requestRefusal } from './consent-refusals.ts';

export { CONSENT_TRANSITIONS, consentDiagram } from './consent-transitions.ts';
export { completeConsent, type ConsentHistory } from './consent-history.ts';
export { evolve, initialConsent, isLive, NEVER, permissionOf, requestOf } from './consent-state.ts';
export {
  callRefusal,
  requestCapRefusal,
  requestWhileLiveRefusal,
  type CallRefusalCode,
} from './consent-refusals.ts';
export type {
  ConsentEvent,
  ConsentEventType,
  ConsentPermission,
  ConsentRequest,
  ConsentState,
  ConsentStatus,
  RevokedBy,
} from './consent-state.ts';

/** The values of the policy pack that consent depends on; see `consentRules(pack)`. */
export type ConsentRules = {
  /** How long a yes is valid, if Meta does not say sooner. */
  grantValidMs: number;
  /** The same for a permanent permission; null: until somebody takes it back. */
  permanentValidMs: number | null;
  /** Calls on one yes; null: as many as the other limits allow. */
  callsPerGrant: number | null;
  requestCaps: readonly RequestCap[];
  requestLapsesMs: number;
};

/** At most so many requests in a rolling window, counted since a yes or a connected call. */
export type RequestCap = {
  requestsMax: number;
  windowMs: number;
  resetBy: 'yes' | 'connected_call';
};

/** Facts of the moment: our clock and the rules in force. */
export type ConsentMoment = { now: number; rules: ConsentRules };

export type RequestPermission = {
  type: 'RequestPermission';
  requestId: PermissionRequestId;
  purpose: string;
  template: string;
  /** Which content of the template; absent for requests of before templates had versions. */
  templateVersion?: number;
  language: string;
  /** As the customer will see it. */
  text: string;
  promisedAt: number | null;
  packName: string;
  attribution?: Attribution;
  at: number;
};

export type RecordReply = {
  type: 'RecordReply';
  response: 'accept' | 'reject';
  permanent: boolean;
  metaExpiresAt: number | null;
  source: 'user' | 'automatic';
  /** Meta's id of the message (or missed call) that was answered. */
  contextMessageId: string | null;
  /** The request that message belongs to, where our own records tell. */
  requestId?: PermissionRequestId | null;
  /** Meta's id of the reply itself: the same id is the same reply. */
  messageId: string;
  /** The id to use if a grant results. */
  permissionId: PermissionId;
  /** Meta's time of the tap. */
  at: number;
};

export type Revoke = {
  type: 'Revoke';
  by: RevokedBy;
  reason: string;
  /** When the person said so; now, for an operator or the API. */
  at: number;
};

type OfRequest = { requestId: PermissionRequestId; at: number };

export type ConsentCommand =
  | RequestPermission
  /** `native`: Meta's own request, which follows a quick reply and is what will be answered. */
  | ({ type: 'RecordRequestSent'; messageId: string; native?: boolean } & OfRequest)
  | ({ type: 'RecordRequestDelivered' } & OfRequest)
  | ({ type: 'RecordRequestRead' } & OfRequest)
  | ({ type: 'RecordRequestFailed'; code: string; message: string; fix: string } & OfRequest)
  | RecordReply
  | { type: 'Expire' }
  | { type: 'Lapse' }
  | Revoke
  | { type: 'Consume'; callId: CallId; permissionId: PermissionId }
  | { type: 'Release'; callId: CallId; reason: string };

export type Decided = { events: ConsentEvent[] };

/**
 * Decides one command. A late, doubled or contradicted fact gives no events; a command that the
 * consent does not allow is refused with the reason.
 */
export function decide(
  command: ConsentCommand,
  state: ConsentState,
  moment: ConsentMoment,
): Decided | Refused {
  switch (command.type) {
    case 'RequestPermission':
      return decideRequest(command, state, moment);
    case 'RecordRequestSent':
    case 'RecordRequestDelivered':
    case 'RecordRequestRead':
    case 'RecordRequestFailed':
      return { events: decideTracking(command, state) };
    case 'RecordReply':
      return { events: decideReply(command, state, moment) };
    case 'Expire':
      return { events: expiryEvents(state, moment.now) };
    case 'Lapse':
      return { events: lapseEvents(state, moment.now) };
    case 'Revoke':
      return decideRevoke(command, state, moment.now);
    case 'Consume':
      return decideConsume(command, state, moment);
    case 'Release':
      return { events: decideRelease(command, state, moment.now) };
    default:
      return unreachable(command);
  }
}

/** How a dialled call went. Nothing can refuse what has happened, so there is no command. */
export type CallReach = {
  callId: CallId;
  outcome: 'connected' | 'unanswered';
  /** The pick-up, or the end of a call that had none. */
  at: number;
};

export function reachEvent({ callId, outcome, at }: CallReach): ConsentEvent {
  return { type: outcome === 'connected' ? 'CallConnected' : 'CallUnanswered', callId, at };
}

/** Folds many events. */
export function evolveAll(state: ConsentState, events: readonly ConsentEvent[]): ConsentState {
  return events.reduce(evolve, state);
}

/** When the clock itself will change this state: a grant's expiry or a request's lapse. */
export function wakesAt(state: ConsentState): number | null {
  if (state.status === 'granted') {
    const { expiresAt } = state.permission;
    return expiresAt >= NEVER ? null : expiresAt;
  }
  if (state.status === 'requested') return state.request.lapsesAt;
  return null;
}

const PUBLIC_NAMES = {
  PermissionRequested: 'permission.requested',
  PermissionRequestSent: 'permission.sent',
  PermissionRequestDelivered: 'permission.delivered',
  PermissionRequestRead: 'permission.read',
  PermissionRequestFailed: 'permission.failed',
  PermissionGranted: 'permission.granted',
  PermissionDeclined: 'permission.declined',
  PermissionExpired: 'permission.expired',
  PermissionRequestLapsed: 'permission.lapsed',
  PermissionRevoked: 'permission.revoked',
  PermissionUsed: 'permission.used',
  PermissionPartlyUsed: 'permission.used',
  PermissionReleased: 'permission.released',
  // The events of the call itself tell this.
  CallConnected: null,
  CallUnanswered: null,
} as const satisfies Record<ConsentEventType, string | null>;

/** The name under which an event leaves the house as a webhook, if it does. */
export function publicName(type: ConsentEventType): (typeof PUBLIC_NAMES)[ConsentEventType] {
  return PUBLIC_NAMES[type];
}

function decideRequest(
  command: RequestPermission,
  state: ConsentState,
  moment: ConsentMoment,
): Decided | Refused {
  if (requestById(state, command.requestId) !== null) return { events: [] };
  const refused = requestRefusal(state, moment);
  if (refused !== null) return { refused };
  const { type: _, at, ...asked } = command;
  const request: ConsentRequest = {
    ...asked,
    requestedAt: at,
    lapsesAt: at + moment.rules.requestLapsesMs,
    messageId: null,
    delivery: 'queued',
  };
  // What the clock has ended is closed first, so that the ledger tells the whole story.
  const closing = [...expiryEvents(state, moment.now), ...lapseEvents(state, moment.now)];
  return { events: [...closing, { type: 'PermissionRequested', at, request }] };
}

type Tracking = Extract<
  ConsentCommand,
  {
    type:
      | 'RecordRequestSent'
      | 'RecordRequestDelivered'
      | 'RecordRequestRead'
      | 'RecordRequestFailed';
  }
>;

function decideTracking(command: Tracking, state: ConsentState): ConsentEvent[] {
  const { requestId, at } = command;
  const request = requestById(state, requestId);
  if (request === null || request.delivery === 'failed') return [];
  switch (command.type) {
    case 'RecordRequestSent': {
      // "Delivered" may arrive before our own POST returns with the message id.
      const { messageId, native = false } = command;
      if (request.messageId !== null && !(native && request.messageId !== messageId)) return [];
      return [{ type: 'PermissionRequestSent', requestId, at, messageId }];
    }
    case 'RecordRequestDelivered':
      if (!isFurther('delivered', request.delivery)) return [];
      return [{ type: 'PermissionRequestDelivered', requestId, at }];
    case 'RecordRequestRead':
      if (!isFurther('read', request.delivery)) return [];
      return [{ type: 'PermissionRequestRead', requestId, at }];
    case 'RecordRequestFailed': {
      // An answered, delivered or lapsed request has not failed, whatever arrives late.
      const isOpen = state.status === 'requested' && state.request.requestId === requestId;
      if (!isOpen || isFurther(request.delivery, 'sent')) return [];
      const { code, message, fix } = command;
      return [{ type: 'PermissionRequestFailed', requestId, at, code, message, fix }];
    }
    default:
      return unreachable(command);
  }
}

function expiryEvents(state: ConsentState, now: number): ConsentEvent[] {
  if (state.status !== 'granted' || now < state.permission.expiresAt) return [];
  const { permissionId, expiresAt } = state.permission;
  return [{ type: 'PermissionExpired', permissionId, at: expiresAt }];
}

function lapseEvents(state: ConsentState, now: number): ConsentEvent[] {
  if (state.status !== 'requested' || now < state.request.lapsesAt) return [];
  const { requestId, lapsesAt } = state.request;
  return [{ type: 'PermissionRequestLapsed', requestId, at: lapsesAt }];
}

function decideConsume(
  command: Extract<ConsentCommand, { type: 'Consume' }>,
  state: ConsentState,
  { now, rules }: ConsentMoment,
): Decided | Refused {
  const { callId, permissionId } = command;
  if (heldSince(state, callId) !== null) return { events: [] };
  const refused = callRefusal(state, now);
  if (refused !== null) return { refused };
  const permission = permissionOf(state);
  if (permission?.permissionId !== permissionId) {
    return { refused: notInForce(permissionId) };
  }
  const isLast =
    rules.callsPerGrant !== null && state.history.callsPlaced + 1 >= rules.callsPerGrant;
  const type = isLast ? 'PermissionUsed' : 'PermissionPartlyUsed';
  return { events: [{ type, permissionId, callId, at: now }] };
}

/** Since when this very call holds the permission in force, or null where it does not. */
export function heldSince(state: ConsentState, callId: string): number | null {
  if (state.status === 'used' && state.usedByCallId === callId) return state.usedAt;
  if (state.status !== 'granted' && state.status !== 'used') return null;
  return state.history.placedCalls.find((call) => call.callId === callId)?.at ?? null;
}

function decideRelease(
  command: Extract<ConsentCommand, { type: 'Release' }>,
  state: ConsentState,
  now: number,
): ConsentEvent[] {
  const { callId, reason } = command;
  if (state.status !== 'granted' && state.status !== 'used') return [];
  if (heldSince(state, callId) === null) return [];
  const { permissionId } = state.permission;
  const released: ConsentEvent = {
    type: 'PermissionReleased',
    permissionId,
    callId,
    reason,
    at: now,
  };
  return [released, ...expiryEvents(evolve(state, released), now)];
}
