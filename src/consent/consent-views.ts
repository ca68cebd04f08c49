import type { ConsentView, PermissionRequestView, PermissionView } from '../http/api-types.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { LineId } from '../platform/ids.ts';
import { NEVER, permissionOf, requestOf, type ConsentState } from './consent.ts';
import type { PlannedRequest } from './planned-request.ts';
import type { PermissionRow, RequestRow } from './consent-store.ts';

/** How consent leaves the house: the shapes of the API and of webhooks. */
export function permissionView(row: PermissionRow): PermissionView {
  const { permission } = row;
  return {
    id: permission.permissionId,
    contactId: row.contactId,
    lineId: row.lineId,
    requestId: permission.requestId,
    purpose: permission.purpose,
    kind: permission.kind,
    status: row.status,
    grantedAt: isoTime(permission.grantedAt),
    expiresAt: endTime(permission.expiresAt),
    usedByCallId: row.usedByCallId,
    revokedAt: isoTimeOrNull(row.revokedAt),
    revokedBy: row.revokedBy,
  };
}

export function requestView(row: RequestRow): PermissionRequestView {
  const { request } = row;
  return {
    id: request.requestId,
    contactId: row.contactId,
    lineId: row.lineId,
    purpose: request.purpose,
    template: request.template,
    templateVersion: request.templateVersion ?? null,
    language: request.language,
    promisedAt: isoTimeOrNull(request.promisedAt),
    text: request.text,
    status: row.status,
    createdAt: isoTime(request.requestedAt),
    sendAt: null,
    answeredAt: isoTimeOrNull(row.answeredAt),
    quickReply:
      row.quickReply === undefined ? null : { ...row.quickReply, at: isoTime(row.quickReply.at) },
    attribution: request.attribution ?? null,
    error: row.error,
  };
}

/** A request that is to be asked later, or was to be. */
export function plannedView(planned: PlannedRequest): PermissionRequestView {
  const { wish, end } = planned;
  const { code, message, fix } = end ?? { code: '', message: '', fix: '' };
  return {
    id: planned.id,
    contactId: planned.contactId,
    lineId: planned.lineId,
    purpose: wish.purpose,
    template: wish.template,
    templateVersion: null,
    language: planned.language,
    promisedAt: isoTimeOrNull(wish.promisedAt),
    text: planned.text,
    status: planned.status,
    createdAt: isoTime(planned.plannedAt),
    sendAt: isoTime(planned.dueAt),
    answeredAt: null,
    quickReply: null,
    attribution: planned.attribution,
    error: end === null ? null : { code, message, fix },
  };
}

/** The seven facts the page asks for. A grant past its expiry shows as expired at once. */
export function consentView(lineId: LineId, state: ConsentState, now: number): ConsentView {
  const permission = permissionOf(state);
  const request = requestOf(state);
  const isPast = state.status === 'granted' && now >= state.permission.expiresAt;
  return {
    lineId,
    status: isPast ? 'expired' : state.status,
    permissionId: permission?.permissionId ?? null,
    requestId: request?.requestId ?? null,
    purpose: permission?.purpose ?? request?.purpose ?? null,
    grantedAt: isoTimeOrNull(permission?.grantedAt ?? null),
    expiresAt: endTime(permission?.expiresAt ?? null),
    revokedAt: state.status === 'revoked' ? isoTime(state.revokedAt) : null,
    revokedBy: state.status === 'revoked' ? state.revokedBy : null,
    requestsSent: state.history.requestsSent,
    lastRequestAt: isoTimeOrNull(state.history.lastRequestAt),
  };
}

/** Null for a permission that only a no ends. */
function endTime(expiresAt: number | null): string | null {
  return isoTimeOrNull(expiresAt !== null && expiresAt >= NEVER ? null : expiresAt);
}
