import type { RecordedCall } from '../calls/cdr-store.ts';
import { callView } from '../calls/call-views.ts';
import type { PermissionRow, RequestRow } from '../consent/consent-store.ts';
import { permissionView, requestView } from '../consent/consent-views.ts';
import type { CallView, PermissionRequestView, PermissionView } from '../http/api-types.ts';
import type { LedgerLink } from '../ledger/ledger-store.ts';
import { isoTimeOrNull } from '../platform/clock.ts';

/**
 * What a bundle says of requests, permissions and calls. Each thing names the sequences of the
 * ledger entries that speak of it, so that a verifier can hold the one against the other.
 */
export type RequestEvidence = PermissionRequestView & {
  promisedAt: string | null;
  policyPack: string;
  /** Meta's id of the message; null when it never got there. */
  messageId: string | null;
  sentAt: string | null;
  deliveredAt: string | null;
  readAt: string | null;
  ledger: number[];
};

export type PermissionEvidence = PermissionView & {
  source: 'user' | 'automatic';
  promisedAt: string | null;
  /** Meta's id of the customer's reply. */
  messageId: string;
  usedAt: string | null;
  ledger: number[];
};

/** A call with its record and what it rests on; null where there was no yes, and so no ring. */
export type CallEvidence = CallView & {
  cdr: RecordedCall['cdr'];
  policyPack: string | null;
  requestId: string | null;
  /** Sequences: the question, the yes, and the use of that yes for this call. */
  requestedIn: number | null;
  grantedIn: number | null;
  usedIn: number | null;
  ledger: number[];
};

/** All links of one contact, by what they speak of. */
export type LinkIndex = {
  requests: ReadonlyMap<string | null, LedgerLink[]>;
  permissions: ReadonlyMap<string | null, LedgerLink[]>;
  calls: ReadonlyMap<string | null, LedgerLink[]>;
};

export function indexLinks(links: readonly LedgerLink[]): LinkIndex {
  return {
    requests: Map.groupBy(links, ({ requestId }) => requestId),
    permissions: Map.groupBy(links, ({ permissionId }) => permissionId),
    calls: Map.groupBy(links, ({ callId }) => callId),
  };
}

export function requestEvidence(row: RequestRow, index: LinkIndex): RequestEvidence {
  const { requestId, promisedAt, packName, messageId } = row.request;
  const links = index.requests.get(requestId) ?? [];
  return {
    ...requestView(row),
    promisedAt: isoTimeOrNull(promisedAt),
    policyPack: packName,
    messageId,
    sentAt: isoTimeOrNull(linkOf(links, 'PermissionRequestSent')?.at),
    deliveredAt: isoTimeOrNull(linkOf(links, 'PermissionRequestDelivered')?.at),
    readAt: isoTimeOrNull(linkOf(links, 'PermissionRequestRead')?.at),
    ledger: sequencesOf(links),
  };
}

export function permissionEvidence(row: PermissionRow, index: LinkIndex): PermissionEvidence {
  const { permissionId, source, promisedAt, messageId } = row.permission;
  const links = index.permissions.get(permissionId) ?? [];
  const uses = links.filter(({ type }) => type === 'PermissionUsed');
  return {
    ...permissionView(row),
    source,
    promisedAt: isoTimeOrNull(promisedAt),
    messageId,
    // A permission that a refused dial gave back counts as used only by the call that kept it.
    usedAt: isoTimeOrNull(uses.find(({ callId }) => callId === row.usedByCallId)?.at),
    ledger: sequencesOf(links),
  };
}

export function callEvidence({ call, cdr }: RecordedCall, index: LinkIndex): CallEvidence {
  const { id } = call.plan;
  const { permissionId, policyPack } = call.facts;
  const links = index.calls.get(id) ?? [];
  const ofPermission = permissionId === null ? [] : (index.permissions.get(permissionId) ?? []);
  const granted = linkOf(ofPermission, 'PermissionGranted');
  const requestId = granted?.requestId ?? null;
  const ofRequest = requestId === null ? [] : (index.requests.get(requestId) ?? []);
  return {
    ...callView(call),
    cdr,
    policyPack,
    requestId,
    requestedIn: linkOf(ofRequest, 'PermissionRequested')?.sequence ?? null,
    grantedIn: granted?.sequence ?? null,
    usedIn: (linkOf(links, 'PermissionUsed') ?? linkOf(links, PARTLY_USED))?.sequence ?? null,
    ledger: sequencesOf(links),
  };
}

/** One call of several on the same yes; the last one is `PermissionUsed`. */
const PARTLY_USED = 'PermissionPartlyUsed';

function linkOf(links: readonly LedgerLink[], type: string): LedgerLink | undefined {
  return links.find((link) => link.type === type);
}

function sequencesOf(links: readonly LedgerLink[]): number[] {
  return links.map(({ sequence }) => sequence);
}
