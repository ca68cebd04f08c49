import type { Attribution } from '../attribution/attribution.ts';
import type { CallId, PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { invariant, unreachable } from '../platform/invariant.ts';
import { emptyHistory, evolveHistory, type ConsentHistory } from './consent-history.ts';
import { nextStatus } from './consent-transitions.ts';

/** How far a request got on its way to the customer's phone. */
export type RequestDelivery = 'queued' | 'sent' | 'delivered' | 'read' | 'failed';

/** A permission request as it was made: what was asked, why, and in which words. */
export type ConsentRequest = {
  requestId: PermissionRequestId;
  purpose: string;
  template: string;
  templateVersion?: number;
  language: string;
  /** The text as the customer saw it. */
  text: string;
  /** When we promised to call, if we did. */
  promisedAt: number | null;
  packName: string;
  attribution?: Attribution;
  requestedAt: number;
  /** From here on, without an answer, the request counts as lapsed. */
  lapsesAt: number;
  /** Meta's message id; null until our POST has returned. */
  messageId: string | null;
  delivery: RequestDelivery;
};

/**
 * The end of a permission that has none: the last instant of the year 9999. A number and not
 * null, so that every comparison of times is right without a branch.
 */
export const NEVER = 253_402_300_799_999;

/** What one yes of the customer allows. */
export type ConsentPermission = {
  permissionId: PermissionId;
  /** The request that was answered; null when the yes came without one (business profile). */
  requestId: PermissionRequestId | null;
  purpose: string | null;
  promisedAt: number | null;
  kind: 'temporary' | 'permanent';
  source: 'user' | 'automatic';
  /** Meta's time of the tap, never later than the moment we learned of it. */
  grantedAt: number;
  /** Valid while now < expiresAt; `NEVER` where only a no ends it. */
  expiresAt: number;
  messageId: string;
};

export type RevokedBy = 'customer' | 'meta' | 'opt_out' | 'operator' | 'api';

/**
 * The latest answer that counted. Answers are ordered by Meta's time, not by arrival: at one
 * instant a no beats a yes and a revocation beats both, so a tie always fails closed.
 */
export type ConsentAnswer = {
  at: number;
  kind: 'accept' | 'reject' | 'revoke';
  by: RevokedBy;
  messageId: string | null;
};

/** The consent of one contact on one line. Plain data: it is stored as JSON. */
export type ConsentState = { history: ConsentHistory } & (
  | { status: 'none' }
  | { status: 'requested'; request: ConsentRequest }
  | { status: 'granted'; request: ConsentRequest | null; permission: ConsentPermission }
  | {
      status: 'used';
      request: ConsentRequest | null;
      permission: ConsentPermission;
      usedByCallId: CallId;
      usedAt: number;
    }
  | { status: 'declined'; request: ConsentRequest | null; declinedAt: number }
  | { status: 'expired'; request: ConsentRequest | null; permission: ConsentPermission }
  | {
      status: 'revoked';
      request: ConsentRequest | null;
      /** Null when there was no permission to take back: the no is remembered all the same. */
      permission: ConsentPermission | null;
      usedByCallId: CallId | null;
      revokedAt: number;
      revokedBy: RevokedBy;
      reason: string;
    }
  | { status: 'lapsed'; request: ConsentRequest; lapsedAt: number }
);

export type ConsentStatus = ConsentState['status'];

type OfRequest = { requestId: PermissionRequestId; at: number };
type OfPermission = { permissionId: PermissionId; at: number };

/** What happened. `at` is when it happened, in milliseconds since 1970. */
export type ConsentEvent =
  | { type: 'PermissionRequested'; at: number; request: ConsentRequest }
  | ({ type: 'PermissionRequestSent'; messageId: string } & OfRequest)
  | ({ type: 'PermissionRequestDelivered' } & OfRequest)
  | ({ type: 'PermissionRequestRead' } & OfRequest)
  | ({ type: 'PermissionRequestFailed'; code: string; message: string; fix: string } & OfRequest)
  | { type: 'PermissionGranted'; at: number; permission: ConsentPermission }
  | {
      type: 'PermissionDeclined';
      at: number;
      requestId: PermissionRequestId | null;
      /** Meta, when it answers for a customer who let calls ring. */
      by: 'customer' | 'meta';
      messageId: string;
    }
  | ({ type: 'PermissionExpired' } & OfPermission)
  | ({ type: 'PermissionRequestLapsed' } & OfRequest)
  | {
      type: 'PermissionRevoked';
      at: number;
      permissionId: PermissionId | null;
      by: RevokedBy;
      reason: string;
      answer: 'reject' | 'revoke';
      messageId: string | null;
    }
  | ({ type: 'PermissionUsed'; callId: CallId } & OfPermission)
  /** One call of several that the permission allows; the last one is `PermissionUsed`. */
  | ({ type: 'PermissionPartlyUsed'; callId: CallId } & OfPermission)
  | ({ type: 'PermissionReleased'; callId: CallId; reason: string } & OfPermission)
  /** A call was picked up, at that time. */
  | { type: 'CallConnected'; at: number; callId: CallId }
  /** A call rang, or may have rung, and was not picked up. */
  | { type: 'CallUnanswered'; at: number; callId: CallId };

export type ConsentEventType = ConsentEvent['type'];

export const initialConsent: ConsentState = { status: 'none', history: emptyHistory };

/** The current request of a state, in whatever status it is. */
export function requestOf(state: ConsentState): ConsentRequest | null {
  return state.status === 'none' ? null : state.request;
}

/** The current or an earlier request, by its id. */
export function requestById(state: ConsentState, id: PermissionRequestId): ConsentRequest | null {
  const all = [requestOf(state), ...state.history.earlierRequests];
  return all.find((request) => request?.requestId === id) ?? null;
}

/** The latest permission, valid or not. */
export function permissionOf(state: ConsentState): ConsentPermission | null {
  return 'permission' in state ? state.permission : null;
}

/** True while a call may be placed on this consent: granted, and not yet at its expiry. */
export function isLive(
  state: ConsentState,
  now: number,
): state is Extract<ConsentState, { status: 'granted' }> {
  return state.status === 'granted' && now < state.permission.expiresAt;
}

/** Folds one event. Throws a Bug for a move that the table does not have. */
export function evolve(state: ConsentState, event: ConsentEvent): ConsentState {
  invariant(
    nextStatus(state.status, event.type) !== null,
    `no move from ${state.status} by ${event.type}`,
  );
  const request = requestOf(state);
  const history = evolveHistory(state.history, request, event);
  switch (event.type) {
    case 'PermissionRequested':
      return { status: 'requested', request: event.request, history };
    case 'PermissionRequestSent':
    case 'PermissionRequestDelivered':
    case 'PermissionRequestRead':
      return track(state, event);
    case 'PermissionRequestFailed':
      return { status: 'none', history };
    case 'PermissionGranted':
      return { status: 'granted', request, permission: event.permission, history };
    case 'PermissionDeclined':
      return { status: 'declined', request, declinedAt: event.at, history };
    case 'PermissionRequestLapsed':
      invariant(request !== null, 'only a request lapses');
      return { status: 'lapsed', request, lapsedAt: event.at, history };
    case 'PermissionRevoked':
      return {
        status: 'revoked',
        request,
        permission: permissionOf(state),
        usedByCallId: 'usedByCallId' in state ? state.usedByCallId : null,
        revokedAt: event.at,
        revokedBy: event.by,
        reason: event.reason,
        history,
      };
    case 'PermissionExpired':
      return { status: 'expired', request, permission: permissionIn(state), history };
    case 'PermissionReleased':
    case 'PermissionPartlyUsed':
      return { status: 'granted', request, permission: permissionIn(state), history };
    case 'CallConnected':
    case 'CallUnanswered':
      return { ...state, history };
    case 'PermissionUsed': {
      const used = { usedByCallId: event.callId, usedAt: event.at };
      return { status: 'used', request, permission: permissionIn(state), ...used, history };
    }
    default:
      return unreachable(event);
  }
}

function permissionIn(state: ConsentState): ConsentPermission {
  const permission = permissionOf(state);
  invariant(permission !== null, `${state.status} has no permission`);
  return permission;
}

/** A failed request never moves again. */
const DELIVERY_ORDER: readonly RequestDelivery[] = [
  'queued',
  'sent',
  'delivered',
  'read',
  'failed',
];

/** True when `delivery` tells more than what is known; statuses of messages come in any order. */
export function isFurther(delivery: RequestDelivery, known: RequestDelivery): boolean {
  return DELIVERY_ORDER.indexOf(delivery) > DELIVERY_ORDER.indexOf(known);
}

type TrackingEvent = Extract<
  ConsentEvent,
  { type: 'PermissionRequestSent' | 'PermissionRequestDelivered' | 'PermissionRequestRead' }
>;

const REACHED = {
  PermissionRequestSent: 'sent',
  PermissionRequestDelivered: 'delivered',
  PermissionRequestRead: 'read',
} as const satisfies Record<TrackingEvent['type'], RequestDelivery>;

function track(state: ConsentState, event: TrackingEvent): ConsentState {
  const { requestId } = event;
  const known = requestById(state, requestId);
  invariant(known !== null, `${event.type} of an unknown request`);
  const reached = REACHED[event.type];
  const request = {
    ...known,
    messageId: event.type === 'PermissionRequestSent' ? event.messageId : known.messageId,
    delivery: isFurther(reached, known.delivery) ? reached : known.delivery,
  };
  if (state.status !== 'none' && state.request?.requestId === requestId) {
    return { ...state, request };
  }
  const earlierRequests = state.history.earlierRequests.map((earlier) =>
    earlier.requestId === requestId ? request : earlier,
  );
  return { ...state, history: { ...state.history, earlierRequests } };
}
