import type { Refused } from '../platform/refusal.ts';
import type { ConsentMoment, ConsentRules, Decided, RecordReply, Revoke } from './consent.ts';
import {
  NEVER,
  permissionOf,
  requestOf,
  type ConsentAnswer,
  type ConsentEvent,
  type ConsentPermission,
  type ConsentRequest,
  type ConsentState,
  type RevokedBy,
} from './consent-state.ts';

/**
 * Folds a reply of the customer (or of Meta in their name) into the consent. Replies come late,
 * twice and out of order; the latest by Meta's time decides, so the order of arrival does not
 * matter. See the cases of meta's call_permission_reply: with and without context, permanent,
 * automatic.
 */
export function decideReply(
  reply: RecordReply,
  state: ConsentState,
  moment: ConsentMoment,
): ConsentEvent[] {
  // A phone's clock may run ahead of ours; a grant never begins in the future.
  const at = Math.min(reply.at, moment.now);
  return reply.response === 'accept'
    ? accept({ ...reply, at }, state, moment)
    : reject({ ...reply, at }, state);
}

/** Takes a permission back, or remembers the no where there was none to take back. */
export function decideRevoke(command: Revoke, state: ConsentState, now: number): Decided | Refused {
  const at = Math.min(command.at, now);
  const byUs = command.by === 'operator' || command.by === 'api';
  // A used permission may still come back by a release, so it can be revoked too.
  const open = ['granted', 'requested', 'used'].includes(state.status);
  if (byUs && !open) return nothingToRevoke(state);
  if (!isNewer({ at, kind: 'revoke', by: command.by, messageId: null }, state))
    return { events: [] };
  return {
    events: [
      {
        type: 'PermissionRevoked',
        at,
        permissionId: permissionOf(state)?.permissionId ?? null,
        by: command.by,
        reason: command.reason,
        answer: 'revoke',
        messageId: null,
      },
    ],
  };
}

function nothingToRevoke(state: ConsentState): Decided | Refused {
  if (state.status === 'revoked') return { events: [] };
  return {
    refused: {
      code: 'permission_missing',
      message: 'There is no permission or open request to revoke.',
      fix: 'To make sure this customer is never called, add them to do-not-call.',
      evidence: { status: state.status },
    },
  };
}

function accept(
  reply: RecordReply,
  state: ConsentState,
  { now, rules }: ConsentMoment,
): ConsentEvent[] {
  const permission = grantOf(reply, state, rules);
  const granted: ConsentEvent = { type: 'PermissionGranted', at: reply.at, permission };
  if (isNewer(answerOf(permission), state)) {
    // A second tap before the call belongs to the yes that the call was made on.
    if (state.status === 'used' && reply.at <= state.usedAt) return [];
    if (now < permission.expiresAt) return [granted];
    const { permissionId, expiresAt } = permission;
    return [granted, { type: 'PermissionExpired', permissionId, at: expiresAt }];
  }
  return lateAccept(granted, permission, state);
}

/**
 * A yes that arrives after a later no: it grants nothing, but it did happen. Recording both
 * gives the same evidence and the same state as arrival in order.
 */
function lateAccept(
  granted: ConsentEvent,
  permission: ConsentPermission,
  state: ConsentState,
): ConsentEvent[] {
  if (state.status !== 'declined' && state.status !== 'revoked') return [];
  const { lastAnswer } = state.history;
  if (lastAnswer === null || lastAnswer.kind === 'accept') return [];
  const known = permissionOf(state);
  if (known !== null && !isAfter(answerOf(permission), answerOf(known))) return [];
  const taken = state.status === 'revoked' ? state : null;
  return [
    granted,
    {
      type: 'PermissionRevoked',
      at: lastAnswer.at,
      permissionId: permission.permissionId,
      by: lastAnswer.by,
      reason: taken?.reason ?? reasonOf(lastAnswer.by),
      answer: lastAnswer.kind,
      messageId: lastAnswer.messageId,
    },
  ];
}

function reject(reply: RecordReply, state: ConsentState): ConsentEvent[] {
  const { at, messageId } = reply;
  // Without a tap of the customer it is Meta that took it back (4 unanswered calls in a row).
  const by = reply.source === 'automatic' ? 'meta' : 'customer';
  if (!isNewer({ at, kind: 'reject', by, messageId }, state)) return [];
  const permission = permissionOf(state);
  if (permission === null) {
    const requestId = answeredRequest(reply, state)?.requestId ?? null;
    return [{ type: 'PermissionDeclined', at, requestId, by, messageId }];
  }
  const { permissionId } = permission;
  const reason = reasonOf(by);
  const answer = 'reject';
  return [{ type: 'PermissionRevoked', at, permissionId, by, reason, answer, messageId }];
}

function reasonOf(by: RevokedBy): string {
  return by === 'meta'
    ? 'Meta took the permission back for the customer.'
    : 'The customer changed the answer to no.';
}

function grantOf(reply: RecordReply, state: ConsentState, rules: ConsentRules): ConsentPermission {
  const request = answeredRequest(reply, state);
  const validMs = reply.permanent ? rules.permanentValidMs : rules.grantValidMs;
  const ours = validMs === null ? NEVER : reply.at + validMs;
  return {
    permissionId: reply.permissionId,
    requestId: request?.requestId ?? null,
    purpose: request?.purpose ?? null,
    promisedAt: request?.promisedAt ?? null,
    kind: reply.permanent ? 'permanent' : 'temporary',
    source: reply.source,
    grantedAt: reply.at,
    // The strictest wins: our pack's validity or Meta's own end, whichever comes first.
    expiresAt: reply.metaExpiresAt === null ? ours : Math.min(ours, reply.metaExpiresAt),
    messageId: reply.messageId,
  };
}

/**
 * The request a reply answers, by the message it quotes. A reply that quotes nothing came from
 * the business profile: a yes without a purpose. While our own POST has not returned, a request
 * has no message id yet; if there is just one such, it is the one quoted.
 */
function answeredRequest(reply: RecordReply, state: ConsentState): ConsentRequest | null {
  const quoted = reply.contextMessageId;
  if (quoted === null) return null;
  const current = requestOf(state);
  const all = [...state.history.earlierRequests, ...(current === null ? [] : [current])];
  // A request may have gone out in two messages; our records know both, the state the latest.
  const named = all.find(
    ({ requestId, messageId }) => requestId === reply.requestId || messageId === quoted,
  );
  if (named !== undefined) return named;
  const waiting = all.filter(
    ({ messageId, delivery }) => messageId === null && delivery !== 'failed',
  );
  const [only] = waiting;
  if (only === undefined || waiting.length > 1 || quoted.startsWith('wacid')) return null;
  return only;
}

function answerOf(permission: ConsentPermission): ConsentAnswer {
  const { grantedAt: at, messageId, source } = permission;
  return { at, kind: 'accept', by: source === 'user' ? 'customer' : 'meta', messageId };
}

function isNewer(answer: ConsentAnswer, state: ConsentState): boolean {
  const last = state.history.lastAnswer;
  return last === null || isAfter(answer, last);
}

const ANSWER_RANK = { accept: 0, reject: 1, revoke: 2 } as const;

/** A total order: time, then no over yes, then the message id; equal means the same answer. */
function isAfter(a: ConsentAnswer, b: ConsentAnswer): boolean {
  if (a.at !== b.at) return a.at > b.at;
  if (a.kind !== b.kind) return ANSWER_RANK[a.kind] > ANSWER_RANK[b.kind];
  return (a.messageId ?? '') > (b.messageId ?? '');
}
