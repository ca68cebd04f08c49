/**
 * The consent of one contact on one line, as a decider: `decide(command, state)` answers with
 * events or a refusal, `evolve(state, event)` folds them. Nothing here reads a clock or a
 * database; the same facts in any order, doubled or late, end in the same state.
 *
 * It promises: a permission exists only after the customer's own yes, is valid while
 * now < expiresAt, serves one call, and is gone for good once a later no has arrived.
 */
import type { CallId, PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { unreachable } from '../platform/invariant.ts';
import type { Refused } from '../platform/refusal.ts';
import {
  evolve,
  isFurther,
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
export { evolve, initialConsent, isLive, permissionOf, requestOf } from './consent-state.ts';
export {
  callRefusal,
  requestLimitRefusal,
  requestWhileLiveRefusal,
  type CallRefusalCode,
} from './consent-refusals.ts';
export type {
  ConsentEvent,
  ConsentEventType,
  ConsentHistory,
  ConsentPermission,
  ConsentRequest,
  ConsentState,
  ConsentStatus,
  RevokedBy,
} from './consent-state.ts';

/** The values of the policy pack that consent depends on; see `consentRules(pack)`. */
export type ConsentRules = {
  grantValidMs: number;
  callsPerGrant: 1;
  requestsMax: number;
  requestsWindowMs: number;
  requestLapsesMs: number;
};

/** Facts of the moment: our clock and the rules in force. */
export type ConsentMoment = { now: number; rules: ConsentRules };

export type RequestPermission = {
  type: 'RequestPermission';
  requestId: PermissionRequestId;
  purpose: string;
  template: string;
  language: string;
  /** As the customer will see it. */
  text: string;
  promisedAt: number | null;
  packName: string;
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
  | ({ type: 'RecordRequestSent'; messageId: string } & OfRequest)
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
      return decideConsume(command, state, moment.now);
    case 'Release':
      return { events: decideRelease(command, state, moment.now) };
    default:
      return unreachable(command);
  }
}

/** Folds many events. */
export function evolveAll(state: ConsentState, events: readonly ConsentEvent[]): ConsentState {
  return events.reduce(evolve, state);
}

/** When the clock itself will change this state: a grant's expiry or a request's lapse. */
export function wakesAt(state: ConsentState): number | null {
  if (state.status === 'granted') return state.permission.expiresAt;
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
  PermissionReleased: 'permission.released',
} as const satisfies Record<ConsentEventType, string>;

/** The name under which an event leaves the house as a webhook. */
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
      if (request.messageId !== null) return [];
      const { messageId } = command;
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
  now: number,
): Decided | Refused {
  const { callId, permissionId } = command;
  if (state.status === 'used' && state.usedByCallId === callId) return { events: [] };
  const refused = callRefusal(state, now);
  if (refused !== null) return { refused };
  const permission = permissionOf(state);
  if (permission?.permissionId !== permissionId) {
    return { refused: notInForce(permissionId) };
  }
  return { events: [{ type: 'PermissionUsed', permissionId, callId, at: now }] };
}

function decideRelease(
  command: Extract<ConsentCommand, { type: 'Release' }>,
  state: ConsentState,
  now: number,
): ConsentEvent[] {
  if (state.status !== 'used' || state.usedByCallId !== command.callId) return [];
  const { callId, reason } = command;
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
