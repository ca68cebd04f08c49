import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { CallId, ContactId, LineId, PermissionRequestId } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import {
  decide,
  evolve,
  permissionOf,
  publicName,
  reachEvent,
  requestOf,
  type CallReach,
  type ConsentCommand,
  type ConsentEvent,
  type ConsentRequest,
  type ConsentRules,
  type ConsentState,
} from './consent.ts';
import {
  consentRows,
  permissionRows,
  readConsent,
  readRequest,
  requestRows,
  type PermissionRow,
  type RequestRow,
} from './consent-store.ts';
import { permissionView } from './consent-views.ts';

/**
 * Runs a consent command on a locked contact: decide, then stage the new state, the rows people
 * list, the ledger entries and the outgoing events. Returns the new state, or the refusal.
 */
export async function commandConsent(
  unit: ContactUnit,
  lineId: LineId,
  command: ConsentCommand,
  context: { rules: ConsentRules; actor: string },
): Promise<ConsentState | Refused> {
  const state = await currentConsent(unit, lineId);
  return applyConsent(unit, lineId, state, command, context);
}

/** As `commandConsent`, for a state that was read under the contact's lock already. */
export async function applyConsent(
  unit: ContactUnit,
  lineId: LineId,
  before: ConsentState,
  command: ConsentCommand,
  context: { rules: ConsentRules; actor: string },
): Promise<ConsentState | Refused> {
  const decided = decide(command, before, { now: unit.now, rules: context.rules });
  if (isRefused(decided)) return decided;
  return stageEvents(unit, lineId, before, decided.events, context.actor);
}

/**
 * Remembers how a call went, in the transaction that ends it: what the limits count is then as
 * old as the call's own state, and no older.
 */
export async function recordReach(
  unit: ContactUnit,
  lineId: LineId,
  reach: CallReach,
): Promise<void> {
  const before = await currentConsent(unit, lineId);
  await stageEvents(unit, lineId, before, [reachEvent(reach)], 'platform');
}

async function stageEvents(
  unit: ContactUnit,
  lineId: LineId,
  before: ConsentState,
  events: readonly ConsentEvent[],
  actor: string,
): Promise<ConsentState> {
  let state = before;
  for (const event of events) {
    state = evolve(state, event);
    await stageEvent(unit, lineId, state, event, actor);
  }
  if (events.length > 0) {
    const { id: contactId, accountId } = unit.contact;
    const row = { accountId, contactId, lineId, state, updatedAt: unit.now };
    unit.save(consentRows, consentRowKey(contactId, lineId), row);
  }
  return state;
}

async function currentConsent(unit: ContactUnit, lineId: LineId): Promise<ConsentState> {
  const { id: contactId } = unit.contact;
  // What this unit has changed already is not in the database yet.
  const saved = unit.savedRow(consentRows, consentRowKey(contactId, lineId));
  return saved?.state ?? readConsent(unit.tx, { contactId, lineId });
}

/** The name of a consent's row within a unit. */
export function consentRowKey(contactId: ContactId, lineId: LineId): string {
  return `${contactId}/${lineId}`;
}

async function stageEvent(
  unit: ContactUnit,
  lineId: LineId,
  state: ConsentState,
  event: ConsentEvent,
  actor: string,
): Promise<void> {
  const { id: contactId, accountId } = unit.contact;
  const key = { accountId, contactId, lineId };
  const requestId = requestIdOf(event);
  const row = requestId === null ? null : await nextRequestRow(unit, key, state, event, requestId);
  if (row !== null) unit.save(requestRows, row.request.requestId, row);
  const permission = permissionRowAfter(key, state, event);
  if (permission !== null)
    unit.save(permissionRows, permission.permission.permissionId, permission);

  const { type, at } = event;
  const { data, personal } = dividedEvent(event);
  const name = publicName(type);
  const entry = { type, actor, at, data: { lineId, ...data }, personal };
  if (name === null) return unit.record(entry);
  const view = permission === null ? {} : { permission: permissionView(permission) };
  unit.record({
    ...entry,
    announce: {
      type: name,
      callId: 'callId' in event ? (event.callId satisfies CallId) : null,
      sequence: 0,
      data: { lineId, requestId, purpose: purposeOf(state), ...view },
    },
  });
}

/**
 * What an event says, divided into what may stay for ever and what goes with the person: words,
 * and Meta's message ids, which hold the customer's number in base64.
 */
function dividedEvent(event: ConsentEvent): Divided {
  switch (event.type) {
    case 'PermissionRequested': {
      const { purpose, text, messageId: _none, ...request } = event.request;
      return { data: { request }, personal: { purpose, text } };
    }
    case 'PermissionGranted': {
      const { purpose, messageId, ...permission } = event.permission;
      return { data: { permission }, personal: { purpose, messageId } };
    }
    case 'PermissionRequestFailed': {
      const { requestId, code, message, fix } = event;
      return { data: { requestId, code }, personal: { message, fix } };
    }
    case 'PermissionRevoked': {
      const { permissionId, by, answer, reason, messageId } = event;
      return { data: { permissionId, by, answer }, personal: { reason, messageId } };
    }
    case 'PermissionRequestSent':
    case 'PermissionDeclined': {
      const { type: _type, at: _at, messageId, ...data } = event;
      return { data, personal: { messageId } };
    }
    default: {
      const { type: _type, at: _at, ...data } = event;
      return { data };
    }
  }
}

type Divided = { data: Record<string, unknown>; personal?: Record<string, unknown> };

function requestIdOf(event: ConsentEvent): PermissionRequestId | null {
  if (event.type === 'PermissionRequested') return event.request.requestId;
  if (event.type === 'PermissionGranted') return event.permission.requestId;
  return 'requestId' in event ? event.requestId : null;
}

function purposeOf(state: ConsentState): string | null {
  return permissionOf(state)?.purpose ?? requestOf(state)?.purpose ?? null;
}

const REQUEST_STATUS = {
  PermissionRequested: 'queued',
  PermissionRequestSent: 'sent',
  PermissionRequestDelivered: 'delivered',
  PermissionRequestRead: 'read',
  PermissionRequestFailed: 'failed',
  PermissionGranted: 'granted',
  PermissionDeclined: 'declined',
  PermissionRequestLapsed: 'lapsed',
} as const satisfies Partial<Record<ConsentEvent['type'], RequestRow['status']>>;

const ORDER: readonly RequestRow['status'][] = ['queued', 'sent', 'delivered', 'read'];

/** The row of the request that an event speaks of; news of delivery never undoes an answer. */
async function nextRequestRow(
  unit: ContactUnit,
  key: Pick<RequestRow, 'accountId' | 'contactId' | 'lineId'>,
  state: ConsentState,
  event: ConsentEvent,
  requestId: PermissionRequestId,
): Promise<RequestRow | null> {
  if (!(event.type in REQUEST_STATUS)) return null;
  const status = REQUEST_STATUS[event.type as keyof typeof REQUEST_STATUS];
  const request = findRequest(state, requestId);
  if (request === null) return null;
  if (event.type === 'PermissionRequested') {
    return { ...key, request, status, answeredAt: null, error: null };
  }
  const stored = await readRequest(unit.tx, key.accountId, requestId);
  const before = stored?.status ?? 'queued';
  const isNews = !ORDER.includes(status) || ORDER.indexOf(status) > ORDER.indexOf(before);
  const isAnswered = !ORDER.includes(before);
  const keeps = ORDER.includes(status) && (isAnswered || !isNews);
  const answered = event.type === 'PermissionGranted' || event.type === 'PermissionDeclined';
  const { code, message, fix } = { code: '', message: '', fix: '', ...event };
  return {
    ...key,
    request,
    status: keeps ? before : status,
    answeredAt: answered ? event.at : (stored?.answeredAt ?? null),
    error: event.type === 'PermissionRequestFailed' ? { code, message, fix } : null,
    ...(stored?.quickReply === undefined ? {} : { quickReply: stored.quickReply }),
  };
}

function findRequest(state: ConsentState, id: PermissionRequestId): ConsentRequest | null {
  const all = [requestOf(state), ...state.history.earlierRequests];
  return all.find((request) => request?.requestId === id) ?? null;
}

function permissionRowAfter(
  key: Pick<PermissionRow, 'accountId' | 'contactId' | 'lineId'>,
  state: ConsentState,
  event: ConsentEvent,
): PermissionRow | null {
  const permission = permissionOf(state);
  if (permission === null) return null;
  const row = { ...key, permission, usedByCallId: null, revokedAt: null, revokedBy: null };
  switch (event.type) {
    case 'PermissionGranted':
    case 'PermissionPartlyUsed':
    case 'PermissionReleased':
      return { ...row, status: 'granted' };
    case 'PermissionUsed':
      return { ...row, status: 'used', usedByCallId: event.callId };
    case 'PermissionExpired':
      return { ...row, status: 'expired' };
    case 'PermissionRevoked': {
      // A permission that served its call stays "used" in the list, with the no beside it.
      const usedByCallId = state.status === 'revoked' ? state.usedByCallId : null;
      const status = usedByCallId === null ? 'revoked' : 'used';
      return { ...row, status, usedByCallId, revokedAt: event.at, revokedBy: event.by };
    }
    default:
      return null;
  }
}
