import { invariant, unreachable } from '../platform/invariant.ts';
import type { CallId } from '../platform/ids.ts';
import type { ConsentAnswer, ConsentEvent, ConsentRequest, ConsentState } from './consent-state.ts';

/**
 * What is remembered across statuses: everything that a limit counts. It is folded from the same
 * events as the status, so the gate needs no statement of its own to count anything.
 */
export type ConsentHistory = {
  requestsSent: number;
  /** Times of the requests since the last yes, oldest first, at most 100. */
  requestsWithoutYes: number[];
  /** Times of the requests since a call last connected, as Meta counts them; at most 100. */
  requestsSinceConnected: number[];
  lastRequestAt: number | null;
  lastAnswer: ConsentAnswer | null;
  /** Older requests that may still be answered, newest last, at most 8. */
  earlierRequests: ConsentRequest[];
  /** Calls placed on the permission in force; the latest by id, at most 8. */
  callsPlaced: number;
  placedCalls: Array<{ callId: CallId; at: number }>;
  /** When phones were dialled, oldest first, as far back as any limit looks. */
  callsAt: number[];
  /** When calls were picked up, likewise. */
  connectedAt: number[];
  /** Calls in a row that nobody picked up. */
  unansweredInRow: number;
  lastUnansweredAt: number | null;
};

const REQUEST_TIMES_MAX = 100;
const EARLIER_REQUESTS_MAX = 8;
const PLACED_CALLS_MAX = 8;
const CALL_TIMES_MAX = 200;
/** The longest window that a limit may have; see `HISTORY_KEPT_MS` of the policy. */
const CALL_TIMES_KEPT_MS = 92 * 86_400_000;

export const emptyHistory: ConsentHistory = {
  requestsSent: 0,
  requestsWithoutYes: [],
  requestsSinceConnected: [],
  lastRequestAt: null,
  lastAnswer: null,
  earlierRequests: [],
  callsPlaced: 0,
  placedCalls: [],
  callsAt: [],
  connectedAt: [],
  unansweredInRow: 0,
  lastUnansweredAt: null,
};

/**
 * A stored state as today's code knows it: rows of earlier versions lack what was not counted
 * then. Requests were counted, so Meta's own count starts with those since the last yes.
 */
export function completeConsent(stored: ConsentState): ConsentState {
  const history: Partial<ConsentHistory> = stored.history;
  if (history.callsAt !== undefined) return stored;
  const requestsSinceConnected = history.requestsWithoutYes ?? [];
  const counted = { ...emptyHistory, requestsSinceConnected, ...history };
  if (stored.status !== 'used') return { ...stored, history: counted };
  const { usedByCallId: callId, usedAt: at } = stored;
  const used = { callsPlaced: 1, placedCalls: [{ callId, at }], callsAt: [at] };
  return { ...stored, history: { ...counted, ...used } };
}

/** Folds one event; `request` is the current one. */
export function evolveHistory(
  history: ConsentHistory,
  request: ConsentRequest | null,
  event: ConsentEvent,
): ConsentHistory {
  switch (event.type) {
    case 'PermissionRequested':
      return withRequest(history, request, event.at);
    case 'PermissionRequestFailed':
      return withoutFailed(history, request);
    case 'PermissionGranted': {
      const { messageId, source } = event.permission;
      const by = source === 'user' ? 'customer' : 'meta';
      return {
        ...history,
        // Meta's times are whole seconds: a request of the same second was before the yes.
        requestsWithoutYes: history.requestsWithoutYes.filter((at) => at >= event.at + 1000),
        lastAnswer: { at: event.at, kind: 'accept', by, messageId },
        callsPlaced: 0,
        placedCalls: [],
      };
    }
    case 'PermissionDeclined': {
      const { at, by, messageId } = event;
      return { ...history, lastAnswer: { at, kind: 'reject', by, messageId } };
    }
    case 'PermissionRevoked': {
      const { at, answer: kind, by, messageId } = event;
      // When Meta takes a permission back for unanswered calls, its own count begins anew.
      const unanswered = by === 'meta' ? { unansweredInRow: 0, lastUnansweredAt: null } : {};
      return { ...history, ...unanswered, lastAnswer: { at, kind, by, messageId } };
    }
    case 'PermissionUsed':
    case 'PermissionPartlyUsed':
      return withCall(history, event.callId, event.at);
    case 'PermissionReleased':
      return withoutCall(history, event.callId);
    case 'CallConnected':
      return {
        ...history,
        requestsSinceConnected: history.requestsSinceConnected.filter((at) => at > event.at),
        connectedAt: recent([...history.connectedAt, event.at], event.at),
        unansweredInRow: 0,
        lastUnansweredAt: null,
      };
    case 'CallUnanswered':
      return {
        ...history,
        unansweredInRow: history.unansweredInRow + 1,
        lastUnansweredAt: Math.max(history.lastUnansweredAt ?? 0, event.at),
      };
    case 'PermissionRequestSent':
    case 'PermissionRequestDelivered':
    case 'PermissionRequestRead':
    case 'PermissionRequestLapsed':
    case 'PermissionExpired':
      return history;
    default:
      return unreachable(event);
  }
}

function withRequest(
  history: ConsentHistory,
  previous: ConsentRequest | null,
  at: number,
): ConsentHistory {
  const later = (times: readonly number[]) => [...times, at].slice(-REQUEST_TIMES_MAX);
  return {
    ...history,
    requestsSent: history.requestsSent + 1,
    requestsWithoutYes: later(history.requestsWithoutYes),
    requestsSinceConnected: later(history.requestsSinceConnected),
    lastRequestAt: at,
    earlierRequests: history.earlierRequests.concat(previous ?? []).slice(-EARLIER_REQUESTS_MAX),
  };
}

/** The customer was never asked, so a failed request does not count against a limit. */
function withoutFailed(history: ConsentHistory, failed: ConsentRequest | null): ConsentHistory {
  invariant(failed !== null, 'only a request fails');
  const others = (times: readonly number[]) => times.filter((at) => at !== failed.requestedAt);
  const earlier = [...history.earlierRequests, { ...failed, delivery: 'failed' as const }];
  return {
    ...history,
    earlierRequests: earlier.slice(-EARLIER_REQUESTS_MAX),
    requestsSent: history.requestsSent - 1,
    requestsWithoutYes: others(history.requestsWithoutYes),
    requestsSinceConnected: others(history.requestsSinceConnected),
  };
}

function withCall(history: ConsentHistory, callId: CallId, at: number): ConsentHistory {
  return {
    ...history,
    callsPlaced: history.callsPlaced + 1,
    placedCalls: [...history.placedCalls, { callId, at }].slice(-PLACED_CALLS_MAX),
    callsAt: recent([...history.callsAt, at], at),
  };
}

/** No phone rang: the call counts neither against the permission nor against a limit. */
function withoutCall(history: ConsentHistory, callId: CallId): ConsentHistory {
  const placed = history.placedCalls.find((call) => call.callId === callId);
  if (placed === undefined) return history;
  const index = history.callsAt.lastIndexOf(placed.at);
  return {
    ...history,
    callsPlaced: history.callsPlaced - 1,
    placedCalls: history.placedCalls.filter((call) => call.callId !== callId),
    callsAt: index === -1 ? history.callsAt : history.callsAt.toSpliced(index, 1),
  };
}

function recent(times: readonly number[], now: number): number[] {
  return times.filter((at) => at > now - CALL_TIMES_KEPT_MS).slice(-CALL_TIMES_MAX);
}
